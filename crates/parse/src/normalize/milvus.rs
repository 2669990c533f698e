//! Milvus's server log to columns: the messages of docs/specs/events.md. Values are escaped by the server, so a line is what it says it is; names in a
//! failed login are still whatever a client sent.

use std::borrow::Cow;

use event::{Activity, Event, Status, Text, action};

use super::{
    columns::{act, find, move_duration, part, set_field, set_reason, take, take_any},
    errors::first_sentence,
    milvus_method,
};
use crate::{Format, product::MILVUS_PARTS};

/// Where the name of the database, of the collection and of the account stands, by version and part.
const DATABASE: &[&str] = &["db", "dbName", "db_name", "database"];
const COLLECTION: &[&str] = &["collection", "collectionName", "collection_name", "name"];
const USER: &[&str] = &["username", "user", "user_name"];

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>, format: Format) {
    if format == Format::Crash {
        return crash(event);
    }
    event.trace_id = take_any(event, &["traceID", "trace_id"]).filter(|t| t.bytes().any(|b| b != b'0'));
    component(event);
    let Some(message) = event.message.clone() else { return };
    if !logons(event, &message) && !accounts(event, &message) && !data(event, &message) {
        lifecycle(event, &message);
    }
}

/// The part of Milvus: `role` where that names one (elsewhere it names a role of an account), else the folder of the code that wrote the line.
fn component(event: &mut Event<'_>) {
    if event.component.is_some() {
        return;
    }
    let is_part = |t: &str| MILVUS_PARTS.iter().find(|p| **p == t).copied();
    if let Some(part) = event.field_text("role").and_then(is_part) {
        let _ = take(event, "role");
        event.component = Some(Cow::Borrowed(part));
        return;
    }
    let Some(mut folder) = event.caller.as_deref().and_then(|c| memchr::memchr(b'/', c.as_bytes()).map(|at| &c[..at])) else { return };
    while let Some(older) = folder.strip_suffix("v2") {
        folder = older;
    }
    event.component = is_part(folder).map(Cow::Borrowed);
}

/// The error without stacks: Milvus puts the stack before it, and every attempt of a retry behind it.
fn error(event: &mut Event<'_>) {
    let Some(text) = take_any(event, &["error", "err"]) else { return };
    let t = match text.strip_prefix("stack trace:") {
        Some(stack) => stack.lines().last().and_then(|last| last.split_once(": ")).map_or("", |(_, error)| error),
        None => &text,
    };
    let t = t.split_once("attempt #0: ").map_or(t, |(_, rest)| rest);
    let t = first_sentence(t.split_once(": attempt #").map_or(t, |(first, _)| first));
    event.error = (!t.is_empty()).then(|| part(&text, t));
}

fn failed_logon(event: &mut Event<'_>, why: &'static str) -> bool {
    error(event);
    set_reason(event, why);
    act(event, &action::LOGON, Status::Failure);
    true
}

fn logons(event: &mut Event<'_>, message: &str) -> bool {
    match message {
        "connect received" => {
            client(event);
            act(event, &action::LOGON, Status::Success);
        }
        "GetCredential query credential failed" => {
            event.user = take_any(event, USER);
            return failed_logon(event, "unknown_user");
        }
        // Who it was stands in the lines around this one (acts).
        "Verify password failed" => return failed_logon(event, "unknown_user"),
        "fail to verify password" => {
            event.user = take_any(event, USER);
            return failed_logon(event, "wrong_password");
        }
        "fail to verify apikey" => return failed_logon(event, "bad_api_key"),
        "key not found in header" => return failed_logon(event, "missing_credentials"),
        "fail to decode the token" => return failed_logon(event, "bad_token"),
        m if m.starts_with("invalid token format") => return failed_logon(event, "bad_token"),
        m if m.starts_with("connect failed") => {
            client(event);
            error(event);
            act(event, &action::DATA_CONNECT, Status::Failure);
        }
        "permission deny" => denied(event),
        _ => return false,
    }
    true
}

fn client(event: &mut Event<'_>) {
    event.user = take_any(event, USER);
    event.src_host = take(event, "host");
    event.database = take_any(event, DATABASE);
    let (kind, version) = (take(event, "sdk_type"), take(event, "sdk_version"));
    event.client = match (kind, version) {
        (Some(kind), Some(version)) => Some(Cow::Owned(format!("{kind}-{version}"))),
        (one, other) => one.or(other),
    };
}

