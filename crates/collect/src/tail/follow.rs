//! One open file that is read as it grows. Owns: its position, the test whether it is still the same content, and its batches.

use std::{
    collections::VecDeque,
    fs::File,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use event::{
    Batch, Generation, Redactor, SourceId,
    identity::Tracker,
    limits::{PIECE_HOLD_US, RECORD_IDLE_US},
};
use parse::End;

use crate::{CollectError, Ship, ShipError, Shipped, feed::Feed};

/// Read from one file before the others get their turn.
const TURN_BYTES: usize = 4 << 20;
/// Read at once.
const READ_BYTES: usize = 256 << 10;
/// Batches on their way to the disk; then the oldest is waited for.
const IN_FLIGHT_MAX: usize = 16;
/// So many bytes before the position must still be what they were, else the file was written anew.
const SAME_BYTES: usize = 1024;

/// What a turn came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing more to read for now.
    Done,
    /// There is more.
    More,
    /// The store takes nothing for now; nothing was lost.
    Paused(String),
    /// The content is no longer what it was (truncated, written anew), or the store knows the generation further: identify it again.
    Changed,
}

/// An open file.
pub(super) struct Follow {
    pub path: PathBuf,
    pub file: File,
    pub cluster: String,
    pub source: SourceId,
    pub version: u32,
    tracker: Tracker,
    feed: Feed,
    /// The last bytes read.
    before: Vec<u8>,
    last_bytes: Instant,
    /// Its path was renamed or is gone: nobody is expected to write on for long.
    pub left_since: Option<Instant>,
    /// Batches that were taken and are not known to be durable: one that is refused after all means that the file is identified again.
    in_flight: VecDeque<Box<dyn Shipped>>,
}

impl Follow {
    pub(super) fn new(path: PathBuf, file: File, cluster: String, (source, version): (SourceId, u32), tracker: Tracker) -> Self {
        let mut before = vec![0; usize::try_from(tracker.position()).unwrap_or(usize::MAX).min(SAME_BYTES)];
        let from = tracker.position() - before.len() as u64;
        if file.read_exact_at(&mut before, from).is_err() {
            before.clear();
        }
        let (feed, last_bytes) = (Feed::new(), Instant::now());
        let in_flight = VecDeque::new();
        Self { path, file, cluster, source, version, tracker, feed, before, last_bytes, left_since: None, in_flight }
    }

