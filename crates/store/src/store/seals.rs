//! Tests of what crosses the border between the log of frames and the lake.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::{collections::BTreeMap, fs};

use arrow::array::AsArray as _;
use event::{
    clock::{HOUR, MINUTE, ManualClock},
    frame::{self, Kind},
};
use serde_json::Value;

use super::*;
use crate::{
    View,
    rig::{Counting, Faults, Reading, batches, definition, memory, open, open_with, options},
};

/// Name -> stored text and the deriver's count, of all rows of a moment: nothing twice.
fn rows(moment: &Moment) -> BTreeMap<String, (String, String)> {
    let batches = batches(moment);
    let mut found = BTreeMap::new();
    for batch in &batches {
        let text = |name: &str, i: usize| batch.column_by_name(name).unwrap().as_string::<i32>().value(i).to_owned();
        let seq = batch.column_by_name("seq").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
        for i in 0..batch.num_rows() {
            let name = format!("{}:{}", text("log", i), seq.value(i));
            assert!(found.insert(name.clone(), (text("raw", i), text("message", i))).is_none(), "{name} is there twice");
        }
    }
    found
}

fn view(dir: &Path) -> View {
    crate::open_read_only(dir, || Box::new(Counting::default())).unwrap()
}

fn segments(store: &Store) -> Vec<u64> {
    segment::list(&store.folder.wal()).unwrap().iter().map(|s| s.first).collect()
}

#[test]
fn rows_are_in_one_place_before_during_and_after_a_seal() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut file = Reading::new(&store, "a", 1);
    let mut last = BTreeMap::new();
    for n in 0..4 {
        file.send(&store, &[&format!("line {n}"), &format!("login {n}")]).unwrap().wait().unwrap();
        store.catch_up();
        let before = rows(&store.moment());
        assert_eq!(before.len(), 1 + 2 * (n + 1), "one definition and two lines a round");
        assert!(last.iter().all(|(name, row)| before.get(name) == Some(row)), "names and columns stay");
        assert_eq!(rows(&view(dir.path()).moment), before, "a reader beside the writer sees the same");
        if n < 3 {
            store.seal().unwrap();
            assert_eq!(rows(&store.moment()), before);
            assert!(store.moment().rows.is_empty());
            assert_eq!(store.stats().sealed, view(dir.path()).sealed);
            assert_eq!(rows(&view(dir.path()).moment), before);
        }
        last = before;
    }
    let records = store.records_behind(file.tracker.generation(), 7).unwrap();
    assert_eq!(records.len(), 7, "sealed and not");
    assert_eq!((records[0].0, records[0].1, records[0].2.as_slice()), (7, 15, b"login 0".as_slice()));
    drop(store);
    let (store, again) = open(dir.path());
    assert_eq!(rows(&store.moment()), last, "rows behind the lake are derived again as they were");
    assert_eq!(again.shown().len(), 9, "without a snapshot the observer sees all frames that are there");
    store.close().unwrap();
    assert_eq!(rows(&view(dir.path()).moment), last);
    assert!(view(dir.path()).moment.rows.is_empty(), "a clean stop seals");
    let (store, again) = open(dir.path());
    assert!(again.shown().is_empty(), "and the observer needs nothing again");
    assert_eq!(store.seal().map_err(|e| e.to_string()), Ok(()), "nothing to seal is no error");
}

#[test]
fn a_seal_is_due_by_size_by_age_and_by_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(HOUR));
    let at = SealAt { bytes: 100_000, small_bytes: 1000, ..SealAt::default() };
    let (store, _) = open_with(dir.path(), Options { clock: clock.clone(), seal_at: at, ..options() }).unwrap();
    let mut file = Reading::new(&store, "a", 1);
    let sealed = || store.live.lock().files.len();
    let until = |n: usize| store.live.wait(Some(std::time::Duration::from_secs(60)), |l| l.files.len() >= n);
    file.send(&store, &["x"]).unwrap().wait().unwrap();
    clock.set(HOUR + 59 * MINUTE);
    store.catch_up();
    assert_eq!(sealed(), 0, "little waits for an hour");
    clock.set(2 * HOUR);
    assert!(until(2), "a file of the cluster's log and one of our own");
    file.send(&store, &[&"x".repeat(2000)]).unwrap().wait().unwrap();
    clock.set(2 * HOUR + 10 * MINUTE);
    assert!(until(3), "more waits for ten minutes");
    let long = "x".repeat(30_000);
    for _ in 0..4 {
        file.send(&store, &[&long]).unwrap().wait().unwrap();
    }
    assert!(until(4), "much does not wait");
    store.append_own("access", json!({"q": "x"}));
    while store.queue_own() {
        std::thread::yield_now();
    }
    clock.set(4 * HOUR);
    store.catch_up();
    assert_eq!(sealed(), 4, "our own waits for a day");
    clock.set(27 * HOUR);
    assert!(until(5));
}

