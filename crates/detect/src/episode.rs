//! Groups and episodes: hits of one rule and one subject in event time, and the stretches in which the rule's condition was true.
//!
//! The episodes of a group are a function of its hits, whatever their order of arrival: an episode begins with the first hit of the first
//! true window and goes on as long as the next hit comes within the gap. Only ids depend on arrival. Must never look at a clock.

mod truth;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use event::{
    Evidence, Micros,
    limits::{EVIDENCE_MAX, LATE_US},
};
use serde::{Deserialize, Serialize};

use crate::{
    limits::{DISTINCT_MAX, EPISODE_HITS_MIN, HITS_MAX},
    rules::{Condition, Window},
    template::Shown,
};

/// What an episode keeps of a hit beside its time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The lines.
    pub evidence: Vec<Evidence>,
    /// A value for every shown column.
    pub shown: Vec<Shown>,
}

/// One act that a rule counts.
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
    fn take(&mut self, hit: &mut Hit, distinct: bool) {
        hit.member = true;
        self.count += 1;
        self.told.stale = true;
        if distinct && self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(hit.value);
        }
        let Some(trace) = hit.trace.take() else { return };
        trace.evidence.into_iter().for_each(|e| self.prove(hit.at, hit.order, e));
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

/// What a hit did.
#[derive(Debug, Default)]
pub struct Added {
    /// Index of the episode that it is in.
    pub episode: Option<usize>,
    /// The hit made it.
    pub created: bool,
    /// Episodes that grew into it.
    pub merged: Vec<Episode>,
    /// Times of hits at which the condition is true since now.
    pub fired: Vec<Micros>,
    /// Hits that made room.
    pub evicted: u64,
    /// The episode's interval before, where it is known that all hits inside were taken in.
    known: Option<(Micros, Micros)>,
}

/// The hits and episodes of one rule and one key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Values of the key.
    pub key: Vec<String>,
    /// The cluster.
    pub cluster: String,
    hits: VecDeque<Hit>,
    /// Its episodes.
    pub episodes: Vec<Episode>,
    /// The latest time of a hit.
    pub newest: Micros,
    /// Latest time of each value, or of each base rule.
    latest: BTreeMap<u64, Micros>,
    /// Hits that still have a trace.
    traces: usize,
    /// Order of the last hit: who was not touched for long makes room.
    pub touched: u64,
    /// Source of the last hit, in two halves.
    pub source: (u64, u64),
}

