//! `bartizan import` from outside: damaged files.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::Value;

const LINES: usize = 20_000;

fn import(data: &Path, file: &Path) -> (i32, Value, String) {
    let out = Command::cargo_bin("bartizan").unwrap().args(["import", "--output", "jsonl", "--data"]).arg(data).arg(file).output().unwrap();
    let summary = serde_json::from_slice(&out.stdout).unwrap_or_default();
    (out.status.code().unwrap(), summary, String::from_utf8(out.stderr).unwrap())
}

fn count(data: &Path, what: &str) -> i64 {
    let sql = format!("select {what} as n from events");
    let out = Command::cargo_bin("bartizan").unwrap().args(["query", "--output", "csv", "--data"]).arg(data).arg(&sql).output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().last().unwrap().parse().unwrap()
}

#[test]
fn what_stands_before_the_damage_is_stored_and_a_whole_copy_adds_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (data, packed) = (folder.path().join("data"), folder.path().join("tidb.log.zst"));
    let line = |n: usize| format!("[2026/03/02 10:{:02}:{:02}.120 +00:00] [INFO] [a.go:1] [n{n}]\n", n / 60 % 60, n % 60);
    let text: String = (0..LINES).map(line).collect();
    let whole = zstd::bulk::compress(text.as_bytes(), 3).unwrap();
    fs::write(&packed, &whole[..whole.len() * 2 / 3]).unwrap();
    let (code, summary, said) = import(&data, &packed);
    let stored = count(&data, "max(byte_end)");
    assert_eq!((code, summary["bytes"].as_i64()), (65, Some(stored)), "{said}");
    assert!(said.contains("tidb.log.zst") && said.contains("whole copy") && stored > 0, "{said}");
    fs::write(&packed, &whole).unwrap();
    let (code, _, said) = import(&data, &packed);
    assert_eq!(
        (code, count(&data, "sum(byte_end - byte_start)"), count(&data, "max(byte_end)")),
        (0, text.len() as i64, text.len() as i64),
        "{said}"
    );
}
