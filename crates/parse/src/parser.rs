//! From a record to an event: prefix, format, product, then the normalizer. Owns: the memory of one source. Deterministic given the definition and the records' order.

use std::borrow::Cow;

use event::{Event, Issue, RecordFlags, SourceDefinition, redact};

use crate::{Format, normalize};

/// Parses the records of one source, in order.
#[derive(Debug, Clone)]
pub struct Parser {
    definition: SourceDefinition,
}

impl Parser {
    /// A parser for a source.
    pub fn new(definition: &SourceDefinition) -> Self {
        Self { definition: definition.clone() }
    }

    /// The event of one record (its final line end may be there or not). Fills everything but position, observed and agent time, act.
    pub fn parse<'r>(&mut self, record: &'r [u8], _flags: RecordFlags) -> Event<'r> {
        let body = record.strip_suffix(b"\n").unwrap_or(record);
        let mut event = Event {
            raw: String::from_utf8_lossy(body),
            issues: redact::marks_in(body),
            product: self.definition.component.clone().map(Cow::Owned),
            ..Event::default()
        };
        event.mark(Issue::Unparsed);
        normalize::normalize(&mut event, Format::Plain);
        event
    }
}
