//! Which records belong to one act (DESIGN §2.14, docs/specs/events.md). Owns: the table of open acts. Deterministic: content, record time and observed
//! time only, in wal_seq order.

use std::fmt;

use event::{Event, RecordMeta, SourceDefinition};

/// The table of open acts of one store.
#[derive(Debug, Clone, Default)]
pub struct Acts {}

impl Acts {
    /// Gives the event its act, and the columns that its neighbors know (named in `inferred`). `name` is the event's own name.
    pub fn assign(&mut self, _event: &mut Event<'_>, _definition: &SourceDefinition, _meta: &RecordMeta, _name: &dyn fmt::Display) {}
    /// The open acts, for a snapshot.
    pub fn snapshot(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
    /// Goes on from a snapshot.
    pub fn restore(&mut self, _snapshot: &serde_json::Value) {}
}
