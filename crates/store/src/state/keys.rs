//! Idempotency keys: what a sender without positions of its own may repeat for ten minutes.

use std::collections::{HashSet, VecDeque};

use event::{Micros, clock::MINUTE};

/// A key is remembered for this long.
pub const KEY_LIFE: Micros = 10 * MINUTE;
/// At most this many keys are remembered; the oldest go first.
pub const KEYS_MAX: usize = 100_000;

/// Keys of the last [`KEY_LIFE`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keys {
    order: VecDeque<(Micros, [u8; 16])>,
    set: HashSet<[u8; 16]>,
}

impl Keys {
    /// Whether the key came before.
    pub fn has(&self, key: &[u8; 16]) -> bool {
        self.set.contains(key)
    }
    /// Remembers a key that came at `now`; zeros are none. Forgets what is too old.
    pub fn add(&mut self, key: [u8; 16], now: Micros) {
        if key != [0; 16] && self.set.insert(key) {
            self.order.push_back((now, key));
        }
        while self.order.len() > KEYS_MAX || self.order.front().is_some_and(|(at, _)| now - at > KEY_LIFE) {
            if let Some((_, key)) = self.order.pop_front() {
                self.set.remove(&key);
            }
        }
    }
    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.order.iter().map(|(_, key)| key)
    }
    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_forgotten_by_age_and_by_number() {
        let mut keys = Keys::default();
        keys.add([0; 16], 0);
        assert!(keys.is_empty());
        keys.add([1; 16], 0);
        keys.add([2; 16], KEY_LIFE);
        assert!(keys.has(&[1; 16]) && keys.has(&[2; 16]));
        keys.add([0; 16], KEY_LIFE + 1);
        assert!(!keys.has(&[1; 16]) && keys.has(&[2; 16]));
        for n in 0..=KEYS_MAX as u128 {
            keys.add((n + 1000).to_be_bytes(), KEY_LIFE);
        }
        assert_eq!(keys.iter().count(), KEYS_MAX);
        assert!(!keys.has(&[2; 16]));
    }
}
