//! Rows of Milvus's access log to columns (docs/specs/events.md). The row is untrusted: its user is whatever the client wrote into a header.

use std::borrow::Cow;

use event::{Event, Issue, Status, Text, Value, action};

use super::{
    milvus_method,
    take::{act, address, first_line, go_duration_us, part, put, reason, take},
};

/// What Milvus prints where it does not know.
const UNKNOWN: &str = "Unknown";

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    if event.is_marked(&Issue::Forged) || event.is_marked(&Issue::Unparsed) {
        return;
    }
    let method = known(event, "method_name");
    let status = known(event, "method_status");
    columns(event);
    if let Some(text) = known(event, "error_msg") {
        message(event, &text);
    }
    let outcome = outcome(event, status.as_deref());
    if let Some(code) = take(event, "error_code").filter(|c| c != "0" && c != UNKNOWN) {
        if matches!(&*code, "8" | "9") {
            reason(event, "rate_limited");
        }
        event.error_code = Some(code);
    }
    what(event, method.as_deref(), status.as_deref(), outcome);
    if let Some(method) = method {
        put(event, "method", method);
    }
    if let Some(status) = status {
        put(event, "method_status", status);
    }
}

/// A value that Milvus knew.
fn known<'a>(event: &mut Event<'a>, key: &str) -> Option<Text<'a>> {
    take(event, key).filter(|t| t != UNKNOWN)
}

fn columns(event: &mut Event<'_>) {
    event.user = known(event, "user_name");
    event.client = known(event, "sdk_version");
    event.trace_id = known(event, "trace_id").filter(|t| t.bytes().any(|b| b != b'0'));
    event.database = known(event, "database_name");
    event.object = known(event, "collection_name");
    event.statement = known(event, "method_expr");
    if let Some(text) = known(event, "user_addr") {
        source(event, text);
    }
    if let Some(text) = known(event, "time_cost") {
        match go_duration_us(&text) {
            Some(us) => event.duration_us = Some(us),
            None => event.fields.push((Cow::Borrowed("time_cost"), Value::Text(text))),
        }
    }
    if let Some(text) = known(event, "response_size") {
        match text.parse() {
            Ok(bytes) => event.bytes = Some(bytes),
            Err(_) => event.fields.push((Cow::Borrowed("response_size"), Value::Text(text))),
        }
    }
}

/// `tcp-10.0.0.9:47042` of gRPC, a bare address of REST. What is no address stays in `fields`.
fn source<'a>(event: &mut Event<'a>, text: Text<'a>) {
    // The network stands before the address: `tcp-`, `unix-`.
    let endpoint = if address(&text).is_some() { Some(text.clone()) } else { part(&text, |t| t.split_once('-').map(|(_, a)| a)) };
    match endpoint.as_deref().and_then(address) {
        Some((_, port)) => {
            event.src_port = port;
            event.src_ip = endpoint.and_then(|e| part(&e, |t| address(t).map(|(ip, _)| ip)));
        }
        None => event.fields.push((Cow::Borrowed("user_addr"), Value::Text(text))),
    }
}

fn message<'a>(event: &mut Event<'a>, text: &Text<'a>) {
    // A gRPC error wraps the sentence: `rpc error: code = X desc = SENTENCE`.
    let sentence = part(text, |t| t.split_once(" desc = ").map(|(_, s)| s)).filter(|_| text.starts_with("rpc error:"));
    event.error = first_line(sentence.as_ref().unwrap_or(text));
}

fn outcome(event: &Event<'_>, status: Option<&str>) -> Status {
    match status {
        Some("OK" | "Successful") => Status::Success,
        Some(_) => Status::Failure,
        // A configured format may lack the status.
        None => match event.field_text("error_code") {
            Some("0") => Status::Success,
            Some(code) if code != UNKNOWN && !code.is_empty() => Status::Failure,
            _ => Status::Unknown,
        },
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
        reason(event, why);
        return act(event, &action::LOGON, Status::Failure);
    }
    let Some(method) = method else { return };
    let denied = denied_privilege(event);
    if denied.is_some() || status == Some("GrpcPermissionDenied") {
        event.privilege = denied;
        reason(event, "permission_denied");
    } else if event.error.as_deref().is_some_and(|e| e.starts_with("cannot parse expression")) {
        reason(event, "syntax");
    }
    let activity = milvus_method::activity(method);
    let not_ready = method == "Connect" && outcome == Status::Failure;
    act(event, if not_ready { &action::DATA_CONNECT } else { activity }, outcome);
}

/// `PrivilegeX` of `PrivilegeX: permission deny to u`.
fn denied_privilege<'a>(event: &Event<'a>) -> Option<Text<'a>> {
    part(event.error.as_ref()?, |t| {
        let (privilege, rest) = t.split_once(':')?;
        (rest.starts_with(" permission deny") && !privilege.contains(' ') && !privilege.is_empty()).then_some(privilege)
    })
}

#[cfg(test)]
mod tests;
