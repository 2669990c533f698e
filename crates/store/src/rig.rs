//! The rig of the store's tests: a deriver and an observer that remember, a source that writes lines, a disk that fails when told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    borrow::Cow,
    fmt, fs, io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arrow::record_batch::RecordBatch;
use event::{
    Batch, BatchRecord, Derive, Event, Generation, LogClass, RecordFlags, RecordMeta, Redactor, Snapshot, SourceDefinition, SourceId,
    identity::Tracker,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::{
    Moment, Observer, Options, OwnRecords, SealAt, Seen, Store, StoreError, Ticket,
    wal::writer::{Disk, Mill, Paper},
};

/// Counts the records it has seen: the count stands in each event, so a deriver that was not restored shows.
#[derive(Debug, Default)]
pub struct Counting(u64);

impl Derive for Counting {
    fn derive<'r>(&mut self, d: &SourceDefinition, meta: &RecordMeta, _: LogClass, _: &dyn fmt::Display, stored: &'r [u8]) -> Event<'r> {
        self.0 += 1;
        let mut event =
            Event { byte_start: meta.byte_start, byte_end: meta.byte_end, raw: String::from_utf8_lossy(stored), ..Event::default() };
        if std::str::from_utf8(stored).is_err() {
            event.raw_bytes = Some(Cow::Borrowed(stored));
        }
        (event.observed_time, event.agent_time) = (meta.observed_time, meta.agent_time);
        event.message = Some(Cow::Owned(self.0.to_string()));
        event.instance = d.instance.clone().map(Cow::Owned);
        event
    }
    fn snapshot(&self) -> Snapshot {
        event::derive::snapshot(&self.0)
    }
    fn restore(&mut self, snapshot: &Value) {
        self.0 = snapshot.as_u64().unwrap_or(0);
    }
}

/// What an observer was shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    pub name: String,
    pub raw: String,
    /// The deriver's count.
    pub count: u64,
    pub instance: Option<String>,
    pub replay: bool,
}

#[derive(Debug, Default)]
pub struct Memory {
    pub shown: Vec<Shown>,
    pub frames: Vec<(u64, bool)>,
    pub restored: Option<Value>,
    pub said: Vec<Value>,
    /// How many events were seen, over restarts.
    pub total: u64,
    pub idle: u64,
}

/// Remembers everything; says a finding for every line that holds `attack`.
#[derive(Debug, Clone, Default)]
pub struct Watching {
    pub memory: Arc<Mutex<Memory>>,
    pub own: OwnRecords,
}

impl Watching {
    pub fn shown(&self) -> Vec<Shown> {
        self.memory.lock().unwrap().shown.clone()
    }
}

impl Observer for Watching {
    fn restore(&mut self, state: Option<&Value>, said: &[Value]) {
        let mut m = self.memory.lock().unwrap();
        (m.restored, m.said) = (state.cloned(), said.to_vec());
        m.total = state.and_then(|s| s["total"].as_u64()).unwrap_or(0);
    }
    fn event(&mut self, seen: &Seen<'_>, event: &Event<'_>) {
        let mut m = self.memory.lock().unwrap();
        m.total += 1;
        let count = event.message.as_deref().unwrap().parse().unwrap();
        let instance = event.instance.as_deref().map(str::to_owned);
        m.shown.push(Shown { name: seen.name.to_string(), raw: event.raw.to_string(), count, instance, replay: seen.replay });
        if event.raw.contains("attack") && seen.class != LogClass::Own {
            let finding = json!({"id": seen.name.to_string()});
            if !m.said.contains(&finding) {
                m.said.push(finding.clone());
                self.own.append("finding", finding);
            }
        }
    }
    fn frame(&mut self, wal_seq: u64, replay: bool) {
        self.memory.lock().unwrap().frames.push((wal_seq, replay));
    }
    fn idle(&mut self) {
        self.memory.lock().unwrap().idle += 1;
    }
    fn snapshot(&mut self) -> Snapshot {
        event::derive::snapshot(&json!({"total": self.memory.lock().unwrap().total}))
    }
}

/// What is written reaches the disk in pieces of this size, each whole or not at all.
const SECTOR: usize = 512;

/// A disk that fails when told: the n-th sync from now, or the making of segments. What was written since the last good sync is lost with a sync
/// that fails, but for some of its sectors.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Syncs that still succeed; `u64::MAX` for all.
    pub syncs_left: Arc<AtomicU64>,
    pub full: Arc<AtomicBool>,
    /// Syncs that failed.
    pub failed: Arc<AtomicU64>,
}

impl Faults {
    pub fn none() -> Self {
        let faults = Self::default();
        faults.syncs_left.store(u64::MAX, Ordering::SeqCst);
        faults
    }
}

