//! The one committer (FORMAT §2): it gives wal_seq, durable, seq, salt and observed time, in the order in which frames reach it.
//!
//! Owns: the thread that appends to the WAL, group commit, and the acknowledgements. Must never acknowledge before a sync returned, never take a
//! number back, never go on after a write or a sync failed.

mod group;
pub mod queue;
pub mod salt;

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    time::Duration,
};

use event::{
    Clock, Micros, NodeId,
    clock::{MINUTE, SECOND, rfc3339},
    frame::{FLAG_MORE, HEADER_BYTES, Kind},
};
use group::Group;
use queue::{Done, Item, Order, Queue, Work};
use salt::FrameSalt;
use serde_json::json;

use crate::{
    StoreError, hold,
    state::{State, own},
    wal::writer::Writer,
};

/// A segment stays at least this long (FORMAT §2): somebody may be reading it.
pub const SEGMENT_LIFE: Micros = 10 * MINUTE;
/// A step of the clock back by more than this is followed; by less, time stands still.
pub const CLOCK_STEP: Micros = SECOND;
/// After a segment could not be made, the next try waits this long.
const RETRY: Duration = Duration::from_millis(500);
/// Lines of a snapshot go into frames of about this many bytes.
const SNAPSHOT_FRAME_BYTES: usize = 1 << 20;
/// Groups on their way to the tail. A slow tail holds the committer back, and so the sources.
pub const TAIL_GROUPS_MAX: usize = 8;

/// What the tail gets, in order.
pub(crate) enum Durable {
    /// A group of whole frames that is on the disk.
    Group(Vec<u8>),
    /// Everything up to `wal_seq` is one seal; `state` are the lines that hold there.
    Border { wal_seq: u64, state: Vec<u8>, done: Option<Done> },
    /// The observer's snapshot is wanted.
    Checkpoint { done: Done },
}

/// Counters that anybody may read.
#[derive(Debug, Default)]
pub struct Counters {
    /// Frames written.
    pub frames: AtomicU64,
    /// Records written.
    pub records: AtomicU64,
    /// Bytes of frames written.
    pub bytes: AtomicU64,
    /// Groups, that is syncs.
    pub groups: AtomicU64,
    /// Frames that were stored before and dropped.
    pub repeated: AtomicU64,
    /// Highest frame that is on the disk.
    pub durable: AtomicU64,
    /// Bytes of all segments.
    pub wal_bytes: AtomicU64,
}

/// The committer's thread.
pub(crate) struct Committer {
    pub queue: Arc<Queue>,
    pub state: Arc<Mutex<State>>,
    pub counters: Arc<Counters>,
    pub writer: Writer,
    pub tail: SyncSender<Durable>,
    pub clock: Arc<dyn Clock>,
    pub node: NodeId,
    pub salt: FrameSalt,
    /// Last frame in the lake, and the table's version there.
    pub sealed: (u64, u64),
    /// The older of the last two detection snapshots.
    pub checkpoints: Arc<AtomicU64>,
    /// The last frame written is a durable mark.
    pub marked: bool,
}

/// The group could not be written: for now, or for good.
enum Failed {
    NoRoom(StoreError),
    Broken(StoreError),
}

impl Failed {
    fn reason(self) -> StoreError {
        let (Self::NoRoom(e) | Self::Broken(e)) = self;
        e
    }
}

