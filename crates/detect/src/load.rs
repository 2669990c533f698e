//! Documents to rules. Every problem of every document is told at once, with file and line where known.

mod correlation;
mod extras;

pub use extras::span;

use std::collections::HashMap;

use event::{Field, FindingKind, Severity, field::Column};
use rsigma_parser::{CorrelationRule, Level, SigmaRule, parse_sigma_yaml};

use self::extras::Extras;
use crate::{
    limits::{DOCUMENT_BYTES_MAX, EPISODE_DEFAULT},
    matching::MatcherBuilder,
    names,
    rules::{Condition, KeyField, Rule, RuleProblem, RuleSet, SharedAddress, Window},
    suggest,
    template::{Template, index},
};

/// Whom and what a rule of one event is about, where it does not say: those of them that the event has.
const SUBJECT: &[Column] = &[Column::User, Column::SrcIp, Column::TargetUser, Column::Role, Column::Database, Column::Object];

/// One YAML document of a file.
struct Document<'d> {
    file: &'d str,
    text: &'d str,
    line: usize,
}

impl Document<'_> {
    fn problem(&self, what: impl Into<String>) -> RuleProblem {
        let what = what.into();
        let quoted = what.split(['`', '\'']).nth(1).filter(|t| t.len() > 2);
        let place = quoted.and_then(|t| self.text.lines().position(|l| l.contains(t))).unwrap_or(0);
        RuleProblem { file: format!("{}:{}", self.file, self.line + place), what }
    }
}

/// Cuts a file at its `---` lines, so that a problem has a place and one bad document does not hide the others.
fn documents<'d>(file: &'d str, text: &'d str) -> Vec<Document<'d>> {
    let mut found = Vec::new();
    let (mut from, mut at, mut line, mut first) = (0, 0, 1, 1);
    for l in text.split_inclusive('\n') {
        let end = at + l.len();
        if l.trim_end() == "---" {
            found.push(Document { file, text: &text[from..at], line: first });
            (from, first) = (end, line + 1);
        }
        (at, line) = (end, line + 1);
    }
    found.push(Document { file, text: &text[from..], line: first });
    let blank = |t: &str| t.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
    found.retain(|d| !blank(d.text));
    found
}

/// What a correlation refers to, resolved when every document is read.
struct Reference {
    rule: usize,
    bases: Vec<String>,
    generate: bool,
    place: RuleProblem,
}

struct Loader {
    builder: MatcherBuilder,
    rules: Vec<Rule>,
    /// By number in the matcher: the rule.
    detections: Vec<usize>,
    /// Whether the document itself says that the rule makes findings.
    says: Vec<Option<bool>>,
    references: Vec<Reference>,
    problems: Vec<RuleProblem>,
}

/// See [`RuleSet::load`].
pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<RuleSet, Vec<RuleProblem>> {
    let mut loader = Loader {
        builder: MatcherBuilder::new(names::field),
        rules: Vec::new(),
        detections: Vec::new(),
        says: Vec::new(),
        references: Vec::new(),
        problems: Vec::new(),
    };
    for (file, text) in files {
        if text.len() > DOCUMENT_BYTES_MAX {
            let what = format!("{} bytes: a rule document has at most {DOCUMENT_BYTES_MAX}", text.len());
            loader.problems.push(RuleProblem { file: file.to_owned(), what });
            continue;
        }
        for document in documents(file, text) {
            loader.document(&document);
        }
    }
    loader.finish()
}

