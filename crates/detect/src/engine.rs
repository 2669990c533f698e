//! The engine: rules compiled once, events in, findings out. The seam; the work is done in the modules beside it.

use std::sync::Arc;

use event::{Event, Evidence, Finding, Micros};

/// How time runs for these events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Now is the clock.
    Live,
    /// Events of a lagging source, or of `detect` and `import`: now is the watermark. Findings are `historical` if the flag is set, else `delayed`.
    Lagging {
        /// An import.
        historical: bool,
    },
}

/// Where an event comes from.
pub struct Origin<'o> {
    /// The database cluster.
    pub cluster: &'o str,
    /// Key of the source, for watermarks.
    pub source: u128,
    /// The lane.
    pub lane: Lane,
    /// The event's name: `log:seq` or `file:offset`.
    pub name: &'o dyn std::fmt::Display,
    /// Makes the evidence, if a rule needs it.
    pub evidence: &'o dyn Fn() -> Evidence,
}

/// Compiled rules.
#[derive(Debug, Default)]
pub struct RuleSet {}

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
    pub fn load<'a>(_documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<RuleProblem>> {
        Ok(Self::default())
    }
    /// Rules, correlations included.
    pub fn len(&self) -> usize {
        0
    }
    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Windows and episodes of one store, or of one run of `detect`.
#[derive(Debug)]
pub struct Engine {
    #[allow(dead_code)]
    rules: Arc<RuleSet>,
}

impl Engine {
    /// An engine without a past.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self { rules }
    }
    /// One event, `now` being the time of the arrival (live) or anything (lagging: the watermark counts). New and updated findings go to `out`.
    pub fn event(&mut self, _event: &Event<'_>, _origin: &Origin<'_>, _now: Micros, _out: &mut Vec<Finding>) {}
    /// The clock of the live lane moves on; at the end of `detect` or `import`, `flush` ends the lagging lanes.
    pub fn tick(&mut self, _now: Micros, _out: &mut Vec<Finding>) {}
    /// No more events will come in the lagging lanes.
    pub fn flush(&mut self, _out: &mut Vec<Finding>) {}
    /// Windows, episodes, watermarks: all that a restart must know.
    pub fn snapshot(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
    /// Goes on from a snapshot; what is not readable begins anew.
    pub fn restore(&mut self, _state: &serde_json::Value) {}
}
