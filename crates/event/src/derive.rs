//! From stored bytes to columns: the seam through which the store, which knows no format, asks for events.

use std::fmt;

use crate::{Event, LogClass, RecordMeta, SourceDefinition};

/// Derives events from stored records in wal_seq order. Implemented by `parse`; its state makes acts and products reproducible.
pub trait Derive: Send {
    /// The event of one stored record, position and act included. Records must come in the order of their frames, and within a frame in their
    /// order. `name` is what `act_id` of later records will say: `log:seq` in a store, `file:offset` without one. A record of class
    /// [`LogClass::Own`] is one JSON object of ours: product bartizan, stream = its `kind`.
    fn derive<'r>(
        &mut self,
        definition: &SourceDefinition,
        meta: &RecordMeta,
        class: LogClass,
        name: &dyn fmt::Display,
        stored: &'r [u8],
    ) -> Event<'r>;
    /// The state behind the last record: part of the lake's snapshot and of `state/detect`.
    fn snapshot(&self) -> serde_json::Value;
    /// Goes on from a snapshot. An unreadable one is an empty one: acts may then open anew, nothing is lost.
    fn restore(&mut self, snapshot: &serde_json::Value);
}
