//! Where batches come in: each record gets its class, then the store takes them. Owns: the parsers that classes need, one a generation.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use event::{Batch, Generation, LogClass, SourceDefinition, SourceId};
use parse::{Parser, class_of};
use store::{Store, SubmitError, Ticket};

/// Parsers kept; beyond it all are made anew at their next batch (they relearn a product from the lines themselves).
const PARSERS_MAX: usize = 50_000;

/// The intake of a store.
pub struct Intake {
    store: Arc<Store>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    definitions: HashMap<(SourceId, u32), Arc<SourceDefinition>>,
    parsers: HashMap<Generation, Parser>,
}

impl Intake {
    /// An intake in front of a store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, memory: Mutex::default() }
    }

    /// The source of a definition, see [`Store::define`].
    pub fn define(&self, definition: &SourceDefinition) -> Result<(SourceId, u32), SubmitError> {
        self.store.define(definition)
    }

    /// Takes a batch. Waits only for room in the store's queue.
    pub fn take(&self, batch: &Batch<'_>) -> Result<Ticket, SubmitError> {
        let classes = self.classes(batch);
        self.store.submit(batch, &classes)
    }

    fn classes(&self, batch: &Batch<'_>) -> Vec<LogClass> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { definitions, parsers } = &mut *memory;
        let definition = definitions.entry((batch.source, batch.definition_version)).or_insert_with(|| {
            let known = self.store.definition(batch.source, batch.definition_version);
            Arc::new(known.unwrap_or_else(|| SourceDefinition { cluster: batch.cluster.clone(), ..SourceDefinition::default() }))
        });
        if parsers.len() >= PARSERS_MAX && !parsers.contains_key(&batch.generation) {
            parsers.clear();
        }
        let parser = parsers.entry(batch.generation).or_insert_with(|| Parser::new(definition));
        let class = |r: &event::BatchRecord<'_>| class_of(&parser.parse(r.stored.as_bytes(), r.flags), definition);
        batch.records.iter().map(class).collect()
    }
}
