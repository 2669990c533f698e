//! What the committer must know to go on: the end of every log and generation, the definitions of sources, the keys of senders that repeat.
//!
//! Owns: the state and how a frame changes it, live and after a restart by the same function. Pure: no I/O.

mod keys;
pub mod own;
pub mod snapshot;
mod sources;

use std::collections::{BTreeMap, HashMap};

use event::{
    Generation, LogName, Micros,
    frame::{FirstSeq, Frame, Header, Kind},
    identity::{Known, Mark},
};

pub use keys::Keys;
pub use sources::{KIND as SOURCE, Sources};

/// The state behind frame `at`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The last frame that it knows.
    pub at: u64,
    /// The highest run seen.
    pub run: u64,
    /// Segments below this frame may be gone.
    pub oldest: u64,
    /// Observed time of the last frame.
    pub observed: Micros,
    /// The next number of each log.
    pub logs: BTreeMap<LogName, u64>,
    /// What is known of each generation.
    pub generations: HashMap<Generation, Known>,
    /// Idempotency keys of the last minutes.
    pub keys: Keys,
    /// Definitions.
    pub sources: Sources,
}

/// What is to be done with a frame that a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It goes on where its generation ends.
    Take,
    /// All of it is stored already, up to here.
    Stored(u64),
    /// It does not follow; this much is stored.
    Refuse(u64),
}

impl State {
    /// The known end of a generation.
    pub fn end(&self, generation: Generation) -> u64 {
        self.generations.get(&generation).map_or(0, |k| k.end)
    }

    /// Whether a frame of records may be taken now.
    pub fn check(&self, h: &Header) -> Check {
        let end = self.end(h.generation);
        if h.idempotency_key != [0; 16] && self.keys.has(&h.idempotency_key) {
            return Check::Stored(end);
        }
        if h.byte_start == end {
            return Check::Take;
        }
        if h.byte_end <= end { Check::Stored(end) } else { Check::Refuse(end) }
    }

    /// The next number of a log.
    pub fn next(&self, log: &LogName) -> u64 {
        self.logs.get(log).copied().unwrap_or(0)
    }

    /// What every frame does, whatever it holds.
    pub fn number(&mut self, h: &Header) {
        self.at = h.wal_seq;
        self.run = self.run.max(h.run);
        self.observed = h.observed_time;
    }

    /// A frame of records was numbered: its logs and its generation have moved on.
    pub fn records<'l>(&mut self, h: &Header, logs: impl IntoIterator<Item = (&'l LogName, u64)>, marks: &[(u64, Mark)]) {
        self.number(h);
        for (log, next) in logs {
            match self.logs.get_mut(log) {
                Some(n) => *n = next,
                None => {
                    self.logs.insert(log.clone(), next);
                }
            }
        }
        self.keys.add(h.idempotency_key, h.observed_time);
        if h.generation == Generation::default() {
            return;
        }
        let known = self.generations.entry(h.generation).or_default();
        known.generation = h.generation;
        (known.source, known.definition_version, known.redactor_version) = (h.source, h.definition_version, h.redactor_version);
        (known.end, known.state, known.mark, known.tail) = (h.byte_end, h.state, h.mark, h.tail);
        for mark in marks {
            if !known.marks.iter().any(|(n, _)| *n == mark.0) {
                known.marks.push(*mark);
            }
        }
    }

    /// A frame read back from disk. Says what does not fit.
    pub fn replay(&mut self, frame: &Frame) -> Result<(), String> {
        let h = &frame.header;
        match h.kind {
            Kind::Records => {
                let counts = frame.counts();
                for FirstSeq { log, seq } in &frame.logs {
                    let next = self.next(log);
                    if *seq != next {
                        return Err(format!("frame {} numbers {log} from {seq}, and {next} is next", h.wal_seq));
                    }
                }
                if h.generation != Generation::default() && h.byte_start != self.end(h.generation) {
                    return Err(format!(
                        "frame {} begins at byte {} of a file that is stored up to {}",
                        h.wal_seq,
                        h.byte_start,
                        self.end(h.generation)
                    ));
                }
                self.records(h, frame.logs.iter().zip(&counts).map(|(l, n)| (&l.log, l.seq + n)), &frame.marks);
                for record in own::records(frame) {
                    self.sources.learn(&record);
                }
            }
            Kind::Seal => {
                self.number(h);
                self.oldest = self.oldest.max(own::oldest_of_seal(&frame.plain));
            }
            Kind::Snapshot | Kind::End | Kind::Durable => self.number(h),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
