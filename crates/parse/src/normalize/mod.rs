//! From a parsed line to the standard columns: the tables of docs/specs/events.md.

use event::Event;

use crate::Format;

/// Moves what the line's fields say into the columns, and names what happened.
pub fn normalize(_event: &mut Event<'_>, _format: Format) {}
