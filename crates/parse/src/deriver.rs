//! The parser of every source and the table of acts together: what the store, `detect` and `parse` ask for events.

use std::fmt;

use event::{Derive, Event, Issue, LogClass, RecordMeta, Snapshot, SourceDefinition, SourceId, derive, limits::CLOCK_AHEAD_US};
use serde::Deserialize;

use crate::{
    Parser,
    acts::{Acts, hash, table::Table},
    own,
    parser::Memory,
};

/// Sources whose parsers are kept; that of the source seen first goes first, and what it had learned is learned again.
const PARSERS_MAX: usize = 16_384;

/// What a source had learned, and what was told of it then.
type Learned = (u64, Memory);

/// Derives events from stored records; see [`Derive`].
#[derive(Debug)]
pub struct Deriver {
    parsers: Table<SourceId, Parser>,
    /// What sources had learned before a restart, until their next record.
    memories: Table<SourceId, Learned>,
    acts: Acts,
}

impl Default for Deriver {
    fn default() -> Self {
        Self { parsers: Table::new(PARSERS_MAX), memories: Table::new(PARSERS_MAX), acts: Acts::default() }
    }
}

impl Deriver {
    /// How many parsers, and lines that waited for their act, had to go because a table was full.
    pub fn dropped(&self) -> u64 {
        self.parsers.dropped() + self.memories.dropped() + self.acts.dropped()
    }

    fn parser(&mut self, source: SourceId, definition: &SourceDefinition) -> Option<&mut Parser> {
        if self.parsers.get(&source).is_none_or(|p| p.definition() != definition) {
            let mut parser = Parser::new(definition);
            let before = self.parsers.remove(&source).map(|old| (told(old.definition()), old.memory()));
            // What the operator says about the product and its zone now outweighs what older lines said.
            let learned = before.or_else(|| self.memories.remove(&source)).filter(|(then, _)| *then == told(definition)).map(|(_, m)| m);
            if let Some(learned) = learned {
                parser.remember(&learned);
            }
            self.parsers.insert(source, parser);
        }
        self.parsers.get_mut(&source)
    }
}

/// What decides how lines are read, as one number.
fn told(definition: &SourceDefinition) -> u64 {
    let parts = [&definition.component, &definition.voted, &definition.time_zone].map(|p| p.as_deref().unwrap_or(""));
    let formats = definition.access_formats.iter().map(String::as_str);
    parts.into_iter().chain(formats).fold(0, |seed, part| hash(seed, part.as_bytes()))
}

impl Derive for Deriver {
    fn derive<'r>(
        &mut self,
        definition: &SourceDefinition,
        meta: &RecordMeta,
        class: LogClass,
        name: &dyn fmt::Display,
        stored: &'r [u8],
    ) -> Event<'r> {
        let mut event = match class {
            LogClass::Own => own::event(stored),
            _ => match self.parser(meta.source, definition) {
                Some(parser) => parser.parse(stored, meta.flags),
                None => Parser::new(definition).parse(stored, meta.flags),
            },
        };
        (event.byte_start, event.byte_end) = (meta.byte_start, meta.byte_end);
        (event.observed_time, event.agent_time) = (meta.observed_time, meta.agent_time);
        if let (Some(at), Some(arrived), false) = (event.time, event.observed_time, definition.imported)
            && at - arrived > CLOCK_AHEAD_US
        {
            event.mark(Issue::ClockSuspect);
        }
        if class != LogClass::Own {
            self.acts.assign(&mut event, definition, meta, name);
        }
        event
    }

    fn snapshot(&self) -> Snapshot {
        let waiting = self.memories.iter().map(|(id, (told, memory))| (id.to_string(), *told, memory.clone()));
        let active = self.parsers.iter().map(|(id, parser)| (id.to_string(), told(parser.definition()), parser.memory()));
        let learned: Vec<(String, u64, Memory)> = waiting.chain(active).filter(|(_, _, memory)| *memory != Memory::default()).collect();
        derive::parts([("acts", self.acts.snapshot()), ("sources", derive::snapshot(&learned))])
    }

    fn restore(&mut self, snapshot: &serde_json::Value) {
        *self = Self::default();
        if let Some(acts) = snapshot.get("acts") {
            self.acts.restore(acts);
        }
        for entry in snapshot.get("sources").and_then(serde_json::Value::as_array).into_iter().flatten() {
            if let Ok((id, told, memory)) = <(String, u64, Memory)>::deserialize(entry)
                && let Some(id) = SourceId::parse(&id)
            {
                self.memories.insert(id, (told, memory));
            }
        }
    }
}

#[cfg(test)]
mod tests;
