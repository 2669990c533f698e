//! Lines that wait for one of another stream: queues by key, joined one to one, in order, within a window of event time.
//!
//! Owns: the bound. An entry goes when it was claimed, when its own source is a life ahead of it, when it was taken in long ago, or when there are too
//! many (the oldest first, counted). Every operation looks at a bounded number of entries.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use event::{Micros, Snapshot, derive, limits};
use serde::{Deserialize, Serialize};

use super::known::{Known, Name};

/// Lines that wait, of all clusters together.
pub const WAITS_MAX: usize = 65_536;
/// So many entries of a queue are looked at, from the first that is in the window.
const SCAN_MAX: usize = 64;
/// So many empty slots may stand behind a line that waits.
const SLACK: usize = 1024;
/// An entry whose source fell silent goes this long after it was taken in.
const SILENT_US: Micros = limits::ACT_LIFE_US + limits::LATE_US;

/// The stream in which a line stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The server log.
    Server,
    /// The access log.
    Access,
}

/// What joins two lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum What {
    /// The same request: trace id, class and activity.
    Trace(u64, u64, u16, u8),
    /// A refused login of this account, or of nobody for this reason.
    Logon(Box<str>),
    /// A refused privilege of this account.
    Denied(Box<str>),
    /// An unknown account whose `fail to verify password` has not come.
    Unknown(Box<str>),
    /// An unknown account whose `Verify password failed` has not come.
    Unverified,
    /// A refused key whose second line has not come.
    ApiKey,
}

/// A queue's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The cluster.
    pub cluster: u32,
    /// The stream of the lines that wait here.
    pub side: Side,
    /// What joins.
    pub what: What,
}

/// A line that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Its act.
    pub act: Name,
    /// Its time.
    pub at: Micros,
    /// Its instance.
    pub place: u32,
    /// What it can tell.
    pub known: Known,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Slot {
    key: Key,
    source: u32,
    at: Micros,
    observed: Micros,
    wait: Option<Wait>,
}

/// Numbers and times of lines, ascending by number; nearly always one.
#[derive(Debug, Clone)]
struct Queue {
    first: (u64, Micros),
    more: VecDeque<(u64, Micros)>,
}

impl Queue {
    fn len(&self) -> usize {
        1 + self.more.len()
    }
    /// From the first whose time is not before `from`, where the queue is long.
    fn scan(&self, from: Micros) -> impl Iterator<Item = (u64, Micros)> {
        // Several sources may be out of step: a short queue is looked at from its start.
        let long = self.len() > SCAN_MAX;
        let skip = if long { self.more.partition_point(|(_, at)| *at < from) } else { 0 };
        let first = (!long || self.first.1 >= from).then_some(self.first);
        first.into_iter().chain(self.more.range(skip..).copied()).take(SCAN_MAX)
    }
    /// Takes a number out. False where the queue is empty then, and must go.
    fn remove(&mut self, id: u64) -> bool {
        if self.first.0 != id {
            if let Ok(at) = self.more.binary_search_by_key(&id, |(id, _)| *id) {
                self.more.remove(at);
            }
            return true;
        }
        match self.more.pop_front() {
            Some(next) => self.first = next,
            None => return false,
        }
        true
    }
}

/// All lines that wait.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// In the order in which they came; the first has the number `base`. A claimed one leaves an empty slot, never at the front.
    slots: VecDeque<Slot>,
    base: u64,
    /// The numbers and times of those that wait, ascending by number. No queue is empty.
    queues: HashMap<Key, Queue>,
    live: usize,
    dropped: u64,
}

impl Waits {
    /// How many had to go before their time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Lets a line wait.
    pub fn push(&mut self, key: Key, wait: Wait, source: u32, observed: Micros, clocks: &[Micros]) {
        self.expire(observed, clocks);
        self.append(Slot { key, source, at: wait.at, observed, wait: Some(wait) });
        while self.live > WAITS_MAX {
            self.dropped += 1;
            self.pop();
        }
        if self.slots.len() > 2 * self.live + SLACK {
            let slots = std::mem::take(&mut self.slots);
            self.queues.clear();
            (self.base, self.live) = (0, 0);
            slots.into_iter().filter(|s| s.wait.is_some()).for_each(|s| self.append(s));
        }
    }

