//! Compiled rules: what the engine needs of a rule, and what people are told about it.

use event::{Field, FindingKind, Micros, Severity};

use crate::{matching::Matcher, suggest, template::Template, testing::RuleTest};

/// What a correlation does at addresses behind which many accounts stand (DESIGN §2.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SharedAddress {
    /// Nothing special.
    Keep,
    /// Account and client program become keys beside the address.
    Split,
    /// Events from there do not count.
    Skip,
}

/// Which base rules must have matched in a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// The base at this position.
    Base(u16),
    /// All of them.
    All(Vec<Need>),
    /// So many of them.
    AtLeast(u64, Vec<Need>),
}

impl Need {
    /// Whether it is met, given which bases have matched.
    pub fn holds(&self, matched: &dyn Fn(u16) -> bool) -> bool {
        match self {
            Self::Base(base) => matched(*base),
            Self::All(list) => list.iter().all(|n| n.holds(matched)),
            Self::AtLeast(least, list) => list.iter().filter(|n| n.holds(matched)).count() as u64 >= *least,
        }
    }
}

/// What must be true in a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// One event is enough.
    Single,
    /// So many acts at least.
    Events(u64),
    /// So many different values of these fields (together one value) at least; the fields by base rule.
    Distinct(u64, Vec<Vec<Field>>),
    /// A sum at least; the field by base rule.
    Sum(i64, Vec<Field>),
    /// Bases that match in any order.
    Temporal(Need),
    /// So many bases, each after the one before it.
    Ordered(u16),
    /// Fewer acts than this, since the group was first heard.
    Absent(u64),
}

/// A column of a group's key, by base rule (aliases).
#[derive(Debug, Clone, PartialEq)]
pub struct KeyField {
    /// The name in the subject.
    pub name: String,
    /// The field of each base rule.
    pub by_base: Vec<Field>,
}

/// Which events stand together, for how long, and when that is a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// What must be true.
    pub condition: Condition,
    /// The length of the window; 0 for single events.
    pub span: Micros,
    /// How long after the last event another still belongs to the finding.
    pub gap: Micros,
    /// The group's key.
    pub key: Vec<KeyField>,
    /// Whether an event without a column of the key counts nevertheless.
    pub partial_key: bool,
    /// See [`SharedAddress`].
    pub shared: SharedAddress,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique.
    pub id: String,
    /// How correlations call it.
    pub name: Option<String>,
    /// The title as written.
    pub title: String,
    /// What it looks for.
    pub description: String,
    /// Whether one event or several make it.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// The document that it stands in.
    pub file: String,
    /// The product of its log source, or the family; none for any.
    pub product: Option<String>,
    /// The stream of its log source; none for any.
    pub stream: Option<String>,
    /// What configuration of the database it depends on.
    pub needs: Vec<String>,
    /// Whether it makes findings of its own.
    pub generate: bool,
    /// Switched off by the operator: makes no findings, but correlations that stand on it still do.
    pub disabled: bool,
    /// Its tests.
    pub tests: Vec<RuleTest>,
    /// Ids of the rules that a correlation stands on.
    pub bases: Vec<String>,
    pub(crate) headline: Template,
    pub(crate) next: Template,
    /// Columns whose values an episode keeps.
    pub(crate) shown: Vec<Field>,
    /// Which of them are named in the subject beside the key.
    pub(crate) subject: Vec<usize>,
    pub(crate) window: Window,
}

/// Compiled rules.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) matcher: Matcher,
    /// By number in the matcher: the rules that count a match, with the position of the base.
    pub(crate) consumers: Vec<Vec<(u32, u16)>>,
    /// By rule: the correlations that stand on it.
    pub(crate) parents: Vec<Vec<(u32, u16)>>,
}

/// A problem of a rule file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {what}")]
pub struct RuleProblem {
    /// The file, with line and column where known.
    pub file: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl RuleSet {
    /// Compiles documents (name, text). Every problem is told; a set with problems is none.
    pub fn load<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<RuleProblem>> {
        crate::load::load(documents)
    }
    /// The same rules, some of them switched off by id. An id that no rule has is a problem: a misspelled one would switch off nothing.
    pub fn without(mut self, disabled: &[String]) -> Result<Self, RuleProblem> {
        for id in disabled {
            match self.rules.iter_mut().find(|r| r.id == *id) {
                Some(rule) => (rule.disabled, rule.generate) = (true, false),
                None => {
                    let near = suggest::hint(id, self.rules.iter().map(|r| r.id.as_str()));
                    return Err(RuleProblem { file: "disabled".to_owned(), what: format!("no rule has the id `{id}`{near}") });
                }
            }
        }
        Ok(self)
    }
    /// Rules, correlations included.
    pub fn len(&self) -> usize {
        self.rules.len()
    }
    /// Rules that make findings; the others are there for correlations to stand on.
    pub fn finding(&self) -> usize {
        self.rules.iter().filter(|r| r.generate).count()
    }
    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The rules, in the order of their documents.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// The rule with this id or name.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|r| r.id == id).or_else(|| self.rules.iter().position(|r| r.name.as_deref() == Some(id)))
    }
}
