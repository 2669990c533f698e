//! The samples of `formats/`: a sealed store of every release, read by this test for ever. A sample is never made anew once it is released.
//!
//! `BARTIZAN_MAKE_SAMPLE=formats/v2 cargo test -p store formats` writes a new one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Int64Type;
use event::clock::ManualClock;
use serde_json::json;

use crate::{
    Moment, Options, open_read_only,
    rig::{Counting, Reading, batches, copy, definition, open_with, options},
};

/// Lines of the sample: (file, line). What is behind the bar was stored after the seal and stands in the log of frames only.
const SEALED: &[(&str, &str)] = &[
    ("/log/tidb.log", "the first line, a login"),
    ("/log/tidb.log", "a line that says nothing"),
    ("/log/milvus.log", "nothing but ümlauts and \"quotes\""),
    ("/log/tidb.log", ""),
];
const BEHIND: &[(&str, &str)] = &[("/log/tidb.log", "an attack after the seal"), ("/log/milvus.log", "the last line")];
/// 2026-11-25T12:00:00Z.
const WHEN: i64 = 1_795_608_000_000_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn make(dir: &Path) {
    let clock = Arc::new(ManualClock::new(WHEN));
    let (store, _) = open_with(dir, Options { clock: clock.clone(), segment_bytes: 16 << 10, ..options() }).unwrap();
    let mut files: BTreeMap<&str, Reading> = BTreeMap::new();
    for (i, lines) in [SEALED, BEHIND].into_iter().enumerate() {
        for (path, line) in lines {
            let next = files.len() as u8 + 1;
            let file = files.entry(path).or_insert_with(|| Reading::new(&store, path, next));
            clock.set(WHEN + i64::from(next) * 1000);
            file.send(&store, &[line]).unwrap().wait().unwrap();
        }
        store.append_own("access", json!({"user": "auditor", "query": "select 1"}));
        store.catch_up();
        store.checkpoint().unwrap();
        if i == 0 {
            store.seal().unwrap();
        }
    }
}

/// Sample and copy: a store that is opened to write changes.
/// (log, seq) -> (stored text, byte_start, byte_end).
fn rows(moment: &Moment) -> BTreeMap<(String, i64), (String, i64, i64)> {
    let batches = batches(moment);
    let mut found = BTreeMap::new();
    for batch in &batches {
        let text = |name: &str, i: usize| batch.column_by_name(name).unwrap().as_string::<i32>().value(i).to_owned();
        let long = |name: &str, i: usize| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().value(i);
        for i in 0..batch.num_rows() {
            assert!(!batch.column_by_name("salt").unwrap().is_null(i));
            let row = (text("raw", i), long("byte_start", i), long("byte_end", i));
            assert_eq!(found.insert((text("log", i), long("seq", i)), row), None);
        }
    }
    found
}

fn check(sample: &Path) {
    let view = open_read_only(sample, || Box::new(Counting::default())).unwrap();
    let read = rows(&view.moment);
    let (mut expected, mut ends) = (Vec::new(), BTreeMap::new());
    for (path, line) in SEALED.iter().chain(BEHIND) {
        let end: &mut i64 = ends.entry(path).or_default();
        expected.push(((*line).to_owned(), *end, *end + line.len() as i64 + 1));
        *end += line.len() as i64 + 1;
    }
    expected.sort();
    let mut lines: Vec<_> = read.iter().filter(|((log, _), _)| !log.ends_with(".self")).map(|(_, row)| row.clone()).collect();
    lines.sort();
    assert_eq!(lines, expected, "{}", sample.display());
    let own: Vec<_> = read.iter().filter(|((log, _), _)| log.ends_with(".bartizan.self")).map(|(_, row)| row.0.clone()).collect();
    assert_eq!(own.iter().filter(|r| r.contains("\"source\"")).count(), 2);
    assert_eq!(own.iter().filter(|r| r.contains("auditor")).count(), 2);
    assert!(!view.moment.files.is_empty() && !view.moment.rows.is_empty(), "both halves are there");

    let dir = tempfile::tempdir().unwrap();
    copy(sample, dir.path());
    let (store, watching) = open_with(dir.path(), options()).unwrap();
    assert_eq!(rows(&store.moment()), read, "a writer goes on with the same rows");
    assert!(watching.memory.lock().unwrap().restored.is_some());
    assert_eq!(store.known("prod").len(), 2);
    assert_eq!(store.define(&definition("prod", "/log/tidb.log")).unwrap().1, 1);
    store.close().unwrap();
    let view = open_read_only(dir.path(), || Box::new(Counting::default())).unwrap();
    assert_eq!(rows(&view.moment), read, "and seals them");
}

#[test]
fn every_sample_is_read_as_it_was_written() {
    if let Some(target) = env::var_os("BARTIZAN_MAKE_SAMPLE") {
        make(&root().join(target));
    }
    let mut samples = 0;
    for entry in fs::read_dir(root().join("formats")).unwrap().flatten().filter(|e| e.path().is_dir()) {
        check(&entry.path());
        samples += 1;
    }
    assert!(samples > 0, "formats/v1 lies at the root");
}

#[test]
fn a_sample_made_today_is_read_today() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    check(dir.path());
}
