//! The lake on a real disk: what goes in comes out, once, whatever stops in between.

use std::{borrow::Cow, fs::OpenOptions};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use event::{Event, Issue, Micros, SourceId, Value, action, clock};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    basic::Encoding,
    file::reader::{FileReader as _, SerializedFileReader},
};

use super::*;

const NOW: Micros = 1_795_296_000_000_000; // 2026-11-21T21:20:00Z
const NODE: NodeId = NodeId(0xab);

fn log_of(name: &str) -> LogName {
    LogName::parse(name).unwrap()
}

/// A row of a log, with its place told from its number.
fn push(fresh: &mut Fresh, log: &str, seq: u64, event: &Event<'_>) {
    let name = RecordName { log: log_of(log), seq };
    let meta = RecordMeta {
        source: SourceId([1; 16]),
        generation: Generation([2; 16]),
        byte_start: seq * 100,
        byte_end: seq * 100 + 100,
        observed_time: event.observed_time,
        ..RecordMeta::default()
    };
    fresh.push(&Place { name: &name, meta: &meta, salt: &[7; 16] }, event);
}

fn line(seq: u64, at: Micros) -> Event<'static> {
    Event {
        time: Some(at + i64::try_from(seq).unwrap() * 1001),
        observed_time: Some(at),
        product: Some("tidb".into()),
        user: seq.is_multiple_of(3).then_some(Cow::Borrowed("root")),
        raw: format!("[conn.go:1] [\"line {seq}\"] [traceID={seq:08x}]").into(),
        ..Event::default()
    }
}

fn rows(log: &str, seqs: std::ops::Range<u64>) -> Fresh {
    let mut fresh = Fresh::default();
    seqs.for_each(|n| push(&mut fresh, log, n, &line(n, NOW)));
    fresh
}

fn read(file: &LakeFile) -> Vec<RecordBatch> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&file.path).unwrap()).unwrap();
    builder.build().unwrap().map(Result::unwrap).collect()
}

/// Every sequence number in the files of a log, in order.
fn seqs(lake: &Lake, log: &str) -> Vec<i64> {
    let files = lake.files();
    let of_log = files.iter().filter(|f| f.range.as_ref().is_some_and(|r| r.log.to_string() == log));
    let mut out: Vec<i64> =
        of_log.flat_map(read).flat_map(|b| b.column_by_name("seq").unwrap().as_primitive::<Int64Type>().values().to_vec()).collect();
    out.sort_unstable();
    out
}

#[test]
fn the_schema_is_the_one_that_was_released() {
    let shown: Vec<String> = schema::table().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    insta::assert_snapshot!("columns", shown.join("\n"));
}

