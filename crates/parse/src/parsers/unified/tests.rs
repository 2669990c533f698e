//! Lines in, columns out.

use event::{Event, SourceDefinition, json::push_event};
use serde_json::{Value as Json, json};

use super::super::{Context, access::Formatters};
use crate::time::Zone;

fn parsed(line: &str) -> Option<Json> {
    let (definition, access, zone) = (SourceDefinition::default(), Formatters::default(), Zone::Assumed);
    let context = Context { definition: &definition, access: &access, zone: &zone, product: None };
    let mut event = Event::default();
    if !((super::FORMAT.recognize)(line.as_bytes()) && super::parse(line, &mut event, &context)) {
        assert_eq!(event, Event::default(), "a refused line leaves the event as it was: {line}");
        return None;
    }
    let mut out = String::new();
    push_event(&mut out, &event);
    let mut v: Json = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    if let Some(object) = v.as_object_mut() {
        for key in ["byte_start", "byte_end", "raw", "stream"] {
            object.remove(key);
        }
    }
    Some(v)
}

const T: &str = "2026-03-02T10:00:00.120Z";

#[test]
fn dialects() {
    for (line, want) in [
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [WARN] [conn.go:12] ["open new session"] [conn=7] [error="[privilege:1045]denied for 'u'@'h' (password: \"YES\")"] ["remote addr"=10.0.0.9:51]"#,
            json!({"time": T, "level": "WARN", "caller": "conn.go:12", "message": "open new session",
                "fields": {"conn": "7", "error": "[privilege:1045]denied for 'u'@'h' (password: \"YES\")", "remote addr": "10.0.0.9:51"}}),
        ),
        // No message, an empty bracket, a repeated key, an empty value.
        (
            r"[2026/03/02 18:00:00.120 +08:00] [INFO] [ddl.go:1] [category=ddl] [job=3] [category=ddl] [x=]",
            json!({"time": T, "level": "INFO", "caller": "ddl.go:1", "fields": {"category": ["ddl", "ddl"], "job": "3", "x": ""}, "issues": ["repeated_key"]}),
        ),
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [WARN] [tso.go:9] ["clock offset"] [] [jet-lag=1s]"#,
            json!({"time": T, "level": "WARN", "caller": "tso.go:9", "message": "clock offset", "fields": {"jet-lag": "1s"}}),
        ),
        // Rust: an empty message, a thread. C++: no caller known.
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [mod.rs:9] [] [err_code=KV:Unknown] [err="Os { code: 2 }"] [thread_id=0x5]"#,
            json!({"time": T, "level": "INFO", "caller": "mod.rs:9", "fields": {"err_code": "KV:Unknown", "err": "Os { code: 2 }", "thread_id": "0x5"}}),
        ),
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [<unknown>] ["x y"] [thread_id=1]"#,
            json!({"time": T, "level": "INFO", "caller": "<unknown>", "message": "x y", "fields": {"thread_id": "1"}}),
        ),
        // TiProxy: a logger, messages and values unquoted, two blanks, brackets in brackets, a trailing blank.
        (
            r"[2026/03/02 10:00:00.120 +00:00] [INFO] [main.nsmgr] [observer/x.go:2] [update backend a=b]  [prev=<nil>] [addrs=[10.0.0.1:2379]] [at=2026-11-22 05:53:56 +0000 UTC] [l=[[a] [b]]]",
            json!({"time": T, "level": "INFO", "caller": "observer/x.go:2", "message": "update backend a=b",
                "fields": {"logger": "main.nsmgr", "prev": "<nil>", "addrs": "[10.0.0.1:2379]", "at": "2026-11-22 05:53:56 +0000 UTC", "l": "[[a] [b]]"}}),
        ),
        (
            r"[2026/03/02 10:00:00.120 +00:00] [INFO] [main.metrics] [systimemon/systime_mon.go:15] [start monitor] ",
            json!({"time": T, "level": "INFO", "caller": "systimemon/systime_mon.go:15", "message": "start monitor", "fields": {"logger": "main.metrics"}}),
        ),
        // Fields without brackets.
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [main.proxy] [proxy.go:140] [closed] connID=28 [error="a\n\tb"]"#,
            json!({"time": T, "level": "INFO", "caller": "proxy.go:140", "message": "closed", "fields": {"logger": "main.proxy", "connID": "28", "error": "a\n\tb"}}),
        ),
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [wp/r.go:1] ["read"] scope=Reader,intent=x [k=v,k2=v2]"#,
            json!({"time": T, "level": "INFO", "caller": "wp/r.go:1", "message": "read", "fields": {"scope": "Reader", "intent": "x", "k": "v,k2=v2"}}),
        ),
        // Keys with quotes and blanks, an escaped tab, a stack that stays in `raw`.
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [ERROR] [a/b.go:1] [failed] ["a \"b\" "=1] [error="no\tway"] [stack="main.f\n\t/a.go:1\nmain.g\n\t/a.go:2"]"#,
            json!({"time": T, "level": "ERROR", "caller": "a/b.go:1", "message": "failed", "fields": {"a \"b\" ": "1", "error": "no\tway", "stack": "main.f"}}),
        ),
        // Parts that a person or a shipper cut off.
        (
            r"[2026/03/02 10:00:00.120 +00:00]   [datacoord/x.go:103] [hello]",
            json!({"time": T, "caller": "datacoord/x.go:103", "message": "hello"}),
        ),
        (
            r"[INFO] [session.go:2249] [GENERAL_LOG] [conn=3]",
            json!({"level": "INFO", "caller": "session.go:2249", "message": "GENERAL_LOG", "fields": {"conn": "3"}}),
        ),
        (
            r#"[client_batch.go:672] [loop] [r="send"]"#,
            json!({"caller": "client_batch.go:672", "message": "loop", "fields": {"r": "send"}}),
        ),
        (
            r"[2026/03/02 10:00:00.120] [INFO] [a.go:1] [x]",
            json!({"time": T, "level": "INFO", "caller": "a.go:1", "message": "x", "issues": ["zone_assumed"]}),
        ),
        (
            r"[2026/03/02 10:61:00.120 +00:00] [INFO] [a.go:1] [x]",
            json!({"level": "INFO", "caller": "a.go:1", "message": "x", "issues": ["bad_time"]}),
        ),
        // Cut by the server.
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] ["long msg"] [k=v] ["b c"="text \"goes"#,
            json!({"time": T, "level": "INFO", "caller": "a.go:1", "message": "long msg", "fields": {"k": "v", "b c": "text \"goes"}, "issues": ["truncated"]}),
        ),
        (
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] ["half"#,
            json!({"time": T, "level": "INFO", "caller": "a.go:1", "message": "half", "issues": ["truncated"]}),
        ),
        (
            r"[2026/03/02 10:00:00.120 +00:00] [DEBUG] This is no log line][",
            json!({"time": T, "level": "DEBUG", "message": "This is no log line][", "issues": ["unparsed"]}),
        ),
    ] {
        assert_eq!(parsed(line).unwrap_or_else(|| panic!("refused: {line}")), want, "{line}");
    }
}

