//! The definitions of sources and their versions: learned from `self` records of kind `source`, in their order.

use std::collections::{BTreeMap, HashMap};

use event::{SourceDefinition, SourceId};
use serde_json::{Value, json};

/// Versions of one definition that are kept, newest first to go last: what is older than these derives by the oldest kept.
pub const VERSIONS_MAX: usize = 64;

/// All definitions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources {
    sources: HashMap<SourceId, BTreeMap<u32, SourceDefinition>>,
    by_place: HashMap<Place, SourceId>,
}

/// What a source is recognized by.
type Place = (String, Option<String>, Option<String>);

fn place(d: &SourceDefinition) -> Place {
    (d.cluster.clone(), d.host.clone(), d.path.clone())
}

/// The kind of `self` record that defines a source.
pub const KIND: &str = "source";

impl Sources {
    /// The definition in a version, or in the nearest one that is kept.
    pub fn get(&self, source: SourceId, version: u32) -> Option<&SourceDefinition> {
        let versions = self.sources.get(&source)?;
        versions.get(&version).or_else(|| versions.range(version..).next().or(versions.last_key_value()).map(|(_, d)| d))
    }
    /// Whether this very version is known, and of this cluster.
    pub fn has(&self, source: SourceId, version: u32, cluster: &str) -> bool {
        self.sources.get(&source).and_then(|v| v.get(&version)).is_some_and(|d| d.cluster == cluster)
    }
    /// The newest definition.
    pub fn newest(&self, source: SourceId) -> Option<(u32, &SourceDefinition)> {
        self.sources.get(&source)?.last_key_value().map(|(v, d)| (*v, d))
    }
    /// The source at a definition's place, and its version if it says the same. Places (cluster, host, path) recognize a source.
    pub fn find(&self, d: &SourceDefinition) -> Option<(SourceId, Option<u32>)> {
        let id = *self.by_place.get(&place(d))?;
        let (version, newest) = self.newest(id)?;
        Some((id, (newest == d).then_some(version)))
    }
    /// Learns a version.
    pub fn set(&mut self, source: SourceId, version: u32, d: SourceDefinition) {
        self.by_place.insert(place(&d), source);
        let versions = self.sources.entry(source).or_default();
        versions.insert(version, d);
        while versions.len() > VERSIONS_MAX {
            versions.pop_first();
        }
    }
    /// Learns from a `self` record, if it defines a source.
    pub fn learn(&mut self, record: &Value) {
        if record["kind"] == KIND {
            self.learn_line(record);
        }
    }
    /// Learns from `{defined, version, definition}`: what a record and a line of a snapshot say alike.
    pub fn learn_line(&mut self, line: &Value) {
        let id = line["defined"].as_str().and_then(SourceId::parse);
        let version = line["version"].as_u64().and_then(|v| u32::try_from(v).ok());
        let definition = serde_json::from_value(line["definition"].clone()).ok();
        if let (Some(id), Some(version), Some(definition)) = (id, version, definition) {
            self.set(id, version, definition);
        }
    }
    /// Says a version as [`Self::learn_line`] reads it.
    pub fn line(source: SourceId, version: u32, d: &SourceDefinition) -> Value {
        json!({"defined": source.to_string(), "version": version, "definition": d})
    }
    /// Every version of every definition.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, u32, &SourceDefinition)> {
        self.sources.iter().flat_map(|(id, versions)| versions.iter().map(|(v, d)| (*id, *v, d)))
    }
}
