//! The gate over recorded runs of real servers: what is masked there must be a secret, and nothing else. Prints what it masked.
//! SKIPPED where the recordings are not at hand (`BARTIZAN_SHARED`, else `../shared` beside the project).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use event::{Issue, Redactor, redact::marks_in};
use regex::bytes::Regex;

/// Every file of a recording that a gate would see.
const FILES: &[&str] = &[
    "milvus/server-2.3.5-text/access.log",
    "milvus/server-2.3.5-text/etcd.log",
    "milvus/server-2.3.5-text/milvus-stderr.log",
    "milvus/server-2.3.5-text/milvus-stdout.log.gz",
    "milvus/server-2.3.5-text-default-cache/access.log",
    "milvus/server-2.3.5-text-default-cache/milvus-stdout.log",
    "tidb/server-9.0-text/pd.log",
    "tidb/server-9.0-text/tidb.log",
    "tidb/server-9.0-text/tidb-general.log",
    "tidb/server-9.0-text/tidb-slow.log",
    "tidb/tiproxy-text/tidb.log",
    "tidb/tiproxy-text/tiproxy.log",
    "tidb/tiproxy-text/tiproxy-console.log",
    "tidb/tiproxy-text/tiproxy-json.log",
];

/// What may be masked in the recordings, by kind: the secrets that their scenarios typed.
const SECRETS: &[(&str, &str)] =
    &[("password", r"^Clear-Text-\d$"), ("email", r"^user\d+@example\.com$"), ("token", r"^(tok\d+|it''s)$"), ("api_key", r"^abcdef\d+$")];

fn shared() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("BARTIZAN_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from).join("corpus");
    root.is_dir().then_some(root)
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_none_or(|e| e != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

/// The texts that were replaced by marks, with their kinds.
fn masked(before: &[u8], after: &[u8], mark: &Regex) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut at, mut from) = (0, 0);
    for m in mark.captures_iter(after) {
        let (whole, kind) = (m.get(0).unwrap(), m.get(1).unwrap());
        let start = at + whole.start() - from;
        let rest = &after[whole.end()..];
        let next = mark.find(rest).map_or(rest, |n| &rest[..n.start()]);
        let end = if next.len() == rest.len() {
            before.len() - next.len()
        } else {
            start + memchr::memmem::find(&before[start..], next).unwrap()
        };
        found.push((String::from_utf8_lossy(kind.as_bytes()).into_owned(), String::from_utf8_lossy(&before[start..end]).into_owned()));
        (at, from) = (end, whole.end());
    }
    found
}

#[test]
fn only_secrets_are_masked_in_the_recorded_runs() {
    let Some(root) = shared() else {
        println!("SKIPPED only_secrets_are_masked_in_the_recorded_runs: no recordings");
        return;
    };
    let mark = Regex::new("__masked_([a-z_]+?)__").unwrap();
    let redactor = Redactor::default();
    let mut wrong = Vec::new();
    for name in FILES {
        let data = read(&root.join(name));
        let (mut lines, mut changed, mut seen) = (0, 0, BTreeMap::<(String, String), usize>::new());
        // Slow blocks are records of many lines: the same bytes must come out when they are looked at together.
        for line in data.split(|b| *b == b'\n') {
            let gated = redactor.redact(line);
            lines += 1;
            if gated.as_bytes() == line {
                continue;
            }
            changed += 1;
            assert!(marks_in(gated.as_bytes()).iter().all(|i| matches!(i, Issue::Masked(_))), "{name}: the recordings hold no marks");
            for found in masked(line, gated.as_bytes(), &mark) {
                *seen.entry(found).or_default() += 1;
            }
        }
        println!("{name}: {changed} of {lines} lines changed");
        for ((kind, text), n) in &seen {
            println!("    {n:>5} x {kind}: {text}");
            let rule = SECRETS.iter().find(|(k, _)| k == kind).map(|(_, r)| Regex::new(r).unwrap());
            if !rule.is_some_and(|r| r.is_match(text.as_bytes())) {
                wrong.push(format!("{name}: {kind}: {text}"));
            }
        }
        let whole = redactor.redact(&data);
        let single: Vec<u8> = data.split(|b| *b == b'\n').map(|l| redactor.redact(l).as_bytes().to_vec()).collect::<Vec<_>>().join(&b'\n');
        if whole.as_bytes() != single {
            println!("    looked at as one text, other bytes are masked");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
