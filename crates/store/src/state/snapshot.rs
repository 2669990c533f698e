//! The state as JSON Lines (FORMAT §2): in the frames that a run begins with, and beside every seal. Unknown lines and keys are ignored.

use std::collections::HashMap;

use event::{
    Generation, LogName, Snapshot, SourceId,
    identity::{Known, Mark},
};
use serde_json::{Value, json};

use super::{Sources, State};
use crate::init::{hex, unhex};

impl State {
    /// The lines. The first names the frame behind which they hold.
    pub fn to_lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line = |v: Value| {
            out.extend_from_slice(v.to_string().as_bytes());
            out.push(b'\n');
        };
        line(json!({"last_good": self.at, "run": self.run, "oldest": self.oldest, "observed": self.observed}));
        for (log, next) in &self.logs {
            line(json!({"log": log.to_string(), "next": next, "frontier": []}));
        }
        let mut sources: Vec<_> = self.sources.iter().collect();
        sources.sort_by_key(|(id, version, _)| (*id, *version));
        sources.into_iter().for_each(|(id, version, d)| line(Sources::line(id, version, d)));
        let mut generations: Vec<_> = self.generations.values().collect();
        generations.sort_by_key(|k| k.generation);
        for k in generations {
            let marks: Vec<Value> = k.marks.iter().map(|(n, mark)| json!([n, hex(mark)])).collect();
            line(json!({
                "generation": k.generation.to_string(), "source": k.source.to_string(), "definition": k.definition_version,
                "redactor": k.redactor_version, "end": k.end, "state": hex(&k.state), "mark": hex(&k.mark), "tail": hex(&k.tail), "marks": marks,
            }));
        }
        if !self.keys.is_empty() {
            line(json!({"idempotent": self.keys.iter().map(|k| hex(k)).collect::<Vec<_>>()}));
        }
        out
    }

    /// Reads the lines back; none if the first line is not a snapshot's or a line is broken.
    pub fn from_lines(lines: &[u8]) -> Option<Self> {
        let mut parsed = lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(serde_json::from_slice::<Value>);
        let first = parsed.next()?.ok()?;
        let number = |name: &str| first[name].as_u64();
        let mut state = Self {
            at: number("last_good")?,
            run: number("run")?,
            oldest: number("oldest")?,
            observed: first["observed"].as_i64().unwrap_or(0),
            ..Self::default()
        };
        for line in parsed {
            state.line(&line.ok()?)?;
        }
        Some(state)
    }

    fn line(&mut self, line: &Value) -> Option<()> {
        if let Some(log) = line["log"].as_str() {
            self.logs.insert(LogName::parse(log)?, line["next"].as_u64()?);
        } else if line["generation"].is_string() {
            let known = known(line)?;
            self.generations.insert(known.generation, known);
        } else if line["defined"].is_string() {
            self.sources.learn_line(line);
        } else if let Some(keys) = line["idempotent"].as_array() {
            for key in keys {
                self.keys.add(unhex(key.as_str()?)?, self.observed);
            }
        }
        Some(())
    }
}

fn known(line: &Value) -> Option<Known> {
    let text = |name: &str| line[name].as_str();
    let marks = line["marks"].as_array()?.iter().map(|m| Some((m[0].as_u64()?, unhex(m[1].as_str()?)?)));
    Some(Known {
        generation: Generation::parse(text("generation")?)?,
        source: SourceId::parse(text("source")?)?,
        definition_version: u32::try_from(line["definition"].as_u64()?).ok()?,
        redactor_version: u16::try_from(line["redactor"].as_u64().unwrap_or(0)).ok()?,
        end: line["end"].as_u64()?,
        state: unhex(text("state")?)?,
        mark: unhex(text("mark")?)?,
        tail: unhex(text("tail")?)?,
        marks: marks.collect::<Option<Vec<(u64, Mark)>>>()?,
    })
}

/// The state of the deriver that was put behind the lines of a state.
pub fn derive_of(lines: &[u8]) -> Option<Value> {
    let with = |l: &&[u8]| l.starts_with(b"{\"derive\":");
    let line = lines.split(|b| *b == b'\n').rfind(with)?;
    let mut map: HashMap<String, Value> = serde_json::from_slice(line).ok()?;
    map.remove("derive")
}

/// Puts the state of the deriver behind the lines.
pub fn push_derive(lines: &mut Vec<u8>, derive: &Snapshot) {
    lines.extend_from_slice(b"{\"derive\":");
    lines.extend_from_slice(derive.get().as_bytes());
    lines.extend_from_slice(b"}\n");
}
