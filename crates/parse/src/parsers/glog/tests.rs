//! Lines in, columns out.

use event::SourceDefinition;
use proptest::prelude::*;
use serde_json::json;

use super::super::trial::{refused, table, tried};
use super::FORMAT;

#[test]
fn lines() {
    table(
        &FORMAT,
        &[
            (
                "I20260302 10:00:07.414250 12258 knowhere_config.cc:63] [KNOWHERE][SetSimdType][milvus] FAISS hook AVX512",
                json!({"time": "2026-03-02T10:00:07.414250Z", "stream": "server", "level": "INFO", "caller": "knowhere_config.cc:63", "product": "milvus",
                    "component": "knowhere", "message": "[KNOWHERE][SetSimdType][milvus] FAISS hook AVX512", "fields": {"thread": "12258"}}),
            ),
            (
                "F20260302 10:00:07.414250    27 a/b.h:1] Check failed: x == y\n*** Check failure stack trace: ***\n    @ 0x1",
                json!({"time": "2026-03-02T10:00:07.414250Z", "stream": "server", "level": "FATAL", "caller": "a/b.h:1", "message": "Check failed: x == y",
                    "fields": {"thread": "27"}}),
            ),
            (
                "E20260302 10:00:07.414250 1 c.cpp:9] ",
                json!({"time": "2026-03-02T10:00:07.414250Z", "stream": "server", "level": "ERROR",
                "caller": "c.cpp:9", "fields": {"thread": "1"}}),
            ),
            (
                "I20260302 10:00:07.414250  7267 Segment",
                json!({"time": "2026-03-02T10:00:07.414250Z", "stream": "server", "level": "INFO", "fields": {"thread": "7267"}, "issues": ["truncated"]}),
            ),
            // Without a year and without a file name that tells it: no time.
            (
                "W0302 10:00:07.414250 5 c.cpp:9] low",
                json!({"stream": "server", "level": "WARN", "caller": "c.cpp:9", "message": "low", "fields": {"thread": "5"}, "issues": ["bad_time"]}),
            ),
            // easylogging, both forms.
            (
                "2026-03-02 10:00:07,945 INFO [default] [SEGCORE][Load][milvus] set to 0",
                json!({"time": "2026-03-02T10:00:07.945Z", "stream": "server", "level": "INFO", "product": "milvus", "component": "segcore",
                    "message": "[SEGCORE][Load][milvus] set to 0"}),
            ),
            (
                "2026-03-02 10:00:07,945 | DEBUG | default | [SERVER][operator()][milvus] Config easylogging",
                json!({"time": "2026-03-02T10:00:07.945Z", "stream": "server", "level": "DEBUG", "product": "milvus", "component": "server",
                    "message": "[SERVER][operator()][milvus] Config easylogging"}),
            ),
            // Go's log.
            (
                "2026/03/02 10:00:07 maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined",
                json!({"time": "2026-03-02T10:00:07.000Z", "stream": "server", "message": "maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined"}),
            ),
            // Before glog was told where to write.
            (
                "WARNING: Logging before InitGoogleLogging() is written to STDERR",
                json!({"stream": "server", "level": "WARN", "message": "Logging before InitGoogleLogging() is written to STDERR"}),
            ),
        ],
    );
}

#[test]
fn the_file_name_tells_the_year() {
    let named = |path: &str| SourceDefinition { path: Some(path.to_owned()), ..SourceDefinition::default() };
    for (path, time) in [
        ("/var/lib/milvus/logs/milvus.vm.root.log.INFO.20251121-211420.12207", Some("2025-03-02T10:00:07.414Z")),
        ("milvus.vm.root.log.INFO.20251121-211420.12207", Some("2025-03-02T10:00:07.414Z")),
        ("/20251121-211420/stderr.log", None),
    ] {
        let got = tried(&FORMAT, &named(path), "I0302 10:00:07.414000 5 c.cpp:9] x").unwrap();
        assert_eq!(got.get("time").and_then(|t| t.as_str()), time, "{path}");
    }
    // A leap day in a year that has none is no time, and the line stays.
    let leap = tried(&FORMAT, &named("x.20251121-211420.1"), "I0229 10:00:07.414000 5 c.cpp:9] x").unwrap();
    assert_eq!((leap.get("time"), &leap["issues"]), (None, &json!(["bad_time"])));
}

#[test]
fn what_is_no_line() {
    refused(
        &FORMAT,
        &[
            "I",
            "I2",
            "I20260302 10:00:07.414250",
            "I20260302 10:00:07.414250 x c.cpp:9] a",
            "I20260302 10:00:07.414250 5 c.cpp] a",
            "I20261302 10:00:07.414250 5 c.cpp:9] a",
            "I1302 10:00:07.4 5 c.cpp:9] a",
            "2026-03-02 10:00:07,945",
            "2026-03-02 10:00:07,945 HELLO [default] x",
            "2026-03-02 10:00:07,945 INFO without a logger",
            "2026-03-02 10:00:07.945\tx",
            "2026-03-02T10:00:07Z x",
            "2026/03/02 10:00:07.945 +00:00 x",
            "WARNING: something else",
            "Running",
            "2026",
        ],
    );
}

proptest! {
    #[test]
    fn never_panics(text in "([IWEF](2026)?0302 10:00:07|2026[-/]03[-/]02 10:00:07,9|WARNING: Logging before )[ -~é]{0,40}") {
        let _ = tried(&FORMAT, &SourceDefinition { path: Some(text.clone()), ..SourceDefinition::default() }, &text);
    }
}
