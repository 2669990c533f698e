//! From the store to a question: its files and the rows that are not sealed yet, as one snapshot.

use arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use store::lake::{Lake, LakeFile};

use crate::{DataFile, Snapshot};

impl Snapshot {
    /// One moment of a store. The rows behind the files have the partition columns behind the others, as the lake gives them.
    pub fn of<'f>(files: impl IntoIterator<Item = &'f LakeFile>, fresh: Vec<RecordBatch>) -> Self {
        let mut files: Vec<DataFile> = files.into_iter().map(data_file).collect();
        // Newest first: a question for the last rows finds its bound in the first files and skips the others.
        files.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| b.path.cmp(&a.path)));
        Self { columns: Lake::columns(), files, fresh }
    }
}

fn data_file(file: &LakeFile) -> DataFile {
    let micros = |at: i64| ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into()));
    let mut bounds = Vec::new();
    for (name, of) in [("time", file.time), ("observed_time", file.observed_time)] {
        if let Some((low, high)) = of {
            bounds.push((name, micros(low), micros(high)));
        }
    }
    if let Some(range) = &file.range {
        let long = |n: u64| ScalarValue::Int64(i64::try_from(n).ok());
        bounds.push(("seq", long(range.first_seq), long(range.last_seq)));
        let log = range.log.to_string();
        bounds.push(("log", ScalarValue::Utf8View(Some(log.clone())), ScalarValue::Utf8View(Some(log))));
    }
    DataFile {
        path: file.path.clone(),
        size: file.size,
        rows: file.rows,
        cluster: file.cluster.clone(),
        class: file.class.to_string(),
        day: file.day,
        bounds,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use event::{Event, LogName, NodeId, RecordMeta, RecordName, clock::DAY};
    use serde_json::json;
    use store::lake::{Fresh, Place};

    use super::*;
    use crate::{Engine, Limits, Search};

    const NOW: i64 = 1_795_296_000_000_000; // 2026-11-21T21:20:00Z

    fn rows(log: &str, seqs: std::ops::Range<u64>) -> Fresh {
        let mut fresh = Fresh::default();
        for seq in seqs {
            let name = RecordName { log: LogName::parse(log).unwrap(), seq };
            let at = NOW + i64::try_from(seq).unwrap() * DAY / 10;
            let user = (seq % 2 == 0).then_some("root".into());
            let event = Event {
                time: Some(at),
                observed_time: Some(at + 1),
                user,
                raw: format!("line {seq} of word{}", seq % 5).into(),
                ..Event::default()
            };
            fresh.push(&Place { name: &name, meta: &RecordMeta::default(), salt: &[0; 16] }, &event);
        }
        fresh
    }

    #[tokio::test]
    async fn files_and_rows_answer_together() {
        let dir = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(dir.path(), NodeId(1), 1).unwrap();
        lake.seal(&mut rows("00000001.prod.server", 0..30), 1, b"").unwrap();
        lake.seal(&mut rows("00000001.bartizan.self", 0..3), 2, b"").unwrap();
        let mut behind = rows("00000001.prod.server", 30..40);
        let snapshot = Snapshot::of(&lake.files(), behind.batches());
        let engine = Engine::new(&snapshot, &Arc::default(), Limits::COMMAND).unwrap();
        for (sql, expected) in [
            ("select count(*) as n, count(user) as u, max(seq) as last from events", json!([{"n": 40, "u": 20, "last": 39}])),
            ("select count(*) as n from self", json!([{"n": 3}])),
            ("select count(*) as n from events where seq between 25 and 34", json!([{"n": 10}])),
            ("select count(*) as n from events where log = '00000001.prod.server' and seq < 5", json!([{"n": 5}])),
            ("select count(*) as n from events where log = 'nobody'", json!([{"n": 0}])),
            ("select seq from events where time = '2026-11-22T21:20:00Z'", json!([{"seq": 10}])),
            ("select count(distinct day) as n from events where cluster = 'prod'", json!([{"n": 5}])),
        ] {
            assert_eq!(json!(engine.sql(sql).await.unwrap().all().await.unwrap().rows), expected, "{sql}");
        }
        let search = Search::parse("word3 user:root", NOW).unwrap();
        let found = engine.search(&search, 100, None).await.unwrap().all().await.unwrap();
        assert_eq!(found.rows.iter().map(|r| r["seq"].clone()).collect::<Vec<_>>(), [38, 28, 18, 8]);
    }
}
