//! Statements: privileged, refused, failed, general log; variables; large writes.

use std::borrow::Cow;

use event::{Event, Status, Text, action};

use crate::normalize::{
    columns::{
        act, id_or_mark, json_scalar, login, lower, move_conn, move_txn, name_in, part, put, set_client, set_conn, set_field, set_source,
        split, sweep, take, take_account, take_any, taken,
    },
    errors::statement_failed,
    sql, variables,
};

/// `CRUCIAL OPERATION`: printed whether it succeeded or not.
pub fn crucial(event: &mut Event<'_>) {
    event.statement = take_any(event, &["secure text", "sql"]);
    event.database = take_any(event, &["cur_db", "currentDB"]);
    take_account(event, "user");
    sql::apply(event, Status::Unknown, None);
}

/// `GENERAL_LOG`: a line for every statement, so its fields are gone over once.
pub fn general(event: &mut Event<'_>) {
    event.stream = Some(Cow::Borrowed("general"));
    sweep(event, |event, key, value| {
        match key {
            "sql" if event.statement.is_none() => event.statement = taken(value),
            "currentDB" | "current_db" if event.database.is_none() => event.database = taken(value),
            "user" if event.user.is_none() => {
                if let Some(text) = taken(value) {
                    login(event, &text);
                }
            }
            "conn" if event.conn_id.is_none() => {
                event.conn_id = id_or_mark(event, value);
                return event.conn_id.is_none();
            }
            "txnStartTS" if event.txn_ts.is_none() => {
                event.txn_ts = id_or_mark(event, value);
                return event.txn_ts.is_none();
            }
            _ => return true,
        }
        false
    });
    sql::apply(event, Status::Unknown, None);
}

/// `id:7, addr:10.0.0.9:5123 status:10, collation:utf8mb4_0900_ai_ci, user:dba`.
fn connection_info<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    if let Some(id) = whole.strip_prefix("id:").and_then(|t| t.split_once(',')) {
        set_conn(event, id.0);
    }
    if let Some((address, _)) = split(whole, "addr:").and_then(|(_, t)| split(t, " status:")) {
        set_client(event, whole, address);
    }
    if let Some((_, user)) = split(whole, ", user:") {
        put(&mut event.user, name_in(whole, user));
    }
}

/// `command dispatched failed`: the last line of every failed statement.
pub fn dispatch_failed(event: &mut Event<'_>) {
    event.statement = take(event, "sql");
    move_conn(event, "conn");
    if let Some(info) = take(event, "connInfo") {
        connection_info(event, &info);
    }
    move_txn(event, "timestamp");
    failed(event, "err");
}

/// `run statement failed`, `compile SQL failed`, `parse SQL failed`: earlier lines of the same act.
pub fn run_failed(event: &mut Event<'_>) {
    event.statement = take_any(event, &["SQL", "sql"]);
    let session = take(event, "session");
    if let Some(session) = &session {
        session_info(event, session);
    }
    failed(event, "error");
    // The statement and the error know better which database they speak of.
    let current = session.and_then(|s| json_scalar(&s, "\"currDBName").and_then(|d| name_in(&s, d)));
    put(&mut event.database, current);
}

fn failed(event: &mut Event<'_>, key: &str) {
    sql::apply(event, Status::Failure, Some(&action::DATA_QUERY));
    if let Some(error) = take(event, key) {
        statement_failed(event, &error);
    }
}

/// A session as JSON: id, who signed in from where as which account.
fn session_info<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    if let Some(id) = json_scalar(whole, "\"id") {
        move_conn(event, "conn");
        if event.conn_id.is_none() {
            set_conn(event, id);
        }
    }
    put(&mut event.user, json_scalar(whole, "\"Username").and_then(|u| name_in(whole, u)));
    if let Some(host) = json_scalar(whole, "\"Hostname") {
        set_source(event, whole, host);
    }
    if let Some(host) = json_scalar(whole, "\"AuthHostname").filter(|h| !h.is_empty()) {
        set_field(event, "user_host", part(whole, host));
    }
}

/// `set global var`: neither user nor address.
pub fn set_global(event: &mut Event<'_>) {
    set_variable(event, "global");
}

/// `set instance var`.
pub fn set_instance(event: &mut Event<'_>) {
    set_variable(event, "instance");
}

fn set_variable(event: &mut Event<'_>, scope: &'static str) {
    let name = take(event, "name").map(lower);
    let activity = variables::change(name.as_deref().unwrap_or_default(), event.field_text("val").unwrap_or_default());
    act(event, activity, Status::Success);
    event.object = name;
    set_field(event, "scope", Cow::Borrowed(scope));
}

/// `[BIG_TXN]`: the session is the connection, where it is a number.
pub fn big_txn(event: &mut Event<'_>) {
    move_conn(event, "session");
}
