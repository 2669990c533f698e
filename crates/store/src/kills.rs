//! Exactly once, over kills: a child of this very test writes as fast as it can and is killed at any moment; what lies there afterwards must be
//! every byte of every file once, every number of every log once, every finding once, and nothing less than what was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use arrow::array::{AsArray as _, RecordBatch};
use event::{Generation, LogClass, identity::Tracker};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{
    Options, Store, SubmitError, Ticket,
    rig::{NEVER, Reading, memory, open_with, options},
    tail::SealAt,
};

/// Where the child writes. Set by the parent; without it the child's test does nothing.
const DIR: &str = "BARTIZAN_TEST_KILL_DIR";
const KILLS: u64 = 100;
const FILES: u8 = 3;
/// Every line has this many bytes, its line end included.
const LINE: u64 = 64;

fn line(file: u8, n: u64) -> String {
    let word = if n % 17 == 13 { "attack" } else { "normal" };
    format!("{word} file {file} line {n:08} {}", "x".repeat(64)).chars().take(LINE as usize - 1).collect()
}

fn small() -> Options {
    Options { seal_at: SealAt { bytes: 96 << 10, ..NEVER }, segment_bytes: 32 << 10, ..options() }
}

/// Goes on where the store says that the file ends.
fn resume(store: &Store, file: u8) -> Reading {
    let mut reading = Reading::new(store, &format!("/log/{file}"), file + 1);
    let generation = reading.tracker.generation();
    if let Some(known) = store.known("prod").into_iter().find(|k| k.generation == generation && k.end > 0) {
        let text = |from: u64, to: u64| (from..to).map(|n| line(file, n) + "\n").collect::<String>();
        let lines = known.end / LINE;
        let head = text(0, lines.min(64));
        let last = text(lines.saturating_sub(64), lines);
        reading.tracker = known.resume(&store.identity_key().unwrap(), head.as_bytes(), last.as_bytes()).expect("the file is known again");
    }
    reading
}

