//! Rows of Milvus's access log to columns (docs/specs/events.md). The row is untrusted: its user is whatever the client wrote into a header.

use std::borrow::Cow;

use event::{Event, Status, Text, Value, action};

use crate::address;

use super::{
    columns::{act, duration, is_address, part, set_reason, split_address, text_of},
    errors::first_sentence,
    milvus_method,
};

/// What Milvus prints where it does not know.
const UNKNOWN: &str = "Unknown";

/// What the row says beside its columns.
#[derive(Default)]
struct Row<'a> {
    method: Option<Text<'a>>,
    status: Option<Text<'a>>,
    code: Option<Text<'a>>,
    message: Option<Text<'a>>,
}

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    let row = columns(event);
    if let Some(text) = &row.message {
        message(event, text);
    }
    let outcome = outcome(row.status.as_deref(), row.code.as_deref());
    if let Some(code) = row.code.filter(|c| c != "0") {
        if matches!(&*code, "8" | "9") {
            set_reason(event, "rate_limited");
        }
        event.error_code = Some(code);
    }
    what(event, row.method.as_deref(), row.status.as_deref(), outcome);
    for (key, value) in [("method", row.method), ("method_status", row.status)] {
        if let Some(value) = value {
            event.fields.push((Cow::Borrowed(key), Value::Text(value)));
        }
    }
}

/// Moves every placeholder that has a column, in one pass: rows come by the thousands.
fn columns<'a>(event: &mut Event<'a>) -> Row<'a> {
    let mut row = Row::default();
    let mut fields = std::mem::take(&mut event.fields);
    fields.retain_mut(|(key, value)| {
        let slot = match &**key {
            "user_name" => &mut event.user,
            "sdk_version" => &mut event.client,
            "trace_id" => &mut event.trace_id,
            "database_name" => &mut event.database,
            "collection_name" => &mut event.object,
            "method_expr" => &mut event.statement,
            "method_name" => &mut row.method,
            "method_status" => &mut row.status,
            "error_code" => &mut row.code,
            "error_msg" => &mut row.message,
            "user_addr" => return !source(event, value),
            "time_cost" => return stays(&mut event.duration_us, duration(value.as_text())),
            "response_size" => return stays(&mut event.bytes, value.as_text().parse().ok()),
            _ => return true,
        };
        // A placeholder that a format names twice says the same twice.
        if slot.is_none() {
            *slot = text_of(std::mem::replace(value, Value::Null)).filter(|t| t != UNKNOWN);
        }
        false
    });
    event.fields = fields;
    event.trace_id = event.trace_id.take().filter(|t| t.bytes().any(|b| b != b'0'));
    row
}

/// Fills a column with a number; what is none stays in `fields`.
fn stays(column: &mut Option<i64>, number: Option<i64>) -> bool {
    *column = column.or(number);
    number.is_none()
}

/// `tcp-10.0.0.9:47042` of gRPC, a bare address of REST. What is no address stays in `fields`; nobody's is no value.
fn source<'a>(event: &mut Event<'a>, value: &Value<'a>) -> bool {
    let Value::Text(text) = value else { return false };
    if let Some((ip, port)) = text.strip_prefix("tcp-").and_then(address::v4_port) {
        event.src_port = Some(i32::from(port));
        event.src_ip = Some(part(text, ip));
        return true;
    }
    // The network stands before the address: `tcp-`, `unix-`.
    for endpoint in [memchr::memchr(b'-', text.as_bytes()).map(|at| &text[at + 1..]), Some(&**text)].into_iter().flatten() {
        let (ip, port) = split_address(endpoint);
        if is_address(ip) {
            event.src_port = port;
            event.src_ip = Some(part(text, ip));
            return true;
        }
    }
    text.is_empty() || text == UNKNOWN
}

/// A gRPC error wraps the sentence: `rpc error: code = X desc = SENTENCE`.
fn message<'a>(event: &mut Event<'a>, text: &Text<'a>) {
    let wrapped = text.strip_prefix("rpc error:").and_then(|t| t.split_once(" desc = ")).map(|(_, sentence)| sentence);
    let sentence = first_sentence(wrapped.unwrap_or(text));
    event.error = (!sentence.is_empty()).then(|| part(text, sentence));
}

fn outcome(status: Option<&str>, code: Option<&str>) -> Status {
    match (status, code) {
        (Some("OK" | "Successful"), _) => Status::Success,
        (Some(_), _) => Status::Failure,
        // A configured format may lack the status.
        (None, Some("0")) => Status::Success,
        (None, Some(_)) => Status::Failure,
        (None, None) => Status::Unknown,
    }
}

fn what(event: &mut Event<'_>, method: Option<&str>, status: Option<&str>, outcome: Status) {
    let refused_logon = status == Some("GrpcUnauthenticated");
    if refused_logon {
        // Credentials are checked on every call, whatever its method.
        let why = match event.error.as_deref() {
            Some(e) if e.contains("missing authorization") => "missing_credentials",
            Some(e) if e.contains("api key") => "bad_api_key",
            Some(e) if e.contains("invalid token format") => "bad_token",
            _ => "access_denied",
        };
        set_reason(event, why);
        return act(event, &action::LOGON, Status::Failure);
    }
    let Some(method) = method else { return };
    let denied = denied_privilege(event);
    if denied.is_some() || status == Some("GrpcPermissionDenied") {
        event.privilege = denied;
        set_reason(event, "permission_denied");
    } else if event.error.as_deref().is_some_and(|e| e.starts_with("cannot parse expression")) {
        set_reason(event, "syntax");
    }
    let activity = milvus_method::activity(method);
    let not_ready = method == "Connect" && outcome == Status::Failure;
    act(event, if not_ready { &action::DATA_CONNECT } else { activity }, outcome);
}

/// `PrivilegeX` of `PrivilegeX: permission deny to u`.
fn denied_privilege<'a>(event: &Event<'a>) -> Option<Text<'a>> {
    let error = event.error.as_ref()?;
    let (privilege, rest) = error.split_once(':')?;
    let is_refusal = rest.starts_with(" permission deny") && !privilege.contains(' ') && !privilege.is_empty();
    is_refusal.then(|| part(error, privilege))
}

#[cfg(test)]
mod tests;
