//! The hits of one rule and one key, and how a new one makes, joins or merges episodes.

use std::collections::{BTreeMap, VecDeque};

use event::{
    Micros,
    limits::{EVIDENCE_MAX, LATE_US},
};
use serde::{Deserialize, Serialize};

use super::{Episode, Hit, truth};
use crate::{
    limits::{EPISODE_HITS_MIN, HITS_MAX, SUM_STEPS, TEMPORAL_HITS_MAX},
    rules::{Condition, Window},
};

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
    pub(super) hits: VecDeque<Hit>,
    /// Its episodes.
    pub episodes: Vec<Episode>,
    /// The latest time of a hit.
    pub newest: Micros,
    /// Latest time of each value, or of each base rule.
    pub(super) latest: BTreeMap<u64, Micros>,
    /// Hits that still have a trace.
    traces: usize,
    /// Order of the last hit: who was not touched for long makes room.
    pub touched: u64,
    /// Source of the last hit, in two halves.
    pub source: (u64, u64),
    /// Name of the last event, where silence is listened for.
    pub name: String,
    /// Whether the clock will look at it again.
    pub scheduled: bool,
}

impl Group {
    /// A group without hits.
    pub fn new(key: Vec<String>, cluster: String) -> Self {
        Self { key, cluster, ..Self::default() }
    }
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
        self.remember(window, &hit);
        let place = self.place(window, hit);
        let truth = truth::around(window, &self.hits, &self.latest, place, in_order);
        added.episode = self.settle(window, truth, at, order, &mut added);
        if let Some(index) = added.episode {
            self.absorb(index, place, distinct, &mut added);
            self.trim(window, index);
        }
        self.bound(window, &mut added);
        added
    }
    /// Puts a hit where its time says. Where amounts are added up it may become a part of the one before.
    fn place(&mut self, window: &Window, hit: Hit) -> usize {
        let place = self.hits.partition_point(|h| (h.at, h.order) <= (hit.at, hit.order));
        if matches!(window.condition, Condition::Sum(..))
            && let Some(before) = place.checked_sub(1).and_then(|i| self.hits.get_mut(i))
            && !before.member
            && hit.at - before.at < window.span / SUM_STEPS
        {
            before.amount = before.amount.saturating_add(hit.amount);
            before.acts = before.acts.saturating_add(hit.acts);
            if let (Some(mine), Some(other)) = (&mut before.trace, hit.trace) {
                mine.evidence.truncate(1);
                mine.evidence.extend(other.evidence);
                mine.shown.iter_mut().zip(&other.shown).for_each(|(m, o)| m.merge(o));
            }
            return place - 1;
        }
        self.traces += usize::from(hit.trace.is_some());
        self.hits.insert(place, hit);
        place
    }
    fn remember(&mut self, window: &Window, hit: &Hit) {
        let key = match window.condition {
            Condition::Distinct(..) => hit.value,
            Condition::Temporal(_) | Condition::Ordered(_) => u64::from(hit.base),
            Condition::Single | Condition::Events(_) | Condition::Sum(..) | Condition::Absent(_) => return,
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
        let index = match self.oldest(touches) {
            Some(index) => index,
            None => {
                let truth = truth?;
                added.created = true;
                self.episodes.push(Episode::new(truth, order));
                self.episodes.len() - 1
            }
        };
        let (first, last, since) = truth.unwrap_or((at, at, Micros::MAX));
        let episode = &mut self.episodes[index];
        added.known = (!added.created).then_some((episode.first, episode.last));
        episode.first = episode.first.min(first);
        episode.last = episode.last.max(last).max(at);
        episode.truth = episode.truth.min(since);
        Some(self.unite(index, gap, added))
    }
    /// Takes in every other episode within the gap. The older one stays; tells its index.
    fn unite(&mut self, mut index: usize, gap: Micros, added: &mut Added) -> usize {
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
        index
    }
    /// Takes an episode of single events from another group, in which its subject had a gap. Tells where it is, and what grew together.
    pub fn adopt(&mut self, window: &Window, episode: Episode, order: u64) -> (usize, Vec<Episode>) {
        self.newest = if self.touched == 0 { episode.last } else { self.newest.max(episode.last) };
        self.touched = order;
        self.episodes.push(episode);
        let mut added = Added::default();
        let index = self.unite(self.episodes.len() - 1, window.gap, &mut added);
        (index, added.merged)
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
            Condition::Sum(..) => 2 * SUM_STEPS as usize,
            Condition::Temporal(_) | Condition::Ordered(_) => TEMPORAL_HITS_MAX,
            Condition::Single | Condition::Absent(_) => 0,
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
        let temporal = matches!(window.condition, Condition::Temporal(_) | Condition::Ordered(_));
        if temporal && self.hits.len() > TEMPORAL_HITS_MAX * (self.latest.len() + 1) {
            let before = self.hits.len();
            self.thin();
            added.evicted += (before - self.hits.len()) as u64;
        }
        if self.traces > 2 * EVIDENCE_MAX {
            let middle = EVIDENCE_MAX;
            if let Some(hit) = self.hits.iter_mut().filter(|h| h.trace.is_some()).nth(middle) {
                hit.trace = None;
                self.traces -= 1;
            }
        }
    }
    /// Of each base of a temporal correlation the latest hits are enough: an earlier one makes no window true that a later one would not.
    fn thin(&mut self) {
        let mut left: BTreeMap<u16, usize> = BTreeMap::new();
        let keep: Vec<bool> = (self.hits.iter().rev())
            .map(|h| {
                let n = left.entry(h.base).or_default();
                *n += 1;
                *n <= TEMPORAL_HITS_MAX / 2
            })
            .collect();
        let mut keep = keep.into_iter().rev();
        self.hits.retain(|_| keep.next().unwrap_or(true));
        self.traces = self.hits.iter().filter(|h| h.trace.is_some()).count();
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
