//! Our own records: one JSON object each, with `kind` (FORMAT §1). Owns: which of its keys have a column. Never looks at another product's lines.

use std::borrow::Cow;

use event::{Event, Issue, Status, Text, Value, action};
use serde_json::{Map, Value as Json};

use crate::framing;

/// The event of one record of ours: product `bartizan`, stream = its kind.
pub fn event(record: &[u8]) -> Event<'_> {
    let body = framing::body(record);
    let mut event = Event { raw: String::from_utf8_lossy(body), product: Some(Cow::Borrowed("bartizan")), ..Event::default() };
    for issue in event::redact::marks_in(body) {
        event.mark(issue);
    }
    let Ok(Json::Object(object)) = serde_json::from_slice(body) else {
        event.mark(Issue::Unparsed);
        return event;
    };
    columns(&mut event, object);
    event
}

fn columns(event: &mut Event<'_>, object: Map<String, Json>) {
    for (key, value) in object {
        let taken = match (&*key, &value) {
            ("kind", Json::String(text)) => set(&mut event.stream, text),
            ("time", Json::String(text)) => {
                event.time = text.parse::<jiff::Timestamp>().ok().map(|t| t.as_microsecond());
                event.time.is_some()
            }
            ("action", Json::String(text)) => {
                event.activity = action::by_action(text);
                event.activity.is_some()
            }
            ("status", Json::String(text)) => {
                event.status = [Status::Success, Status::Failure, Status::Unknown].into_iter().find(|s| s.as_str() == text);
                event.status.is_some()
            }
            (name, Json::String(text)) => column(event, name).is_some_and(|slot| set(slot, text)),
            (name, Json::Number(n)) => number(event, name, n.as_i64()),
            _ => false,
        };
        if !taken {
            event.fields.push((Cow::Owned(key), field(value)));
        }
    }
}

fn set(slot: &mut Option<Text<'_>>, text: &str) -> bool {
    let free = slot.is_none() && !text.is_empty();
    if free {
        *slot = Some(Cow::Owned(text.to_owned()));
    }
    free
}

/// The text columns that records of ours fill.
fn column<'e, 'a>(event: &'e mut Event<'a>, name: &str) -> Option<&'e mut Option<Text<'a>>> {
    Some(match name {
        "version" => &mut event.version,
        "component" => &mut event.component,
        "instance" => &mut event.instance,
        "host" => &mut event.host,
        "level" => &mut event.level,
        "user" => &mut event.user,
        "target_user" => &mut event.target_user,
        "role" => &mut event.role,
        "src_ip" => &mut event.src_ip,
        "src_host" => &mut event.src_host,
        "client" => &mut event.client,
        "auth_method" => &mut event.auth_method,
        "object" => &mut event.object,
        "statement" => &mut event.statement,
        "error_code" => &mut event.error_code,
        "error" => &mut event.error,
        "message" => &mut event.message,
        _ => return None,
    })
}

fn number(event: &mut Event<'_>, name: &str, n: Option<i64>) -> bool {
    let Some(n) = n else { return false };
    match name {
        "src_port" => {
            event.src_port = i32::try_from(n).ok();
            event.src_port.is_some()
        }
        "duration_us" => event.duration_us.replace(n).is_none(),
        "rows" => event.rows.replace(n).is_none(),
        "bytes" => event.bytes.replace(n).is_none(),
        _ => false,
    }
}

fn field(value: Json) -> Value<'static> {
    match value {
        Json::String(text) => Value::Text(Cow::Owned(text)),
        Json::Number(n) => Value::Number(Cow::Owned(n.to_string())),
        Json::Bool(b) => Value::Bool(b),
        Json::Null => Value::Null,
        nested => Value::Json(Cow::Owned(nested.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_a_column_move_there() {
        let record = br#"{"kind":"access","time":"2026-03-02T10:00:00.5Z","user":"ann","src_ip":"10.0.0.5","message":"query","src_port":9,"rows":3,"sql":"select 1","n":7,"list":[1,2],"ok":true,"none":null,"role":""}"#;
        let e = event(record);
        assert_eq!((e.product.as_deref(), e.stream.as_deref(), e.user.as_deref()), (Some("bartizan"), Some("access"), Some("ann")));
        assert_eq!((e.time, e.src_ip.as_deref(), e.src_port, e.rows), (Some(1_772_445_600_500_000), Some("10.0.0.5"), Some(9), Some(3)));
        let fields: Vec<(&str, &str)> = e.fields.iter().map(|(k, v)| (k.as_ref(), v.as_text())).collect();
        assert_eq!(fields, [("sql", "select 1"), ("n", "7"), ("list", "[1,2]"), ("ok", "true"), ("none", ""), ("role", "")]);
        assert!(e.issues.is_empty());
    }

    #[test]
    fn acts_of_ours_have_their_action() {
        let e = event(br#"{"kind":"clock","action":"event_log_activity.disable","status":"failure"}"#);
        assert_eq!((e.action(), e.status), (Some("event_log_activity.disable"), Some(Status::Failure)));
        let odd = event(br#"{"kind":"clock","action":"no.such","status":"perhaps","time":"soon","src_port":99999999999}"#);
        assert_eq!((odd.action(), odd.status, odd.time, odd.src_port, odd.fields.len()), (None, None, None, None, 4));
    }

    #[test]
    fn what_is_no_object_is_unparsed() {
        for bad in [&b"[1]"[..], b"", b"{\"kind\":", b"\xff"] {
            let e = event(bad);
            assert!(e.is_marked(&Issue::Unparsed), "{bad:?}");
            assert_eq!(e.product.as_deref(), Some("bartizan"));
        }
    }
}
