//! Who watches what was stored: the seam to live detection, tail and counters.

use event::{Event, LogClass, RecordMeta, RecordName, Snapshot, SourceDefinition};

/// Where an event came from.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'s> {
    /// Its name, for ever.
    pub name: &'s RecordName,
    /// Its class.
    pub class: LogClass,
    /// Its place in its source.
    pub meta: &'s RecordMeta,
    /// Its source.
    pub definition: &'s SourceDefinition,
    /// It was committed before this start: the observer catches up from its snapshot.
    pub replay: bool,
}

/// Gets every event in wal_seq order, after it is durable, on one thread. Must not block on the store.
pub trait Observer: Send {
    /// Before the first event: the state of the last snapshot, and every `self` record of kind finding that was committed behind it (what has been
    /// said must not be said again).
    fn restore(&mut self, state: Option<&serde_json::Value>, said: &[serde_json::Value]);
    /// One event.
    fn event(&mut self, seen: &Seen<'_>, event: &Event<'_>);
    /// All events of the frame have been seen.
    fn frame(&mut self, wal_seq: u64, replay: bool);
    /// About every 100 ms, also when nothing arrives: the lane's clock moves on.
    fn idle(&mut self);
    /// An import has ended: nothing more will come in its lane.
    fn flush(&mut self) {}
    /// What it must know to go on behind the last frame: goes into `state/detect/<wal_seq>` with a check sum, two kept.
    fn snapshot(&mut self) -> Snapshot;
}
