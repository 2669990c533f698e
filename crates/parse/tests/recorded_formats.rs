//! The line formats over recorded runs and lines of public places: nearly every record must be recognized for what it is. Skipped, and says so, where the
//! folder of shared data is missing.

use std::{fs, path::PathBuf};

use event::{Event, Issue, SourceDefinition};
use parse::{End, Framer, Parser};

fn corpus(part: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("BARTIZAN_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let found = shared.into_iter().chain([beside]).map(|p| p.join("corpus").join(part)).find(|p| p.is_dir());
    if found.is_none() {
        println!("SKIPPED the recorded formats: no ../shared/corpus/{part}");
    }
    found
}

fn events(component: Option<&str>, bytes: &[u8]) -> Vec<Event<'static>> {
    let mut parser = Parser::new(&SourceDefinition { component: component.map(str::to_owned), ..SourceDefinition::default() });
    let (mut framer, mut at, mut out) = (Framer::new(), 0, Vec::new());
    while let Some(span) = framer.next(&bytes[at..], End::Closed) {
        out.push(parser.parse(&bytes[at..at + span.len], span.flags).into_owned());
        at += span.len;
    }
    assert_eq!(at, bytes.len(), "the records cover the file");
    out
}

/// Whether at least 99 of 100 records are good, or all but one: a kill may have cut the last.
fn nearly_all(events: &[Event<'_>], good: impl Fn(&Event<'_>) -> bool) -> bool {
    let bad: Vec<_> = events.iter().filter(|e| !good(e)).collect();
    for e in bad.iter().take(5) {
        println!("not recognized: {:?} {}", e.issues, e.raw.chars().take(300).collect::<String>());
    }
    !events.is_empty() && bad.len() <= (events.len() / 100).max(1)
}

#[test]
fn access_rows() {
    let Some(folder) = corpus("milvus") else { return };
    for (run, forged) in [("server-2.3.5-text", 0), ("server-2.3.5-text-default-cache", 1)] {
        let events = events(None, &fs::read(folder.join(run).join("access.log")).unwrap());
        let is_row = |e: &Event<'_>| e.stream.as_deref() == Some("access") && e.time.is_some() && !e.is_marked(&Issue::Unparsed);
        assert!(nearly_all(&events, is_row), "{run}");
        assert_eq!(events.iter().filter(|e| e.is_marked(&Issue::Forged)).count(), forged, "{run}: rows that a client wrote");
        assert!(events.iter().all(|e| !e.is_marked(&Issue::Truncated)), "{run}: no whole row is taken for a cut one");
    }
}

#[test]
fn slow_blocks() {
    let Some(folder) = corpus("tidb") else { return };
    let bytes = fs::read(folder.join("server-9.0-text/tidb-slow.log")).unwrap();
    let blocks = bytes.split(|b| *b == b'\n').filter(|l| l.starts_with(b"# Time: ")).count();
    let events = events(None, &bytes);
    assert_eq!(events.len(), blocks, "one record a block");
    let whole =
        |e: &Event<'_>| e.stream.as_deref() == Some("slow") && e.statement.is_some() && e.duration_us.is_some() && e.digest.is_some();
    assert!(nearly_all(&events, whole));
    let odd: Vec<_> = events.iter().filter(|e| !e.issues.is_empty() && e.issues != [Issue::Truncated]).map(|e| &e.issues).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn glog_files() {
    let Some(folder) = corpus("milvus") else { return };
    let files: Vec<_> = fs::read_dir(folder.join("server-2.3.5-text/glog")).unwrap().map(|f| f.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let events = events(Some("milvus"), &fs::read(&file).unwrap());
        let line = |e: &Event<'_>| {
            let head = e.level.is_none() && !e.raw.starts_with(['I', 'W', 'E', 'F']);
            e.product.as_deref() == Some("milvus")
                && (head || e.level.is_some() && e.caller.is_some() && e.time.is_some() && e.message.is_some())
        };
        assert!(nearly_all(&events, line), "{}", file.display());
    }
}

#[test]
fn lines_of_public_places() {
    for (database, product) in [("tidb", "tidb"), ("milvus", "milvus")] {
        let Some(folder) = corpus(database) else { return };
        let text = fs::read_to_string(folder.join("real-lines.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let text_of = |key: &str, v: &serde_json::Value| v[key].as_str().unwrap_or("").to_owned();
        let (mut tried, mut good) = (0, 0);
        for line in &lines {
            let raw = text_of("line", line);
            let stream = match (text_of("kind", line).as_str(), text_of("component", line).as_str()) {
                ("slow", _) if raw.starts_with("# ") => "slow",
                (_, "tidb-audit") => "audit",
                _ if database == "milvus" && raw.starts_with(['I', 'W', 'E']) && raw.contains("] [") => "server",
                _ => continue,
            };
            tried += 1;
            let found = events(None, raw.as_bytes());
            let placed = |e: &Event<'_>| e.stream.as_deref() == Some(stream) && e.product.as_deref() == Some(product) && e.time.is_some();
            let is_good = found.len() == 1 && found.iter().all(placed);
            good += usize::from(is_good);
            if !is_good {
                println!("{stream}: {} records of {}", found.len(), raw.chars().take(300).collect::<String>());
            }
        }
        println!("{database}: {good} of {tried}");
        assert!(tried > 1 && good * 100 >= tried * 99, "{database}: {good} of {tried}");
    }
}
