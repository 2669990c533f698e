//! SQL and searches over a small store: the same rows as files, as rows of the WAL, and split between them.
#![allow(clippy::unwrap_used)]

use std::{borrow::Cow, fs::File, path::Path, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, Int32Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray},
        datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
    },
    common::ScalarValue,
    parquet::arrow::ArrowWriter,
};
use event::{
    Event, FieldRef, Issue, LogName, RecordName, Status, Value, action,
    field::{Column, ColumnType},
};
use serde_json::json;

use super::*;

const NOW: i64 = 1_795_296_000_000_000; // 2026-11-21T21:20:00Z
const DAY: i32 = 20_778;

type Stored = (RecordName, Event<'static>);

fn log(name: &str) -> LogName {
    LogName::parse(name).unwrap()
}

fn event(user: Option<&'static str>, raw: &'static str, at: i64) -> Event<'static> {
    Event {
        time: Some(NOW + at),
        observed_time: Some(NOW + at + 5),
        product: Some("tidb".into()),
        stream: Some("server".into()),
        level: Some("WARN".into()),
        user: user.map(Cow::Borrowed),
        raw: raw.into(),
        ..Event::default()
    }
}

fn sample() -> Vec<Stored> {
    let security = log("000000ab.prod.security");
    let mut rows = vec![
        event(Some("root"), "[conn.go:1] [denied] [traceID=8f2c] [user=root]", 0),
        event(Some("alice"), "[conn.go:1] [denied] [traceID=8f2d]", 1_000),
        event(None, "[server.go:9] [\"a % sign and a \\\\ and 'quotes'\"]", 2_000),
        event(Some("Bob"), "rootcoord started", 3_000),
        event(Some("root"), "no time here 8f2c", 4_000),
        event(Some("root"), "no time here 8f2c", 5_000),
    ];
    rows[0].activity = Some(&action::LOGON);
    rows[0].status = Some(Status::Unknown);
    rows[1].act_id = Some("000000ab.prod.security:0".to_owned());
    rows[1].activity = Some(&action::LOGON);
    rows[1].status = Some(Status::Failure);
    rows[1].src_ip = Some("10.1.2.3".into());
    rows[1].conn_id = Some(7_398_943_596_793_037_429);
    rows[2].fields = vec![("method".into(), Value::Text("DropCollection".into()))];
    rows[2].rows = Some(12);
    rows[4].time = None;
    rows[5].mark(Issue::Duplicate);
    rows[5].mark(Issue::ZoneAssumed);
    let mut out: Vec<Stored> = rows.into_iter().zip(0..).map(|(e, seq)| (RecordName { log: security.clone(), seq }, e)).collect();
    let mut own = event(None, r#"{"kind":"clock","step_us":-2000000}"#, 6_000);
    own.product = Some("bartizan".into());
    own.stream = Some("clock".into());
    out.push((RecordName { log: log("000000ab.bartizan.self"), seq: 0 }, own));
    out
}

fn columns() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![Field::new("log", DataType::Utf8, true), Field::new("seq", DataType::Int64, true)];
    fields.extend(Column::ALL.iter().map(|c| {
        let kind = match c.column_type() {
            ColumnType::Text => DataType::Utf8,
            ColumnType::Int => DataType::Int32,
            ColumnType::Long => DataType::Int64,
            ColumnType::Time => time.clone(),
            ColumnType::TextList => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
            ColumnType::Binary => DataType::Binary,
        };
        Field::new(c.name(), kind, true)
    }));
    fields.push(Field::new("fields", DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}

fn array(column: Column, rows: &[Stored]) -> ArrayRef {
    let seen = || rows.iter().map(|(_, e)| column.get(e));
    let number = |f: FieldRef<'_>| if let FieldRef::Number(n) = f { Some(n) } else { None };
    match column.column_type() {
        ColumnType::Text | ColumnType::Binary => {
            Arc::new(seen().map(|f| if let FieldRef::Text(t) = f { Some(t.to_owned()) } else { None }).collect::<StringArray>())
        }
        ColumnType::Int => Arc::new(seen().map(|f| number(f).map(|n| i32::try_from(n).unwrap())).collect::<Int32Array>()),
        ColumnType::Long => Arc::new(seen().map(number).collect::<Int64Array>()),
        ColumnType::Time => Arc::new(seen().map(number).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        ColumnType::TextList => {
            let mut out = ListBuilder::new(StringBuilder::new());
            for f in seen() {
                let items: Vec<String> = match f {
                    FieldRef::Issues(all) => all.iter().map(ToString::to_string).collect(),
                    FieldRef::List(all) => all.iter().map(ToString::to_string).collect(),
                    _ => vec![],
                };
                items.iter().for_each(|i| out.values().append_value(i));
                out.append(!items.is_empty());
            }
            Arc::new(out.finish())
        }
    }
}

fn batch(rows: &[Stored]) -> RecordBatch {
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|(n, _)| Some(n.log.to_string())).collect::<StringArray>()),
        Arc::new(rows.iter().map(|(n, _)| i64::try_from(n.seq).ok()).collect::<Int64Array>()),
    ];
    arrays.extend(Column::ALL.iter().map(|c| array(*c, rows)));
    let fields = rows.iter().map(|(_, e)| {
        let mut text = String::new();
        event::json::push_fields(&mut text, &e.fields);
        (!e.fields.is_empty()).then_some(text)
    });
    arrays.push(Arc::new(fields.collect::<StringArray>()));
    RecordBatch::try_new(columns(), arrays).unwrap()
}

