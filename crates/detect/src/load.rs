//! Documents to rules. Every problem of every document is told at once, with file and line where known.

mod correlation;
mod document;
mod extras;

pub use extras::span;

use std::collections::HashMap;

use event::{Field, FindingKind, Severity, field::Column};
use rsigma_parser::{
    ConditionExpr, CorrelationRule, Detections, FilterRule, FilterRuleTarget, Level, SigmaCollection, SigmaRule, parse_sigma_yaml,
};

use self::{
    document::{Document, documents, explain},
    extras::Extras,
};
use crate::{
    limits::{DOCUMENT_BYTES_MAX, EPISODE_DEFAULT},
    matching::MatcherBuilder,
    names,
    rules::{Condition, KeyField, Rule, RuleProblem, RuleSet, SharedAddress, Window},
    suggest,
    template::{Template, index},
    values,
};

/// Whom and what a rule of one event is about, where it does not say: those of them that the event has.
const SUBJECT: &[Column] = &[Column::User, Column::SrcIp, Column::TargetUser, Column::Role, Column::Database, Column::Object];

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
    filters: Vec<FilterRule>,
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
        filters: Vec::new(),
    };
    let mut parsed = Vec::new();
    for (file, text) in files {
        if text.len() > DOCUMENT_BYTES_MAX {
            let what = format!("{} bytes: a rule document has at most {DOCUMENT_BYTES_MAX}", text.len());
            loader.problems.push(RuleProblem { file: file.to_owned(), what });
            continue;
        }
        parsed.extend(documents(file, text).into_iter().map(|d| {
            let found = loader.parse(&d);
            (d, found)
        }));
    }
    loader.filters = parsed.iter().flat_map(|(_, found)| found.filters.clone()).collect();
    for (document, found) in &parsed {
        loader.document(document, found);
    }
    loader.finish()
}

