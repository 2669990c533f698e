//! What happens to every event once it is durable: counters, the live tail, detection. The store calls it, in order, on one thread.
//!
//! Owns: the engine's lanes and what has been said. Must never wait: findings go out through channels, records of `self` through the store's queue.

use std::{collections::HashMap, sync::Arc};

use detect::{Engine, Lane, Origin};
use event::{Clock, Event, Evidence, Finding, LogClass, Micros, Snapshot, SourceId, derive, id::OWN_CLUSTER, limits::LATE_US};
use serde_json::Value;
use store::{Observer, OwnRecords, Seen};

use crate::{bus::Bus, counts::Counts};

/// Where findings go; must not wait.
pub type Findings = Box<dyn FnMut(Finding) + Send>;

/// A source that was this far behind its arrival is evaluated by its own time, until it has caught up.
const LAGGING_US: Micros = LATE_US;
/// Streams of our own records that rules look at: what says that evidence may be missing.
const WATCHED_OWN: [&str; 3] = ["gap", "damaged", "clock"];
/// What has been said is remembered for so many findings; the oldest are forgotten (their episodes are long closed).
const SAID_MAX: usize = 100_000;

/// What the watch is made of.
pub struct Parts {
    /// The rules at work, without a past.
    pub engine: Engine,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Where records of `self` go in.
    pub own: OwnRecords,
    /// To the desk.
    pub findings: Findings,
    /// The live tail.
    pub bus: Bus,
    /// The counters.
    pub counts: Arc<Counts>,
    /// Everything that comes is history: an import without a server.
    pub historical: bool,
}

/// The observer of a store.
pub struct Watch {
    parts: Parts,
    lanes: HashMap<SourceId, Lane>,
    /// Findings that are records already: id to the highest revision.
    said: HashMap<String, u32>,
    out: Vec<Finding>,
}

impl Watch {
    /// A watch without a past.
    pub fn new(parts: Parts) -> Self {
        Self { parts, lanes: HashMap::new(), said: HashMap::new(), out: Vec::new() }
    }

    fn lane(&mut self, seen: &Seen<'_>, event: &Event<'_>) -> Lane {
        if self.parts.historical || seen.definition.imported {
            return Lane::Lagging { historical: true };
        }
        let lane = self.lanes.entry(seen.meta.source).or_insert(Lane::Live);
        if let (Some(at), Some(arrived)) = (event.window_time(), event.observed_time) {
            *lane = if arrived - at > LAGGING_US { Lane::Lagging { historical: false } } else { Lane::Live };
        }
        *lane
    }

    /// Writes what is new and passes everything on: the desk knows by id and revision what it has.
    fn tell(&mut self) {
        for finding in self.out.drain(..) {
            let known = self.said.get(&finding.id).is_some_and(|r| *r >= finding.revision);
            if !known {
                if self.said.len() >= SAID_MAX {
                    self.said.clear();
                }
                self.said.insert(finding.id.clone(), finding.revision);
                if let Ok(value) = serde_json::to_value(&finding) {
                    self.parts.own.append("finding", value); // what a full queue refuses is counted there
                }
            }
            (self.parts.findings)(finding);
        }
    }
}

impl Observer for Watch {
    fn restore(&mut self, state: Option<&Value>, said: &[Value]) {
        if let Some(state) = state {
            self.parts.engine.restore(&state["engine"]);
        }
        for finding in said {
            if let (Some(id), Some(revision)) = (finding["id"].as_str(), finding["revision"].as_u64()) {
                let known = self.said.entry(id.to_owned()).or_default();
                *known = (*known).max(u32::try_from(revision).unwrap_or(u32::MAX));
            }
        }
    }

    fn event(&mut self, seen: &Seen<'_>, event: &Event<'_>) {
        let own = seen.class == LogClass::Own;
        if own && !event.stream.as_deref().is_some_and(|s| WATCHED_OWN.contains(&s)) {
            return;
        }
        let now = event.observed_time.unwrap_or_else(|| self.parts.clock.now());
        if !seen.replay && !own {
            self.parts.counts.event(event, seen.meta.source, seen.definition, now);
            self.parts.bus.show(seen.name, &seen.definition.cluster, event);
        }
        let lane = self.lane(seen, event);
        let evidence = || Evidence::Stored { log: seen.name.log.to_string(), seq: seen.name.seq };
        let origin = Origin {
            cluster: if own { OWN_CLUSTER } else { &seen.definition.cluster },
            source: u128::from_be_bytes(seen.meta.source.0),
            lane,
            name: seen.name,
            evidence: &evidence,
        };
        self.parts.engine.event(event, &origin, now, &mut self.out);
        if !self.out.is_empty() {
            self.tell();
        }
    }

    fn frame(&mut self, _wal_seq: u64, _replay: bool) {}

    fn idle(&mut self) {
        self.parts.engine.tick(self.parts.clock.now(), &mut self.out);
        self.tell();
    }

    fn flush(&mut self) {
        self.parts.engine.flush(&mut self.out);
        self.tell();
    }

    fn snapshot(&mut self) -> Snapshot {
        derive::parts([("engine", self.parts.engine.snapshot())])
    }
}