#[test]
fn other_bracketed_lines_are_refused() {
    for line in [
        "[",
        "[]",
        "[2026",
        "[GIN] 2026/11/21 - 21:28:53 | 401 |",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x10 pc=0x372ed75]",
        "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <root: tcp-127.0.0.1:47042> Connect [status: OK]",
        "[2026/03/02 10:00:00.120 +00:00] [\"TaskFailed: tcp-[::1]:56057-DescribeCollection\"] [timeCost=\"0s\"]",
        "[2026/03/02 10:00:00.120 +00:00] [INFO] [ID=ab-0002] [EVENT=\"[CONNECTION,CONNECT]\"] [USER=root]",
        "[2026/03/02 10:00:00.120 +00:00] [INFO] [logger.go:77] [ID=17] [TIMESTAMP=2026/03/02 10:00:00.120 +08:10]",
        "[FAKE] second line <root: tcp-127.0.0.1:1> Connect [status: OK]",
        "[127.0.0.1:80] [x]",
    ] {
        assert_eq!(parsed(line), None, "{line}");
    }
}

#[test]
fn hostile_lines_end() {
    for line in [
        "[".repeat(200_000),
        format!("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [\"{}", "\\\"".repeat(300_000)),
        "[a=b]".repeat(100_000),
    ] {
        let _ = parsed(&line);
    }
    let many = format!("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [m] {}", "[a=b] ".repeat(100_000));
    assert_eq!(parsed(&many).unwrap()["issues"], json!(["repeated_key", "unparsed"]));
    let open = format!("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [m] {}", "[a=[ ".repeat(100_000));
    let _ = parsed(&open);
}
