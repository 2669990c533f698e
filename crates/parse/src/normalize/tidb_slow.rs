//! TiDB's slow log: blocks to columns.

use event::{Event, Status, Text, action};

use super::{
    columns::{lower, move_conn, move_count, move_micros, move_txn, name_in, part, put, set_source, take, take_any, take_login},
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

/// Whether the block is a statement of the server's own.
fn is_internal(event: &Event<'_>) -> bool {
    event.field_text("Is_internal") == Some("true")
}

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    if let Some(text) = take(event, "User@Host") {
        user_at_host(event, &text);
    }
    take_login(event, "User");
    move_conn(event, "Conn_ID");
    move_txn(event, "Txn_start_ts");
    move_micros(event, "Query_time", SECOND_US);
    move_count(event, "Result_rows", |e| &mut e.rows);
    let database = take(event, "DB");
    put(&mut event.database, database);
    let digest = take(event, "Digest").map(lower);
    put(&mut event.digest, digest);
    if let Some(attributes) = event.field("Session_connect_attrs").cloned().and_then(super::columns::text_of) {
        put(&mut event.client, client(&attributes));
    }
    let statement = take_any(event, &["sql", "Query"]);
    put(&mut event.statement, statement);
    let status = match event.field_text("Succ") {
        Some("true") => Status::Success,
        Some("false") => Status::Failure,
        _ => Status::Unknown,
    };
    if is_internal(event) {
        return;
    }
    let otherwise = (status == Status::Failure).then_some(&action::DATA_QUERY);
    sql::apply(event, status, otherwise);
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::normalize::columns::micros_of;

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