#[test]
fn every_column_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut fresh = Fresh::default();
    push(&mut fresh, "000000ab.prod-1.security", 0, &Event { raw: "nothing known".into(), observed_time: Some(NOW), ..Event::default() });
    let mut full = line(1, NOW);
    full.activity = Some(&action::LOGON);
    full.status = Some(event::Status::Failure);
    full.conn_id = Some(7_398_943_596_793_037_429);
    full.src_port = Some(4000);
    full.act_id = Some("000000ab.prod-1.security:0".into());
    full.inferred = vec!["user"];
    full.fields = vec![("a".into(), Value::Text("1".into())), ("a".into(), Value::Number("2".into()))];
    full.mark(Issue::Unparsed);
    full.mark(Issue::Masked("password".into()));
    full.raw_bytes = Some(Cow::Borrowed(b"\xff"));
    push(&mut fresh, "000000ab.prod-1.security", 1, &full);
    let seen = fresh.batches();
    assert_eq!((fresh.rows(), fresh.bytes(), seen.len(), seen[0].num_rows()), (2, 14, 1, 2));
    assert_eq!(fresh.batches(), seen, "asked again");
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    assert_eq!(lake.seal(&mut fresh, 9, b"{}\n").unwrap(), 1);
    let file = &lake.files()[0];
    let expected = (file.rows, file.cluster.as_str(), file.class, file.day, file.time, file.observed_time)
        == (2, "prod-1", LogClass::Security, 20_778, Some((NOW + 1001, NOW + 1001)), Some((NOW, NOW)));
    assert!(expected, "{file:?}");
    assert_eq!(
        file.path.strip_prefix(dir.path()).unwrap().to_str().unwrap(),
        "lake/events/cluster=prod-1/class=security/day=2026-11-21/\
         000000ab.prod-1.security-0000000000000000-0000000000000001-0000000000000001-0000000000000000.parquet"
    );
    let back = read(file).remove(0);
    for (i, (name, _)) in schema::COLUMNS.iter().enumerate() {
        assert_eq!(&back.column(i).to_data(), &seen[0].column(i).to_data(), "{name}");
    }
    let text = |name: &str, row| back.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
    assert_eq!(
        (text("fields", 1), text("action", 1), text("source", 0)),
        (r#"{"a":["1",2]}"#.into(), "authentication.logon".into(), "01".repeat(16))
    );
    let issues = back.column_by_name("issues").unwrap().as_list::<i32>().value(1);
    assert_eq!(issues.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["unparsed", "masked:password"]);
    assert!(back.column_by_name("user").unwrap().is_null(0));
    let made = fs::read_to_string(dir.path().join("lake/events/_delta_log/00000000000000000000.json")).unwrap();
    assert!(made.contains(r#""minReaderVersion":1"#) && made.contains(r#""minWriterVersion":2"#), "{made}");
    // What was opened again says the same.
    let again = Lake::open_read_only(dir.path(), NODE).unwrap();
    assert_eq!(format!("{:?}", again.files()), format!("{:?}", lake.files()));
    assert_eq!((again.sealed(), again.version(), again.snapshot()), (9, 1, Some(b"{}\n".to_vec())));
}

#[test]
fn a_file_is_written_as_the_format_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    lake.seal(&mut rows("000000ab.prod.server", 0..10_000), 1, b"").unwrap();
    let reader = SerializedFileReader::new(fs::File::open(&lake.files()[0].path).unwrap()).unwrap();
    let meta = reader.metadata();
    assert!(meta.file_metadata().key_value_metadata().is_none(), "no schema of Arrow's own");
    let group = meta.row_group(0);
    let column = |name: &str| group.columns().iter().find(|c| c.column_path().string() == name).unwrap();
    for name in ["seq", "time", "byte_end"] {
        assert!(column(name).encodings().any(|e| e == Encoding::DELTA_BINARY_PACKED), "{name}");
    }
    for name in ["src_ip", "user", "host", "trace_id", "conn_id", "digest"] {
        assert!(column(name).bloom_filter_offset().is_some(), "{name}");
    }
    assert!(column("raw").dictionary_page_offset().is_none() && column("user").dictionary_page_offset().is_some());
    assert!(group.columns().iter().all(|c| c.offset_index_offset().is_some() && c.column_index_offset().is_some()));
    assert!(group.columns().iter().all(|c| matches!(c.compression(), parquet::basic::Compression::ZSTD(_))));
    let filters: i32 = group.columns().iter().filter_map(|c| c.bloom_filter_length()).sum();
    assert!(filters < 100_000, "filters are folded to what they hold: {filters} bytes");
}

#[test]
fn days_gaps_and_full_files_begin_new_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    let mut fresh = Fresh::default();
    let midnight = clock::DAY * 20_779;
    for n in 0..10 {
        push(&mut fresh, "000000ab.prod.server", n, &line(n, midnight - 5 + i64::try_from(n).unwrap()));
    }
    for n in 20..25 {
        push(&mut fresh, "000000ab.prod.server", n, &line(n, midnight));
    }
    push(&mut fresh, "000000ab.bartizan.self", 0, &line(0, midnight - 1));
    assert_eq!((fresh.oldest(true), fresh.oldest(false)), (Some(midnight - 1), Some(midnight - 5)));
    lake.seal(&mut fresh, 1, b"").unwrap();
    let of = |lake: &Lake| -> Vec<(String, i32, u64, u64)> {
        let range = |f: &LakeFile| f.range.clone().unwrap();
        lake.files().iter().map(|f| (range(f).log.to_string(), f.day, range(f).first_seq, range(f).last_seq)).collect()
    };
    let server = |day, first, last| ("000000ab.prod.server".to_owned(), day, first, last);
    let expected =
        [("000000ab.bartizan.self".to_owned(), 20_778, 0, 0), server(20_778, 0, 4), server(20_779, 5, 9), server(20_779, 20, 24)];
    assert_eq!(of(&lake), expected);
    // A file that is full ends so that the next begins at a tile.
    lake.file_bytes = 1;
    lake.seal(&mut rows("000000ab.prod.server", 100..20_000), 2, b"").unwrap();
    let later: Vec<_> = of(&lake).split_off(4);
    assert_eq!(later, [server(20_778, 100, 8447), server(20_778, 8448, 16_639), server(20_778, 16_640, 19_999)]);
    assert_eq!(seqs(&lake, "000000ab.prod.server").split_off(15), (100..20_000).collect::<Vec<_>>());
    assert_eq!(Lake::open(dir.path(), NODE, 2).unwrap().files().len(), 7);
}

