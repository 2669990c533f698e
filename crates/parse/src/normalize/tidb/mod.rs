//! TiDB's server log: messages to columns. Owns: the table of messages; what a kind of message needs beside it stands in the files beneath.

mod ddl;
mod login;
mod session;
mod statement;

use event::{
    Event, Status,
    Status::{Failure, Success, Unknown},
    action,
};

use super::{
    columns::{id_or_mark, move_txn, rename, set_field, split, sweep, take, take_any, take_client, take_value, taken, text_of},
    errors::set_error,
    table::{Messages, act, look},
};

/// Messages of no variable part.
static TABLE: Messages = Messages::new(
    &[
        // Logins
        ("open new session or authentication failure", act(&action::LOGON, Failure).then(login::refused)),
        ("failed to check the user authplugin", act(&action::LOGON, Failure).then(login::refused)),
        ("Server.onConn handshake", look(login::handshake)),
        ("got malformed handshake response", act(&action::CONNECTION_FAIL, Failure).reason("handshake")),
        ("ClientProtocol41 flag is not set", act(&action::CONNECTION_FAIL, Failure).reason("handshake")),
        ("too many connections", act(&action::CONNECTION_REFUSE, Failure).reason("too_many_connections")),
        ("get authUser privilege record fail", act(&action::LOGON, Unknown).reason("unknown_user").then(login::hint)),
        ("get user privilege record fail", act(&action::LOGON, Unknown).reason("unknown_user").then(login::hint)),
        ("verify JWT failed", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("check claims failed", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("empty authentication", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("verify session token failed", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("verify through extension auth plugin failed", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("Failed socket auth", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("unknown authentication plugin", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("new connection", act(&action::CONNECTION_OPEN, Success).then(client)),
        ("connection closed", act(&action::CONNECTION_CLOSE, Success).then(client)),
        ("connection event", look(login::connection_event)),
        // Statements
        ("CRUCIAL OPERATION", look(statement::crucial)),
        ("command dispatched failed", look(statement::dispatch_failed)),
        ("run statement failed", look(statement::run_failed)),
        ("compile SQL failed", look(statement::run_failed)),
        ("parse SQL failed", look(statement::run_failed)),
        ("GENERAL_LOG", look(statement::general)),
        ("set global var", look(statement::set_global)),
        ("set instance var", look(statement::set_instance)),
        ("execute reload tls", act(&action::CONFIG_UPDATE, Unknown).object("tls")),
        ("Rotating automatically created TLS Certificates", act(&action::CONFIG_UPDATE, Success).object("tls")),
        ("[BIG_TXN]", act(&action::DATA_WRITE, Unknown).then(statement::big_txn)),
        ("commit one task success", act(&action::DATA_WRITE, Success).then(|e| rename(e, "keys processed", "keys"))),
        ("get job importer", act(&action::DATA_WRITE, Success)),
        ("load snapshot info schema", act(&action::DATA_READ, Success).then(|e| move_txn(e, "SnapshotTS"))),
        ("http api /debug/traceevent called", act(&action::API_UPDATE, Success).object("/debug/traceevent")),
        ("change ddl hook success", act(&action::API_UPDATE, Success).object("ddl_hook")),
        // Definitions
        ("DDL job submitted", look(ddl::submitted)),
        ("start DDL job", look(ddl::submitted)),
        ("finish DDL job", look(ddl::finished)),
        ("DDL job is cancelled normally", look(ddl::failed)),
        ("DDL job is failed", look(ddl::failed)),
        ("add DDL jobs", look(ddl::step)),
        ("run DDL job", look(ddl::step)),
        ("run one job step", look(ddl::step)),
        ("DDL job is finished", look(ddl::step)),
        // Sessions ended
        ("kill", act(&action::CONNECTION_CLOSE, Success).then(session::kill)),
        ("Killed remote connection", act(&action::CONNECTION_CLOSE, Success)),
        ("execution timeout, kill it", act(&action::DATA_QUERY, Failure).reason("timeout").then(session::stopped)),
        ("runaway query timeout", act(&action::DATA_QUERY, Failure).reason("runaway").then(session::stopped)),
        ("expensive_query", look(session::expensive)),
        ("expensive_txn", look(session::expensive)),
        // The process
        ("Welcome to TiDB.", act(&action::APP_START, Success).then(version)),
        ("Welcome to Change Data Capture (CDC)", act(&action::APP_START, Success).then(version)),
        ("got signal to exit", act(&action::APP_STOP, Success)),
        ("execute shutdown statement", act(&action::APP_STOP, Unknown).reason("shutdown_statement")),
        ("connection running loop panic", act(&action::APP_ERROR, Failure).reason("panic").then(|e| e.statement = take(e, "lastSQL"))),
        ("memory exceeds quota", act(&action::APP_ERROR, Unknown).reason("memory").then(session::expensive_memory)),
    ],
    &[
        ("read handshake response failure", act(&action::CONNECTION_FAIL, Failure).reason("handshake")),
        ("Access denied for authUser '", act(&action::LOGON, Unknown).reason("account_locked").then(login::locked)),
        ("Access denied for user '", look(login::blocked)),
        ("ssl check failure", act(&action::LOGON, Unknown).then(login::tls_required)),
        ("verify through LDAP", act(&action::LOGON, Unknown).reason("external_auth").then(login::hint)),
        ("read packet timeout", act(&action::CONNECTION_CLOSE, Success).then(client)),
        ("read packet failed", act(&action::CONNECTION_CLOSE, Success).then(client)),
        ("reload TLS fail", act(&action::CONFIG_UPDATE, Failure).object("tls")),
        ("Killing connection in current instance", act(&action::CONNECTION_CLOSE, Unknown)),
        ("Kill failed", act(&action::CONNECTION_CLOSE, Failure)),
        ("global memory controller tries to kill", act(&action::DATA_QUERY, Failure).reason("memory").then(session::memory_controller)),
        ("tidb-server has the risk of OOM", act(&action::APP_ERROR, Unknown).reason("memory")),
        ("memory exceeds quota", act(&action::APP_ERROR, Unknown).reason("memory").then(session::expensive_memory)),
    ],
);

/// The message without the topic that older versions print before it (`[ddl] finish DDL job`).
fn topic_free(message: &str) -> &str {
    message.strip_prefix("[ddl] ").unwrap_or(message)
}

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    TABLE.apply(event, topic_free);
    common(event);
}

/// Whether a key may be one of those below: most lines have none, and length and first letter tell.
fn may_be_common(key: &str) -> bool {
    match key.as_bytes().first() {
        Some(b'c') => matches!(key.len(), 4 | 6 | 7 | 12 | 13),
        Some(b't') => matches!(key.len(), 10 | 12),
        Some(b's') => key.len() == 7,
        Some(b'e') => matches!(key.len(), 3 | 5),
        _ => false,
    }
}

/// Keys that mean the same in every message.
fn common(event: &mut Event<'_>) {
    if !event.fields.iter().any(|(key, _)| may_be_common(key)) {
        return;
    }
    sweep(event, |event, key, value| match key {
        "conn" | "conn_id" | "connID" | "connection ID" | "connectionID" if event.conn_id.is_none() => {
            event.conn_id = id_or_mark(event, value);
            event.conn_id.is_none()
        }
        "txnStartTS" | "txn_start_ts" | "startTS" if event.txn_ts.is_none() => {
            event.txn_ts = id_or_mark(event, value);
            event.txn_ts.is_none()
        }
        "error" | "err" if event.error.is_none() => {
            if let Some(text) = taken(value) {
                set_error(event, &text);
            }
            false
        }
        _ => true,
    });
}

fn client(event: &mut Event<'_>) {
    take_client(event, "remoteAddr");
    take_client(event, "remote addr");
}

/// The version that a process says at its start.
fn version(event: &mut Event<'_>) {
    event.version = take_any(event, &["Release Version", "release-version"]);
}

/// `{id:7, user:app, host:10.0.0.7:33913, db:shop, .., info:select ..}`: the value behind a key; `info` goes to the end.
fn part_of_process<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let inner = text.strip_prefix('{').map_or(text, |t| t.strip_suffix('}').unwrap_or(t));
    let (head, info) = split(inner, ", info:").map_or((inner, None), |(h, i)| (h, Some(i)));
    if key == "info" {
        return info.filter(|i| !i.is_empty());
    }
    head.split(", ").find_map(|item| item.strip_prefix(key)?.strip_prefix(':')).filter(|v| !v.is_empty())
}

/// Takes a key and gives it to `fields` under a name of ours.
fn move_field(event: &mut Event<'_>, from: &str, to: &'static str) {
    if let Some(text) = take_value(event, from).and_then(text_of) {
        set_field(event, to, text);
    }
}

/// The status of a message that says so in a field.
fn status_of(failed: bool) -> Status {
    if failed { Failure } else { Success }
}
