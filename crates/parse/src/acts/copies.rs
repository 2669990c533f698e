//! Equal lines in two streams of one instance: the n-th of each is one line, the later-stored one a copy (DESIGN §2.14). Repeats within a stream stay apart.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use event::{Micros, Snapshot, derive, limits};
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

/// No line.
const NONE: u64 = u64::MAX;

/// The lines of the last minute.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    /// With the number of the next line of the same hash. The first line has the number `base`.
    lines: VecDeque<(Line, u64)>,
    base: u64,
    /// The numbers of the first and the last line of a hash.
    equal: HashMap<u64, (u64, u64)>,
    dropped: u64,
}

impl Copies {
    /// How many had to go before their time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The act of the first line of this content that `stream` (one bit) has not been seen in; it is now.
    pub fn copy_of(&mut self, hash: u64, at: Micros, stream: u64) -> Option<Name> {
        let mut id = self.equal.get(&hash)?.0;
        for _ in 0..SCAN_MAX {
            let (line, next) = self.lines.get_mut(usize::try_from(id.checked_sub(self.base)?).ok()?)?;
            // Equal text has an equal time; a line without one may come again.
            if line.seen & stream == 0 && line.at.abs_diff(at) <= limits::ACT_LIFE_US.unsigned_abs() {
                line.seen |= stream;
                return Some(line.act.clone());
            }
            id = *next;
        }
        None
    }

    /// Remembers a line.
    pub fn push(&mut self, line: Line, clocks: &[Micros]) {
        while let Some((oldest, _)) = self.lines.front() {
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
        let id = self.base + self.lines.len() as u64;
        let before = match self.equal.entry(line.hash) {
            Entry::Occupied(mut known) => Some(std::mem::replace(&mut known.get_mut().1, id)),
            Entry::Vacant(free) => {
                free.insert((id, id));
                None
            }
        };
        if let Some((_, next)) = before.and_then(|b| self.lines.get_mut(usize::try_from(b - self.base).ok()?)) {
            *next = id;
        }
        self.lines.push_back((line, NONE));
    }

    fn pop(&mut self) {
        let Some((line, next)) = self.lines.pop_front() else { return };
        self.base += 1;
        match self.equal.get_mut(&line.hash) {
            Some(known) if next != NONE => known.0 = next,
            _ => drop(self.equal.remove(&line.hash)),
        }
    }

    /// What is remembered, as JSON.
    pub fn snapshot(&self) -> Snapshot {
        let lines: Vec<&Line> = self.lines.iter().map(|(line, _)| line).collect();
        derive::snapshot(&lines)
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
    const K: [u64; 4] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03, 0xaef1_7502_108e_f2d9, 0xf135_7aea_2e62_a9c5];
    let mix = |h: u64, word: u64, k: u64| {
        let wide = u128::from(h ^ word) * u128::from(k);
        (wide as u64) ^ ((wide >> 64) as u64)
    };
    // Four lanes: the multiplications of one do not wait for those of another.
    let mut lanes = K.map(|k| seed ^ k);
    let mut blocks = bytes.chunks_exact(32);
    for block in &mut blocks {
        for (n, lane) in lanes.iter_mut().enumerate() {
            let word = block[n * 8..n * 8 + 8].try_into().unwrap_or_default();
            *lane = mix(*lane, u64::from_le_bytes(word), K[n]).rotate_left(23);
        }
    }
    let mut rest = [0; 32];
    let tail = blocks.remainder();
    rest[..tail.len()].copy_from_slice(tail);
    let mut h = bytes.len() as u64;
    for (n, lane) in lanes.into_iter().enumerate() {
        let word = rest[n * 8..n * 8 + 8].try_into().unwrap_or_default();
        h = mix(h.rotate_left(11) ^ lane, u64::from_le_bytes(word), K[n]);
    }
    mix(h, K[0], K[1])
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
        let back = Copies::restore(&serde_json::from_str(c.snapshot().get()).unwrap());
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
