//! Groups and episodes: hits of one rule and one subject in event time, and the stretches in which the rule's condition was true.
//!
//! The episodes of a group are a function of its hits, whatever their order of arrival: an episode begins with the first hit of the first
//! true window and goes on as long as the next hit comes within the gap. Only ids depend on arrival. Must never look at a clock.

mod absence;
mod group;
mod truth;

use std::collections::BTreeSet;

use event::{Evidence, Micros, limits::EVIDENCE_MAX};
use serde::{Deserialize, Serialize};

pub use self::absence::Heard;
pub use self::group::Group;
use crate::{limits::DISTINCT_MAX, template::Shown};

/// What an episode keeps of a hit beside its time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The lines.
    pub evidence: Vec<Evidence>,
    /// A value for every shown column.
    pub shown: Vec<Shown>,
}

impl Trace {
    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.evidence.extend(other.evidence);
        self.shown.iter_mut().zip(&other.shown).for_each(|(mine, other)| mine.merge(other));
        self
    }
}

/// One act that a rule counts, or several close together where amounts are added up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Event time.
    pub at: Micros,
    /// Order of arrival.
    pub order: u64,
    /// Which base rule.
    pub base: u16,
    /// Hash of the value that is counted by difference; 0 where none is.
    pub value: u64,
    /// What is added up; 0 where nothing is.
    pub amount: i64,
    /// Acts.
    pub acts: u32,
    /// Whether an episode has taken it in.
    pub member: bool,
    /// Taken by the episode; hits beyond the first and last 25 of a group lose it.
    pub trace: Option<Box<Trace>>,
}

/// What was told of an episode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Revisions so far.
    pub revision: u32,
    /// Its count at the last one.
    pub count: u64,
    /// The lane's time at the last one.
    pub at: Micros,
    /// Something changed since.
    pub stale: bool,
}

/// A stretch in which the condition was true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Stays.
    pub id: String,
    /// Order of arrival of the hit that made it.
    pub born: u64,
    /// Event time of the first hit.
    pub first: Micros,
    /// Event time of the last hit.
    pub last: Micros,
    /// When, in event time, the condition became true.
    pub truth: Micros,
    /// Hits.
    pub count: u64,
    /// Lines with time and order: the first and the last 25.
    pub evidence: Vec<(Micros, u64, Evidence)>,
    /// Values of the shown columns.
    pub shown: Vec<Shown>,
    /// Hashes of the different values.
    pub distinct: BTreeSet<u64>,
    /// What was told.
    pub told: Told,
}

impl Episode {
    /// An episode without hits yet.
    fn new((first, last, truth): truth::Interval, born: u64) -> Self {
        Self {
            id: String::new(),
            born,
            first,
            last,
            truth,
            count: 0,
            evidence: Vec::new(),
            shown: Vec::new(),
            distinct: BTreeSet::new(),
            told: Told::default(),
        }
    }
    fn take(&mut self, hit: &mut Hit, distinct: bool) {
        hit.member = true;
        self.count += u64::from(hit.acts);
        self.told.stale = true;
        if distinct && self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(hit.value);
        }
        let Some(trace) = hit.trace.take() else { return };
        trace.evidence.into_iter().for_each(|e| self.prove(hit.at, hit.order, e));
        self.show(&trace.shown);
    }
    /// An episode of one act.
    pub fn of_one(at: Micros, order: u64, trace: Trace) -> Self {
        let mut episode = Self { count: 1, ..Self::new((at, at, at), order) };
        episode.learn(at, order, trace);
        episode
    }
    /// Lets go of an act that turned out to be somebody else's. Its values stay in the title.
    pub fn forget(&mut self, trace: &Trace) {
        self.count = self.count.saturating_sub(1);
        self.told.stale = true;
        self.evidence.retain(|(_, _, e)| !trace.evidence.contains(e));
        if self.evidence.len() as u64 == self.count
            && let (Some((first, ..)), Some((last, ..))) = (self.evidence.first(), self.evidence.last())
        {
            (self.first, self.last) = (*first, *last);
        }
    }
    /// Whether a time lies in it, or near enough to belong to it.
    pub fn holds(&self, at: Micros, gap: Micros) -> bool {
        self.first.saturating_sub(gap) <= at && at <= self.last.saturating_add(gap)
    }
    /// Takes in what another line of an act says that has counted.
    pub fn learn(&mut self, at: Micros, order: u64, trace: Trace) {
        self.told.stale = true;
        trace.evidence.into_iter().for_each(|e| self.prove(at, order, e));
        self.show(&trace.shown);
    }
    /// Keeps the first and the last of all lines: what is dropped lies in the middle.
    fn prove(&mut self, at: Micros, order: u64, evidence: Evidence) {
        if self.evidence.iter().any(|(_, _, e)| *e == evidence) {
            return;
        }
        let place = self.evidence.partition_point(|(a, o, _)| (*a, *o) <= (at, order));
        self.evidence.insert(place, (at, order, evidence));
        if self.evidence.len() > EVIDENCE_MAX {
            self.evidence.remove(EVIDENCE_MAX / 2);
        }
    }
    fn show(&mut self, shown: &[Shown]) {
        self.shown.resize(self.shown.len().max(shown.len()), Shown::default());
        self.shown.iter_mut().zip(shown).for_each(|(mine, other)| mine.merge(other));
    }
    fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.truth = self.truth.min(other.truth);
        self.count += other.count;
        self.told.stale = true;
        other.evidence.iter().for_each(|(a, o, e)| self.prove(*a, *o, e.clone()));
        self.show(&other.shown);
        let room = DISTINCT_MAX.saturating_sub(self.distinct.len());
        self.distinct.extend(other.distinct.iter().take(room));
    }
}

#[cfg(test)]
mod tests;
