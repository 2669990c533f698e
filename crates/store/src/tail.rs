//! Behind the committer: durable frames become events, rows and findings, in order, on one thread.
//!
//! Owns: that thread, when a seal is due, and the observer's snapshots. Must never wait for the committer: the committer may be waiting for it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use event::{
    Clock, Micros,
    clock::{DAY, HOUR, MINUTE},
    frame,
};

use crate::{
    StoreError,
    checkpoint::{self, Taken},
    commit::{
        Durable,
        queue::{Done, Order, Queue},
    },
    lake::Fresh,
    live::{FRESH_BYTES_MAX, Live},
    replay::{Replay, Use},
    seal::Job,
    state::snapshot,
};

/// The observer's clock moves on at least this often.
const IDLE: Duration = Duration::from_millis(100);
/// The observer is asked for a snapshot this often.
const CHECKPOINT_EVERY: Micros = MINUTE;

/// When rows go into the lake (FORMAT §3).
#[derive(Debug, Clone, Copy)]
pub struct SealAt {
    /// At this many stored bytes.
    pub bytes: u64,
    /// When the oldest row is this old.
    pub age: Micros,
    /// While fewer bytes than this wait ...
    pub small_bytes: u64,
    /// ... when it is this old.
    pub small_age: Micros,
    /// When nothing but records of our own waits.
    pub own_age: Micros,
}

impl Default for SealAt {
    fn default() -> Self {
        Self { bytes: 128 << 20, age: 10 * MINUTE, small_bytes: 8 << 20, small_age: HOUR, own_age: DAY }
    }
}

impl SealAt {
    fn is_due(&self, fresh: &Fresh, now: Micros) -> bool {
        let bytes = fresh.bytes();
        let older = |oldest: Option<Micros>, age: Micros| oldest.is_some_and(|at| now - at >= age);
        let age = if bytes < self.small_bytes { self.small_age } else { self.age };
        bytes >= self.bytes || older(fresh.oldest(false), age) || older(fresh.oldest(true), self.own_age)
    }
}

/// A snapshot that is written as soon as everything that was said before it is durable.
struct Waiting {
    checkpoint: Taken,
    own: u64,
    done: Vec<Done>,
}

/// The thread.
pub(crate) struct Tail {
    parts: Parts,
    waiting: Option<Waiting>,
    /// When and behind which frame the last snapshot was taken.
    taken: (Micros, u64),
    seal_asked: bool,
    idle: Instant,
}

/// What the tail begins with.
pub(crate) struct Parts {
    pub replay: Replay,
    pub live: Arc<Live>,
    pub queue: Arc<Queue>,
    pub clock: Arc<dyn Clock>,
    pub seal_at: SealAt,
    pub sealer: SyncSender<Job>,
    /// `state/detect`.
    pub folder: PathBuf,
    /// The older of the last two snapshots, for the committer.
    pub floor: Arc<AtomicU64>,
    /// The newest snapshot's frame.
    pub checkpoint: u64,
}

impl Tail {
    pub fn new(parts: Parts) -> Self {
        let taken = (parts.clock.now(), parts.checkpoint);
        Self { parts, waiting: None, taken, seal_asked: false, idle: Instant::now() }
    }