#[test]
fn whatever_stops_a_seal_nothing_is_lost_or_there_twice() {
    for stop in [Step::Commit, Step::Committed] {
        let dir = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
        lake.seal(&mut rows("000000ab.prod.server", 0..300), 1, b"one").unwrap();
        lake.stop_before = Some(stop);
        assert!(lake.seal(&mut rows("000000ab.prod.server", 300..600), 2, b"two").is_err(), "{stop:?}");
        drop(lake);
        // The next run does what a recovery does: everything behind what is sealed is sealed again.
        let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
        assert_eq!(lake.run(), 2, "{stop:?}: a name is never used again");
        let sealed = if stop == Step::Committed { 2 } else { 1 };
        assert_eq!(
            (lake.sealed(), lake.snapshot()),
            (sealed, Some(if sealed == 2 { b"two".to_vec() } else { b"one".to_vec() })),
            "{stop:?}"
        );
        lake.seal(&mut rows("000000ab.prod.server", 300..600), 2, b"two").unwrap();
        assert_eq!(seqs(&lake, "000000ab.prod.server"), (0..600).collect::<Vec<_>>(), "{stop:?}");
        assert_eq!((lake.sealed(), lake.snapshot()), (2, Some(b"two".to_vec())), "{stop:?}");
    }
}

#[test]
fn a_seal_that_failed_may_be_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    let mut fresh = rows("000000ab.prod.server", 0..300);
    for stop in [Step::Commit, Step::Committed] {
        lake.stop_before = Some(stop);
        assert!(lake.seal(&mut fresh, 1, b"one").is_err());
        assert_eq!(fresh.rows(), 300);
    }
    lake.stop_before = None;
    lake.seal(&mut fresh, 1, b"one").unwrap();
    assert_eq!(seqs(&lake, "000000ab.prod.server"), (0..300).collect::<Vec<_>>());
    // A commit that came to be although its sync failed: the lake in memory does not know of it.
    let known = lake.state.clone();
    lake.seal(&mut rows("000000ab.prod.server", 300..400), 2, b"two").unwrap();
    lake.state = known;
    lake.seal(&mut rows("000000ab.prod.server", 300..400), 2, b"two").unwrap();
    assert_eq!(seqs(&lake, "000000ab.prod.server"), (0..400).collect::<Vec<_>>());
}

#[test]
fn a_seal_that_failed_leaves_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    let mut fresh = rows("000000ab.prod.server", 0..300);
    // A file stands where the snapshots' folder should be: what comes before is written, the snapshot cannot be.
    let blocked = dir.path().join("lake/events/_bartizan/000000ab");
    let data_files = || log::data_files(&dir.path().join("lake/events")).unwrap().len();
    lake.snapshots.drafts = dir.path().join("drafts");
    fs::remove_dir_all(&blocked).unwrap();
    fs::write(&blocked, "").unwrap();
    assert!(lake.seal(&mut fresh, 1, b"one").is_err());
    assert_eq!((data_files(), lake.version(), dir.path().join("drafts").exists()), (0, 0, false));
    fs::remove_file(&blocked).unwrap();
    lake.seal(&mut fresh, 1, b"one").unwrap();
    assert_eq!((data_files(), seqs(&lake, "000000ab.prod.server").len()), (1, 300));
}

#[test]
fn a_later_run_of_the_same_node_stops_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = Lake::open(dir.path(), NODE, 1).unwrap();
    let mut new = Lake::open(dir.path(), NODE, 2).unwrap();
    new.seal(&mut rows("000000ab.prod.server", 0..10), 1, b"").unwrap();
    let e = old.seal(&mut rows("000000ab.prod.server", 0..20), 2, b"").unwrap_err();
    assert!(matches!(&e, StoreError::Stopped(why) if why.contains("run 2")), "{e}");
    assert_eq!(seqs(&new, "000000ab.prod.server"), (0..10).collect::<Vec<_>>());
}