/// Not a test by itself: what the parent kills.
#[test]
fn child() {
    let Some(dir) = env::var_os(DIR) else { return };
    let mut random = Random(u64::from(std::process::id()));
    let mut out = std::io::stdout();
    writeln!(out, "\nopening").unwrap();
    let (store, _) = open_with(Path::new(&dir), small()).unwrap();
    let mut files: Vec<Reading> = (0..FILES).map(|f| resume(&store, f)).collect();
    loop {
        let mut tickets: Vec<(usize, u64, Ticket)> = Vec::new();
        for (f, file) in files.iter_mut().enumerate() {
            let from = file.tracker.position() / LINE;
            let lines: Vec<String> = (from..=from + random.below(20)).map(|n| line(f as u8, n)).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let ticket = file.send(&store, &lines).unwrap();
            tickets.push((f, file.tracker.position(), ticket));
        }
        for (f, end, ticket) in tickets {
            assert_eq!(ticket.wait().unwrap().stored, end);
            writeln!(out, "acked {f} {end}").unwrap();
        }
        match random.below(12) {
            0 => {
                writeln!(out, "sealing").unwrap();
                store.seal().unwrap();
            }
            1 => {
                writeln!(out, "snapshot").unwrap();
                store.checkpoint().unwrap();
            }
            _ => {}
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Starts the child, reads so many lines of it, kills it. Gives the acknowledgements that were seen.
fn kill_after(dir: &Path, lines: u64, acked: &mut BTreeMap<u8, u64>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["kills::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut said =
        out.lines().map(Result::unwrap).filter(|l| ["opening", "sealing", "snapshot"].contains(&l.as_str()) || l.starts_with("acked "));
    assert_eq!(said.next().as_deref(), Some("opening"), "the child runs");
    let mut note = |line: &str| {
        if let Some((file, end)) = line.strip_prefix("acked ").and_then(|l| l.split_once(' ')) {
            let end = end.parse().unwrap();
            let known = acked.entry(file.parse().unwrap()).or_default();
            *known = (*known).max(end);
        }
    };
    for _ in 0..lines {
        note(&said.next().expect("the child goes on until it is killed"));
    }
    child.kill().unwrap();
    said.for_each(|l| note(&l));
    child.wait().unwrap();
}

/// All rows of a store: those in files and those in none.
fn rows(store: &Store) -> Vec<RecordBatch> {
    let moment = store.moment();
    let mut rows = moment.rows;
    for file in moment.files.iter() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).unwrap()).unwrap().build().unwrap();
        rows.extend(reader.map(Result::unwrap));
    }
    rows
}

/// The names of all rows, by log, and the stored text of our own.
fn names(rows: &[RecordBatch]) -> (BTreeMap<String, Vec<i64>>, Vec<String>) {
    let (mut logs, mut own): (BTreeMap<String, Vec<i64>>, _) = (BTreeMap::new(), Vec::new());
    for batch in rows {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (log, raw) = (text("log"), text("raw"));
        let seq = batch.column_by_name("seq").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
        for i in 0..batch.num_rows() {
            logs.entry(log.value(i).to_owned()).or_default().push(seq.value(i));
            if log.value(i).ends_with(LogClass::Own.as_str()) {
                own.push(raw.value(i).to_owned());
            }
        }
    }
    (logs, own)
}

#[test]
fn every_byte_once_over_a_hundred_kills() {
    let dir = memory();
    let (mut acked, mut random) = (BTreeMap::new(), Random(7));
    for kill in 0..KILLS {
        // Every tenth dies while it opens.
        let lines = if kill % 10 == 9 { 0 } else { random.below(60) };
        kill_after(dir.path(), lines, &mut acked);
    }
    let (store, watching) = open_with(dir.path(), small()).unwrap();
    store.checkpoint().unwrap();
    while store.queue_own() {
        std::thread::yield_now();
    }
    assert!(store.catch_up());
    let mut attacks = 0;
    for file in 0..FILES {
        let generation = Generation([file + 1; 16]);
        let end = store.stored(generation);
        assert!(end >= acked[&file] && end > 0, "file {file}: {end} stored, {} acknowledged", acked[&file]);
        let mut at = 0;
        for (start, stop, stored) in store.records_behind(generation, 0).unwrap() {
            assert_eq!((start, stop), (at, at + LINE), "file {file}");
            assert_eq!(String::from_utf8(stored).unwrap(), line(file, at / LINE));
            attacks += usize::from(line(file, at / LINE).starts_with("attack"));
            at = stop;
        }
        assert_eq!(at, end);
    }
    let (logs, own) = names(&rows(&store));
    for (log, mut seqs) in logs {
        seqs.sort_unstable();
        assert!(seqs.iter().copied().eq(0..seqs.len() as i64), "{log}: every number once");
    }
    let mut findings: Vec<&String> = own.iter().filter(|r| r.contains("finding")).collect();
    let said = findings.len();
    findings.sort_unstable();
    findings.dedup();
    assert_eq!((findings.len(), said), (attacks, attacks), "every finding once");
    assert!(attacks > 10, "{attacks} findings");
    assert!(store.run() > KILLS / 2, "most kills came after the start: {}", store.run());
    assert!(!store.moment().files.is_empty(), "something was sealed on the way");
    store.close().unwrap();
    drop(watching);
}

/// The same harness without the check of positions would store bytes twice: a source that goes on from its own memory is refused.
#[test]
fn a_source_that_remembers_too_little_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open_with(dir.path(), small()).unwrap();
    let mut file = resume(&store, 0);
    file.send(&store, &[&line(0, 0), &line(0, 1)]).unwrap().wait().unwrap();
    file.tracker = Tracker::new(store.identity_key().unwrap(), file.tracker.generation());
    assert_eq!(file.send(&store, &[&line(0, 0)]).unwrap().wait().unwrap().wal_seq, None);
    file.tracker = Tracker::new(store.identity_key().unwrap(), file.tracker.generation());
    let over: Vec<String> = (0..3).map(|n| line(0, n)).collect();
    let over: Vec<&str> = over.iter().map(String::as_str).collect();
    assert_eq!(file.send(&store, &over).unwrap().wait(), Err(SubmitError::Position { stored: 2 * LINE }));
    store.catch_up();
    assert_eq!(store.records_behind(file.tracker.generation(), 0).unwrap().len(), 2);
}
