//! The engine: rules compiled once, events in, findings out. The seam; the work is done in the modules beside it.

use std::{cell::OnceCell, sync::Arc};

use event::{Event, Evidence, Finding, Issue, Micros};

pub use crate::rules::{RuleProblem, RuleSet};
use crate::{
    matching::Scratch,
    report,
    state::{Arrival, State, Stats},
};

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
    /// The event's name: `log:seq` or `file:offset`. What `act_id` of later lines of its act says.
    pub name: &'o dyn std::fmt::Display,
    /// Makes the evidence, if a rule needs it.
    pub evidence: &'o dyn Fn() -> Evidence,
}

/// Windows and episodes of one store, or of one run of `detect`.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<RuleSet>,
    state: State,
    scratch: Scratch,
    matched: Vec<u32>,
}

impl Engine {
    /// An engine without a past.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let state = State::new(rules.len());
        Self { rules, state, scratch: Scratch::default(), matched: Vec::new() }
    }
    /// The same engine, in which only this rule makes findings: for its tests, also if it is the base of a correlation.
    pub fn only(mut self, rule: usize) -> Self {
        self.state.only = u32::try_from(rule).ok();
        self
    }
    /// The same engine, with addresses behind which many accounts stand (DESIGN §2.15): addresses or ranges. Tells the first that is neither.
    pub fn with_shared_addresses<'a>(mut self, addresses: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        self.state.share(addresses)?;
        Ok(self)
    }
    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
    /// One event, `now` being the time of the arrival (live) or anything (lagging: the watermark counts). New and updated findings go to `out`.
    pub fn event(&mut self, event: &Event<'_>, origin: &Origin<'_>, now: Micros, out: &mut Vec<Finding>) {
        let trusted = event.time.is_some() && !event.issues.iter().any(Issue::untrusted_time);
        let time = self.state.arrive(&self.rules, event.window_time(), trusted, origin, now, out);
        if event.is_marked(&Issue::Duplicate) {
            return;
        }
        let marked = event.is_marked(&Issue::Forged) || event.is_marked(&Issue::Unparsed);
        self.rules.matcher.matches(event, marked, &mut self.scratch, &mut self.matched);
        if !self.matched.is_empty() {
            let name = origin.name.to_string();
            let act = report::hash64(&[event.act_id.as_deref().unwrap_or(&name)]);
            let arrival = Arrival { event, origin, time, name, act, evidence: OnceCell::new() };
            for number in &self.matched {
                for link in &self.rules.consumers[*number as usize] {
                    self.state.count(&self.rules, *link, &arrival, out);
                }
            }
        }
        self.state.sweep_sometimes(&self.rules, out);
    }
    /// The clock of the live lane moves on; at the end of `detect` or `import`, `flush` ends the lagging lanes.
    pub fn tick(&mut self, now: Micros, out: &mut Vec<Finding>) {
        self.state.tick(&self.rules, now, out);
    }
    /// No more events will come in the lagging lanes.
    pub fn flush(&mut self, out: &mut Vec<Finding>) {
        self.state.flush(&self.rules, out);
    }
    /// What was counted and what had to make room.
    pub fn stats(&self) -> Stats {
        self.state.stats()
    }
    /// Windows, episodes, watermarks: all that a restart must know.
    pub fn snapshot(&self) -> event::Snapshot {
        self.state.snapshot(&self.rules)
    }
    /// Goes on from a snapshot; what is not readable begins anew.
    pub fn restore(&mut self, state: &serde_json::Value) {
        self.state.restore(&self.rules, state);
    }
}

#[cfg(test)]
mod tests;
