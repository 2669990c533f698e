//! Writes the lines, and knows what was written when: the truth for tests and scores.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use event::{
    Micros,
    clock::{DAY, SECOND, civil_from_days, rfc3339},
};
use serde_json::{Value, json};

use super::acts::ACTS;

/// One file: open for appending, with its length and its records.
struct Page {
    file: File,
    length: u64,
    records: u64,
    stream: &'static str,
}

/// A step that is being played.
struct Step {
    name: String,
    kind: &'static str,
    actor: String,
    begun: Micros,
    offsets: BTreeMap<String, u64>,
}

/// Writes into the folders of the instances.
pub struct Scribe {
    out: PathBuf,
    pages: BTreeMap<String, Page>,
    steps: File,
    step: Option<Step>,
    told: u64,
}

impl Scribe {
    pub fn open(out: &Path) -> io::Result<Self> {
        fs::create_dir_all(out)?;
        let steps = OpenOptions::new().create_new(true).write(true).open(out.join("steps.jsonl"))?;
        Ok(Self { out: out.to_owned(), pages: BTreeMap::new(), steps, step: None, told: 0 })
    }

    /// Writes one record (line ends inside are part of it) into `<instance>/<instance><suffix>.log`.
    pub fn write(&mut self, instance: &str, suffix: &str, stream: &'static str, record: &str) -> io::Result<()> {
        let name = format!("{instance}{suffix}.log");
        if !self.pages.contains_key(&name) {
            let folder = self.out.join(instance);
            fs::create_dir_all(&folder)?;
            let file = OpenOptions::new().create(true).append(true).open(folder.join(&name))?;
            self.pages.insert(name.clone(), Page { file, length: 0, records: 0, stream });
        }
        let Some(page) = self.pages.get_mut(&name) else { return Ok(()) };
        let mut bytes = Vec::with_capacity(record.len() + 1);
        bytes.extend_from_slice(record.as_bytes());
        bytes.push(b'\n');
        // One write a record: a reader never sees half of it for long.
        page.file.write_all(&bytes)?;
        page.length += bytes.len() as u64;
        page.records += 1;
        Ok(())
    }

    fn offsets(&self) -> BTreeMap<String, u64> {
        self.pages.iter().map(|(name, page)| (name.clone(), page.length)).collect()
    }

    /// A new step begins; the one before ends.
    pub fn step(&mut self, name: &str, kind: &'static str, actor: &str, now: Micros) -> io::Result<()> {
        self.end_step(now)?;
        let offsets = self.offsets();
        self.step = Some(Step { name: name.to_owned(), kind, actor: actor.to_owned(), begun: now, offsets });
        Ok(())
    }

    fn end_step(&mut self, now: Micros) -> io::Result<()> {
        let Some(step) = self.step.take() else { return Ok(()) };
        self.told += 1;
        let range = |(name, page): (&String, &Page)| {
            let from = step.offsets.get(name).copied().unwrap_or(0);
            (page.length > from).then(|| (name.clone(), json!([from, page.length])))
        };
        let offsets: serde_json::Map<String, Value> = self.pages.iter().filter_map(range).collect();
        let row = json!({"n": self.told, "ts": rfc3339(step.begun), "ts_end": rfc3339(now.max(step.begun)), "step": step.name, "kind": step.kind,
                         "actor": step.actor, "offsets": offsets});
        writeln!(self.steps, "{row}")
    }

    /// Ends the story: `steps.jsonl` is whole, `acts.json` says which steps make an act, `records.json` counts records per stream and file.
    pub fn finish(&mut self, acts: &[String]) -> io::Result<()> {
        let end = self.step.as_ref().map_or(0, |s| s.begun);
        self.end_step(end)?;
        self.steps.flush()?;
        let mut truth = serde_json::Map::new();
        for act in ACTS.iter().filter(|a| acts.iter().any(|n| n == a.name)) {
            truth.insert(
                act.name.to_owned(),
                json!({"steps": [format!("{}*", act.name)], "leaves_trace": true, "where": act.trace, "names": act.names}),
            );
        }
        fs::write(self.out.join("acts.json"), serde_json::to_string_pretty(&truth)?)?;
        let mut streams: BTreeMap<&str, u64> = BTreeMap::new();
        for page in self.pages.values() {
            *streams.entry(page.stream).or_default() += page.records;
        }
        let files: BTreeMap<&String, Value> =
            self.pages.iter().map(|(n, p)| (n, json!({"records": p.records, "bytes": p.length, "stream": p.stream}))).collect();
        fs::write(self.out.join("records.json"), serde_json::to_string_pretty(&json!({"streams": streams, "files": files}))?)
    }
}

/// `2026/03/02 10:00:00.120 +00:00`
pub fn unified_time(at: Micros) -> String {
    let (days, rest) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (y, m, d) = civil_from_days(days);
    let s = rest / SECOND;
    format!("{y:04}/{m:02}/{d:02} {:02}:{:02}:{:02}.{:03} +00:00", s / 3600, s / 60 % 60, s % 60, rest / 1000 % 1000)
}

/// A value of the unified format: quoted where it must be.
pub fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'=' | b'[' | b']' | b'\\'));
    if plain { value.to_owned() } else { serde_json::to_string(value).unwrap_or_default() }
}

/// A line of the unified format.
pub fn unified(at: Micros, level: &str, caller: &str, message: &str, fields: &[(&str, &str)]) -> String {
    let mut line = format!("[{}] [{level}] [{caller}] [{}]", unified_time(at), quoted(message));
    for (key, value) in fields {
        line.push_str(&format!(" [{}={}]", quoted(key), quoted(value)));
    }
    line
}
