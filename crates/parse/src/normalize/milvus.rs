//! milvus: messages to columns.

use event::Event;

use crate::Format;

/// See docs/specs/events.md.
pub fn normalize(_event: &mut Event<'_>, _format: Format) {}
