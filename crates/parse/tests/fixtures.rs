//! The fixtures at the root of the project: every `in.log` goes through framing, redaction and derivation, and must give its `expected.jsonl`.
//!
//! `BLESS=1 cargo test -p parse --test fixtures` writes the expectations anew; what changed is then read by a person against docs/specs/events.md.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use event::{Derive as _, LogClass, RecordMeta, Redactor, SourceDefinition, json::push_event};
use parse::{Deriver, End, Framer, framing::body, vote};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"))
}

/// Folders that hold an `in.log`, in order of their names.
fn cases() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for component in fs::read_dir(root()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        found.extend(fs::read_dir(component).unwrap().map(|e| e.unwrap().path()).filter(|p| p.join("in.log").is_file()));
    }
    found.sort();
    found
}

/// `source.json` beside the log says what an operator would say of it; without it nothing is known.
fn definition(case: &Path, first: &[u8]) -> SourceDefinition {
    let told = fs::read_to_string(case.join("source.json")).unwrap_or_else(|_| r#"{"cluster":"default"}"#.to_owned());
    let mut definition: SourceDefinition = serde_json::from_str(&told).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
    definition.voted = vote(first, definition.component.as_deref(), definition.path.as_deref()).map(str::to_owned);
    definition
}

fn derived(case: &Path) -> String {
    let data = fs::read(case.join("in.log")).unwrap();
    let definition = definition(case, &data);
    let (mut framer, mut deriver, redactor) = (Framer::new(), Deriver::default(), Redactor::default());
    let (mut at, mut out) = (0, String::new());
    while let Some(span) = framer.next(&data[at..], End::Closed) {
        let stored = redactor.redact(body(&data[at..at + span.len]));
        let (byte_start, byte_end) = (at as u64, (at + span.len) as u64);
        let meta = RecordMeta { byte_start, byte_end, flags: span.flags, ..RecordMeta::default() };
        push_event(&mut out, &deriver.derive(&definition, &meta, LogClass::Server, &format_args!("in.log:{at}"), stored.as_bytes()));
        out.push('\n');
        at += span.len;
    }
    assert_eq!(at, data.len(), "{}: the records cover the file", case.display());
    out
}

#[test]
fn every_fixture_gives_what_it_should() {
    let bless = std::env::var_os("BLESS").is_some();
    let cases = cases();
    assert!(!cases.is_empty(), "no fixtures in {}", root().display());
    let mut wrong = Vec::new();
    for case in &cases {
        let (got, file) = (derived(case), case.join("expected.jsonl"));
        if bless {
            fs::write(&file, &got).unwrap();
            continue;
        }
        let want = fs::read_to_string(&file).unwrap_or_default();
        if want != got {
            let line = want.lines().zip(got.lines()).position(|(a, b)| a != b).unwrap_or(want.lines().count().min(got.lines().count()));
            let (want, got) = (want.lines().nth(line).unwrap_or("nothing"), got.lines().nth(line).unwrap_or("nothing"));
            wrong.push(format!("{} line {}:\n  want {want}\n  got  {got}", case.display(), line + 1));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
