//! A store in memory, for tests of what reads into it: the rules of position and identity of FORMAT §1 and §2, nothing durable.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use event::{
    Batch, Generation, SourceDefinition, SourceId,
    identity::{IdentityKey, Known},
};

use crate::{Ship, ShipError, Shipped};

#[derive(Debug, Default)]
struct Kept {
    known: Known,
    cluster: String,
    /// start, end, stored bytes
    records: Vec<(u64, u64, Vec<u8>)>,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    generations: Mutex<BTreeMap<Generation, Kept>>,
    sources: Mutex<HashMap<(String, Option<String>), SourceId>>,
    paused: AtomicBool,
}

impl Memory {
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
    }
    /// The stored records of each generation, joined with line ends.
    pub(crate) fn texts(&self) -> BTreeMap<Generation, String> {
        let text = |k: &Kept| k.records.iter().map(|r| String::from_utf8_lossy(&r.2).into_owned() + "\n").collect();
        self.generations.lock().unwrap().iter().map(|(g, k)| (*g, text(k))).collect()
    }
}

struct Stored;

impl Shipped for Stored {
    fn wait(self: Box<Self>) -> Result<(), ShipError> {
        Ok(())
    }
}

impl Ship for Memory {
    fn identity_key(&self) -> IdentityKey {
        IdentityKey::new([7; 32])
    }
    fn known(&self, cluster: &str) -> Vec<Known> {
        self.generations.lock().unwrap().values().filter(|k| k.cluster == cluster).map(|k| k.known.clone()).collect()
    }
    fn records_behind(&self, generation: Generation, from: u64) -> Vec<(u64, u64, Vec<u8>)> {
        let all = self.generations.lock().unwrap();
        all[&generation].records.iter().filter(|r| r.1 > from).cloned().collect()
    }
    fn define(&self, d: &SourceDefinition) -> Result<(SourceId, u32), ShipError> {
        let mut sources = self.sources.lock().unwrap();
        let next = SourceId([u8::try_from(sources.len()).unwrap() + 1; 16]);
        Ok((*sources.entry((d.cluster.clone(), d.path.clone())).or_insert(next), 1))
    }
    fn ship(&self, batch: Batch<'_>) -> Result<Box<dyn Shipped>, ShipError> {
        if self.paused.load(Ordering::SeqCst) {
            return Err(ShipError::Paused("the disk is nearly full".into()));
        }
        let mut all = self.generations.lock().unwrap();
        let kept = all.entry(batch.generation).or_default();
        if batch.byte_start != kept.known.end {
            return Err(ShipError::Position { stored: kept.known.end });
        }
        kept.cluster.clone_from(&batch.cluster);
        let mut at = batch.byte_start;
        for r in &batch.records {
            let end = at + u64::from(r.original_len);
            kept.records.push((at, end, r.stored.as_bytes().to_vec()));
            at = end;
        }
        assert_eq!(at, batch.stamp.byte_end, "records cover the batch");
        kept.known.marks.extend(batch.stamp.marks.iter().copied());
        let marks = std::mem::take(&mut kept.known.marks);
        kept.known = Known {
            generation: batch.generation,
            source: batch.source,
            definition_version: batch.definition_version,
            redactor_version: batch.redactor_version,
            end: at,
            state: batch.stamp.state,
            mark: batch.stamp.mark,
            tail: batch.stamp.tail,
            marks,
        };
        Ok(Box::new(Stored))
    }
}
