//! Which acts a rule has counted: the lines of one act count once (DESIGN §2.14). Bounded in event time and in number.

use std::collections::{HashMap, VecDeque};

use event::{
    Micros,
    limits::{ACT_LIFE_US, LATE_US},
};
use serde::{Deserialize, Serialize};

use crate::limits::ACTS_MAX;

/// A rule (with the position of the base, for correlations that tell their bases apart) and the name of an act, hashed.
type Key = (u32, u16, u64);

/// The acts that were counted.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(from = "Vec<(Key, Micros)>", into = "Vec<(Key, Micros)>")]
pub struct Acts {
    counted: HashMap<Key, Micros>,
    order: VecDeque<(Key, Micros)>,
    /// Acts that were forgotten too early, for want of room.
    pub evicted: u64,
}

impl From<Vec<(Key, Micros)>> for Acts {
    fn from(list: Vec<(Key, Micros)>) -> Self {
        Self { counted: list.iter().copied().collect(), order: list.into(), evicted: 0 }
    }
}

impl From<Acts> for Vec<(Key, Micros)> {
    fn from(acts: Acts) -> Self {
        acts.order.into()
    }
}

impl Acts {
    /// Whether this act counts for the first time; from now on it does not.
    pub fn first(&mut self, key: Key, at: Micros) -> bool {
        if self.counted.get(&key).is_some_and(|known| (at - known).abs() <= ACT_LIFE_US) {
            return false;
        }
        self.counted.insert(key, at);
        self.order.push_back((key, at));
        while let Some((oldest, time)) = self.order.front().copied() {
            let too_much = self.order.len() > ACTS_MAX;
            if !too_much && (at - time).abs() <= ACT_LIFE_US + LATE_US {
                break;
            }
            self.evicted += u64::from((at - time).abs() <= ACT_LIFE_US + LATE_US);
            self.order.pop_front();
            if self.counted.get(&oldest) == Some(&time) {
                self.counted.remove(&oldest);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::clock::SECOND;

    #[test]
    fn an_act_counts_once_a_minute() {
        let mut acts = Acts::default();
        let key = |n| (1, 0, n);
        assert!(acts.first(key(7), 0));
        assert!(!acts.first(key(7), 59 * SECOND));
        assert!(acts.first(key(8), 59 * SECOND));
        assert!(acts.first((2, 0, 7), 0));
        assert!(acts.first(key(7), 61 * SECOND));
        let list: Vec<(Key, Micros)> = acts.clone().into();
        let mut again = Acts::from(list);
        assert!(!again.first(key(8), 60 * SECOND));
    }

    #[test]
    fn it_stays_small() {
        let mut acts = Acts::default();
        (0..ACTS_MAX as u64 + 10).for_each(|n| _ = acts.first(key(n), 0));
        assert_eq!((acts.order.len(), acts.counted.len(), acts.evicted), (ACTS_MAX, ACTS_MAX, 10));
        acts.first(key(1 << 40), 3600 * SECOND);
        assert_eq!((acts.order.len(), acts.counted.len(), acts.evicted), (1, 1, 10));
        fn key(n: u64) -> Key {
            (1, 0, n)
        }
    }
}