fn fresh(rows: &[Stored]) -> RecordBatch {
    let files = batch(rows);
    let mut fields: Vec<Field> = columns().fields().iter().map(|f| f.as_ref().clone()).collect();
    let mut arrays = files.columns().to_vec();
    fields.extend([Field::new("cluster", DataType::Utf8, true), Field::new("class", DataType::Utf8, true)]);
    arrays.push(Arc::new(rows.iter().map(|(n, _)| Some(n.log.cluster.clone())).collect::<StringArray>()));
    arrays.push(Arc::new(rows.iter().map(|(n, _)| Some(n.log.class.to_string())).collect::<StringArray>()));
    fields.push(Field::new("day", DataType::Date32, true));
    arrays.push(Arc::new(datafusion::arrow::array::Date32Array::from(vec![DAY; rows.len()])));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn file(dir: &Path, rows: &[Stored]) -> DataFile {
    let name = &rows[0].0;
    let path = dir.join(format!("a b%20#{name}.parquet").replace(':', "-"));
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), columns(), None).unwrap();
    writer.write(&batch(rows)).unwrap();
    writer.close().unwrap();
    let micros = |at: Option<i64>| ScalarValue::TimestampMicrosecond(at, Some("UTC".into()));
    let times = || rows.iter().filter_map(|(_, e)| e.time);
    DataFile {
        size: path.metadata().unwrap().len(),
        path,
        rows: rows.len() as u64,
        cluster: name.log.cluster.clone(),
        class: name.log.class.to_string(),
        day: DAY,
        bounds: vec![("time", micros(times().min()), micros(times().max()))],
    }
}

/// The sample as files, as rows of the WAL, and as both.
fn engines(dir: &Path) -> Vec<(&'static str, Engine)> {
    let rows = sample();
    let (events, own) = rows.split_at(6);
    let files = vec![file(dir, &events[..3]), file(dir, &events[3..]), file(dir, own)];
    let make = |files: Vec<DataFile>, fresh: Vec<RecordBatch>| {
        Engine::new(&Snapshot { columns: columns(), files, fresh }, &Arc::default(), Limits::COMMAND).unwrap()
    };
    vec![
        ("files", make(files.clone(), vec![])),
        ("wal", make(vec![], vec![fresh(&rows)])),
        ("both", make(files[..1].to_vec(), vec![fresh(&events[3..]), fresh(own)])),
    ]
}

async fn ask(engine: &Engine, sql: &str) -> serde_json::Value {
    match engine.sql(sql).await {
        Ok(answer) => answer.all().await.map_or_else(|e| json!(e.to_string()), |t| json!(t.rows)),
        Err(e) => json!(e.to_string()),
    }
}

