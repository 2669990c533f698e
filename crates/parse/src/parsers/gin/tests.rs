//! Rows in, columns out.

use event::SourceDefinition;
use proptest::prelude::*;
use serde_json::json;

use super::super::trial::{refused, table, tried};
use super::FORMAT;

#[test]
fn rows() {
    let row = |status: &str, latency: &str, ip: &str, method: &str, path: &str| {
        json!({"time": "2026-03-02T10:00:07.000Z", "stream": "rest",
            "fields": {"status": status, "latency": latency, "client_ip": ip, "method": method, "path": path}})
    };
    let milvus = |mut row: serde_json::Value| {
        row["product"] = json!("milvus");
        row
    };
    table(
        &FORMAT,
        &[
            (
                "[GIN] 2026/03/02 - 10:00:07 | 200 |     841.761µs |       10.0.0.5 | GET      \"/v1/vector/collections\"",
                milvus(row("200", "841.761µs", "10.0.0.5", "GET", "/v1/vector/collections")),
            ),
            ("[GIN] 2026/03/02 - 10:00:07 | 401 |      1m3s |       fe80::1 | PRI      \"*\"", row("401", "1m3s", "fe80::1", "PRI", "*")),
            // A path with delimiters, quotes and escapes of its own.
            (
                r#"[GIN] 2026/03/02 - 10:00:07 | 404 |      1ms |       10.0.0.5 | POST     "/a|b \"c\" | GET\n""#,
                row("404", "1ms", "10.0.0.5", "POST", "/a|b \"c\" | GET\n"),
            ),
            // Colors of a terminal; an old gin that does not quote.
            (
                "[GIN] 2026/03/02 - 10:00:07 |\u{1b}[97;42m 200 \u{1b}[0m|      1ms |       10.0.0.5 |\u{1b}[97;44m GET     \u{1b}[0m \"/x\"",
                row("200", "1ms", "10.0.0.5", "GET", "/x"),
            ),
            ("[GIN] 2026/03/02 - 10:00:07 | 200 |      1ms |       10.0.0.5 |   GET     /x", row("200", "1ms", "10.0.0.5", "GET", "/x")),
            (
                "[GIN] 2026/03/02 - 10:00:07 | 500 |      1ms |       10.0.0.5 | GET      \"/x\"\nError #01: broken pipe\n",
                json!({"time": "2026-03-02T10:00:07.000Z", "stream": "rest", "error": "Error #01: broken pipe",
                    "fields": {"status": "500", "latency": "1ms", "client_ip": "10.0.0.5", "method": "GET", "path": "/x"}}),
            ),
        ],
    );
}

#[test]
fn milvus_gives_rows_a_form_of_its_own() {
    let row = |path: &str| {
        json!({"time": "2026-03-02T10:00:07.123Z", "stream": "rest", "product": "milvus", "component": "proxy", "trace_id": "c0ffee00c0ffee00c0ffee00c0ffee00",
            "fields": {"status": "200", "latency": "1.5ms", "client_ip": "10.0.0.5", "method": "POST", "path": path}})
    };
    let line = |time: &str, path: &str| {
        format!(
            "[{time}] [GIN] [{path}] [traceID=c0ffee00c0ffee00c0ffee00c0ffee00] [code=200] [latency=1.5ms] [client=10.0.0.5] [method=POST] [error=]"
        )
    };
    for (time, path) in
        [("2026/03/02 18:00:07.123 +08:00", "/v2/vectordb/entities/search"), ("2026/03/02 10:00:07.123 Z", "/v2/vectordb/entities/[query]")]
    {
        assert_eq!(tried(&FORMAT, &SourceDefinition::default(), &line(time, path)), Some(row(path)), "{time} {path}");
    }
    table(
        &FORMAT,
        &[
            (
                "[2026/03/02 10:00:07.123 Z] [GIN] [/x] [traceID=] [code=401] [latency=1.5ms] [client=10.0.0.5] [method=GET] [error=Error #01: no [token]\n]",
                json!({"time": "2026-03-02T10:00:07.123Z", "stream": "rest", "product": "milvus", "component": "proxy", "error": "Error #01: no [token]",
                    "fields": {"status": "401", "latency": "1.5ms", "client_ip": "10.0.0.5", "method": "GET", "path": "/x"}}),
            ),
            (
                "[GIN-debug] [WARNING] Running in \"debug\" mode.",
                json!({"stream": "server", "level": "WARN", "message": "Running in \"debug\" mode."}),
            ),
            (
                "[GIN-debug] GET    /healthz --> main.f (3 handlers)",
                json!({"stream": "server", "level": "DEBUG", "message": "GET    /healthz --> main.f (3 handlers)"}),
            ),
        ],
    );
}

#[test]
fn what_is_no_row() {
    refused(
        &FORMAT,
        &[
            "[GIN]",
            "[GIN] ",
            "[GIN] 2026/03/02 - 10:00:07",
            "[GIN] 2026/03/02 - 10:00:07 | 200 | 1ms | 10.0.0.5",
            "[GIN] 2026/03/02 - 10:00:07 | abc | 1ms | 10.0.0.5 | GET \"/\"",
            "[GIN] 2026/13/02 - 10:00:07 | 200 | 1ms | 10.0.0.5 | GET \"/\"",
            "[2026/03/02 10:00:07.123 +00:00] [GIN] [/x] [traceID=] [code=x] [latency=1ms] [client=1] [method=GET] [error=]",
            "[2026/03/02 10:00:07.123 +00:00] [GIN] [/x]",
            "[2026/03/02 10:00:07.123 +00:00] [INFO] [a.go:1] [x]",
        ],
    );
}

proptest! {
    #[test]
    fn never_panics(text in "\\[(GIN|2026/03/02 10:00:07 Z\\] \\[GIN)\\] (2026/03/02 - 10:00:07 \\|)?[ -~é\\x1b]{0,60}") {
        let _ = tried(&FORMAT, &SourceDefinition::default(), &text);
    }
}

#[test]
fn a_path_cannot_write_the_row() {
    let line = "[2026/03/02 10:00:07.123 Z] [GIN] [/x] [traceID=] [code=200] [latency=1ms] [client=10.0.0.1] [method=GET] [error=] [traceID=a] [code=404] [latency=2ms] [client=10.0.0.66] [method=GET] [error=]";
    assert_eq!(tried(&FORMAT, &SourceDefinition::default(), line).map(|v| v["issues"].clone()), Some(json!(["forged"])));
}
