//! Equal lines in two streams of one instance: the n-th of each is one line, the later-stored one a copy (DESIGN §2.14). Repeats within a stream stay apart.

use std::collections::{HashMap, VecDeque};

use event::{Micros, limits};
use serde::{Deserialize, Serialize};

use super::known::Name;

/// Lines whose copy may still come, of all instances together.
pub const COPIES_MAX: usize = 32_768;
/// So many equal lines are looked at.
const SCAN_MAX: usize = 64;
/// A line goes this long after it was taken in, where its source fell silent.
const SILENT_US: Micros = limits::ACT_LIFE_US + limits::LATE_US;

/// A line, and the streams in which it was seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// Of its text and its instance.
    pub hash: u64,
    /// Its time.
    pub at: Micros,
    /// When it was taken in.
    pub observed: Micros,
    /// The source that it came from.
    pub source: u32,
    /// One bit a stream of the instance.
    pub seen: u64,
    /// Its act.
    pub act: Name,
}

/// The lines of the last minute.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    lines: VecDeque<Line>,
    base: u64,
    /// The numbers of the lines of a hash, ascending. No list is empty.
    equal: HashMap<u64, VecDeque<u64>>,
    dropped: u64,
}

impl Copies {
    /// How many had to go before their time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The act of the first line of this content that `stream` (one bit) has not been seen in; it is now.
    pub fn copy_of(&mut self, hash: u64, at: Micros, stream: u64) -> Option<Name> {
        let ids = self.equal.get(&hash)?;
        for id in ids.iter().take(SCAN_MAX) {
            let line = self.lines.get_mut(usize::try_from(id - self.base).ok()?)?;
            // Equal text has an equal time; a line without one may come again.
            if line.seen & stream == 0 && line.at.abs_diff(at) <= limits::ACT_LIFE_US.unsigned_abs() {
                line.seen |= stream;
                return Some(line.act.clone());
            }
        }
        None
    }

    /// Remembers a line.
    pub fn push(&mut self, line: Line, clocks: &[Micros]) {
        while let Some(oldest) = self.lines.front() {
            let clock = clocks.get(oldest.source as usize).copied().unwrap_or(Micros::MAX);
            if clock <= oldest.at.saturating_add(limits::ACT_LIFE_US) && line.observed <= oldest.observed.saturating_add(SILENT_US) {
                break;
            }
            self.pop();
        }
        self.append(line);
        if self.lines.len() > COPIES_MAX {
            self.dropped += 1;
            self.pop();
        }
    }

    fn append(&mut self, line: Line) {
        self.equal.entry(line.hash).or_default().push_back(self.base + self.lines.len() as u64);
        self.lines.push_back(line);
    }

    fn pop(&mut self) {
        let Some(line) = self.lines.pop_front() else { return };
        self.base += 1;
        if let Some(ids) = self.equal.get_mut(&line.hash) {
            ids.pop_front();
            if ids.is_empty() {
                self.equal.remove(&line.hash);
            }
        }
    }

    /// What is remembered, as JSON.
    pub fn snapshot(&self) -> serde_json::Value {
        serde_json::to_value(&self.lines).unwrap_or_default()
    }

    /// Goes on from a snapshot.
    pub fn restore(snapshot: &serde_json::Value) -> Self {
        let mut copies = Self::default();
        for line in snapshot.as_array().into_iter().flatten().filter_map(|l| Line::deserialize(l).ok()) {
            copies.append(line);
        }
        copies
    }
}

/// A hash of a line, the same on every machine and in every run: it stands in snapshots. Fast rather than strong; who could make two lines of one
/// instance collide would only pair lines that both streams carry anyway.
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut h = seed ^ K ^ (bytes.len() as u64);
    let mix = |h: u64, word: u64| {
        let wide = u128::from(h ^ word) * u128::from(K | 1);
        (wide as u64) ^ ((wide >> 64) as u64)
    };
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        h = mix(h, u64::from_le_bytes(chunk.try_into().unwrap_or_default())).rotate_left(23);
    }
    let mut rest = [0; 8];
    let tail = chunks.remainder();
    rest[..tail.len()].copy_from_slice(tail);
    mix(mix(h, u64::from_le_bytes(rest)), K)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(hash: u64, at: Micros, act: &str) -> Line {
        let act = Name::of_act(&event::Event { act_id: Some(act.to_owned()), ..event::Event::default() }, &"");
        Line { hash, at, observed: 0, source: 0, seen: 1, act }
    }

    #[test]
    fn the_nth_of_each_stream_is_one_line() {
        let mut c = Copies::default();
        c.push(line(7, 0, "a"), &[0]);
        c.push(line(7, 0, "b"), &[0]);
        assert_eq!(c.copy_of(7, 0, 1), None, "the same stream");
        assert_eq!(c.copy_of(7, 0, 2).as_ref().map(Name::as_str), Some("a"));
        assert_eq!(c.copy_of(7, 0, 2).as_ref().map(Name::as_str), Some("b"));
        assert_eq!(c.copy_of(7, 0, 2), None);
        assert_eq!(c.copy_of(7, 0, 4).as_ref().map(Name::as_str), Some("a"), "a third stream");
        assert_eq!(c.copy_of(8, 0, 2), None);
    }

    #[test]
    fn what_is_over_goes_and_the_bound_holds() {
        let mut c = Copies::default();
        c.push(line(1, 0, "a"), &[0]);
        c.push(line(2, limits::ACT_LIFE_US + 1, "b"), &[limits::ACT_LIFE_US + 1]);
        assert_eq!((c.copy_of(1, 0, 2), c.lines.len(), c.dropped()), (None, 1, 0));
        for n in 0..COPIES_MAX as u64 {
            c.push(line(n, 0, "x"), &[0]);
        }
        assert_eq!((c.lines.len(), c.dropped()), (COPIES_MAX, 1));
        let back = Copies::restore(&c.snapshot());
        assert_eq!((back.lines.len(), back.equal.len()), (c.lines.len(), c.equal.len()));
    }

    #[test]
    fn hashes_tell_lines_apart() {
        let lines: Vec<String> = (0..2000).map(|n| format!("[2026/03/02 10:00:00.{:03} +00:00] line {n}", n % 1000)).collect();
        let hashes: std::collections::HashSet<u64> = lines.iter().map(|l| hash(1, l.as_bytes())).collect();
        assert_eq!(hashes.len(), lines.len());
        assert_ne!(hash(1, b"x"), hash(2, b"x"));
        assert_ne!(hash(0, b""), hash(0, b"\0"));
    }
}
