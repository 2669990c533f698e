//! Detection without a store: files are read, merged, redacted and derived exactly as an import would, and every event goes to an engine.
//!
//! Owns: the stand-in for a store that `collect` ships to. Keeps nothing but the engine's windows.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use collect::{Ship, ShipError, Shipped};
use detect::{Engine, Lane, Origin, RuleSet};
use event::{
    Batch, Derive as _, Evidence, Finding, Generation, LogClass, RecordMeta, SourceDefinition, SourceId,
    identity::{IdentityKey, Known},
};
use parse::Deriver;

/// Where findings go.
type Tell = Box<dyn FnMut(Finding) + Send>;

struct Inner {
    deriver: Deriver,
    engine: Engine,
    sources: Vec<SourceDefinition>,
    /// Paths as the person wrote them, by the path they are read under.
    shown: HashMap<String, String>,
    out: Vec<Finding>,
    tell: Tell,
    records: u64,
}

/// Looks at files.
pub struct Onlooker(Mutex<Inner>);

/// `file:offset`: a record's name without a store.
struct Place<'p>(&'p str, u64);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

struct Looked;

impl Shipped for Looked {
    fn wait(self: Box<Self>) -> Result<(), ShipError> {
        Ok(())
    }
}

impl Onlooker {
    /// An onlooker with rules; `shown` gives the words for a path in evidence.
    pub fn new(rules: Arc<RuleSet>, shown: HashMap<String, String>, tell: Tell) -> Self {
        let (deriver, engine) = (Deriver::default(), Engine::new(rules));
        Self(Mutex::new(Inner { deriver, engine, sources: Vec::new(), shown, out: Vec::new(), tell, records: 0 }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more comes: what is open is told. Gives the number of records looked at.
    pub fn end(&self) -> u64 {
        let mut inner = self.inner();
        let Inner { engine, out, tell, .. } = &mut *inner;
        engine.flush(out);
        out.drain(..).for_each(tell);
        inner.records
    }
}

impl Ship for Onlooker {
    fn identity_key(&self) -> IdentityKey {
        // Marks are compared within this one run only.
        IdentityKey::new([0; 32])
    }
    fn known(&self, _cluster: &str) -> Vec<Known> {
        Vec::new()
    }
    fn records_behind(&self, _generation: Generation, _from: u64) -> Vec<(u64, u64, Vec<u8>)> {
        Vec::new()
    }
    fn define(&self, definition: &SourceDefinition) -> Result<(SourceId, u32), ShipError> {
        let mut inner = self.inner();
        inner.sources.push(definition.clone());
        Ok((SourceId((inner.sources.len() as u128 - 1).to_be_bytes()), 1))
    }
    fn ship(&self, batch: Batch<'_>) -> Result<Box<dyn Shipped>, ShipError> {
        let mut inner = self.inner();
        let Inner { deriver, engine, sources, shown, out, tell, records } = &mut *inner;
        let source = u128::from_be_bytes(batch.source.0);
        let none = SourceDefinition::default();
        let definition = usize::try_from(source).ok().and_then(|i| sources.get(i)).unwrap_or(&none);
        let path = definition.path.as_deref().unwrap_or_default();
        let file = shown.get(path).map_or(path, String::as_str);
        let mut at = batch.byte_start;
        for record in &batch.records {
            let (byte_start, byte_end) = (at, at + u64::from(record.original_len));
            at = byte_end;
            let meta = RecordMeta {
                source: batch.source,
                generation: batch.generation,
                byte_start,
                byte_end,
                observed_time: None,
                agent_time: None,
                flags: record.flags,
            };
            let name = Place(file, byte_start);
            let event = deriver.derive(definition, &meta, LogClass::Server, &name, record.stored.as_bytes());
            let evidence = || Evidence::File { file: file.to_owned(), offset: byte_start, raw: event.raw.clone().into_owned() };
            let origin =
                Origin { cluster: &definition.cluster, source, lane: Lane::Lagging { historical: true }, name: &name, evidence: &evidence };
            engine.event(&event, &origin, event.time.unwrap_or_default(), out);
            out.drain(..).for_each(&mut *tell);
        }
        *records += batch.records.len() as u64;
        Ok(Box::new(Looked))
    }
}
