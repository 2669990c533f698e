//! Lines in, columns out.

use event::{Event, Issue, SourceDefinition, json::push_event};
use serde_json::{Value as Json, json};

use super::super::{Context, access::Formatters};
use crate::time::Zone;

fn parsed(line: &str) -> Option<Json> {
    let (definition, access, zone) = (SourceDefinition::default(), Formatters::default(), Zone::Assumed);
    let context = Context { definition: &definition, access: &access, zone: &zone, product: None };
    let mut event = Event::default();
    if !(super::recognize(line.as_bytes()) && super::parse(line, &mut event, &context)) {
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

#[test]
fn lines_of_every_product() {
    for (line, want) in [
        (
            r#"{"level":"INFO","time":"2026/05/12 11:58:07.677 +08:00","caller":"main.go:341","message":"up","conn":7398943596793037429,"ok":true,"x":null,"list":[1,{"a":"]"}]}"#,
            json!({"time": "2026-05-12T03:58:07.677Z", "level": "INFO", "caller": "main.go:341", "message": "up",
                "fields": {"conn": "7398943596793037429", "ok": true, "x": null, "list": [1, {"a": "]"}]}}),
        ),
        (
            r#"{"level":"WARN","time":"2026/05/12 11:58:07.677 +00:00","caller":"log.go:1","message":"log level changed","level":"info"}"#,
            json!({"time": "2026-05-12T11:58:07.677Z", "level": "WARN", "caller": "log.go:1", "message": "log level changed",
                "fields": {"level": "info"}, "issues": ["repeated_key"]}),
        ),
        (
            r#"{"level":"info","ts":"2026-06-19T02:26:04.861Z","logger":"raft","caller":"a/b.go:7","msg":"x","time":"other"}"#,
            json!({"time": "2026-06-19T02:26:04.861Z", "level": "INFO", "caller": "a/b.go:7", "message": "x",
                "fields": {"logger": "raft", "time": "other"}, "issues": ["repeated_key"]}),
        ),
        (
            r#"{"level":"error","ts":1795296000.25,"msg":"","n":-1.5e+3}"#,
            json!({"time": "2026-11-21T21:20:00.250Z", "level": "ERROR", "fields": {"n": -1500.0}}),
        ),
        (
            r#"{"file":"adapter.go","level":"info","line":274,"msg":"query","time":"2017/09/27 14:20:47.209"}"#,
            json!({"time": "2017-09-27T14:20:47.209Z", "level": "INFO", "caller": "adapter.go:274", "message": "query", "issues": ["zone_assumed"]}),
        ),
        (
            "{\n \"level\": \"INFO\",\n \"time\": \"never\",\n \"a\": [\n1\n]\n}",
            json!({"level": "INFO", "fields": {"a": [1]}, "issues": ["bad_time"]}),
        ),
        (
            r#"{"level":"loud","msg":"x","a":1,"a":2}"#,
            json!({"message": "x", "fields": {"level": "loud", "a": [1, 2]}, "issues": ["repeated_key"]}),
        ),
    ] {
        assert_eq!(parsed(line).unwrap_or_else(|| panic!("{line}")), want, "{line}");
    }
}

#[test]
fn what_is_no_log_line_is_refused() {
    for line in [
        "{",
        "{}",
        "[1]",
        r#"{"level":"INFO""#,
        r#"{"level":"INFO"} x"#,
        r#"{"level":"INFO",}"#,
        r#"{"level":01}"#,
        r#"{"level":"a","n":1.}"#,
        r#"{"level":"a","n":tru}"#,
        r#"{"level":"a","n":{"b":}}"#,
        r#"{"level":"a","n":[}]}"#,
        r#"{"EVENT":["CONNECTION"],"TIME":"x"}"#,
    ] {
        assert_eq!(parsed(line), None, "{line}");
    }
    let deep = format!(r#"{{"level":"INFO","a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parsed(&deep), None);
}

#[test]
fn an_object_with_thousands_of_keys_is_marked() {
    let keys: Vec<String> = (0..20_000).map(|i| format!("\"k{i}\":1")).collect();
    let v = parsed(&format!("{{\"level\":\"INFO\",{}}}", keys.join(","))).unwrap();
    assert_eq!(v["issues"], json!([Issue::Unparsed.to_string()]));
    assert_eq!(v["fields"].as_object().unwrap().len(), super::FIELDS_MAX);
}
