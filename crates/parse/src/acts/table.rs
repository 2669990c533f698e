//! A map with a bound: the oldest entry goes when a new one needs room, and is counted. Written and read back in order, so a snapshot is deterministic.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use event::{Snapshot, derive};
use serde::{Deserialize, Serialize};

/// A bounded map. An entry that is written again becomes the newest.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// Keys in the order in which they were written. A stamp that is not the entry's belongs to an older writing of it.
    order: VecDeque<(u64, K)>,
    next: u64,
    limit: usize,
    dropped: u64,
}

impl<K: Clone + Eq + Hash, V> Table<K, V> {
    /// An empty table that holds at most `limit` entries.
    pub fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), next: 0, limit, dropped: 0 }
    }
    /// The entry of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, v)| v)
    }
    /// The same, to change it in place: it does not become newer.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, v)| v)
    }
    /// Writes an entry.
    pub fn insert(&mut self, key: K, value: V) {
        let stamp = self.next;
        self.next += 1;
        self.order.push_back((stamp, key.clone()));
        self.entries.insert(key, (stamp, value));
        while self.entries.len() > self.limit {
            let Some((stamp, key)) = self.order.pop_front() else { break };
            if self.entries.get(&key).is_some_and(|(s, _)| *s == stamp) {
                self.entries.remove(&key);
                self.dropped += 1;
            }
        }
        if self.order.len() > 2 * self.limit {
            let entries = &self.entries;
            self.order.retain(|(stamp, key)| entries.get(key).is_some_and(|(s, _)| s == stamp));
        }
    }
    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, v)| v)
    }
    /// How many entries had to go.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
    /// The entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.iter().filter_map(|(stamp, key)| self.entries.get(key).filter(|(s, _)| s == stamp).map(|(_, v)| (key, v)))
    }
}

impl<K: Clone + Eq + Hash + Serialize, V: Serialize> Table<K, V> {
    /// The entries as a JSON array, oldest first.
    pub fn snapshot(&self) -> Snapshot {
        let entries: Vec<(&K, &V)> = self.iter().collect();
        derive::snapshot(&entries)
    }
}

impl<K: Clone + Eq + Hash + for<'de> Deserialize<'de>, V: for<'de> Deserialize<'de>> Table<K, V> {
    /// The entries of a snapshot; those that do not read are left out.
    pub fn restore(limit: usize, snapshot: &serde_json::Value) -> Self {
        let mut table = Self::new(limit);
        for entry in snapshot.as_array().into_iter().flatten() {
            if let Ok((key, value)) = <(K, V)>::deserialize(entry) {
                table.insert(key, value);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_is_counted() {
        let mut t: Table<u32, u32> = Table::new(2);
        t.insert(1, 10);
        t.insert(2, 20);
        t.insert(1, 11); // newer than 2 now
        t.insert(3, 30);
        assert_eq!((t.get(&1), t.get(&2), t.get(&3), t.dropped()), (Some(&11), None, Some(&30), 1));
        assert_eq!(t.remove(&1), Some(11));
        t.insert(4, 40);
        assert_eq!(t.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(), [(3, 30), (4, 40)]);
    }

    #[test]
    fn rewriting_does_not_grow_it() {
        let mut t: Table<u32, u32> = Table::new(4);
        for n in 0..1000 {
            t.insert(n % 3, n);
        }
        assert!(t.order.len() <= 9, "{}", t.order.len());
        assert_eq!(t.dropped(), 0);
    }

    #[test]
    fn a_snapshot_reads_back() {
        let mut t: Table<(u32, i64), String> = Table::new(3);
        t.insert((1, 2), "a".into());
        t.insert((1, 3), "b".into());
        let back: Table<(u32, i64), String> = Table::restore(3, &serde_json::from_str(t.snapshot().get()).unwrap());
        assert_eq!(back.iter().collect::<Vec<_>>(), t.iter().collect::<Vec<_>>());
        let none: Table<(u32, i64), String> = Table::restore(3, &serde_json::json!([["x"], 5, [[1, 2], "ok"]]));
        assert_eq!(none.iter().count(), 1);
    }
}
