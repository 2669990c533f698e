//! From stored bytes to columns: the seam through which the store, which knows no format, asks for events.

use std::fmt;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Event, LogClass, RecordMeta, SourceDefinition};

/// A state as JSON text. It can be tens of megabytes and is taken between two events, so it is written at once and never built as a tree.
pub type Snapshot = Box<RawValue>;

/// A state's text. One that cannot be written is `null`: whoever goes on from it begins anew.
pub fn snapshot(state: &impl Serialize) -> Snapshot {
    to_raw_value(state).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Parts of a state under their names.
pub fn parts<const N: usize>(parts: [(&'static str, Snapshot); N]) -> Snapshot {
    snapshot(&std::collections::BTreeMap::from(parts))
}

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
    fn snapshot(&self) -> Snapshot;
    /// Goes on from a snapshot. An unreadable one is an empty one: acts may then open anew, nothing is lost.
    fn restore(&mut self, snapshot: &serde_json::Value);
}