struct Failing {
    paper: Box<dyn Paper>,
    faults: Faults,
    /// Written, not synced.
    waiting: Vec<(u64, Vec<u8>)>,
}

impl Mill for Faults {
    fn make(&mut self, path: &Path, size: u64) -> io::Result<Box<dyn Paper>> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(Box::new(Failing { paper: Disk.make(path, size)?, faults: self.clone(), waiting: Vec::new() }))
    }
}

impl Paper for Failing {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.waiting.push((at, bytes.to_vec()));
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        let left = self.faults.syncs_left.load(Ordering::SeqCst);
        for (at, bytes) in std::mem::take(&mut self.waiting) {
            if left > 0 {
                self.paper.write_at(at, &bytes)?;
                continue;
            }
            let mut dice = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ bytes.len() as u64;
            for (i, sector) in bytes.chunks(SECTOR).enumerate() {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if dice >> 62 != 0 {
                    self.paper.write_at(at + (i * SECTOR) as u64, sector)?;
                }
            }
        }
        if left == 0 {
            self.faults.failed.fetch_add(1, Ordering::SeqCst);
            return Err(io::Error::other("injected: the disk is gone"));
        }
        if left != u64::MAX {
            self.faults.syncs_left.store(left - 1, Ordering::SeqCst);
        }
        self.paper.sync()
    }
}

/// A folder in memory where there is such a place: what was written stays there over a kill, and a sync costs nothing.
pub fn memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Never seals by itself.
pub const NEVER: SealAt = SealAt { bytes: u64::MAX, age: i64::MAX, small_bytes: 0, small_age: i64::MAX, own_age: i64::MAX };

pub fn options() -> Options {
    Options { seal_at: NEVER, segment_bytes: 64 << 10, ..Options::default() }
}

/// Opens a store with small segments and a watching observer.
pub fn open_with(dir: &Path, options: Options) -> Result<(Store, Watching), StoreError> {
    let watching = Watching { own: options.own.clone(), ..Watching::default() };
    let store = Store::open(dir, Box::new(Counting::default()), Box::new(watching.clone()), options)?;
    Ok((store, watching))
}

pub fn open(dir: &Path) -> (Store, Watching) {
    open_with(dir, options()).unwrap()
}

/// A file that is being read.
pub struct Reading {
    pub cluster: String,
    pub source: SourceId,
    pub version: u32,
    pub tracker: Tracker,
}

impl Reading {
    /// A new file.
    pub fn new(store: &Store, path: &str, generation: u8) -> Self {
        Self::of_cluster(store, "prod", path, generation)
    }
    pub fn of_cluster(store: &Store, cluster: &str, path: &str, generation: u8) -> Self {
        let (source, version) = store.define(&definition(cluster, path)).unwrap();
        let key = store.identity_key().unwrap();
        Self { cluster: cluster.into(), source, version, tracker: Tracker::new(key, Generation([generation; 16])) }
    }
    /// Sends lines (without their line ends) as one batch.
    pub fn send(&mut self, store: &Store, lines: &[&str]) -> Result<Ticket, crate::SubmitError> {
        let classes: Vec<LogClass> = lines.iter().map(|l| class_of(l)).collect();
        let byte_start = self.tracker.position();
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        let stamp = self.tracker.advance(text.as_bytes());
        let redactor = Redactor::default();
        let records = lines
            .iter()
            .map(|l| BatchRecord { original_len: l.len() as u32 + 1, flags: RecordFlags::default(), stored: redactor.redact(l.as_bytes()) })
            .collect();
        let batch = Batch {
            cluster: self.cluster.clone(),
            source: self.source,
            definition_version: self.version,
            generation: self.tracker.generation(),
            byte_start,
            stamp,
            agent_time: 0,
            redactor_version: 1,
            idempotency_key: [0; 16],
            records,
        };
        store.submit(&batch, &classes)
    }
}

/// Classes that a test can see in the line.
fn class_of(line: &str) -> LogClass {
    if line.contains("login") || line.contains("attack") { LogClass::Security } else { LogClass::Server }
}

pub fn definition(cluster: &str, path: &str) -> SourceDefinition {
    SourceDefinition { cluster: cluster.into(), path: Some(path.into()), ..SourceDefinition::default() }
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { fs::copy(entry.path(), target).map(|_| ()).unwrap() }
    }
}

/// All rows of a moment: those of the files, and those behind them.
pub fn batches(moment: &Moment) -> Vec<RecordBatch> {
    let mut batches: Vec<RecordBatch> = moment.rows.clone();
    for file in moment.files.iter() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&file.path).unwrap()).unwrap().build().unwrap();
        batches.extend(reader.map(Result::unwrap));
    }
    batches
}
