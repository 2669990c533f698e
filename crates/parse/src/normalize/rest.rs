//! rest: rows to columns.

use event::Event;

/// See docs/specs/events.md.
pub fn normalize(_event: &mut Event<'_>) {}
