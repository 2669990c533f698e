//! TiDB's slow log: blocks to columns.

use event::{Event, Status, Text, Value, action};

use crate::names::Names;

use super::{
    columns::{id_or_mark, login, lower, micros_of, name_in, part, put, set_source, sweep, taken},
    sql,
};

/// Microseconds of a second: the slow log counts in seconds.
const SECOND_US: i64 = 1_000_000;

/// `app[app] @ db.example.org [10.0.0.7]`: who signed in, the client's name and address.
fn user_at_host<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    let (user, client) = whole.split_once(" @ ").unwrap_or((whole, ""));
    let user = user.split_once('[').map_or(user, |(name, _)| name);
    put(&mut event.user, name_in(whole, user.trim()));
    let (name, address) = client.split_once('[').map_or((client, ""), |(n, a)| (n, a.trim_end_matches(']')));
    set_source(event, whole, address.trim());
    let name = name.trim();
    if !name.is_empty() && name != address {
        set_source(event, whole, name);
    }
}

/// `{"_client_name":"pymysql","_client_version":"1.2.4",..}` -> `pymysql 1.2.4`.
fn client<'a>(whole: &Text<'a>) -> Option<Text<'a>> {
    let value = |key: &str| {
        let at = whole.find(key)? + key.len();
        let rest = whole[at..].trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        Some(&rest[..rest.find('"')?]).filter(|v| !v.is_empty())
    };
    let program = value("\"program_name\"").or_else(|| value("\"_client_name\""))?;
    match value("\"_client_version\"") {
        Some(version) => Some(format!("{program} {version}").into()),
        None => Some(part(whole, program)),
    }
}

/// The keys that say something to a column or to the outcome.
static KNOWN: Names = Names::new(&[
    "User@Host",
    "User",
    "Conn_ID",
    "Txn_start_ts",
    "Query_time",
    "Result_rows",
    "DB",
    "Digest",
    "Session_connect_attrs",
    "Succ",
    "Is_internal",
]);

/// Moves one field of a block into its column; false where it leaves `fields`.
fn field<'a>(event: &mut Event<'a>, key: &str, value: &mut Value<'a>) -> bool {
    match key {
        "User@Host" => {
            if let Some(text) = taken(value) {
                user_at_host(event, &text);
            }
            return false;
        }
        "User" => {
            if let Some(text) = taken(value) {
                login(event, &text);
            }
            return false;
        }
        "Conn_ID" if event.conn_id.is_none() => event.conn_id = id_or_mark(event, value),
        "Txn_start_ts" if event.txn_ts.is_none() => event.txn_ts = id_or_mark(event, value),
        "Query_time" if event.duration_us.is_none() => event.duration_us = micros_of(value.as_text(), SECOND_US),
        "Result_rows" if event.rows.is_none() => event.rows = value.as_text().parse().ok(),
        "DB" if event.database.is_none() => event.database = taken(value),
        "Digest" if event.digest.is_none() => event.digest = taken(value).map(lower),
        "Session_connect_attrs" => {
            if let Value::Text(text) = &*value {
                put(&mut event.client, client(text));
            }
            return true;
        }
        _ => return true,
    }
    match key {
        "Conn_ID" => event.conn_id.is_none(),
        "Txn_start_ts" => event.txn_ts.is_none(),
        "Query_time" => event.duration_us.is_none(),
        "Result_rows" => event.rows.is_none(),
        _ => false,
    }
}

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    let (mut status, mut internal) = (Status::Unknown, false);
    sweep(event, |event, key, value| {
        if !KNOWN.maybe(key) {
            return true;
        }
        match (key, value.as_text()) {
            ("Succ", "true") => status = Status::Success,
            ("Succ", "false") => status = Status::Failure,
            ("Is_internal", "true") => internal = true,
            _ => {}
        }
        field(event, key, value)
    });
    // A statement of the server's own is nobody's act.
    if !internal {
        let otherwise = (status == Status::Failure).then_some(&action::DATA_QUERY);
        sql::apply(event, status, otherwise);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn seconds_become_microseconds() {
        assert_eq!(micros_of("0.610083964", SECOND_US), Some(610_083));
    }

    #[test]
    fn the_client_has_a_name_an_address_or_both() {
        for (text, user, ip, host) in [
            ("root[root] @ localhost [127.0.0.1]", Some("root"), Some("127.0.0.1"), Some("localhost")),
            ("app[app] @ 10.0.0.7 [10.0.0.7]", Some("app"), Some("10.0.0.7"), None),
            ("app[app] @ ::1 [::1]", Some("app"), Some("::1"), None),
            ("app[app] @  []", Some("app"), None, None),
            ("app", Some("app"), None, None),
            ("[] @ [", None, None, None),
        ] {
            let mut e = Event::default();
            user_at_host(&mut e, &Cow::Borrowed(text));
            assert_eq!((e.user.as_deref(), e.src_ip.as_deref(), e.src_host.as_deref()), (user, ip, host), "{text}");
        }
    }
}