fn denied(event: &mut Event<'_>) {
    event.user = take_any(event, USER);
    event.database = take_any(event, DATABASE);
    event.object = take(event, "object_name");
    event.role = take(event, "role_names").map(names);
    event.privilege = take(event, "object_privilege");
    set_reason(event, "permission_denied");
    let activity = event.privilege.as_deref().map_or(&action::DATA_LIST, milvus_method::refused);
    act(event, activity, Status::Failure);
}

/// `[a,b]` of Go and `["a","b"]` of JSON: `a,b`.
fn names(text: Text<'_>) -> Text<'_> {
    let inner = part(&text, text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(&text));
    if inner.contains(['"', ' ']) { Cow::Owned(inner.replace(['"', ' '], "")) } else { inner }
}

fn accounts(event: &mut Event<'_>, message: &str) -> bool {
    match message {
        "CreateCredential save credential failed" | "illegal password" => {
            event.target_user = take_any(event, USER);
            error(event);
            act(event, &action::ACCOUNT_CREATE, Status::Failure);
        }
        "fail to create role" => {
            event.role = role_of(event);
            error(event);
            act(event, &action::GROUP_CREATE, Status::Failure);
        }
        m if m.starts_with("fail to drop the role") => {
            event.role = role_of(event);
            error(event);
            if event.error.is_none() {
                event.error.clone_from(&event.message);
            }
            act(event, &action::GROUP_DELETE, Status::Failure);
        }
        // The coordinator prints these three as well; the proxy's line is the one that counts.
        "CreateCredential" | "DeleteCredential" | "UpdateCredential" if event.component.as_deref() == Some("proxy") => {
            event.target_user = take_any(event, USER);
            act(event, milvus_method::activity(message), Status::Unknown);
        }
        "OperatePrivilege" if event.component.as_deref() == Some("proxy") => grant(event),
        m if m.starts_with("OperateUserRole-") && !m.ends_with(" success") => membership(event, m.contains("Remove")),
        _ => return false,
    }
    true
}

fn request<'e>(event: &'e Event<'_>) -> &'e str {
    event.field_text("in").or_else(|| event.field_text("req")).unwrap_or("")
}

/// The value of `name` in a protobuf message as text; `name` may be a path (`role.name`), whose last part is the first of its kind behind the others.
fn proto(text: &str, path: &str) -> Option<String> {
    let (mut rest, mut parts) = (text, path.split('.').peekable());
    while let Some(name) = parts.next() {
        let at = (0..rest.len()).find(|&i| {
            let before = rest.as_bytes().get(i.wrapping_sub(1)).copied();
            rest.as_bytes()[i..].starts_with(name.as_bytes())
                && rest.as_bytes().get(i + name.len()) == Some(&b':')
                && before.is_none_or(|b| !b.is_ascii_alphanumeric() && b != b'_')
        })?;
        rest = rest.get(at + name.len() + 1..)?;
        if parts.peek().is_none() {
            let value = rest.trim_start().strip_prefix('"')?;
            return value.split_once('"').map(|(v, _)| v.to_owned()).filter(|v| !v.is_empty());
        }
    }
    None
}

fn role_of<'a>(event: &mut Event<'a>) -> Option<Text<'a>> {
    take(event, "role_name").or_else(|| proto(request(event), "name").map(Cow::Owned))
}

fn membership(event: &mut Event<'_>, removed: bool) {
    event.target_user = proto(request(event), "username").map(Cow::Owned);
    event.role = proto(request(event), "role_name").map(Cow::Owned);
    act(event, if removed { &action::GROUP_REMOVE_USER } else { &action::GROUP_ADD_USER }, Status::Unknown);
}

fn grant(event: &mut Event<'_>) {
    let text = request(event);
    let (role, object, privilege, by, kind, revoked) = (
        proto(text, "role.name"),
        proto(text, "object_name"),
        proto(text, "privilege.name"),
        proto(text, "grantor.user.name"),
        proto(text, "object.name"),
        text.contains("type:Revoke"),
    );
    event.role = role.map(Cow::Owned);
    event.object = object.map(Cow::Owned);
    event.privilege = privilege.map(Cow::Owned);
    event.user = by.map(Cow::Owned);
    if let Some(kind) = kind {
        set_field(event, "object_type", Cow::Owned(kind));
    }
    act(event, if revoked { &action::REVOKE_PRIVILEGES } else { &action::ASSIGN_PRIVILEGES }, Status::Unknown);
}

