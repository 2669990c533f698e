//! TiDB's audit logs: the Enterprise extension (1 is success) and the older plugin (0 is success).
//!
//! Owns: which record is the act. The plugin prints each statement twice; only the COMPLETED one counts.

use std::borrow::Cow;

use event::{Activity, Event, Status, action};

use super::{
    columns::{act, is_address, items, micros_of, move_conn, move_count, name_in, put, set_source, split_account, take, take_any, text_of},
    errors::{Phase, first_sentence, reason_of, set_error, split_code},
    sql,
};
use crate::Format;

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>, format: Format) {
    people(event);
    place(event);
    if format == Format::AuditExtension {
        extension(event);
    } else {
        plugin(event);
    }
    // Both formats at a refusal: the reason is the error.
    if let Some(reason) = take_any(event, &["REASON", "Reason"]) {
        set_error(event, &reason);
        let (code, _) = split_code(&reason);
        let phase = if event.activity == Some(&action::LOGON) { Phase::Login } else { Phase::Statement };
        if let Some(why) = code.and_then(|c| reason_of(c, &reason, phase)) {
            super::columns::set_reason(event, why);
        }
        put(&mut event.error, name_in(&reason, first_sentence(&reason)));
    }
}

/// Who, with which roles, from where, to where.
fn people(event: &mut Event<'_>) {
    if let Some(user) = take(event, "USER") {
        let (name, _) = split_account(&user);
        put(&mut event.user, name_in(&user, name));
    }
    if let Some(roles) = list(event, "ROLES") {
        let names: Vec<_> = items(&roles).map(|r| split_account(r).0.trim_matches(['`', '\'']).to_owned()).collect();
        put(&mut event.role, (!names.is_empty()).then(|| Cow::Owned(names.join(", "))));
    }
    for key in ["CLIENT_IP", "HOST"] {
        if let Some(address) = take(event, key) {
            set_source(event, &address, &address);
        }
    }
    if let Some(server) = take(event, "HOST_IP").filter(|a| is_address(a)) {
        event.dst_ip = Some(server);
    }
    port(event, "CLIENT_PORT", |e| &mut e.src_port);
    port(event, "HOST_PORT", |e| &mut e.dst_port);
    port(event, "SERVER_PORT", |e| &mut e.dst_port);
    event.auth_method = take(event, "AUTH_METHOD");
    move_conn(event, "CONNECTION_ID");
}

fn port<'a>(event: &mut Event<'a>, key: &str, column: for<'e> fn(&'e mut Event<'a>) -> &'e mut Option<i32>) {
    let Some(at) = event.fields.iter().position(|(k, _)| k == key) else { return };
    if let Ok(port) = event.fields[at].1.as_text().parse::<u16>() {
        event.fields.remove(at);
        put(column(event), (port > 0).then_some(i32::from(port)));
    }
}

/// A key that holds a list; an empty one is no value.
fn list<'a>(event: &mut Event<'a>, key: &str) -> Option<Cow<'a, str>> {
    let text = take(event, key)?;
    items(&text).next()?;
    Some(text)
}

/// Where: database, table, statement, how much and how long.
fn place(event: &mut Event<'_>) {
    event.statement = take(event, "SQL_TEXT");
    event.database = take(event, "CURRENT_DB");
    if let Some(databases) = list(event, "DATABASES") {
        let first = items(&databases).next().and_then(|d| name_in(&databases, d));
        put(&mut event.database, first);
    }
    for key in ["ROWS", "AFFECTED_ROWS"] {
        move_count(event, key, |e| &mut e.rows);
    }
    // The plugin counts microseconds.
    if let Some(us) = event.field_text("COST_TIME").and_then(|t| micros_of(t, 1)) {
        take(event, "COST_TIME");
        put(&mut event.duration_us, Some(us));
    }
}

/// The first of TABLES: `shop`.`orders` or orders. Only where the statement named none.
fn tables(event: &mut Event<'_>) {
    let Some(tables) = list(event, "TABLES") else { return };
    let first = items(&tables).next().unwrap_or_default();
    let (database, table) = match first.trim_matches('`').split_once("`.`") {
        Some((database, table)) => (Some(database), table),
        None => (None, first.trim_matches('`')),
    };
    if event.object.is_none() {
        event.object = name_in(&tables, table);
        if let Some(database) = database {
            event.database = name_in(&tables, database);
        }
    }
}

/// The status that a code says.
fn status(event: &mut Event<'_>, success: &str) -> Status {
    match event.field("STATUS_CODE").cloned().and_then(text_of).as_deref() {
        None => Status::Unknown,
        Some(code) if code == success => Status::Success,
        Some(_) => Status::Failure,
    }
}

/// Statement classes, where the text says nothing: the most particular one of a list wins.
const CLASSES: &[(&str, &Activity)] = &[
    ("INSERT", &action::DATA_WRITE),
    ("REPLACE", &action::DATA_WRITE),
    ("UPDATE", &action::DATA_WRITE),
    ("DELETE", &action::DATA_WRITE),
    ("LOAD_DATA", &action::DATA_WRITE),
    ("QUERY_DML", &action::DATA_WRITE),
    ("QUERY_DDL", &action::DATA_UPDATE),
    ("SELECT", &action::DATA_QUERY),
];

fn class_activity(classes: &str) -> Option<&'static Activity> {
    CLASSES.iter().find(|(name, _)| items(classes).any(|c| c.eq_ignore_ascii_case(name))).map(|(_, a)| *a)
}

fn extension(event: &mut Event<'_>) {
    let status = status(event, "1");
    let classes = event.field("EVENT").cloned().and_then(text_of).unwrap_or_default();
    let has = |name: &str| items(&classes).any(|c| c == name);
    if has("CONNECTION") {
        let activity = if has("DISCONNECT") { &action::LOGOFF } else { &action::LOGON };
        act(event, activity, status);
    } else if has("AUDIT") {
        let activity = match () {
            () if has("AUDIT_ENABLE") => &action::LOG_ENABLE,
            () if has("AUDIT_DISABLE") => &action::LOG_DISABLE,
            () => &action::LOG_UPDATE,
        };
        act(event, activity, status);
        event.object = take(event, "AUDIT_OP_TARGET");
    } else if has("DATA_OPERATION") {
        let info = event.field_text("SECURITY_INFO").unwrap_or_default();
        let out =
            info.contains("OutputDir") || info.to_ascii_lowercase().contains("backup") || info.to_ascii_lowercase().contains("export");
        act(event, if out { &action::DATA_READ } else { &action::DATA_WRITE }, status);
    } else {
        sql::apply(event, status, class_activity(&classes));
    }
    tables(event);
}

fn plugin(event: &mut Event<'_>) {
    let status = status(event, "0");
    let class = event.field_text("EVENT_CLASS").unwrap_or_default();
    if class == "CONNECTION" {
        let (activity, status) = match event.field_text("EVENT_SUBCLASS").unwrap_or_default() {
            "Disconnect" => (&action::LOGOFF, status),
            "Reject" => (&action::LOGON, Status::Failure),
            "Connected" | "ChangeUser" => (&action::LOGON, status),
            _ => return,
        };
        return act(event, activity, status);
    }
    if event.field_text("EVENT") != Some("STARTING") {
        let kind = event.field_text("SQL_STATEMENTS").map(str::to_ascii_lowercase).unwrap_or_default();
        let otherwise = class_activity(&kind);
        sql::apply(event, status, otherwise);
    }
    tables(event);
}