#[test]
fn segments_go_when_nobody_needs_them() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(HOUR));
    let small = || Options { clock: clock.clone(), segment_bytes: 8192, ..options() };
    let (store, _) = open_with(dir.path(), small()).unwrap();
    let mut file = Reading::new(&store, "a", 1);
    let line = "x".repeat(3000);
    let fill = |file: &mut Reading, store: &Store| {
        for _ in 0..6 {
            file.send(store, &[&line]).unwrap().wait().unwrap();
        }
        store.catch_up();
    };
    let release = |store: &Store| store.ordered(|done| Order::Release { done: Some(done) }).unwrap();
    fill(&mut file, &store);
    let all = segments(&store);
    assert!(all.len() > 3);
    store.checkpoint().unwrap();
    store.seal().unwrap();
    fill(&mut file, &store);
    store.checkpoint().unwrap();
    release(&store);
    assert!(segments(&store).starts_with(&all), "too young");
    clock.set(2 * HOUR);
    release(&store);
    let left = segments(&store);
    assert!(left[0] > 1 && left.len() > 3, "sealed, seen and old goes, the rest stays: {left:?}");
    fill(&mut file, &store);
    store.checkpoint().unwrap();
    release(&store);
    assert_eq!(segments(&store)[0], left[0], "not sealed stays");
    store.seal().unwrap();
    let young = segments(&store);
    assert!(young[0] > left[0] && young.len() > 3, "sealed now: what is old goes, what is young stays: {young:?}");
    clock.set(3 * HOUR);
    store.checkpoint().unwrap();
    release(&store);
    let last = segments(&store);
    assert!(last[0] > young[0]);
    let wal = fs::read_dir(store.folder.wal()).unwrap().count();
    assert_eq!(wal, last.len());
    drop(store);
    let (store, _) = open_with(dir.path(), small()).unwrap();
    assert_eq!(rows(&store.moment()).len(), 1 + 18, "nothing is missing");
}

#[test]
fn what_does_not_fit_together_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (store, _) = open(&data);
    let mut file = Reading::new(&store, "a", 1);
    file.send(&store, &["one"]).unwrap().wait().unwrap();
    store.catch_up();
    store.seal().unwrap();
    file.send(&store, &["two"]).unwrap().wait().unwrap();
    drop(store);
    let wal = data.join("wal");
    let lost = data.join("../lost");
    let refused = || match open_with(&data, options()) {
        Err(StoreError::Damaged { what, next, .. }) => format!("{what}; {next}"),
        other => panic!("{other:?}"),
    };
    fs::rename(&wal, &lost).unwrap();
    fs::create_dir(&wal).unwrap();
    assert!(refused().contains("missing"), "the log of frames is gone");
    fs::remove_dir(&wal).unwrap();
    fs::rename(&lost, &wal).unwrap();
    fs::rename(data.join("lake/events"), &lost).unwrap();
    open_with(&data, options()).map(|_| ()).unwrap_or_else(|e| panic!("all frames are there: the lake is made again: {e}"));
    fs::remove_dir_all(data.join("lake/events")).unwrap();
    fs::rename(&lost, data.join("lake/events")).unwrap();
    // Cut behind the sealed part: it looks like a log that ended there, and the observer's snapshot or the lake know better.
    let first = segment::list(&wal).unwrap().remove(0).path;
    let whole = fs::read(&first).unwrap();
    let second = frame::peek(&whole).unwrap().1;
    fs::write(&first, &whole[..second]).unwrap();
    segment::list(&wal).unwrap().into_iter().skip(1).for_each(|s| fs::remove_file(s.path).unwrap());
    assert!(refused().contains("the lake"), "the log of frames is older than the lake");
}

#[test]
fn damage_below_the_lake_is_set_aside_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut file = Reading::new(&store, "a", 1);
    file.send(&store, &["one of many"]).unwrap().wait().unwrap();
    file.send(&store, &["two of many"]).unwrap().wait().unwrap();
    store.catch_up();
    let before = rows(&store.moment());
    store.seal().unwrap();
    drop(store);
    let path = segment::list(&dir.path().join("wal")).unwrap().remove(0).path;
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(11).position(|w| w == b"one of many").unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (store, _) = open(dir.path());
    while store.queue_own() {
        std::thread::yield_now();
    }
    store.catch_up();
    let mut after = rows(&store.moment());
    let told: Vec<_> = after.iter().filter(|(_, (raw, _))| raw.contains("\"damaged\"")).map(|(n, _)| n.clone()).collect();
    assert_eq!(told.len(), 1);
    after.remove(&told[0]);
    assert_eq!(after, before, "its records are in the lake");
    assert_eq!(fs::read_dir(store.folder.quarantine()).unwrap().count(), 1);
    let more = file.send(&store, &["three"]).unwrap().wait().unwrap();
    assert_eq!(more.stored, 30, "positions come from the lake's snapshot");
}