    pub(super) fn generation(&self) -> Generation {
        self.tracker.generation()
    }
    /// Bytes stored or on their way.
    pub(super) fn position(&self) -> u64 {
        self.tracker.position()
    }
    /// How long nothing was written.
    pub(super) fn idle(&self) -> Duration {
        self.last_bytes.elapsed()
    }
    /// Something was read that is not known to be durable yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.feed.pending() > 0 || !self.in_flight.is_empty()
    }
    /// Waits until at most `keep` batches are on their way. False if one was refused: the store knows better where the file stands.
    pub(super) fn settle(&mut self, keep: usize) -> Result<bool, CollectError> {
        while self.in_flight.len() > keep {
            match self.in_flight.pop_front().map_or(Ok(()), Shipped::wait) {
                Ok(()) => {}
                Err(e @ ShipError::Stopped(_)) => return Err(CollectError::ship(&self.path)(e)),
                Err(ShipError::Position { .. } | ShipError::Paused(_)) => return Ok(false),
            }
        }
        Ok(true)
    }
    /// All that can be read is read, and the last record waits for its end.
    pub(super) fn awaits_more(&self) -> bool {
        self.feed.pending() > 0 && self.file.metadata().is_ok_and(|m| m.len() <= self.read_to())
    }
    fn read_to(&self) -> u64 {
        self.tracker.position() + self.feed.pending() as u64
    }

    /// Whether the bytes before the position are what they were.
    fn is_same(&self) -> Result<bool, CollectError> {
        let length = self.file.metadata().map_err(CollectError::io("looking at", &self.path))?.len();
        if length < self.read_to() {
            return Ok(false);
        }
        let mut now = vec![0; self.before.len()];
        let from = self.read_to() - now.len() as u64;
        let read = self.file.read_exact_at(&mut now, from);
        Ok(read.is_ok() && now == self.before)
    }

    /// Reads what is new and ships what is complete.
    pub(super) fn turn(&mut self, ship: &dyn Ship, redactor: &Redactor) -> Result<Turn, CollectError> {
        // What the turn before sent is durable by now, mostly; waiting here lets all files of a round share one sync.
        if !self.settle(0)? || !self.is_same()? {
            return Ok(Turn::Changed);
        }
        let mut buf = vec![0; READ_BYTES];
        let mut read = 0;
        while read < TURN_BYTES {
            let n = self.file.read_at(&mut buf, self.read_to()).map_err(CollectError::io("reading", &self.path))?;
            if n == 0 {
                break;
            }
            self.feed.push(&buf[..n]);
            self.remember(&buf[..n]);
            self.last_bytes = Instant::now();
            read += n;
            if self.feed.pending() >= READ_BYTES {
                self.feed.scan(End::Open, redactor);
                match self.send(ship, redactor, false)? {
                    Turn::Done => {}
                    stopped => return Ok(stopped),
                }
            }
        }
        self.feed.scan(if self.idle() >= micros(RECORD_IDLE_US) { End::Idle } else { End::Open }, redactor);
        let turn = self.send(ship, redactor, self.idle() >= micros(PIECE_HOLD_US))?;
        Ok(if turn == Turn::Done && read >= TURN_BYTES { Turn::More } else { turn })
    }

    /// Nothing more will be written: what is there is all there is.
    pub(super) fn close(&mut self, ship: &dyn Ship, redactor: &Redactor) -> Result<Turn, CollectError> {
        match self.turn(ship, redactor)? {
            Turn::Done => {}
            other => return Ok(other),
        }
        self.feed.scan(End::Closed, redactor);
        match self.send(ship, redactor, true)? {
            Turn::Done if !self.settle(0)? => Ok(Turn::Changed),
            turn => Ok(turn),
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.before.extend_from_slice(&bytes[bytes.len().saturating_sub(SAME_BYTES)..]);
        let over = self.before.len().saturating_sub(SAME_BYTES);
        self.before.drain(..over);
    }

    fn send(&mut self, ship: &dyn Ship, redactor: &Redactor, release: bool) -> Result<Turn, CollectError> {
        loop {
            let count = self.feed.fitting(self.feed.ready(release));
            if count == 0 {
                return Ok(Turn::Done);
            }
            // The tracker moves only with what was taken: a refused batch is made again from the same bytes.
            let mut tracker = self.tracker.clone();
            let stamp = tracker.advance(self.feed.bytes(count));
            let batch = Batch {
                cluster: self.cluster.clone(),
                source: self.source,
                definition_version: self.version,
                generation: tracker.generation(),
                byte_start: self.tracker.position(),
                stamp,
                agent_time: 0,
                redactor_version: event::redact::REDACTOR_VERSION,
                idempotency_key: [0; 16],
                records: self.feed.records(count, redactor),
            };
            match ship.ship(batch) {
                Ok(shipped) => self.in_flight.push_back(shipped),
                Err(ShipError::Paused(why)) => return Ok(Turn::Paused(why)),
                Err(ShipError::Position { .. }) => return Ok(Turn::Changed),
                Err(e @ ShipError::Stopped(_)) => return Err(CollectError::ship(&self.path)(e)),
            }
            self.tracker = tracker;
            self.feed.consume(count);
            if !self.settle(IN_FLIGHT_MAX)? {
                return Ok(Turn::Changed);
            }
        }
    }
}

fn micros(us: i64) -> Duration {
    Duration::from_micros(us.unsigned_abs())
}
