//! Silence: fewer acts than the rule asks for in a window that begins after a hit. It is the lane's clock that makes it true, and a late
//! event that refutes it.

use event::{Micros, limits::LATE_US};

use super::{Episode, Group, Hit, truth::Interval};
use crate::rules::Window;

/// What a hit means for a group that listens for silence.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// There was a silence before this hit that the clock had not seen. It is open, or over already.
    Silence,
    /// The open silence is over.
    Over,
    /// It never was.
    Refuted,
}

impl Group {
    /// When the silence after what was heard so far begins to be one.
    pub fn due(&self, window: &Window, least: u64) -> Option<Micros> {
        let since = self.hits.len().checked_sub(least as usize).map_or(self.latest.get(&0).copied(), |i| self.hits.get(i).map(|h| h.at));
        since.map(|at| at.saturating_add(window.span))
    }
    /// The clock says `now`: whether a silence begins.
    pub fn silent(&mut self, window: &Window, least: u64, now: Micros) -> bool {
        let Some(due) = self.due(window, least).filter(|due| *due <= now && self.episodes.is_empty()) else { return false };
        self.begin(window, due);
        true
    }
    fn begin(&mut self, window: &Window, due: Micros) {
        let from = due.saturating_sub(window.span);
        let last = self.hits.back().map_or(from, |h| h.at);
        let interval: Interval = (last, due, due);
        let mut episode = Episode::new(interval, self.touched);
        for hit in self.hits.iter_mut().filter(|h| h.at >= from) {
            episode.take(hit, false);
        }
        self.episodes.push(episode);
    }
    /// A hit comes. `least` acts are enough to end a silence.
    pub fn hear(&mut self, window: &Window, least: u64, hit: Hit) -> Heard {
        let at = hit.at;
        let due = self.due(window, least);
        let first = self.latest.entry(0).or_insert(at);
        *first = (*first).min(at);
        self.newest = if self.touched == 0 { at } else { self.newest.max(at) };
        self.touched = hit.order;
        let mut heard = Heard::Nothing;
        if self.episodes.is_empty() && due.is_some_and(|due| due < at) {
            self.begin(window, due.unwrap_or(at));
            heard = Heard::Silence;
        }
        let place = self.hits.partition_point(|h| (h.at, h.order) <= (hit.at, hit.order));
        self.hits.insert(place, hit);
        let count = |from: Micros, to: Micros| self.hits.iter().filter(|h| h.at > from && h.at <= to).count() as u64;
        if let Some(episode) = self.episodes.last_mut() {
            let refuted = at <= episode.truth && count(episode.truth.saturating_sub(window.span), episode.truth) >= least;
            if refuted {
                heard = Heard::Refuted;
            } else if at > episode.truth {
                episode.last = episode.last.max(at);
                if let Some(hit) = self.hits.get_mut(place) {
                    episode.take(hit, false);
                }
                if self.hits.iter().filter(|h| h.at > at.saturating_sub(window.span)).count() as u64 >= least && heard == Heard::Nothing {
                    heard = Heard::Over;
                }
            }
        }
        let (keep, cutoff) = (2 * least as usize + 8, self.newest.saturating_sub(2 * window.span + LATE_US));
        while self.hits.len() > keep || self.hits.len() as u64 > least && self.hits.front().is_some_and(|h| h.at < cutoff) {
            self.hits.pop_front();
        }
        heard
    }
    /// Whether the open silence ended with the latest hit.
    pub fn is_heard_again(&self, window: &Window, least: u64) -> bool {
        let from = self.newest.saturating_sub(window.span);
        self.episodes.last().is_some_and(|e| self.newest > e.truth) && self.hits.iter().filter(|h| h.at > from).count() as u64 >= least
    }
}