    /// Works until the committer ends.
    pub fn run(mut self, from: &Receiver<Durable>) {
        loop {
            match from.recv_timeout(IDLE.saturating_sub(self.idle.elapsed())) {
                Ok(Durable::Group(bytes)) => {
                    if let Err(what) = self.group(&bytes) {
                        self.parts.queue.stop(&what);
                    }
                }
                Ok(Durable::Border { wal_seq, state, done }) => self.border(wal_seq, state, done),
                Ok(Durable::Checkpoint { done }) => self.take_checkpoint(Some(done)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.breathe();
        }
    }

    fn group(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            // They were built a moment ago in this process: what does not decode now is broken memory.
            let (frame, len) = frame::decode(bytes).map_err(|bad| format!("a frame of this run cannot be read back: {bad}"))?;
            self.parts.replay.frame(&frame, &self.parts.live, Use { push: true, show: true, replay: false });
            bytes = &bytes[len..];
        }
        let at = self.parts.replay.at;
        self.parts.live.change(|l| l.seen = at);
        while !self.parts.live.wait(Some(IDLE), |l| !l.busy || l.closing || l.fresh.bytes() < FRESH_BYTES_MAX)
            && self.parts.queue.stopped().is_none()
        {
            self.breathe();
        }
        Ok(())
    }

    /// What must happen about every 100 ms, whether anything arrives or not.
    fn breathe(&mut self) {
        if self.idle.elapsed() < IDLE {
            return;
        }
        self.idle = Instant::now();
        if let Some(observer) = &mut self.parts.replay.observer {
            observer.idle();
        }
        let now = self.parts.clock.now();
        let (last, at) = self.taken;
        if self.waiting.is_none() && (now - last >= CHECKPOINT_EVERY || now < last) {
            if self.parts.replay.at > at {
                self.take_checkpoint(None);
            } else {
                self.taken.0 = now;
            }
            self.parts.queue.order(Order::Release { done: None });
        }
        self.write_checkpoint();
        let due = !self.seal_asked && {
            let live = self.parts.live.lock();
            !live.busy && self.parts.seal_at.is_due(&live.fresh, now)
        };
        if due {
            self.seal_asked = true;
            self.parts.queue.order(Order::Border { done: None });
        }
    }

    fn take_checkpoint(&mut self, done: Option<Done>) {
        let checkpoint =
            Taken { wal_seq: self.parts.replay.at, observer: self.parts.replay.observed(), derive: self.parts.replay.derive.snapshot() };
        self.taken = (self.parts.clock.now(), checkpoint.wal_seq);
        let earlier = self.waiting.take().map(|w| w.done).unwrap_or_default();
        self.waiting = Some(Waiting { checkpoint, own: self.parts.queue.own_counts().0, done: earlier.into_iter().chain(done).collect() });
        self.write_checkpoint();
    }

    /// Writes the snapshot that waits, once every record of ours that was appended before it is durable: else a finding that the snapshot
    /// takes for said could be lost.
    fn write_checkpoint(&mut self) {
        let Some(waiting) = self.waiting.take_if(|w| self.parts.queue.own_counts().1 >= w.own) else { return };
        let written = waiting.checkpoint.write(&self.parts.folder).and_then(|()| checkpoint::floor(&self.parts.folder));
        match written {
            Ok(floor) => {
                self.parts.floor.store(floor, Ordering::SeqCst);
                waiting.done.into_iter().for_each(|d| drop(d.try_send(Ok(()))));
            }
            Err(e) => {
                tracing::warn!(error = %e, "a detection snapshot could not be written; the next try is in a minute");
                let mut e = Some(e);
                for done in waiting.done {
                    drop(done.try_send(Err(
                        e.take().unwrap_or_else(|| StoreError::Stopped("a detection snapshot could not be written".to_owned())),
                    )));
                }
            }
        }
    }

    /// Everything up to `wal_seq` has been seen, and nothing behind it: that is what one seal holds.
    fn border(&mut self, wal_seq: u64, mut state: Vec<u8>, done: Option<Done>) {
        self.seal_asked = false;
        while !self.parts.live.wait(Some(IDLE), |l| !l.busy) {
            let failing = self.parts.live.lock().failing.clone();
            if failing.is_some() || self.parts.queue.stopped().is_some() {
                let why = failing.unwrap_or_else(|| "it was closed".to_owned());
                done.into_iter().for_each(|d| {
                    drop(d.try_send(Err(StoreError::Limit(format!("sealing: the seal before this one has not succeeded: {why}")))))
                });
                return;
            }
            self.breathe();
        }
        let rows = self.parts.live.lock().rows;
        if rows == 0 {
            done.into_iter().for_each(|d| drop(d.try_send(Ok(()))));
            return;
        }
        snapshot::push_derive(&mut state, &self.parts.replay.derive.snapshot());
        let fresh = self.parts.live.change(|l| {
            l.sealing = l.fresh.batches();
            l.busy = true;
            l.rows = 0;
            std::mem::take(&mut l.fresh)
        });
        if self.parts.sealer.send(Job { fresh, wal_seq, state, done }).is_err() {
            self.parts.queue.stop("the thread that seals has ended");
        }
    }
}