impl Loader {
    fn parse(&mut self, document: &Document<'_>) -> SigmaCollection {
        match parse_sigma_yaml(document.text) {
            Ok(parsed) => {
                self.problems.extend(parsed.errors.iter().map(|what| document.problem(explain(what))));
                parsed
            }
            Err(e) => {
                self.problems.push(document.problem(e.to_string()));
                SigmaCollection::default()
            }
        }
    }
    fn document(&mut self, document: &Document<'_>, parsed: &SigmaCollection) {
        for rule in &parsed.rules {
            self.detection(document, rule).unwrap_or_else(|what| self.problems.push(document.problem(what)));
        }
        for rule in &parsed.correlations {
            self.correlation(document, rule).unwrap_or_else(|what| self.problems.push(document.problem(what)));
        }
        for filter in &parsed.filters {
            check_filter(filter).unwrap_or_else(|what| self.problems.push(document.problem(what)));
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
        let all: Vec<&Detections> =
            std::iter::once(&rule.detection).chain(self.filters.iter().filter(|f| applies(f, rule)).map(|f| &f.detection)).collect();
        all.iter().try_for_each(|d| values::check(d))?;
        let number = self.builder.add(Some(&rule.logsource), &all)?;
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
        let instance = index(&mut shown, Field::Column(Column::Instance));
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
            disabled: false,
            tests: extras.tests.clone(),
            bases: Vec::new(),
            headline,
            next,
            shown,
            subject: vec![instance],
            window,
        })
    }
    fn finish(mut self) -> Result<RuleSet, Vec<RuleProblem>> {
        let mut links = Links {
            consumers: self.detections.iter().map(|rule| vec![(*rule as u32, 0)]).collect(),
            parents: vec![Vec::new(); self.rules.len()],
            quiet: HashMap::new(),
        };
        for reference in std::mem::take(&mut self.references) {
            for (position, name) in reference.bases.iter().enumerate() {
                self.link(&mut links, &reference, position, name);
            }
        }
        for circle in circles(&links.parents) {
            let rule = &self.rules[circle];
            self.problems.push(RuleProblem { file: rule.file.clone(), what: format!("`{}` stands on itself", rule.id) });
        }
        for (i, rule) in self.rules.iter_mut().enumerate() {
            rule.generate = self.says[i].unwrap_or(!links.quiet.get(&i).copied().unwrap_or(false));
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let matcher = self.builder.build().map_err(|what| vec![RuleProblem { file: "rules".to_owned(), what }])?;
        Ok(RuleSet { rules: self.rules, matcher, consumers: links.consumers, parents: links.parents })
    }
    /// The rule that a correlation of a file means: by id or name, in its own file first.
    fn resolve(&self, name: &str, file: &str) -> Result<usize, String> {
        let named = |i: &usize| self.rules[*i].id == name || self.rules[*i].name.as_deref() == Some(name);
        let all: Vec<usize> = (0..self.rules.len()).filter(named).collect();
        let own: Vec<usize> = all.iter().copied().filter(|i| self.rules[*i].file == file).collect();
        match (own.as_slice(), all.as_slice()) {
            ([one], _) | ([], [one]) => Ok(*one),
            ([], []) => {
                let known = self.rules.iter().flat_map(|r| [Some(r.id.as_str()), r.name.as_deref()]).flatten();
                Err(format!("rules: no rule is named `{name}`{}", suggest::hint(name, known)))
            }
            _ => Err(format!("rules: several rules are named `{name}`: use the id")),
        }
    }
    fn link(&mut self, links: &mut Links, reference: &Reference, position: usize, name: &str) {
        let base = match self.resolve(name, &self.rules[reference.rule].file) {
            Ok(base) => base,
            Err(what) => return self.problems.push(RuleProblem { what, ..reference.place.clone() }),
        };
        if matches!(self.rules[base].window.condition, Condition::Absent(_)) {
            let what = format!("rules: `{name}` waits for silence: nothing can stand on that");
            return self.problems.push(RuleProblem { what, ..reference.place.clone() });
        }
        let (id, product, stream) = (self.rules[base].id.clone(), self.rules[base].product.clone(), self.rules[base].stream.clone());
        let made = &mut self.rules[reference.rule];
        made.bases.push(id);
        if position == 0 {
            (made.product, made.stream) = (product, stream);
        }
        let link = (reference.rule as u32, position as u16);
        match self.detections.iter().position(|d| *d == base) {
            Some(number) => links.consumers[number].push(link),
            None => links.parents[base].push(link),
        }
        *links.quiet.entry(base).or_insert(true) &= !reference.generate;
    }
}

/// How rules stand on each other.
struct Links {
    consumers: Vec<Vec<(u32, u16)>>,
    parents: Vec<Vec<(u32, u16)>>,
    quiet: HashMap<usize, bool>,
}

/// A filter takes away: one that only selects would keep nothing but what it names.
fn check_filter(filter: &FilterRule) -> Result<(), String> {
    fn negates(e: &ConditionExpr) -> bool {
        match e {
            ConditionExpr::Not(_) => true,
            ConditionExpr::And(list) | ConditionExpr::Or(list) => list.iter().any(negates),
            ConditionExpr::Identifier(_) | ConditionExpr::Selector { .. } => false,
        }
    }
    let negated = filter.detection.conditions.iter().all(negates);
    if negated { Ok(()) } else { Err("a filter's condition must take away: `condition: not selection`".to_owned()) }
}

fn applies(filter: &FilterRule, rule: &SigmaRule) -> bool {
    match &filter.rules {
        FilterRuleTarget::Any => true,
        FilterRuleTarget::Specific(names) => names.iter().any(|n| rule.id.as_ref() == Some(n) || rule.name.as_ref() == Some(n)),
    }
}

/// The correlations that stand on themselves.
fn circles(parents: &[Vec<(u32, u16)>]) -> Vec<usize> {
    let reaches = |from: usize| {
        let (mut seen, mut open) = (vec![false; parents.len()], vec![from]);
        while let Some(rule) = open.pop() {
            for (next, _) in &parents[rule] {
                if *next as usize == from {
                    return true;
                }
                if !std::mem::replace(&mut seen[*next as usize], true) {
                    open.push(*next as usize);
                }
            }
        }
        false
    };
    (0..parents.len()).filter(|r| reaches(*r)).collect()
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

#[cfg(test)]
mod tests;