#[tokio::test]
async fn sql_answers() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, engine) in engines(dir.path()) {
        for (sql, expected) in [
            ("select count(*) as n from events", json!([{"n": 6}])),
            ("SELECT COUNT(*) AS n FROM self", json!([{"n": 1}])),
            ("select count(*) as n from events_once", json!([{"n": 5}])),
            (
                "select product, stream, json_text(raw, 'step_us') as s from self",
                json!([{"product": "bartizan", "stream": "clock", "s": "-2000000"}]),
            ),
            (
                "select \"user\" as u, count(*) as n from events where \"user\" is not null group by 1 order by 2 desc, 1",
                json!([{"u": "root", "n": 3}, {"u": "Bob", "n": 1}, {"u": "alice", "n": 1}]),
            ),
            ("select conn_id, rows from events where conn_id is not null", json!([{"conn_id": "7398943596793037429", "rows": null}])),
            (
                "select time, observed_time from events where seq = 4",
                json!([{"time": null, "observed_time": "2026-11-21T21:20:00.004005Z"}]),
            ),
            (
                "select issues, class, cluster, day from events where seq = 5",
                json!([{"issues": ["duplicate", "zone_assumed"], "class": "security", "cluster": "prod", "day": "2026-11-21"}]),
            ),
            (
                "select lines, action, status, \"user\", src_ip from acts where lines > 1",
                json!([{"lines": 2, "action": "authentication.logon", "status": "failure", "user": "root", "src_ip": "10.1.2.3"}]),
            ),
            ("select count(*) as n from acts", json!([{"n": 5}])),
            ("select count(distinct coalesce(act_id, log || ':' || cast(seq as varchar))) as n from events", json!([{"n": 5}])),
            ("select seq from events where time >= '2026-11-21T21:20:00.003Z' order by seq", json!([{"seq": 3}, {"seq": 5}])),
            (
                "select json_text(fields, 'method') as m from events where has_word(raw, 'sign') and in_network('10.0.0.1', '10.0.0.0/8')",
                json!([{"m": "DropCollection"}]),
            ),
            ("select a.seq, b.seq from events a join events b on a.seq = b.seq where a.seq = 1", json!([{"seq": 1, "seq_2": 1}])),
            (
                "select min(time) as a, max(time) as b from events",
                json!([{"a": "2026-11-21T21:20:00.000Z", "b": "2026-11-21T21:20:00.005Z"}]),
            ),
            ("select seq from events where class = 'security' and cluster = 'prod' and time < '2020-01-01'", json!([])),
            ("select user, cluster from events where seq = 0 and user = 'root'", json!([{"user": "root", "cluster": "prod"}])),
            ("select cluster, count(*) as n from events group by cluster order by cluster", json!([{"cluster": "prod", "n": 6}])),
            ("select EVENTS.SEQ from Events where Seq = 1", json!([{"seq": 1}])),
            ("with x as (select 1 as one) select one from x", json!([{"one": 1}])),
        ] {
            assert_eq!(ask(&engine, sql).await, expected, "{kind}: {sql}");
        }
        let shown = ask(&engine, "SHOW TABLES").await.to_string();
        for table in ["\"events\"", "\"self\"", "\"acts\"", "\"events_once\""] {
            assert!(shown.contains(table), "{kind}: {shown}");
        }
        assert!(ask(&engine, "DESCRIBE events").await.to_string().contains("src_ip"));
        assert!(ask(&engine, "EXPLAIN SELECT 1").await.to_string().contains("plan"));
    }
}

#[tokio::test]
async fn what_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_, engine) = engines(dir.path()).remove(0);
    for (sql, exit, words) in [
        ("selec 1", 65, &["selec", "did you mean SELECT?"][..]),
        ("select usr from events", 65, &["usr", "did you mean user?"]),
        ("select srcip from events", 65, &["srcip", "did you mean src_ip?"]),
        ("select * from evnts", 65, &["evnts", "did you mean events?"]),
        ("select counts(*) from events", 65, &["counts"]),
        ("select 1; select 2", 65, &["more than one statement"]),
        ("", 65, &["no statement"]),
        ("select has_word(raw, '') from events", 74, &["has_word", "nothing to look for"]),
        ("select has_word(raw, raw) from events", 74, &["has_word", "literal"]),
        ("select in_network(src_ip, 'x') from events", 74, &["x", "no network"]),
        ("drop table events", 77, &["DROP", "only reads"]),
        ("create view v as select 1", 77, &["CREATE"]),
        ("create external table t stored as csv location '/etc/passwd'", 77, &["EXTERNAL"]),
        ("copy events to '/tmp/x.parquet'", 77, &["COPY"]),
        ("insert into events select * from events", 77, &["only reads"]),
        ("delete from events", 77, &["DELETE"]),
        ("set datafusion.execution.batch_size = 1", 77, &["SET"]),
        ("explain analyze copy events to '/tmp/x'", 77, &["only reads"]),
        ("explain insert into events select * from events", 77, &["only reads"]),
        ("select * into x from events", 77, &["only reads"]),
        ("select * from '/etc/passwd'", 65, &["/etc/passwd"]),
    ] {
        let said = match engine.sql(sql).await {
            Ok(answer) => answer.all().await.map(|t| format!("{t:?}")),
            Err(e) => Err(e),
        };
        let e = said.expect_err(sql);
        let text = e.to_string();
        assert!(words.iter().all(|w| text.contains(w)) && e.exit() == exit, "{sql}: exit {}, {text}", e.exit());
        assert!(!text.contains('\n') && text.len() < 500, "{sql}: {text}");
    }
}

