//! The parser of every source and the table of acts together: what the store, `detect` and `parse` ask for events.

use std::{collections::HashMap, fmt};

use event::{Derive, Event, Generation, LogClass, RecordMeta, SourceDefinition};

use crate::{Parser, acts::Acts};

/// Derives events from stored records; see [`Derive`].
#[derive(Debug, Default)]
pub struct Deriver {
    parsers: HashMap<Generation, Parser>,
    acts: Acts,
}

impl Derive for Deriver {
    fn derive<'r>(
        &mut self,
        definition: &SourceDefinition,
        meta: &RecordMeta,
        _class: LogClass,
        name: &dyn fmt::Display,
        stored: &'r [u8],
    ) -> Event<'r> {
        let parser = self.parsers.entry(meta.generation).or_insert_with(|| Parser::new(definition));
        let mut event = parser.parse(stored, meta.flags);
        (event.byte_start, event.byte_end) = (meta.byte_start, meta.byte_end);
        (event.observed_time, event.agent_time) = (meta.observed_time, meta.agent_time);
        self.acts.assign(&mut event, definition, meta, name);
        event
    }
    fn snapshot(&self) -> serde_json::Value {
        self.acts.snapshot()
    }
    fn restore(&mut self, snapshot: &serde_json::Value) {
        self.acts.restore(snapshot);
    }
}
