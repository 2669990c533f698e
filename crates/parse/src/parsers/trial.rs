//! How a format's tests try a line: alone, as JSON, and refused without a trace.

use event::{Event, SourceDefinition, json::push_event};
use serde_json::Value as Json;

use super::{Context, LineFormat, access::Formatters};
use crate::time::Zone;

/// The event of a line by one format, or none where the format refuses it.
pub(super) fn tried(format: &LineFormat, definition: &SourceDefinition, line: &str) -> Option<Json> {
    let (access, zone) = (Formatters::compile(&definition.access_formats), Zone::Fixed(0));
    let context = Context { definition, access: &access, zone: &zone, product: None };
    let mut event = Event::default();
    if !((format.recognize)(line.as_bytes()) && (format.parse)(line, &mut event, &context)) {
        assert_eq!(event, Event::default(), "a refused line leaves the event as it was: {line}");
        return None;
    }
    let mut out = String::new();
    push_event(&mut out, &event);
    let mut v: Json = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    if let Some(object) = v.as_object_mut() {
        for key in ["byte_start", "byte_end", "raw"] {
            object.remove(key);
        }
    }
    Some(v)
}

/// Tries a table of lines, each with the event that it must become.
pub(super) fn table(format: &LineFormat, lines: &[(&str, Json)]) {
    for (line, want) in lines {
        assert_eq!(tried(format, &SourceDefinition::default(), line).as_ref(), Some(want), "{line}");
    }
}

/// Tries lines that the format must refuse.
pub(super) fn refused(format: &LineFormat, lines: &[&str]) {
    for line in lines {
        assert_eq!(tried(format, &SourceDefinition::default(), line), None, "{line}");
    }
}