#[test]
fn nodes_share_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let (mut a, mut b) = (Lake::open(dir.path(), NODE, 1).unwrap(), Lake::open(dir.path(), NodeId(0xcd), 1).unwrap());
    for n in 0..5 {
        a.seal(&mut rows("000000ab.prod.server", n * 10..n * 10 + 10), n + 1, b"a").unwrap();
        b.seal(&mut rows("000000cd.prod.server", n * 10..n * 10 + 10), n + 11, b"b").unwrap();
    }
    a.refresh().unwrap();
    for lake in [a, Lake::open(dir.path(), NODE, 2).unwrap(), Lake::open_read_only(dir.path(), NODE).unwrap()] {
        assert_eq!((lake.version(), lake.files().len(), lake.sealed()), (10, 10, 5));
        assert_eq!(lake.sealed_by_node().get(&NodeId(0xcd)), Some(&15));
        assert_eq!((seqs(&lake, "000000ab.prod.server").len(), seqs(&lake, "000000cd.prod.server").len()), (50, 50));
    }
}

#[test]
fn a_torn_commit_is_set_aside_and_its_rows_are_sealed_again() {
    for cut in [0, 1, 2] {
        let dir = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
        lake.seal(&mut rows("000000ab.prod.server", 0..10), 1, b"one").unwrap();
        lake.seal(&mut rows("000000ab.prod.server", 10..20), 2, b"two").unwrap();
        drop(lake);
        let path = dir.path().join("lake/events/_delta_log/00000000000000000002.json");
        let bytes = fs::read(&path).unwrap();
        let keep = match cut {
            0 => 0,
            1 => bytes.len() / 2,
            _ => bytes.iter().position(|b| *b == b'\n').unwrap() + 1, // whole lines, but not all
        };
        fs::write(&path, &bytes[..keep]).unwrap();
        let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
        assert_eq!((lake.sealed(), lake.version(), lake.snapshot()), (1, 1, Some(b"one".to_vec())), "cut {cut}");
        assert!(dir.path().join("quarantine/delta_log-00000000000000000002.json").is_file());
        lake.seal(&mut rows("000000ab.prod.server", 10..20), 2, b"two").unwrap();
        assert_eq!(seqs(&lake, "000000ab.prod.server"), (0..20).collect::<Vec<_>>(), "cut {cut}");
    }
}

#[test]
fn many_commits_open_from_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    for n in 0..300 {
        lake.seal(&mut rows("000000ab.prod.server", n..n + 1), n + 1, b"x").unwrap();
    }
    assert_eq!((lake.version(), lake.checkpoint), (300, 300));
    let before = format!("{:?}", lake.files());
    drop(lake);
    // Only what the last checkpoint and the commits behind it hold is needed.
    let log = dir.path().join("lake/events/_delta_log");
    let reader = Lake::open_read_only(dir.path(), NODE).unwrap();
    let mut sorted = reader.files();
    sorted.sort_by_key(|f| f.range.as_ref().map(|r| r.first_seq));
    assert_eq!(format!("{sorted:?}"), before);
    for n in 0..300 {
        fs::rename(log.join(format!("{n:020}.json")), dir.path().join(format!("{n}"))).unwrap();
    }
    assert_eq!(Lake::open_read_only(dir.path(), NODE).unwrap().sealed(), 300);
    for n in 0..300 {
        fs::rename(dir.path().join(format!("{n}")), log.join(format!("{n:020}.json"))).unwrap();
    }
    // A checkpoint that cannot be read is set aside.
    let newest = log.join(format!("{:020}.checkpoint.parquet", 300));
    OpenOptions::new().write(true).open(&newest).unwrap().set_len(100).unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 2).unwrap();
    assert_eq!((lake.sealed(), lake.files().len(), newest.exists()), (300, 300, false));
    lake.seal(&mut rows("000000ab.prod.server", 300..301), 301, b"x").unwrap();
    assert_eq!(Lake::open(dir.path(), NODE, 3).unwrap().files().len(), 301);
}

