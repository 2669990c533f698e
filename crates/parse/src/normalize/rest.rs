//! `[GIN]` rows of Milvus's REST servers to columns (docs/specs/events.md). The row names no user.

use event::{Event, Status, action};

use super::columns::{act, is_address, move_duration, rename, take, text_of};

/// Status codes from here on are failures.
const FAILURE_FROM: u16 = 400;

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    move_duration(event, "latency");
    event.object = take(event, "path");
    if event.field_text("client_ip").is_some_and(is_address) {
        event.src_ip = take(event, "client_ip");
    }
    rename(event, "status", "http_status");
    let status = match event.field_text("http_status").and_then(|c| c.parse::<u16>().ok()) {
        Some(code) if code >= FAILURE_FROM => Status::Failure,
        Some(_) => Status::Success,
        None => Status::Unknown,
    };
    if status == Status::Failure {
        event.error_code = event.field("http_status").cloned().and_then(text_of);
    }
    let activity = match event.field_text("method").unwrap_or("") {
        "GET" => &action::HTTP_GET,
        "POST" => &action::HTTP_POST,
        "PUT" => &action::HTTP_PUT,
        "DELETE" => &action::HTTP_DELETE,
        "PATCH" => &action::HTTP_PATCH,
        "HEAD" => &action::HTTP_HEAD,
        "OPTIONS" => &action::HTTP_OPTIONS,
        "CONNECT" => &action::HTTP_CONNECT,
        _ => return,
    };
    act(event, activity, status);
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use event::Value;

    use super::*;

    #[test]
    fn rows() {
        for (status, method, path, want) in [
            ("200", "GET", "/v1/vector/collections", Some(("http_activity.get", "success", None))),
            ("401", "POST", "/v1/vector/query", Some(("http_activity.post", "failure", Some("401")))),
            ("500", "DELETE", "/api/v1/credential", Some(("http_activity.delete", "failure", Some("500")))),
            ("204", "PATCH", "/api/v1/credential", Some(("http_activity.patch", "success", None))),
            ("200", "BREW", "/", None),
        ] {
            let text = |t: &'static str| Value::Text(Cow::Borrowed(t));
            let mut e = Event {
                fields: vec![
                    ("status".into(), text(status)),
                    ("latency".into(), text("69.998\u{b5}s")),
                    ("client_ip".into(), text("10.0.0.9")),
                    ("method".into(), text(method)),
                    ("path".into(), text(path)),
                ],
                ..Event::default()
            };
            normalize(&mut e);
            let said = e.action().map(|a| (a, e.status.map_or("", Status::as_str), e.error_code.as_deref()));
            assert_eq!(said, want, "{method} {path}");
            assert_eq!((e.object.as_deref(), e.src_ip.as_deref(), e.duration_us), (Some(path), Some("10.0.0.9"), Some(69)));
            assert_eq!(e.field_text("http_status"), Some(status));
        }
    }
}
