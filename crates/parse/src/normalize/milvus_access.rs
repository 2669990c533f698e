//! Rows of Milvus's access log to columns (docs/specs/events.md). The row is untrusted: its user is whatever the client wrote into a header.

use event::{Event, Status, Text, action};

use super::{
    columns::{act, is_address, move_count, move_duration, part, set_field, set_reason, split_address, take},
    errors::first_sentence,
    milvus_method,
};

/// What Milvus prints where it does not know.
const UNKNOWN: &str = "Unknown";

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    let method = known(event, "method_name");
    let status = known(event, "method_status");
    columns(event);
    if let Some(text) = known(event, "error_msg") {
        message(event, &text);
    }
    let outcome = outcome(event, status.as_deref());
    if let Some(code) = take(event, "error_code").filter(|c| c != "0" && c != UNKNOWN) {
        if matches!(&*code, "8" | "9") {
            set_reason(event, "rate_limited");
        }
        event.error_code = Some(code);
    }
    what(event, method.as_deref(), status.as_deref(), outcome);
    if let Some(method) = method {
        set_field(event, "method", method);
    }
    if let Some(status) = status {
        set_field(event, "method_status", status);
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
    move_duration(event, "time_cost");
    move_count(event, "response_size", |e| &mut e.bytes);
}

/// `tcp-10.0.0.9:47042` of gRPC, a bare address of REST. What is no address stays in `fields`.
fn source<'a>(event: &mut Event<'a>, text: Text<'a>) {
    // The network stands before the address: `tcp-`, `unix-`.
    for endpoint in std::iter::once(&*text).chain(text.split_once('-').map(|(_, endpoint)| endpoint)) {
        let (ip, port) = split_address(endpoint);
        if is_address(ip) {
            event.src_port = port;
            event.src_ip = Some(part(&text, ip));
            return;
        }
    }
    set_field(event, "user_addr", text);
}

/// A gRPC error wraps the sentence: `rpc error: code = X desc = SENTENCE`.
fn message<'a>(event: &mut Event<'a>, text: &Text<'a>) {
    let wrapped = text.strip_prefix("rpc error:").and_then(|t| t.split_once(" desc = ")).map(|(_, sentence)| sentence);
    let sentence = first_sentence(wrapped.unwrap_or(text));
    event.error = (!sentence.is_empty()).then(|| part(text, sentence));
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
