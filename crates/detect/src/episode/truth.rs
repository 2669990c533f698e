//! Whether the condition is true in a window around a hit that has just come, and how far the true windows reach.
//!
//! A window ends at a hit and reaches back for the timespan, both ends included. In order of time only the window that ends at the new
//! hit is looked at; for a late hit every window that holds it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use event::Micros;

use super::Hit;
use crate::rules::{Condition, Window};

/// First and last hit of the true windows around a hit, and the time at which the condition became true.
pub type Interval = (Micros, Micros, Micros);

/// Looks at the windows that hold the hit at `place`. `in_order` says that no hit is later; `latest` has the latest time of each value or base.
pub fn around(window: &Window, hits: &VecDeque<Hit>, latest: &BTreeMap<u64, Micros>, place: usize, in_order: bool) -> Option<Interval> {
    let at = hits.get(place)?.at;
    let from = at.saturating_sub(window.span);
    let slide = |tally: &mut dyn Tally| slide(window.span, hits, place, in_order, tally);
    match &window.condition {
        Condition::Single => Some((at, at, at)),
        Condition::Absent(_) => None,
        Condition::Events(least) => events(window.span, *least as usize, hits, place),
        Condition::Distinct(least, _) => {
            if in_order && (latest.values().filter(|l| **l >= from).count() as u64) < *least {
                return None;
            }
            if in_order {
                let first = hits.get(hits.partition_point(|h| h.at < from))?.at;
                return Some((first, at, at));
            }
            slide(&mut Values { counts: HashMap::new(), of: |h| h.value, holds: &|c| c.len() as u64 >= *least })
        }
        Condition::Sum(least, _) => slide(&mut Amount { sum: 0, least: *least }),
        Condition::Temporal(need) => {
            if in_order && !need.holds(&|base| latest.get(&u64::from(base)).is_some_and(|l| *l >= from)) {
                return None;
            }
            slide(&mut Values {
                counts: HashMap::new(),
                of: |h| u64::from(h.base),
                holds: &|c| need.holds(&|b| c.contains_key(&u64::from(b))),
            })
        }
        Condition::Ordered(bases) => {
            let known = |base: u16| latest.get(&u64::from(base)).is_some_and(|l| *l >= from);
            if in_order && !(0..*bases).all(known) {
                return None;
            }
            ordered(window.span, *bases, hits, place)
        }
    }
}

/// The smallest true windows hold `least` hits in a row: those that hold this hit are looked at.
fn events(span: Micros, least: usize, hits: &VecDeque<Hit>, place: usize) -> Option<Interval> {
    let at = |i: usize| hits.get(i).map(|h| h.at);
    let mut found: Option<Interval> = None;
    for from in (place + 1).saturating_sub(least)..=place {
        let (Some(first), Some(last)) = (at(from), at(from + least - 1)) else { break };
        if last - first <= span {
            let (low, _, since) = found.unwrap_or((first, last, last));
            found = Some((low, last, since));
        }
    }
    found
}

/// What is counted in a window that slides.
trait Tally {
    fn enter(&mut self, hit: &Hit);
    fn leave(&mut self, hit: &Hit);
    fn holds(&self) -> bool;
}

struct Values<'c> {
    counts: HashMap<u64, usize>,
    of: fn(&Hit) -> u64,
    holds: &'c dyn Fn(&HashMap<u64, usize>) -> bool,
}

impl Tally for Values<'_> {
    fn enter(&mut self, hit: &Hit) {
        *self.counts.entry((self.of)(hit)).or_default() += 1;
    }
    fn leave(&mut self, hit: &Hit) {
        let value = (self.of)(hit);
        if let Some(n) = self.counts.get_mut(&value) {
            *n -= 1;
            if *n == 0 {
                self.counts.remove(&value);
            }
        }
    }
    fn holds(&self) -> bool {
        (self.holds)(&self.counts)
    }
}

struct Amount {
    sum: i64,
    least: i64,
}

impl Tally for Amount {
    fn enter(&mut self, hit: &Hit) {
        self.sum = self.sum.saturating_add(hit.amount);
    }
    fn leave(&mut self, hit: &Hit) {
        self.sum = self.sum.saturating_sub(hit.amount);
    }
    fn holds(&self) -> bool {
        self.sum >= self.least
    }
}

/// Slides over the windows that end at this hit, or later and still hold it.
fn slide(span: Micros, hits: &VecDeque<Hit>, place: usize, in_order: bool, tally: &mut dyn Tally) -> Option<Interval> {
    let at = hits.get(place)?.at;
    let start = hits.partition_point(|h| h.at < at.saturating_sub(span));
    let to = if in_order { place + 1 } else { hits.partition_point(|h| h.at <= at.saturating_add(span)) };
    let (mut from, mut found): (usize, Option<Interval>) = (start, None);
    for i in start..to {
        let hit = hits.get(i)?;
        tally.enter(hit);
        while let Some(old) = hits.get(from).filter(|h| h.at < hit.at.saturating_sub(span)) {
            tally.leave(old);
            from += 1;
        }
        if i >= place && tally.holds() {
            let first = hits.get(from)?.at;
            let (low, _, since) = found.unwrap_or((first, hit.at, hit.at));
            found = Some((low, hit.at, since));
        }
    }
    found
}

/// The tightest chain of all bases in order around a hit: the latest before it, the earliest after it. Equal times are in order either way,
/// but one event does not follow itself.
fn ordered(span: Micros, bases: u16, hits: &VecDeque<Hit>, place: usize) -> Option<Interval> {
    let hit = hits.get(place)?;
    let (mut low, mut high) = (hit, hit);
    for base in (0..hit.base).rev() {
        let before = hits.partition_point(|h| h.at <= low.at);
        low = hits.range(..before).rev().take_while(|h| h.at >= hit.at - span).find(|h| h.base == base && h.order != low.order)?;
    }
    for base in hit.base + 1..bases {
        let after = hits.partition_point(|h| h.at < high.at);
        high = hits.range(after..).take_while(|h| h.at <= hit.at + span).find(|h| h.base == base && h.order != high.order)?;
    }
    if high.at - low.at > span {
        return None;
    }
    let from = hits.partition_point(|h| h.at < high.at - span);
    let first = hits.range(from..).find(|h| h.base == 0)?;
    Some((first.at, high.at, high.at))
}
