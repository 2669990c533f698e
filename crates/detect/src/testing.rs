//! The tests that a rule document carries: events or raw lines in, findings expected (docs/specs/rules.md).

mod build;

use std::{collections::BTreeMap, sync::Arc};

use event::{Event, Evidence, Finding, Micros, Severity};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Engine, Lane, Origin, RuleSet, load::span};

/// Repetition of the events of a test.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How often, the first time included.
    pub times: u32,
    /// How far apart in event time: `30s`.
    pub every: String,
}

/// What a test expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// Some finding, or none.
    Some(bool),
    /// So many findings.
    Count(u64),
}

/// A test of a rule document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// What it expects.
    #[serde(rename = "match")]
    pub wanted: Wanted,
    /// Events as maps of columns.
    #[serde(default)]
    pub events: Vec<Map<String, Value>>,
    /// Raw lines.
    #[serde(default)]
    pub lines: Option<String>,
    /// Product or family that the lines come from.
    #[serde(default)]
    pub component: Option<String>,
    /// Says the events or lines several times.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// Columns of the subject of the first finding.
    #[serde(default)]
    pub subject: BTreeMap<String, String>,
    /// Its severity.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// A part of its title.
    #[serde(default)]
    pub title: Option<String>,
    /// Its count.
    #[serde(default)]
    pub count: Option<u64>,
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    /// The rule's id.
    pub rule: String,
    /// The test.
    pub name: String,
    /// What is wrong; none where it passed.
    pub failure: Option<String>,
}

impl TestOutcome {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Parses raw lines of a component. The events' names, for acts, must be `test:<byte_start>`.
pub type ParseLines<'p> = dyn FnMut(&str, &str) -> Vec<Event<'static>> + 'p;

/// Runs the tests of one rule of a set (its index in [`RuleSet::rules`]).
pub fn run_tests(set: &Arc<RuleSet>, rule: usize, parse_lines: &mut ParseLines<'_>) -> Vec<TestOutcome> {
    let Some(found) = set.rules().get(rule) else { return Vec::new() };
    let run = |test: &RuleTest| {
        let failure = play(set, rule, test, parse_lines).and_then(|findings| judge(test, &findings)).err();
        TestOutcome { rule: found.id.clone(), name: test.name.clone(), failure }
    };
    found.tests.iter().map(run).collect()
}

fn events(set: &RuleSet, rule: usize, test: &RuleTest, parse_lines: &mut ParseLines<'_>) -> Result<Vec<Event<'static>>, String> {
    let mut events = match (&test.lines, test.events.is_empty()) {
        (Some(lines), true) => {
            let component = test.component.as_deref().or(set.rules[rule].product.as_deref()).unwrap_or_default();
            parse_lines(component, lines)
        }
        (None, false) => {
            let mut made = build::Builder::new(&set.rules[rule]);
            test.events.iter().map(|map| made.event(map)).collect::<Result<_, _>>()?
        }
        _ => return Err("a test has `events` or `lines`".to_owned()),
    };
    let Some(repeat) = &test.repeat else { return Ok(events) };
    let every = span("repeat: every", &repeat.every)?;
    let once = events.clone();
    for n in 1..repeat.times {
        for event in &once {
            let mut again = event.clone();
            again.time = again.time.map(|t| t + every * Micros::from(n));
            again.act_id = again.act_id.map(|a| format!("{a}#{n}"));
            events.push(again);
        }
    }
    Ok(events)
}

fn play(set: &Arc<RuleSet>, rule: usize, test: &RuleTest, parse_lines: &mut ParseLines<'_>) -> Result<Vec<Finding>, String> {
    let events = events(set, rule, test, parse_lines)?;
    let once = events.len() / test.repeat.as_ref().map_or(1, |r| r.times.max(1) as usize);
    let mut engine = Engine::new(Arc::clone(set)).only(rule);
    let mut out = Vec::new();
    for (i, event) in events.iter().enumerate() {
        let copy = i / once.max(1);
        let name = if copy == 0 { format!("test:{}", event.byte_start) } else { format!("test:{}#{copy}", event.byte_start) };
        let evidence = || Evidence::File { file: "test".to_owned(), offset: event.byte_start, raw: event.raw.to_string() };
        let lane = Lane::Lagging { historical: true };
        let origin = Origin { cluster: "test", source: 1, lane, name: &name, evidence: &evidence };
        engine.event(event, &origin, event.time.unwrap_or_default(), &mut out);
    }
    engine.flush(&mut out);
    Ok(last_revisions(out))
}

/// Of every finding its last revision, in the order in which they were made; without those that grew into others or were withdrawn.
pub fn last_revisions(findings: Vec<Finding>) -> Vec<Finding> {
    let mut last: Vec<Finding> = Vec::new();
    for finding in findings {
        match last.iter_mut().find(|f| f.id == finding.id) {
            Some(known) => *known = finding,
            None => last.push(finding),
        }
    }
    last.retain(|f| f.merged_into.is_none() && !f.withdrawn);
    last
}

fn judge(test: &RuleTest, findings: &[Finding]) -> Result<(), String> {
    let titles = || findings.iter().map(|f| f.title.as_str()).collect::<Vec<_>>().join("; ");
    let count = findings.len() as u64;
    let fits = match test.wanted {
        Wanted::Some(some) => some == (count > 0),
        Wanted::Count(n) => n == count,
    };
    if !fits {
        let wanted = match test.wanted {
            Wanted::Some(true) => "a finding".to_owned(),
            Wanted::Some(false) => "none".to_owned(),
            Wanted::Count(n) => format!("{n} findings"),
        };
        return Err(format!("{count} findings, expected {wanted}{}{}", if count > 0 { ": " } else { "" }, titles()));
    }
    let Some(first) = findings.first() else { return Ok(()) };
    for (name, value) in &test.subject {
        match first.subject.get(name) {
            Some(found) if found == value => {}
            found => return Err(format!("subject {name} is {}, expected {value}", found.map_or("absent", String::as_str))),
        }
    }
    if let Some(severity) = test.severity.filter(|s| *s != first.severity) {
        return Err(format!("severity is {}, expected {severity}", first.severity));
    }
    if let Some(part) = test.title.as_ref().filter(|p| !first.title.contains(p.as_str())) {
        return Err(format!("the title `{}` does not hold `{part}`", first.title));
    }
    match test.count {
        Some(n) if n != first.count => Err(format!("count is {}, expected {n}", first.count)),
        _ => Ok(()),
    }
}
