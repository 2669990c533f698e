//! The class of a record (FORMAT §1): decided once, before the WAL, from the record, its source and the product last decided there. When in doubt longer wins.

use event::{Event, LogClass, SourceDefinition};

/// The class of a parsed record.
pub fn class_of(_event: &Event<'_>, _definition: &SourceDefinition) -> LogClass {
    LogClass::Server
}