impl Committer {
    /// The first segment of a run, which begins with the state: what lies behind `last_good` in older segments is dead from now on.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        let mut group = Group::new(self.writer.run(), self.still());
        let lines = hold(&self.state).to_lines();
        self.room(2 * lines.len() + 4096).map_err(Failed::reason)?;
        let mut parts = Vec::new();
        let mut part: Vec<u8> = Vec::new();
        for line in lines.split_inclusive(|b| *b == b'\n') {
            if !part.is_empty() && part.len() + line.len() > SNAPSHOT_FRAME_BYTES {
                parts.push(mem::take(&mut part));
            }
            part.extend_from_slice(line);
        }
        let mut state = hold(&self.state);
        for part in &parts {
            group.plain(&mut state, Kind::Snapshot, FLAG_MORE, part)?;
        }
        group.plain(&mut state, Kind::Snapshot, 0, &part)?;
        drop(state);
        self.write(&group).map_err(Failed::reason)
    }

    /// Works until the queue ends or something breaks. The tail sees the end when this returns.
    pub fn run(mut self) {
        let why = loop {
            let done = match self.queue.take(self.marked) {
                Work::End => break "it was closed".to_owned(),
                Work::Idle => self.mark(),
                Work::Group { items, own, orders } => self.commit(items, own, orders),
            };
            if let Err(e) = done {
                tracing::error!(error = %e, "the store stops: a write did not reach the disk");
                break e.to_string();
            }
        };
        self.queue.stop(&why);
    }

    /// The time of a group: the clock's, never before the group ahead, but for a step back of more than a second, which is followed and told.
    fn observe(&self) -> (Micros, Option<(Micros, Micros)>) {
        let (now, last) = (self.clock.now(), hold(&self.state).observed);
        match last - now {
            back if back > CLOCK_STEP && last > 0 => (now, Some((last, now))),
            _ => (now.max(last), None),
        }
    }

    /// The time of frames that hold no records: a step back is left to the next group that can tell it.
    fn still(&self) -> Micros {
        self.clock.now().max(hold(&self.state).observed)
    }

    fn mark(&mut self) -> Result<(), StoreError> {
        let mut group = Group::new(self.writer.run(), self.still());
        match self.room(HEADER_BYTES) {
            // The mark can wait; without room nothing else is written either.
            Err(Failed::NoRoom(_)) => {
                self.marked = true;
                return Ok(());
            }
            Err(Failed::Broken(e)) => return Err(e),
            Ok(()) => {}
        }
        group.plain(&mut hold(&self.state), Kind::Durable, 0, &[])?;
        self.finish(group)?;
        self.marked = true;
        Ok(())
    }

    fn commit(&mut self, items: Vec<Item>, own: Vec<Vec<u8>>, orders: Vec<Order>) -> Result<(), StoreError> {
        let bytes = items.iter().map(Item::bytes).sum::<usize>() + own.iter().map(|r| r.len() + 16).sum::<usize>() + 4096;
        match self.room(bytes) {
            Err(Failed::NoRoom(e)) => {
                tracing::warn!(error = %e, "intake waits: a segment of the log of frames could not be made");
                self.queue.put_back(items, own, orders, &e.to_string(), RETRY);
                return Ok(());
            }
            Err(Failed::Broken(e)) => return Err(e),
            Ok(()) => {}
        }
        let (observed, step) = self.observe();
        let clock = step.map(|(from, to)| own::stored("clock", json!({"from": rfc3339(from), "to": rfc3339(to)})));
        let mut group = Group::new(self.writer.run(), observed);
        let state = self.state.clone();
        let mut state = hold(&state);
        let records = own.len() as u64;
        let own: Vec<Vec<u8>> = clock.into_iter().chain(own).collect();
        group.own(&mut state, self.node, &mut self.salt, &own)?;
        for item in items {
            group.item(&mut state, self.node, &mut self.salt, item)?;
        }
        let mut removals = Vec::new();
        let mut told = Vec::new();
        for order in orders {
            match order {
                Order::Sealed { wal_seq, table_version, done } => {
                    self.sealed = (wal_seq, table_version);
                    self.seal_frame(&mut group, &mut state, true)?;
                    removals.extend(done);
                }
                Order::Release { done } => {
                    self.seal_frame(&mut group, &mut state, false)?;
                    removals.extend(done);
                }
                Order::Border { done } => {
                    // Salts do not reach over a border.
                    self.salt.renew()?;
                    told.push(Durable::Border { wal_seq: 0, state: Vec::new(), done });
                }
                Order::Checkpoint { done } => told.push(Durable::Checkpoint { done }),
            }
        }
        for border in &mut told {
            if let Durable::Border { wal_seq, state: lines, .. } = border {
                (*wal_seq, *lines) = (state.at, state.to_lines());
            }
        }
        let oldest = state.oldest;
        drop(state);
        self.finish(group)?;
        self.queue.own_written(records);
        self.remove(oldest, removals);
        told.into_iter().try_for_each(|t| self.tell(t))
    }

    /// Names what is sealed and the lowest segment that stays. Without news there is no frame.
    fn seal_frame(&mut self, group: &mut Group, state: &mut State, always: bool) -> Result<(), StoreError> {
        let below = self.sealed.0.min(self.checkpoints.load(Ordering::SeqCst));
        let oldest = self.writer.oldest(below, group.observed() - SEGMENT_LIFE).max(state.oldest);
        if always || oldest > state.oldest {
            let line = json!({"sealed": self.sealed.0, "table_version": self.sealed.1, "oldest": oldest}).to_string() + "\n";
            group.plain(state, Kind::Seal, 0, line.as_bytes())?;
            state.oldest = oldest;
        }
        Ok(())
    }

    /// Writes a group, and then tells everybody.
    fn finish(&mut self, group: Group) -> Result<(), StoreError> {
        if let Err(failed) = self.write(&group) {
            let e = failed.reason();
            group.refuse(&e.to_string());
            return Err(e);
        }
        let (bytes, frames, records, repeated) = (group.bytes().len() as u64, group.frames(), group.records(), group.repeated());
        for (counter, n) in [
            (&self.counters.bytes, bytes),
            (&self.counters.frames, frames),
            (&self.counters.records, records),
            (&self.counters.repeated, repeated),
            (&self.counters.groups, u64::from(bytes > 0)),
        ] {
            counter.fetch_add(n, Ordering::Relaxed);
        }
        match group.acknowledge() {
            bytes if bytes.is_empty() => Ok(()),
            bytes => self.tell(Durable::Group(bytes)),
        }
    }

    fn write(&mut self, group: &Group) -> Result<(), Failed> {
        if group.bytes().is_empty() {
            return Ok(());
        }
        self.writer.append(group.bytes(), group.observed()).map_err(Failed::Broken)?;
        self.counters.durable.store(group.last(), Ordering::SeqCst);
        self.counters.wal_bytes.store(self.writer.bytes(), Ordering::Relaxed);
        self.marked = false;
        Ok(())
    }

    fn tell(&self, what: Durable) -> Result<(), StoreError> {
        self.tail.send(what).map_err(|_| StoreError::Stopped("the thread behind the log of frames has ended".to_owned()))
    }

    /// Makes room for `bytes`: ends the open segment and makes the next if need be.
    fn room(&mut self, bytes: usize) -> Result<(), Failed> {
        if self.writer.fits(bytes) {
            return Ok(());
        }
        let observed = self.still();
        if self.writer.is_open() {
            let mut group = Group::new(self.writer.run(), observed);
            group.plain(&mut hold(&self.state), Kind::End, 0, &[]).map_err(Failed::Broken)?;
            self.write(&group)?;
            self.writer.close_segment();
            self.tell(Durable::Group(group.acknowledge())).map_err(Failed::Broken)?;
        }
        let first = hold(&self.state).at + 1;
        self.writer.make_segment(first, bytes, observed).map_err(Failed::NoRoom)
    }

    /// Segments below a durable `oldest` go. One that cannot be unlinked stays until the next start.
    fn remove(&mut self, oldest: u64, done: Vec<Done>) {
        if !done.is_empty() || self.writer.first() < oldest {
            match self.writer.remove_below(oldest) {
                Ok(0) => {}
                Ok(gone) => tracing::debug!(gone, oldest, "segments removed"),
                Err(e) => tracing::warn!(error = %e, "a segment could not be removed"),
            }
            self.counters.wal_bytes.store(self.writer.bytes(), Ordering::Relaxed);
        }
        done.into_iter().for_each(|d| drop(d.try_send(Ok(()))));
    }
}

#[cfg(test)]
mod tests;