/// The machine loses power at the n-th sync: sectors of the group that was being written reach the disk or do not.
#[test]
fn what_was_acknowledged_survives_a_cut_at_every_sync() {
    let mut cuts = 0;
    for syncs in 0.. {
        let dir = memory();
        let faults = Faults::none();
        faults.syncs_left.store(syncs, std::sync::atomic::Ordering::SeqCst);
        let cut = Options { mill: Box::new(faults.clone()), segment_bytes: 8192, ..options() };
        let mut acked = 0;
        if let Ok((store, _)) = open_with(dir.path(), cut)
            && store.define(&definition("prod", "a")).is_ok()
        {
            let mut file = Reading::new(&store, "a", 1);
            for round in 0..8 {
                let line = format!("{round} {}", "x".repeat(700 + 400 * round));
                // Several in one group, so that good frames may stand behind a bad one.
                let sent: Vec<_> = (0..4).map_while(|_| file.send(&store, &[&line]).ok()).collect();
                acked = sent.into_iter().map_while(|t| t.wait().ok()).last().map_or(acked, |a| a.stored);
                store.catch_up();
                let _ = (round == 1).then(|| store.checkpoint().and(store.seal()).is_ok());
            }
        }
        let fired = faults.failed.load(std::sync::atomic::Ordering::SeqCst);
        for start in 0..2 {
            let (store, _) = open(dir.path());
            let end = store.stored(event::Generation([1; 16]));
            assert!(end >= acked, "cut at sync {syncs}, start {start}: {acked} acknowledged, {end} there");
            let mut at = 0;
            for (from, to, _) in store.records_behind(event::Generation([1; 16]), 0).unwrap() {
                assert_eq!(from, at, "cut at sync {syncs}");
                at = to;
            }
            assert_eq!(at, end);
            rows(&store.moment());
        }
        if fired == 0 {
            break;
        }
        assert_eq!(fired, 1);
        cuts += 1;
    }
    assert!(cuts >= 10, "{cuts} cuts");
}

#[test]
fn a_reader_does_not_mind_a_frame_that_is_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let (store, _) = open_with(dir.path(), Options { mill: Box::new(faults), ..options() }).unwrap();
    let mut file = Reading::new(&store, "a", 1);
    file.send(&store, &["one"]).unwrap().wait().unwrap();
    file.send(&store, &["two"]).unwrap().wait().unwrap();
    let path = segment::list(&store.folder.wal()).unwrap().remove(0).path;
    let whole = fs::read(&path).unwrap();
    let at = whole.windows(3).rposition(|w| w == b"two").unwrap();
    let mut torn = whole.clone();
    torn[at..].fill(0);
    fs::write(&path, &torn).unwrap();
    assert_eq!(rows(&view(dir.path()).moment).len(), 2, "a definition and the first line");
    fs::write(&path, &whole).unwrap();
    assert_eq!(rows(&view(dir.path()).moment).len(), 3);
    assert!(matches!(crate::open_read_only(&dir.path().join("none"), || Box::new(Counting::default())), Err(StoreError::None(_))));
}

#[test]
fn a_seal_frame_names_the_lake_and_marks_follow() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut file = Reading::new(&store, "a", 1);
    file.send(&store, &["one"]).unwrap().wait().unwrap();
    store.close().unwrap();
    let mut frames = Vec::new();
    for segment in segment::list(&dir.path().join("wal")).unwrap() {
        let bytes = fs::read(segment.path).unwrap();
        let mut rest = bytes.as_slice();
        while let Ok((frame, len)) = frame::decode(rest) {
            frames.push(frame);
            rest = &rest[len..];
        }
    }
    let kinds: Vec<Kind> = frames.iter().map(|f| f.header.kind).collect();
    assert_eq!(kinds.first(), Some(&Kind::Snapshot));
    assert_eq!(kinds.last(), Some(&Kind::Durable), "a clean stop ends with a durable mark");
    let seal = frames.iter().find(|f| f.header.kind == Kind::Seal).unwrap();
    let line: Value = serde_json::from_slice(&seal.plain).unwrap();
    let sealed = line["sealed"].as_u64().unwrap();
    assert_eq!((sealed, line["oldest"].as_u64()), (view(dir.path()).sealed, Some(1)));
    let salt = |wal_seq: u64| frames.iter().find(|f| f.header.wal_seq == wal_seq).unwrap().header.salt;
    assert!(frames.iter().filter(|f| f.header.kind == Kind::Records).all(|f| salt(f.header.wal_seq) != [0; 16]));
    assert!(frames.iter().all(|f| f.header.durable < f.header.wal_seq));
}