    fn append(&mut self, slot: Slot) {
        let id = self.base + self.slots.len() as u64;
        match self.queues.entry(slot.key.clone()) {
            Entry::Occupied(mut queue) => queue.get_mut().more.push_back((id, slot.at)),
            Entry::Vacant(free) => drop(free.insert(Queue { first: (id, slot.at), more: VecDeque::new() })),
        }
        self.slots.push_back(slot);
        self.live += 1;
    }

    /// The first line of a queue within `window` of `time` that is `good`; one of the same instance before others. The number is good until the next
    /// line is let wait.
    pub fn find(&self, key: &Key, time: Micros, window: Micros, place: u32, good: impl Fn(&Wait) -> bool) -> Option<u64> {
        let queue = self.queues.get(key)?;
        let mut other = None;
        for (id, at) in queue.scan(time.saturating_sub(window)) {
            if at.abs_diff(time) > window.unsigned_abs() {
                continue;
            }
            match self.get(id) {
                Some(wait) if good(wait) && wait.place == place => return Some(id),
                Some(wait) if other.is_none() && good(wait) => other = Some(id),
                _ => {}
            }
        }
        other
    }

    fn index(&self, id: u64) -> Option<usize> {
        usize::try_from(id.checked_sub(self.base)?).ok()
    }

