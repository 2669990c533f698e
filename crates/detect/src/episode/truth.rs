//! Whether the condition is true in a window around a hit that has just come, and how far the true windows reach.

use std::collections::{BTreeMap, HashMap, VecDeque};

use event::Micros;

use super::Hit;
use crate::rules::{Condition, Window};

/// First and last hit of the true windows around a hit, and the time at which the condition became true.
pub type Interval = (Micros, Micros, Micros);

/// Looks at every window that holds the hit at `place`. `in_order` says that no hit is later.
pub fn around(window: &Window, hits: &VecDeque<Hit>, latest: &BTreeMap<u64, Micros>, place: usize, in_order: bool) -> Option<Interval> {
    match &window.condition {
        Condition::Single => hits.get(place).map(|h| (h.at, h.at, h.at)),
        Condition::Events(least) => events(window.span, *least as usize, hits, place),
        Condition::Distinct(least, _) if in_order => {
            let at = hits.get(place)?.at;
            let from = at.saturating_sub(window.span);
            if (latest.values().filter(|l| **l >= from).count() as u64) < *least {
                return None;
            }
            let first = hits.get(hits.partition_point(|h| h.at < from))?.at;
            Some((first, at, at))
        }
        Condition::Distinct(least, _) => distinct(window.span, *least as usize, hits, place),
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

/// Slides over the windows that end at this hit or later and still hold it.
fn distinct(span: Micros, least: usize, hits: &VecDeque<Hit>, place: usize) -> Option<Interval> {
    let at = hits.get(place)?.at;
    let mut from = hits.partition_point(|h| h.at < at.saturating_sub(span));
    let to = hits.partition_point(|h| h.at <= at.saturating_add(span));
    let mut values: HashMap<u64, usize> = HashMap::new();
    let mut found: Option<Interval> = None;
    for (i, hit) in hits.range(from..to).enumerate().map(|(i, h)| (i + from, h)).collect::<Vec<_>>() {
        *values.entry(hit.value).or_default() += 1;
        while let Some(old) = hits.get(from).filter(|h| h.at < hit.at.saturating_sub(span)) {
            if let Some(n) = values.get_mut(&old.value) {
                *n -= 1;
                if *n == 0 {
                    values.remove(&old.value);
                }
            }
            from += 1;
        }
        if i >= place && values.len() >= least {
            let first = hits.get(from)?.at;
            let (low, _, since) = found.unwrap_or((first, hit.at, hit.at));
            found = Some((low, hit.at, since));
        }
    }
    found
}
