//! `bartizan parse` from outside: what it prints, and how it ends.

use std::{fs, io::Write as _, path::Path};

use assert_cmd::Command;
use serde_json::Value;

const LINE: &str = "[2026/03/02 10:00:00.120 +00:00] [INFO] [printer.go:34] [\"Welcome to TiDB.\"] [\"Release Version\"=v8.5.0]\n";

fn bartizan(arguments: &[&str], input: &str) -> (i32, Vec<Value>, String) {
    let out = Command::cargo_bin("bartizan").unwrap().args(arguments).write_stdin(input).output().unwrap();
    let events = String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (out.status.code().unwrap(), events, String::from_utf8(out.stderr).unwrap())
}

fn packed(path: &Path, text: &str) {
    // gzip with one stored block: no compressor needed to write it.
    let length = u16::try_from(text.len()).unwrap();
    let mut gz = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    gz.extend(length.to_le_bytes());
    gz.extend((!length).to_le_bytes());
    gz.extend(text.as_bytes());
    gz.extend(crc32(text.as_bytes()).to_le_bytes());
    gz.extend(u32::from(length).to_le_bytes());
    fs::File::create(path).unwrap().write_all(&gz).unwrap();
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 }))
}

#[test]
fn standard_input_and_files_plain_or_packed() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, gz) = (folder.path().join("tidb.log"), folder.path().join("old.bin"));
    fs::write(&plain, LINE).unwrap();
    packed(&gz, LINE);
    for arguments in [vec!["parse", "-"], vec!["parse"], vec!["parse", plain.to_str().unwrap()], vec!["parse", gz.to_str().unwrap()]] {
        let (code, events, err) = bartizan(&arguments, LINE);
        assert_eq!((code, events.len(), err.as_str()), (0, 1, ""), "{arguments:?}");
        let e = &events[0];
        assert_eq!((&e["product"], &e["version"], &e["raw"]), (&"tidb".into(), &"v8.5.0".into(), &LINE.trim_end().into()), "{arguments:?}");
        assert_eq!(e["byte_end"], LINE.len());
        assert_eq!(e.get("instance").is_some(), arguments.last() != Some(&"-") && arguments.len() > 1, "a folder is an instance");
    }
}

#[test]
fn options_about_the_source() {
    let config = tempfile::tempdir().unwrap();
    let yaml = config.path().join("milvus.yaml");
    fs::write(&yaml, "proxy:\n  accessLog:\n    formatters: {}\n").unwrap();
    let line = "[2026/03/02 10:00:00.120] [INFO] [server.go:34] [x]\n";
    let (code, events, _) = bartizan(&["parse", "--component", "pd", "--instance", "a:1", "--time-zone", "+08:00", "-"], line);
    assert_eq!(
        (code, &events[0]["product"], &events[0]["instance"], &events[0]["time"]),
        (0, &"pd".into(), &"a:1".into(), &"2026-03-02T02:00:00.120Z".into())
    );
    let (_, events, _) = bartizan(&["parse", "--db-config", yaml.to_str().unwrap(), "-"], line);
    assert_eq!(events[0]["product"], "milvus");
    let (_, events, _) = bartizan(&["parse", "--format", "json", "-"], line);
    assert_eq!(events[0]["issues"][0], "unparsed");
    let (code, events, err) = bartizan(&["parse", "--stats", "-"], LINE);
    assert!(code == 0 && events.len() == 1 && err.contains("stream tidb/server"), "{err}");
}

#[test]
fn errors_name_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, folder) = (folder.path().join("no.log"), folder.path().to_str().unwrap().to_owned());
    for (arguments, code, word) in [
        (vec!["parse", missing.to_str().unwrap()], 74, "no.log"),
        (vec!["parse", &folder], 74, &folder),
        (vec!["parse", "--colour-of-magic", "-"], 2, "colour-of-magic"),
        (vec!["pasre"], 2, "parse"),
        (vec!["parse", "--component", "tibd", "-"], 2, "tidb"),
        (vec!["parse", "--time-zone", "Mars/Olympus", "-"], 2, "Asia/Tokyo"),
        (vec!["parse", "--cluster", "Big One", "-"], 2, "cluster"),
        (vec!["parse", "--format", "xml", "-"], 2, "unified"),
        (vec!["parse", "--db-config", missing.to_str().unwrap(), "-"], 74, "no.log"),
    ] {
        let (got, events, err) = bartizan(&arguments, LINE);
        assert_eq!((got, events.len()), (code, 0), "{arguments:?}: {err}");
        assert!(err.contains(word) && !err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn secrets_never_leave() {
    let line = "[2026/03/02 10:00:00.120 +00:00] [WARN] [conn.go:1] [\"command dispatched failed\"] [sql=\"create user u identified by 'Blue-Horse-77'\"]\n";
    let (code, events, err) = bartizan(&["parse", "-"], line);
    let shown = serde_json::to_string(&events).unwrap() + &err;
    assert!(code == 0 && !shown.contains("Blue-Horse-77") && shown.contains("masked:password"), "{shown}");
}