#[tokio::test]
async fn limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = Snapshot { columns: columns(), files: vec![file(dir.path(), &sample()[..6])], fresh: vec![] };
    let engine = |limits| Engine::new(&snapshot, &Arc::default(), limits).unwrap();
    let table = engine(Limits { rows: 4, ..Limits::COMMAND }).sql("select seq from events").await.unwrap().all().await.unwrap();
    assert_eq!((table.rows.len(), table.truncated), (4, true));
    let table = engine(Limits { rows: 6, ..Limits::COMMAND }).sql("select seq from events").await.unwrap().all().await.unwrap();
    assert_eq!((table.rows.len(), table.truncated), (6, false));
    let long = "with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r";
    let short = Limits { time: Some(Duration::from_millis(50)), ..Limits::COMMAND };
    let e = engine(short).sql(long).await.unwrap().all().await.unwrap_err();
    assert!(e.to_string().contains("time limit"), "{e}");
    let small = Limits { memory: 1 << 16, ..Limits::COMMAND };
    let sorted = "select a.value, concat(a.value, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') as t from range(100000) a order by t, a.value desc";
    let e = engine(small).sql(sorted).await.unwrap().all().await.unwrap_err();
    assert!(e.to_string().contains("memory"), "{e}");
}

#[tokio::test]
async fn search_and_sql_mean_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let rows = sample();
    for (kind, engine) in engines(dir.path()) {
        for text in [
            "",
            "denied",
            "root",
            "root*",
            "8f2c",
            "8f2*",
            "\"no time\"",
            "-denied",
            "-(denied OR rootcoord)",
            "user:root",
            "user:bob",
            "user:b*",
            "-user:root",
            "-user:*",
            "target_user:*",
            "level:>=warn",
            "level:error",
            "action:authentication.logon",
            "action:auth*",
            "status:failure",
            "status:*",
            "src_ip:10.0.0.0/8",
            "-src_ip:10.0.0.0/8",
            "conn_id:7398943596793037429",
            "conn_id:>5",
            "rows:5..20",
            "class_uid:3002",
            "class_uid:>9999999999",
            "issues:duplicate",
            "issues:zone*",
            "-issues:duplicate",
            "fields.method:dropcollection",
            "fields.method:drop*",
            "-fields.method:*",
            "cluster:prod",
            "cluster:test",
            "class:self",
            "class:self OR denied",
            "product:bartizan",
            "log:000000ab.prod.security seq:>3",
            "since:2026-11-21T21:20:00.002Z",
            "until:2026-11-21T21:20:00.002Z",
            "since:2026-11-21T21:20:00.004Z",
            "\"a % sign\"",
            "\"a \\\\\\\\ and\"",
            "'quotes'",
            "time:>2026-11-21T21:20:00.002Z",
        ] {
            let search = Search::parse(text, NOW).unwrap();
            let mut expected: Vec<&Stored> = rows.iter().filter(|(name, event)| search.matches(event, name)).collect();
            expected.sort_by_key(|(name, e)| std::cmp::Reverse((e.time.or(e.observed_time), name.log.to_string(), name.seq)));
            let expected: Vec<String> = expected.iter().map(|(name, _)| name.to_string()).collect();
            let found = engine.search(&search, 100, None).await.unwrap().all().await.unwrap();
            let found: Vec<String> = found.rows.iter().map(|r| format!("{}:{}", r["log"].as_str().unwrap(), r["seq"])).collect();
            assert_eq!(found, expected, "{kind}: {text}");
        }
        let everything = Search::parse("", NOW).unwrap();
        let (mut pages, mut before) = (Vec::new(), None::<Cursor>);
        loop {
            let page = engine.search(&everything, 2, before.as_ref()).await.unwrap().all().await.unwrap();
            let Some(last) = page.rows.last() else { break };
            before = Cursor::parse(&Cursor::behind(last).unwrap().to_string());
            pages.extend(page.rows.iter().map(|r| r["seq"].clone()));
        }
        assert_eq!(json!(pages), json!([5, 4, 3, 2, 1, 0]), "{kind}");
    }
}
