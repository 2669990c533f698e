//! The vocabulary that every other crate speaks: the event, the finding, the alert, their names, ids, limits and the redaction gate.
//!
//! Owns: types and pure functions. Never does I/O, never reads a clock, never starts a thread; everything here can be tested with values.

pub mod action;
pub mod alert;
pub mod batch;
pub mod clock;
pub mod derive;
pub mod event;
pub mod field;
pub mod finding;
pub mod frame;
pub mod id;
pub mod identity;
pub mod issue;
pub mod json;
pub mod limits;
pub mod record;
pub mod redact;
pub mod source;

pub use action::{Activity, Class};
pub use alert::{Alert, AlertState};
pub use batch::{Batch, BatchRecord};
pub use clock::{Clock, Micros};
pub use derive::{Derive, Snapshot};
pub use event::{Event, Status, Text, Value};
pub use field::{Field, FieldRef};
pub use finding::{Evidence, Finding, FindingKind, Severity};
pub use id::{Generation, LogClass, LogName, NodeId, RecordName, SourceId};
pub use issue::Issue;
pub use record::{RecordFlags, RecordMeta};
pub use redact::{Redacted, Redactor};
pub use source::SourceDefinition;