fn data(event: &mut Event<'_>, message: &str) -> bool {
    match message {
        "received request to create collection" => made(event, &action::DATA_CREATE, "collection"),
        "received request to drop collection" => made(event, &action::DATA_DELETE, "collection"),
        "received request to create partition" => made(event, &action::DATA_CREATE, "partition"),
        "received request to drop partition" => made(event, &action::DATA_DELETE, "partition"),
        "CreateDatabase received" => made(event, &action::DATA_CREATE, "database"),
        "DropDatabase received" => made(event, &action::DATA_DELETE, "database"),
        "CreateIndex received" => made(event, &action::DATA_CREATE, "index"),
        "DropIndex received" => made(event, &action::DATA_DELETE, "index"),
        "Search slow" | "Query slow" => {
            target(event);
            move_duration(event, "duration");
            act(event, &action::DATA_QUERY, Status::Success);
        }
        "db name is empty" => {
            event.object = take_any(event, COLLECTION);
            set_reason(event, "no_database");
            act(event, &action::API_READ, Status::Unknown);
        }
        _ => {
            let Some(method) = message.strip_suffix(" failed to WaitToFinish") else { return false };
            let activity = milvus_method::activity(method);
            target(event);
            error(event);
            if event.error.as_deref().is_some_and(|e| e.starts_with("cannot parse expression")) {
                set_reason(event, "syntax");
            }
            act(event, activity, Status::Failure);
        }
    }
    true
}

/// Database, collection and expression of a request.
fn target(event: &mut Event<'_>) {
    event.database = take_any(event, DATABASE);
    event.object = take_any(event, COLLECTION);
    event.statement = take_any(event, &["expr", "dsl"]);
}

fn made(event: &mut Event<'_>, activity: &'static Activity, kind: &'static str) {
    event.database = take_any(event, DATABASE);
    // A database's own name stands in both columns.
    event.object = if kind == "database" { event.database.clone() } else { take_any(event, COLLECTION) };
    set_field(event, "object_type", Cow::Borrowed(kind));
    act(event, activity, Status::Unknown);
}

fn lifecycle(event: &mut Event<'_>, message: &str) {
    let object = |event: &mut Event<'_>, name: &'static str| event.object = Some(Cow::Borrowed(name));
    match message {
        "starting running Milvus components" => act(event, &action::APP_START, Status::Success),
        "Get signal to exit" => act(event, &action::APP_STOP, Status::Success),
        "LoddPolicy update policyinfo" => {
            object(event, "rbac_policy");
            act(event, &action::CONFIG_UPDATE, Status::Success);
        }
        "start enable access log" | "start access log" => {
            object(event, "access_log");
            act(event, &action::LOG_ENABLE, Status::Success);
        }
        "start close access log" | "close access log" => {
            object(event, "access_log");
            act(event, &action::LOG_DISABLE, Status::Success);
        }
        m if m.starts_with("seal old log to:") => act(event, &action::LOG_ROTATE, Status::Success),
        m if m.starts_with("connection lost detected") || m == "session keepalive channel closed" => failing(event, "etcd_lost"),
        m if find(m, "disconnected from etcd").is_some() => failing(event, "etcd_lost"),
        m if m.starts_with("load segment failed, OOM") => failing(event, "memory"),
        _ => {}
    }
}

fn failing(event: &mut Event<'_>, why: &'static str) {
    error(event);
    set_reason(event, why);
    act(event, &action::APP_ERROR, Status::Failure);
}

/// A dump. A stop by signal ends in `panic: context canceled` more often than not, which is no crash.
fn crash(event: &mut Event<'_>) {
    let head = event.message.clone().or_else(|| event.raw.lines().next().map(|l| Cow::Owned(l.to_owned())));
    // What a panic says of itself was read with the dump.
    event.error = event.error.take().or_else(|| head.as_ref().map(|h| part(h, first_sentence(h))).filter(|t| !t.is_empty()));
    if event.error.as_deref().is_some_and(|e| e.contains("context canceled")) {
        set_reason(event, "panic");
        return act(event, &action::APP_ERROR, Status::Failure);
    }
    act(event, &action::APP_CRASH, Status::Failure);
}

#[cfg(test)]
mod tests;
