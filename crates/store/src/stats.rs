//! What a store tells of itself: counters, positions, what waits.

use std::sync::atomic::Ordering;

use event::{Generation, SourceId};

use crate::{
    commit::{Counters, queue::Queue},
    live::Live,
    state::State,
};

/// Where a generation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Its source.
    pub source: SourceId,
    /// The generation.
    pub generation: Generation,
    /// Bytes stored.
    pub end: u64,
}

/// One moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames written since the start.
    pub frames: u64,
    /// Records written since the start.
    pub records: u64,
    /// Bytes of frames written since the start.
    pub bytes: u64,
    /// Syncs since the start.
    pub groups: u64,
    /// Batches that were stored before and dropped.
    pub repeated: u64,
    /// The last frame on the disk.
    pub durable: u64,
    /// Frames up to here are in sight of queries.
    pub seen: u64,
    /// Frames up to here are in the lake.
    pub sealed: u64,
    /// Rows behind the last border.
    pub fresh_rows: u64,
    /// Stored bytes of these.
    pub fresh_bytes: u64,
    /// Bytes of all WAL segments.
    pub wal_bytes: u64,
    /// Batches that wait.
    pub queue_frames: u64,
    /// Their bytes.
    pub queue_bytes: u64,
    /// Records of our own that were taken.
    pub own: u64,
    /// Records of our own that had no room.
    pub own_dropped: u64,
    /// Bytes of frames never acknowledged that the last start dropped.
    pub torn_bytes: u64,
    /// Why intake is paused.
    pub paused: Option<String>,
    /// Why the store stopped.
    pub stopped: Option<String>,
    /// Why the last seal failed.
    pub seal_failing: Option<String>,
    /// Every generation.
    pub positions: Vec<Position>,
}

impl Stats {
    pub(crate) fn of(queue: &Queue, state: &State, counters: &Counters, live: &Live, torn_bytes: u64) -> Self {
        let get = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
        let (own, _, own_dropped) = queue.own_counts();
        let (queue_bytes, queue_frames) = queue.waiting();
        let positions = state.generations.values().map(|k| Position { source: k.source, generation: k.generation, end: k.end });
        let live = live.lock();
        Self {
            frames: get(&counters.frames),
            records: get(&counters.records),
            bytes: get(&counters.bytes),
            groups: get(&counters.groups),
            repeated: get(&counters.repeated),
            durable: get(&counters.durable),
            seen: live.seen,
            sealed: live.sealed,
            fresh_rows: live.rows,
            fresh_bytes: live.fresh.bytes(),
            wal_bytes: get(&counters.wal_bytes),
            queue_frames: queue_frames as u64,
            queue_bytes: queue_bytes as u64,
            own,
            own_dropped,
            torn_bytes,
            paused: queue.paused(),
            stopped: queue.stopped(),
            seal_failing: live.failing.clone(),
            positions: positions.collect(),
        }
    }
}