impl Group {
    /// Hits that it keeps.
    pub fn len(&self) -> usize {
        self.hits.len()
    }
    /// Takes a hit in.
    pub fn add(&mut self, window: &Window, mut hit: Hit) -> Added {
        let at = hit.at;
        let in_order = self.hits.is_empty() && self.episodes.is_empty() || at >= self.newest;
        self.newest = if self.touched == 0 { at } else { self.newest.max(at) };
        self.touched = hit.order;
        let mut added = Added::default();
        let (order, distinct) = (hit.order, matches!(window.condition, Condition::Distinct(..)));
        if window.condition == Condition::Single {
            added.fired.push(at);
            let index = self.settle(window, Some((at, at, at)), at, order, &mut added);
            if let Some(index) = index {
                self.episodes[index].take(&mut hit, false);
                added.episode = Some(index);
            }
            return added;
        }
        let place = self.hits.partition_point(|h| (h.at, h.order) <= (at, order));
        self.remember(window, &hit);
        self.traces += usize::from(hit.trace.is_some());
        self.hits.insert(place, hit);
        let truth = truth::around(window, &self.hits, &self.latest, place, in_order);
        added.episode = self.settle(window, truth, at, order, &mut added);
        if let Some(index) = added.episode {
            self.absorb(index, place, distinct, &mut added);
            self.trim(window, index);
        }
        self.bound(window, &mut added);
        added
    }
    fn remember(&mut self, window: &Window, hit: &Hit) {
        let key = match window.condition {
            Condition::Distinct(..) => hit.value,
            Condition::Single | Condition::Events(_) => return,
        };
        let latest = self.latest.entry(key).or_insert(hit.at);
        *latest = (*latest).max(hit.at);
        let (newest, span) = (self.newest, window.span);
        if let Condition::Distinct(n, _) = window.condition
            && self.latest.len() as u64 > 2 * n + 64
        {
            self.latest.retain(|_, at| *at >= newest - span);
        }
    }
    /// Finds, makes or joins the episode of a hit. The interval of the episode is right afterwards, its hits are not taken in yet.
    fn settle(&mut self, window: &Window, truth: Option<truth::Interval>, at: Micros, order: u64, added: &mut Added) -> Option<usize> {
        let gap = window.gap;
        let touches = |e: &Episode| match truth {
            Some((low, high, _)) => low <= e.last.saturating_add(gap) && e.first <= high.saturating_add(gap),
            None => e.first <= at && at <= e.last.saturating_add(gap),
        };
        let mut index = match self.oldest(touches) {
            Some(index) => index,
            None => {
                let (first, last, truth) = truth?;
                added.created = true;
                self.episodes.push(Episode {
                    id: String::new(),
                    born: order,
                    first,
                    last,
                    truth,
                    count: 0,
                    evidence: Vec::new(),
                    shown: Vec::new(),
                    distinct: BTreeSet::new(),
                    told: Told::default(),
                });
                self.episodes.len() - 1
            }
        };
        let (first, last, since) = truth.unwrap_or((at, at, Micros::MAX));
        let episode = &mut self.episodes[index];
        added.known = (!added.created).then_some((episode.first, episode.last));
        episode.first = episode.first.min(first);
        episode.last = episode.last.max(last).max(at);
        episode.truth = episode.truth.min(since);
        loop {
            self.walk(index, gap);
            let (first, last) = (self.episodes[index].first, self.episodes[index].last);
            let near = |e: &Episode| e.first <= last.saturating_add(gap) && first <= e.last.saturating_add(gap);
            let Some(other) = (0..self.episodes.len()).find(|i| *i != index && near(&self.episodes[*i])) else { break };
            let (keep, drop) = if self.episodes[other].born < self.episodes[index].born { (other, index) } else { (index, other) };
            added.created &= keep == index;
            added.known = None;
            let merged = self.episodes.remove(drop);
            index = keep - usize::from(drop < keep);
            self.episodes[index].merge(&merged);
            if merged.told.revision > 0 {
                added.merged.push(merged);
            }
        }
        Some(index)
    }
    fn oldest(&self, touches: impl Fn(&Episode) -> bool) -> Option<usize> {
        (0..self.episodes.len()).filter(|i| touches(&self.episodes[*i])).min_by_key(|i| self.episodes[*i].born)
    }
    /// Goes on to the right as long as the next hit comes within the gap.
    fn walk(&mut self, index: usize, gap: Micros) {
        let episode = &mut self.episodes[index];
        let from = self.hits.partition_point(|h| h.at <= episode.last);
        for hit in self.hits.range(from..) {
            if hit.at > episode.last.saturating_add(gap) {
                break;
            }
            episode.last = hit.at;
        }
    }
    /// Takes in the hits of an episode's interval that it has not yet.
    fn absorb(&mut self, index: usize, place: usize, distinct: bool, added: &mut Added) {
        let Self { hits, episodes, traces, .. } = self;
        let episode = &mut episodes[index];
        let from = hits.partition_point(|h| h.at < episode.first);
        let to = hits.partition_point(|h| h.at <= episode.last);
        let (left, right) = match added.known {
            Some((first, last)) => (hits.partition_point(|h| h.at < first), hits.partition_point(|h| h.at <= last)),
            None => (from, from),
        };
        let inside = if (left..right).contains(&place) { place..place + 1 } else { right..right };
        for range in [from..left, inside, right..to] {
            for hit in hits.range_mut(range).filter(|h| !h.member) {
                *traces -= usize::from(hit.trace.is_some());
                episode.take(hit, distinct);
                if hit.at >= episode.truth {
                    added.fired.push(hit.at);
                }
            }
        }
    }
    /// Of an episode's hits only the earliest are needed, for late events before it.
    fn trim(&mut self, window: &Window, index: usize) {
        let episode = &self.episodes[index];
        let keep = match window.condition {
            Condition::Events(n) | Condition::Distinct(n, _) => EPISODE_HITS_MIN.max(2 * n as usize),
            Condition::Single => 0,
        };
        let from = self.hits.partition_point(|h| h.at < episode.first);
        let to = self.hits.partition_point(|h| h.at <= episode.last);
        let near = self.hits.partition_point(|h| h.at <= episode.first.saturating_add(window.span)).min(to);
        let end = near.min(from + keep);
        if end < to {
            self.hits.drain(end..to);
        }
    }
    /// Lets go of what is too old to matter, and of what is too much.
    fn bound(&mut self, window: &Window, added: &mut Added) {
        let cutoff = self.newest.saturating_sub(window.span + window.gap + LATE_US);
        while let Some(front) = self.hits.front() {
            let too_much = self.hits.len() > HITS_MAX;
            if front.at >= cutoff && !too_much {
                break;
            }
            added.evicted += u64::from(front.at >= cutoff);
            self.traces -= usize::from(front.trace.is_some());
            self.hits.pop_front();
        }
        if self.traces > 2 * EVIDENCE_MAX {
            let middle = EVIDENCE_MAX;
            if let Some(hit) = self.hits.iter_mut().filter(|h| h.trace.is_some()).nth(middle) {
                hit.trace = None;
                self.traces -= 1;
            }
        }
    }
    /// Takes out the episodes that nothing can join any more, and their hits.
    pub fn close(&mut self, window: &Window, now: Micros) -> Vec<Episode> {
        let over = |e: &Episode| now > e.last.saturating_add(window.gap + LATE_US);
        if !self.episodes.iter().any(over) {
            return Vec::new();
        }
        let (closed, open): (Vec<Episode>, Vec<Episode>) = std::mem::take(&mut self.episodes).into_iter().partition(|e| over(e));
        self.episodes = open;
        self.hits.retain(|h| !closed.iter().any(|e| (e.first..=e.last).contains(&h.at)));
        self.traces = self.hits.iter().filter(|h| h.trace.is_some()).count();
        closed
    }
    /// Whether nothing that may still come can meet what it holds.
    pub fn is_over(&self, window: &Window, now: Micros) -> bool {
        self.episodes.is_empty() && now > self.newest.saturating_add(window.span + LATE_US)
    }
}
