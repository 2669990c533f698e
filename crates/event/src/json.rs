//! The event as one JSON object: the names of DESIGN §4, unknown columns left out, ids beyond 2^53 as strings.

use std::fmt::Write as _;

use crate::{Event, Micros, Value, clock::push_rfc3339};

/// Numbers up to this are exact in JavaScript.
const SAFE_INTEGER_MAX: i64 = 1 << 53;

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (i, b) in text.bytes().enumerate() {
        let escape = match b {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[from..i]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{b:04x}");
        } else {
            out.push_str(escape);
        }
        from = i + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

fn key(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

/// Appends an integer, as a string where a double would lose digits.
pub fn push_integer(out: &mut String, n: i64) {
    let _ = if n.unsigned_abs() > SAFE_INTEGER_MAX as u64 { write!(out, "\"{n}\"") } else { write!(out, "{n}") };
}

fn push_value(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Text(t) => push_string(out, t),
        Value::Number(t) if t.len() > 15 => push_string(out, t),
        Value::Number(t) | Value::Json(t) => out.push_str(t),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
    }
}

/// `fields` as a JSON object; a repeated key has an array of its values at the place of the first.
pub fn push_fields(out: &mut String, fields: &[(crate::Text<'_>, Value<'_>)]) {
    out.push('{');
    for (i, (name, value)) in fields.iter().enumerate() {
        if fields[..i].iter().any(|(k, _)| k == name) {
            continue;
        }
        if i > 0 {
            out.push(',');
        }
        push_string(out, name);
        out.push(':');
        if fields[i + 1..].iter().any(|(k, _)| k == name) {
            out.push('[');
            for (n, (_, v)) in fields[i..].iter().filter(|(k, _)| k == name).enumerate() {
                if n > 0 {
                    out.push(',');
                }
                push_value(out, v);
            }
            out.push(']');
        } else {
            push_value(out, value);
        }
    }
    out.push('}');
}

/// Appends the event as one JSON object without a line end.
pub fn push_event(out: &mut String, e: &Event<'_>) {
    out.push('{');
    let time = |out: &mut String, name: &str, at: Option<Micros>| {
        if let Some(at) = at {
            key(out, name);
            out.push('"');
            push_rfc3339(out, at);
            out.push('"');
        }
    };
    time(out, "time", e.time);
    time(out, "observed_time", e.observed_time);
    time(out, "agent_time", e.agent_time);
    key(out, "byte_start");
    push_integer(out, i64::try_from(e.byte_start).unwrap_or(i64::MAX));
    key(out, "byte_end");
    push_integer(out, i64::try_from(e.byte_end).unwrap_or(i64::MAX));
    let mut text = |name: &str, value: Option<&str>| {
        if let Some(v) = value {
            key(out, name);
            push_string(out, v);
        }
    };
    text("product", e.product.as_deref());
    text("component", e.component.as_deref());
    text("version", e.version.as_deref());
    text("instance", e.instance.as_deref());
    text("host", e.host.as_deref());
    text("namespace", e.namespace.as_deref());
    text("pod", e.pod.as_deref());
    text("container", e.container.as_deref());
    text("labels", e.labels.as_deref());
    text("stream", e.stream.as_deref());
    text("level", e.level.as_deref());
    text("act_id", e.act_id.as_deref());
    text("action", e.action());
    text("status", e.status.map(crate::Status::as_str));
    text("user", e.user.as_deref());
    text("target_user", e.target_user.as_deref());
    text("role", e.role.as_deref());
    text("privilege", e.privilege.as_deref());
    text("auth_method", e.auth_method.as_deref());
    text("client", e.client.as_deref());
    text("src_ip", e.src_ip.as_deref());
    text("src_host", e.src_host.as_deref());
    text("dst_ip", e.dst_ip.as_deref());
    text("database", e.database.as_deref());
    text("object", e.object.as_deref());
    text("statement", e.statement.as_deref());
    text("digest", e.digest.as_deref());
    text("trace_id", e.trace_id.as_deref());
    text("error_code", e.error_code.as_deref());
    text("error", e.error.as_deref());
    text("message", e.message.as_deref());
    text("caller", e.caller.as_deref());
    push_numbers(out, e);
    push_lists(out, e);
    key(out, "raw");
    push_string(out, &e.raw);
    out.push('}');
}

fn push_numbers(out: &mut String, e: &Event<'_>) {
    let mut number = |name: &str, value: Option<i64>| {
        if let Some(v) = value {
            key(out, name);
            push_integer(out, v);
        }
    };
    number("class_uid", e.activity.map(|a| i64::from(a.class.uid())));
    number("activity_id", e.activity.map(|a| i64::from(a.id)));
    number("src_port", e.src_port.map(i64::from));
    number("dst_port", e.dst_port.map(i64::from));
    number("conn_id", e.conn_id);
    number("txn_ts", e.txn_ts);
    number("duration_us", e.duration_us);
    number("rows", e.rows);
    number("bytes", e.bytes);
}

fn push_lists(out: &mut String, e: &Event<'_>) {
    if !e.inferred.is_empty() {
        key(out, "inferred");
        out.push('[');
        for (i, name) in e.inferred.iter().enumerate() {
            let _ = write!(out, "{}\"{name}\"", if i > 0 { "," } else { "" });
        }
        out.push(']');
    }
    if !e.issues.is_empty() {
        key(out, "issues");
        out.push('[');
        for (i, issue) in e.issues.iter().enumerate() {
            let _ = write!(out, "{}\"{issue}\"", if i > 0 { "," } else { "" });
        }
        out.push(']');
    }
    if !e.fields.is_empty() {
        key(out, "fields");
        push_fields(out, &e.fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn repeated_keys_become_an_array_and_big_ids_text() {
        let mut e = Event { raw: Cow::Borrowed("a\u{1}\"b\\"), conn_id: Some(7_398_943_596_793_037_429), ..Event::default() };
        let text = |t: &'static str| Value::Text(Cow::Borrowed(t));
        e.fields =
            vec![(Cow::Borrowed("category"), text("ddl")), (Cow::Borrowed("job"), text("1")), (Cow::Borrowed("category"), text("x"))];
        let mut out = String::new();
        push_event(&mut out, &e);
        let v: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(v["conn_id"], "7398943596793037429");
        assert_eq!(v["fields"], serde_json::json!({"category": ["ddl", "x"], "job": "1"}));
        assert_eq!(v["raw"], "a\u{1}\"b\\");
    }
}