impl Loader {
    fn document(&mut self, document: &Document<'_>) {
        let parsed = match parse_sigma_yaml(document.text) {
            Ok(parsed) => parsed,
            Err(e) => return self.problems.push(document.problem(e.to_string())),
        };
        for what in &parsed.errors {
            self.problems.push(document.problem(explain(what)));
        }
        for rule in &parsed.rules {
            self.detection(document, rule).unwrap_or_else(|what| self.problems.push(document.problem(what)));
        }
        for rule in &parsed.correlations {
            self.correlation(document, rule).unwrap_or_else(|what| self.problems.push(document.problem(what)));
        }
        if !parsed.filters.is_empty() {
            self.problems.push(document.problem("`filter` documents are not supported: write the exception into the rule's condition"));
        }
    }
    fn detection(&mut self, document: &Document<'_>, rule: &SigmaRule) -> Result<(), String> {
        let own = serde_json::to_value(&rule.custom_attributes).map_err(|e| e.to_string())?;
        let extras = Extras::read(own)?;
        if rule.logsource.category.is_some() {
            return Err("logsource: `category` is not used here: product, service (the stream), family".to_owned());
        }
        let key = match extras.subject() {
            Some(names) => {
                names.iter().map(|n| names::field(n).map(|f| KeyField { name: n.clone(), by_base: vec![f] })).collect::<Result<_, _>>()?
            }
            None => SUBJECT.iter().map(|c| KeyField { name: c.name().to_owned(), by_base: vec![Field::Column(*c)] }).collect(),
        };
        let window = Window {
            condition: Condition::Single,
            span: 0,
            gap: extras.episode()?.unwrap_or(EPISODE_DEFAULT),
            key,
            partial_key: true,
            shared: extras.shared_address.unwrap_or(SharedAddress::Keep),
        };
        let number = self.builder.add(Some(&rule.logsource), &rule.detection)?;
        let head = Head {
            id: rule.id.as_deref(),
            name: rule.name.as_deref(),
            title: &rule.title,
            description: rule.description.as_deref(),
            level: rule.level,
            tags: &rule.tags,
        };
        let mut made = self.rule(document, &head, &extras, window, FindingKind::Rule)?;
        made.product = rule.logsource.product.clone().or_else(|| rule.logsource.custom.get("family").cloned());
        made.stream = rule.logsource.service.clone();
        debug_assert_eq!(number as usize, self.detections.len());
        self.detections.push(self.rules.len());
        self.rules.push(made);
        self.says.push(extras.generate);
        Ok(())
    }
    fn correlation(&mut self, document: &Document<'_>, rule: &CorrelationRule) -> Result<(), String> {
        let own = serde_json::to_value(&rule.custom_attributes).map_err(|e| e.to_string())?;
        let extras = Extras::read(own)?;
        let window = correlation::window(rule, extras.episode()?, extras.shared_address)?;
        let head = Head {
            id: rule.id.as_deref(),
            name: rule.name.as_deref(),
            title: &rule.title,
            description: rule.description.as_deref(),
            level: rule.level,
            tags: &rule.tags,
        };
        let mut made = self.rule(document, &head, &extras, window, FindingKind::Correlation)?;
        for name in extras.subject().unwrap_or_default() {
            if !made.window.key.iter().any(|k| k.name == name) {
                let at = index(&mut made.shown, names::field(&name)?);
                made.subject.push(at);
            }
        }
        let reference =
            Reference { rule: self.rules.len(), bases: rule.rules.clone(), generate: rule.generate, place: document.problem("") };
        self.references.push(reference);
        self.rules.push(made);
        self.says.push(None);
        Ok(())
    }
    fn rule(&self, document: &Document<'_>, head: &Head<'_>, extras: &Extras, window: Window, kind: FindingKind) -> Result<Rule, String> {
        let id = head.id.or(head.name).map_or_else(|| slug(head.title), str::to_owned);
        if let Some(other) = self.rules.iter().find(|r| r.id == id) {
            return Err(format!("the id `{id}` is taken by {}", other.file));
        }
        let mut shown = Vec::new();
        let headline = Template::parse(head.title, &mut shown).map_err(|e| format!("title: {e}"))?;
        let next = Template::parse(extras.next.as_deref().unwrap_or_default(), &mut shown).map_err(|e| format!("next: {e}"))?;
        Ok(Rule {
            id,
            name: head.name.map(str::to_owned),
            title: head.title.to_owned(),
            description: head.description.unwrap_or_default().trim().to_owned(),
            kind,
            severity: severity(head.level),
            attack: head.tags.iter().filter_map(|t| technique(t)).collect(),
            file: document.file.to_owned(),
            product: None,
            stream: None,
            needs: extras.needs(),
            generate: true,
            tests: extras.tests.clone(),
            bases: Vec::new(),
            headline,
            next,
            shown,
            subject: Vec::new(),
            window,
        })
    }
    fn finish(mut self) -> Result<RuleSet, Vec<RuleProblem>> {
        let mut consumers: Vec<Vec<(u32, u16)>> = self.detections.iter().map(|rule| vec![(*rule as u32, 0)]).collect();
        let mut parents = vec![Vec::new(); self.rules.len()];
        let mut quiet: HashMap<usize, bool> = HashMap::new();
        for reference in std::mem::take(&mut self.references) {
            for (position, name) in reference.bases.iter().enumerate() {
                let found = self.rules.iter().position(|r| r.id == *name || r.name.as_deref() == Some(name));
                let Some(base) = found.filter(|b| *b != reference.rule) else {
                    let known = self.rules.iter().flat_map(|r| [Some(r.id.as_str()), r.name.as_deref()]).flatten();
                    let what = format!("rules: no rule is named `{name}`{}", suggest::hint(name, known));
                    self.problems.push(RuleProblem { what, ..reference.place.clone() });
                    continue;
                };
                let id = self.rules[base].id.clone();
                self.rules[reference.rule].bases.push(id);
                let (product, stream) = (self.rules[base].product.clone(), self.rules[base].stream.clone());
                let made = &mut self.rules[reference.rule];
                if position == 0 {
                    (made.product, made.stream) = (product, stream);
                }
                let link = (reference.rule as u32, position as u16);
                match self.detections.iter().position(|d| *d == base) {
                    Some(number) => consumers[number].push(link),
                    None => parents[base].push(link),
                }
                *quiet.entry(base).or_insert(true) &= !reference.generate;
            }
        }
        for (rule, says) in
            self.rules.iter_mut().zip(&self.says).enumerate().map(|(i, (r, s))| (r, s.unwrap_or(!quiet.get(&i).copied().unwrap_or(false))))
        {
            rule.generate = says;
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let matcher = self.builder.build().map_err(|what| vec![RuleProblem { file: "rules".to_owned(), what }])?;
        Ok(RuleSet { rules: self.rules, matcher, consumers, parents })
    }
}

/// What both kinds of documents begin with.
struct Head<'h> {
    id: Option<&'h str>,
    name: Option<&'h str>,
    title: &'h str,
    description: Option<&'h str>,
    level: Option<Level>,
    tags: &'h [String],
}

fn severity(level: Option<Level>) -> Severity {
    level.and_then(|l| Severity::parse(l.as_str())).unwrap_or(Severity::Medium)
}

/// `attack.t1110.003` -> `T1110.003`; tactics and groups are not techniques.
fn technique(tag: &str) -> Option<String> {
    let id = tag.strip_prefix("attack.t")?;
    id.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("T{id}"))
}

fn slug(title: &str) -> String {
    let words: Vec<String> = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    words.join("-")
}

/// The parser's complaint, with a suggestion where it names a word that we know better.
fn explain(what: &str) -> String {
    if what.starts_with("invalid level") {
        return format!("{what}: informational, low, medium, high or critical");
    }
    let Some(word) = what.strip_prefix("Unknown modifier '").and_then(|r| r.strip_suffix('\'')) else { return what.to_owned() };
    let near = suggest::hint(word, names::MODIFIERS.iter().copied());
    let near = if near.is_empty() { format!(": one of {}", names::MODIFIERS.join(", ")) } else { near };
    format!("unknown modifier `{word}`{near}")
}

#[cfg(test)]
mod tests;