    /// A line that still waits.
    pub fn get(&self, id: u64) -> Option<&Wait> {
        self.slots.get(self.index(id)?)?.wait.as_ref()
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Wait> {
        let at = self.index(id)?;
        self.slots.get_mut(at)?.wait.as_mut()
    }

    /// Uses a line up.
    pub fn claim(&mut self, id: u64) -> Option<Wait> {
        let at = self.index(id)?;
        let slot = self.slots.get_mut(at)?;
        let wait = slot.wait.take()?;
        self.live -= 1;
        if self.queues.get_mut(&slot.key).is_some_and(|queue| !queue.remove(id)) {
            self.queues.remove(&slot.key);
        }
        while self.slots.front().is_some_and(|s| s.wait.is_none()) {
            self.pop();
        }
        Some(wait)
    }

    /// Those whose time is over go; nothing is lost with them.
    fn expire(&mut self, observed: Micros, clocks: &[Micros]) {
        while let Some(slot) = self.slots.front() {
            let clock = clocks.get(slot.source as usize).copied().unwrap_or(Micros::MAX);
            if clock <= slot.at.saturating_add(limits::ACT_LIFE_US) && observed <= slot.observed.saturating_add(SILENT_US) {
                break;
            }
            self.pop();
        }
    }

    /// Removes the oldest slot, and the empty ones behind it.
    fn pop(&mut self) {
        let Some(slot) = self.slots.pop_front() else { return };
        let id = self.base;
        self.base += 1;
        if slot.wait.is_none() {
            return;
        }
        self.live -= 1;
        if self.queues.get_mut(&slot.key).is_some_and(|queue| !queue.remove(id)) {
            self.queues.remove(&slot.key);
        }
        while self.slots.front().is_some_and(|s| s.wait.is_none()) {
            self.slots.pop_front();
            self.base += 1;
        }
    }

    /// What waits, as JSON.
    pub fn snapshot(&self) -> Snapshot {
        let live: Vec<&Slot> = self.slots.iter().filter(|s| s.wait.is_some()).collect();
        derive::snapshot(&live)
    }

    /// Goes on from a snapshot.
    pub fn restore(snapshot: &serde_json::Value) -> Self {
        let mut waits = Self::default();
        for slot in snapshot.as_array().into_iter().flatten().filter_map(|s| Slot::deserialize(s).ok()).filter(|s| s.wait.is_some()) {
            waits.append(slot);
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(who: &str) -> Key {
        Key { cluster: 0, side: Side::Server, what: What::Logon(who.into()) }
    }

    fn wait(name: &str, at: Micros, place: u32) -> Wait {
        let event = event::Event { act_id: Some(name.to_owned()), ..event::Event::default() };
        Wait { act: Name::of_act(&event, &""), at, place, known: Known::default() }
    }

    fn names(w: &mut Waits, who: &str, times: &[Micros]) -> Vec<String> {
        let take = |t: &Micros| {
            let id = w.find(&key(who), *t, 100, 0, |_| true)?;
            w.claim(id).map(|w| w.act.as_str().to_owned())
        };
        times.iter().map(take).map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn one_to_one_in_order_within_the_window() {
        let mut w = Waits::default();
        for (name, at) in [("a", 0), ("b", 50), ("c", 500)] {
            w.push(key("ann"), wait(name, at, 0), 0, 0, &[at]);
        }
        assert_eq!(names(&mut w, "ann", &[60, 60, 60, 700, 450, 450]), ["a", "b", "", "", "c", ""]);
        assert!(w.slots.is_empty() && w.queues.is_empty() && w.live == 0);
    }

    #[test]
    fn the_own_instance_comes_first() {
        let mut w = Waits::default();
        w.push(key("ann"), wait("far", 0, 7), 0, 0, &[0]);
        w.push(key("ann"), wait("near", 0, 0), 0, 0, &[0]);
        assert_eq!(names(&mut w, "ann", &[0, 0]), ["near", "far"]);
    }

    #[test]
    fn a_line_waits_for_a_life_of_its_own_source() {
        let mut w = Waits::default();
        w.push(key("ann"), wait("a", 0, 0), 0, 0, &[0, 0]);
        w.push(key("bob"), wait("b", 0, 0), 1, 0, &[limits::ACT_LIFE_US, i64::MAX - 1]);
        assert!(w.find(&key("ann"), 0, 100, 0, |_| true).is_some());
        w.push(key("bob"), wait("c", 0, 0), 1, 0, &[limits::ACT_LIFE_US + 1, 0]);
        assert!(w.find(&key("ann"), 0, 100, 0, |_| true).is_none(), "its source is a life ahead");
        w.push(key("bob"), wait("d", 0, 0), 1, SILENT_US + 1, &[0, 0]);
        assert_eq!(names(&mut w, "bob", &[0, 0]), ["d", ""], "taken in long ago by a source that fell silent");
        assert_eq!(w.dropped(), 0);
    }

    #[test]
    fn the_bound_holds_and_is_counted() {
        let mut w = Waits::default();
        for n in 0..(WAITS_MAX as i64 + 10) {
            w.push(key(if n % 2 == 0 { "ann" } else { "bob" }), wait("x", n, 0), 0, 0, &[0]);
        }
        assert_eq!((w.live, w.dropped(), w.queues.len()), (WAITS_MAX, 10, 2));
    }

    #[test]
    fn claimed_slots_do_not_pile_up_behind_one_that_waits() {
        let mut w = Waits::default();
        w.push(key("stuck"), wait("s", 0, 0), 9, 0, &[]);
        let clocks = [0; 10];
        w.push(key("stuck"), wait("s", 0, 0), 9, 0, &clocks);
        for n in 0..10_000 {
            w.push(key("ann"), wait("x", n, 0), 0, 0, &clocks);
            assert_eq!(names(&mut w, "ann", &[n]), ["x"]);
        }
        assert!(w.slots.len() <= 2 * SLACK, "{}", w.slots.len());
        assert!(w.find(&key("stuck"), 0, 100, 0, |_| true).is_some());
    }

    #[test]
    fn a_snapshot_reads_back() {
        let mut w = Waits::default();
        w.push(key("ann"), wait("a", 1, 0), 0, 0, &[1]);
        w.push(Key { what: What::Trace(1, u64::MAX, 3002, 1), ..key("") }, wait("b", 2, 0), 0, 0, &[2]);
        let id = w.find(&key("ann"), 1, 100, 0, |_| true).unwrap();
        let mut back = Waits::restore(&serde_json::from_str(w.snapshot().get()).unwrap());
        assert_eq!(back.snapshot().get(), w.snapshot().get());
        assert_eq!(names(&mut back, "ann", &[1, 1]), ["a", ""]);
        assert!(w.claim(id).is_some());
        assert!(Waits::restore(&serde_json::json!("no")).slots.is_empty());
    }
}
