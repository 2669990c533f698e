//! From stored bytes to columns: the seam through which the store, which knows no format, asks for events.

use crate::{Event, RecordMeta, RecordName, SourceDefinition};

/// Derives events from stored records in wal_seq order. Implemented by `parse`; its state makes acts and products reproducible.
pub trait Derive {
    /// The event of one stored record. Records must come in the order of their frames, and within a frame in their order.
    fn derive<'r>(&mut self, definition: &SourceDefinition, meta: &RecordMeta, name: &RecordName, stored: &'r [u8]) -> Event<'r>;
    /// The state behind the last record: part of the lake's snapshot and of `state/detect`.
    fn snapshot(&self) -> serde_json::Value;
    /// Goes on from a snapshot. An unreadable one is an empty one: acts may then open anew, nothing is lost.
    fn restore(&mut self, snapshot: &serde_json::Value);
}