#[test]
fn what_a_crash_left_goes_after_the_grace() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    lake.seal(&mut rows("000000ab.prod.server", 0..10), 1, b"").unwrap();
    let named = lake.files()[0].path.clone();
    let beside = |name: &str| named.with_file_name(name);
    let left = "-0000000000000000-0000000000000001-0000000000000001-0000000000000009.parquet";
    let (ours, foreign, other) =
        (beside(&format!("000000ab.prod.server{left}")), beside(&format!("000000cd.prod.server{left}")), beside("x.parquet"));
    let old = SystemTime::now() - GRACE - Duration::from_secs(60);
    for path in [&ours, &foreign, &other, &named] {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.set_modified(SystemTime::now()).unwrap();
    }
    drop(Lake::open(dir.path(), NODE, 2).unwrap());
    assert!(ours.exists(), "not old enough");
    for path in [&ours, &foreign, &other, &named] {
        OpenOptions::new().append(true).open(path).unwrap().set_modified(old).unwrap();
    }
    drop(Lake::open(dir.path(), NODE, 3).unwrap());
    assert_eq!([&ours, &foreign, &other, &named].map(|p| p.exists()), [false, true, true, true]);
}

#[test]
fn records_of_a_generation_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    let mut fresh = rows("000000ab.prod.server", 0..4);
    let mut odd = line(4, NOW);
    odd.raw_bytes = Some(Cow::Borrowed(b"\xfe"));
    push(&mut fresh, "000000ab.prod.security", 4, &odd);
    lake.seal(&mut fresh, 1, b"").unwrap();
    lake.seal(&mut rows("000000ab.prod.server", 5..7), 2, b"").unwrap();
    let all = lake.records_behind(Generation([2; 16]), 200).unwrap();
    let places: Vec<_> = all.iter().map(|r| (r.0, r.1)).collect();
    assert_eq!(places, [(200, 300), (300, 400), (400, 500), (500, 600), (600, 700)]);
    assert_eq!((all[0].2.as_slice(), all[2].2.as_slice()), (line(2, NOW).raw.as_bytes(), &b"\xfe"[..]));
    assert!(lake.records_behind(Generation([2; 16]), 700).unwrap().is_empty());
    assert!(lake.records_behind(Generation([3; 16]), 0).unwrap().is_empty());
    let e = read::records_behind(&lake.files(), Generation([2; 16]), 0, 50).unwrap_err();
    assert!(matches!(e, StoreError::Limit(_)));
}

#[test]
fn a_reader_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = Lake::open_read_only(dir.path(), NODE).unwrap();
    assert_eq!((reader.sealed(), reader.files().len(), reader.snapshot()), (0, 0, None));
    assert!(reader.seal(&mut rows("000000ab.prod.server", 0..1), 1, b"").is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    // A folder whose name would mean something in a URL.
    let odd = dir.path().join("a b%20#?ä");
    let mut lake = Lake::open(&odd, NODE, 1).unwrap();
    lake.seal(&mut rows("000000ab.prod.server", 0..1), 1, b"").unwrap();
    assert_eq!(seqs(&Lake::open_read_only(&odd, NODE).unwrap(), "000000ab.prod.server"), [0]);
}

#[test]
fn other_forms_of_raw_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::open(dir.path(), NODE, 1).unwrap();
    lake.seal(&mut rows("000000ab.prod.server", 0..1), 1, b"").unwrap();
    drop(lake);
    let path = dir.path().join("lake/events/_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"raw\":\"plain\"", "\"raw\":\"t9\"")).unwrap();
    let e = Lake::open_read_only(dir.path(), NODE).unwrap_err();
    assert!(e.to_string().contains("t9"), "{e}");
}

#[test]
fn batches_share_what_is_finished() {
    let mut fresh = rows("000000ab.prod.server", 0..20_000);
    let first = fresh.batches();
    assert_eq!(first.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [8192, 8192, 3616]);
    push(&mut fresh, "000000ab.prod.server", 20_000, &line(20_000, NOW));
    let second = fresh.batches();
    let at = |b: &RecordBatch| b.column_by_name("raw").unwrap().to_data().buffers()[1].as_ptr();
    assert_eq!((at(&first[0]), at(&first[1])), (at(&second[0]), at(&second[1])));
    assert_eq!(second[2].num_rows(), 3617);
    assert_eq!(first[2].num_rows(), 3616, "what somebody holds never changes");
    let times = second[2].column_by_name("time").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(times.value(3616), NOW + 20_000 * 1001);
    let days = second[2].column_by_name("day").unwrap();
    assert_eq!(days.as_primitive::<arrow::datatypes::Date32Type>().value(0), 20_778);
}
