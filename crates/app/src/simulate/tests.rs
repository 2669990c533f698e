//! The story is the same for a seed, and its truth covers what was written.

use super::*;

fn told(seed: u64) -> (tempfile::TempDir, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let acts = ACTS.iter().map(|a| a.name.to_owned()).collect();
    let story = Story { out: folder.path().to_owned(), acts, rate: 200, seed, quiet_s: 2, start: 1_772_445_600_000_000 };
    tell(&story, &mut AtOnce).unwrap();
    let records = serde_json::from_str(&std::fs::read_to_string(folder.path().join("records.json")).unwrap()).unwrap();
    (folder, records)
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let ((a, _), (b, _), (c, _)) = (told(7), told(7), told(8));
    let read = |f: &tempfile::TempDir| std::fs::read(f.path().join("tidb-0/tidb-0.log")).unwrap();
    assert_eq!(read(&a), read(&b));
    assert_ne!(read(&a), read(&c));
}

#[test]
fn every_record_is_one_record_to_the_parser() {
    let (folder, records) = told(7);
    for (name, truth) in records["files"].as_object().unwrap() {
        let instance = name.trim_end_matches(".log").trim_end_matches("-slow").trim_end_matches("-access");
        let bytes = std::fs::read(folder.path().join(instance).join(name)).unwrap();
        assert_eq!(bytes.len() as u64, truth["bytes"].as_u64().unwrap());
        let (mut framer, mut at, mut n) = (parse::Framer::new(), 0, 0);
        while let Some(span) = framer.next(&bytes[at..], parse::End::Closed) {
            at += span.len;
            n += 1;
        }
        assert_eq!((at, n), (bytes.len(), truth["records"].as_u64().unwrap()), "{name}");
    }
}

#[test]
fn steps_name_the_bytes_they_wrote() {
    let (folder, records) = told(7);
    let steps = std::fs::read_to_string(folder.path().join("steps.jsonl")).unwrap();
    let mut ends = std::collections::BTreeMap::new();
    for step in steps.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()) {
        for (file, range) in step["offsets"].as_object().unwrap() {
            let end = ends.entry(file.clone()).or_insert(0);
            assert_eq!(range[0].as_u64().unwrap(), *end, "{file} at {}", step["step"]);
            *end = range[1].as_u64().unwrap();
        }
    }
    for (file, end) in ends {
        assert_eq!(records["files"][&file]["bytes"].as_u64().unwrap(), end, "{file}");
    }
}
