//! How time runs: the highest time of every source, and the "now" of every lane (DESIGN §2.13).
//!
//! A single absurd time must not move a watermark: a jump is believed when the next events of the source agree.

use std::collections::BTreeMap;

use event::{Micros, limits::LATE_US};
use serde::{Deserialize, Serialize};

use crate::{
    engine::Lane,
    limits::{JUMP, JUMP_EVENTS, SOURCES_MAX},
};

/// What a lane is called in keys of groups: one for all live sources, one for the lagging sources of each cluster.
pub fn tag(lane: Lane) -> char {
    match lane {
        Lane::Live => 'l',
        Lane::Lagging { historical: false } => 'd',
        Lane::Lagging { historical: true } => 'h',
    }
}

/// The lane of a tag.
pub fn lane(tag: char) -> Lane {
    match tag {
        'd' => Lane::Lagging { historical: false },
        'h' => Lane::Lagging { historical: true },
        _ => Lane::Live,
    }
}

/// Two halves of a source's key: JSON has no 128-bit numbers.
pub fn halves(source: u128) -> (u64, u64) {
    ((source >> 64) as u64, source as u64)
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Source {
    high: Micros,
    /// A time far ahead, and how many events agreed.
    jump: Option<(Micros, u8)>,
    touched: u64,
}

/// Watermarks of all sources and lanes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Lanes {
    #[serde(with = "pairs")]
    sources: BTreeMap<(char, u64, u64), Source>,
    #[serde(with = "pairs")]
    now: BTreeMap<(char, String), Micros>,
}

/// Maps whose keys are no strings, as lists of pairs.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
    use std::collections::BTreeMap;

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }
    pub fn deserialize<'d, K: DeserializeOwned + Ord, V: DeserializeOwned, D: Deserializer<'d>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

impl Lanes {
    /// An event of a source; `trusted` says that its time may move watermarks. Tells whether it is late beyond the bound.
    pub fn observe(&mut self, tag: char, cluster: &str, source: u128, at: Micros, trusted: bool, order: u64) -> bool {
        let key = (tag, halves(source).0, halves(source).1);
        if self.sources.len() >= SOURCES_MAX && !self.sources.contains_key(&key) {
            let oldest = self.sources.iter().min_by_key(|(_, s)| s.touched).map(|(k, _)| *k);
            oldest.and_then(|k| self.sources.remove(&k));
        }
        let fresh = Source { high: Micros::MIN, jump: None, touched: order };
        let source = self.sources.entry(key).or_insert(fresh);
        source.touched = order;
        if trusted {
            source.raise(at);
            let high = source.high;
            if let Some(now) = self.now.iter_mut().find(|((t, c), _)| *t == tag && c == cluster).map(|(_, now)| now) {
                *now = (*now).max(high);
            } else if high > Micros::MIN {
                self.now.insert((tag, cluster.to_owned()), high);
            }
        }
        source.high > Micros::MIN && at < source.high.saturating_sub(LATE_US)
    }
    /// The highest time of a source.
    pub fn high(&self, tag: char, source: (u64, u64)) -> Option<Micros> {
        self.sources.get(&(tag, source.0, source.1)).map(|s| s.high).filter(|h| *h > Micros::MIN)
    }
    /// The watermark of a lane.
    pub fn now(&self, tag: char, cluster: &str) -> Option<Micros> {
        self.now.iter().find(|((t, c), _)| *t == tag && c == cluster).map(|(_, now)| *now)
    }
    /// Forgets the lanes that end.
    pub fn end(&mut self, ends: impl Fn(char) -> bool) {
        self.sources.retain(|(tag, ..), _| !ends(*tag));
        self.now.retain(|(tag, _), _| !ends(*tag));
    }
}

impl Source {
    fn raise(&mut self, at: Micros) {
        if self.high == Micros::MIN || at <= self.high.saturating_add(JUMP) {
            self.high = self.high.max(at);
            if self.jump.is_some_and(|(to, _)| to > self.high.saturating_add(JUMP)) {
                self.jump = None;
            }
            return;
        }
        self.jump = match self.jump {
            Some((to, seen)) if (at - to).abs() <= LATE_US => Some((to.max(at), seen + 1)),
            _ => Some((at, 1)),
        };
        if let Some((to, seen)) = self.jump
            && seen >= JUMP_EVENTS
        {
            (self.high, self.jump) = (to, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::clock::{HOUR, SECOND};

    #[test]
    fn one_absurd_time_moves_nothing_a_real_gap_does() {
        let mut lanes = Lanes::default();
        let mut see = |at| lanes.observe('h', "c", 1, at, true, 1);
        assert!(!see(10 * SECOND));
        assert!(!see(90 * HOUR), "an absurd time is not late itself");
        assert!(!see(11 * SECOND), "nor does it make others late");
        for n in 0..3 {
            assert!(!see(9 * HOUR + n * SECOND));
        }
        assert!(see(11 * SECOND), "after a night without events the morning counts");
        assert_eq!(lanes.now('h', "c"), Some(9 * HOUR + 2 * SECOND));
        assert_eq!(lanes.high('h', halves(1)), Some(9 * HOUR + 2 * SECOND));
    }
}
