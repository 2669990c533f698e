//! Searches against events in memory: what matches, and what is said about a search that cannot be read.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use event::{Event, Issue, LogName, RecordName, Status, Value, action};

use super::Search;

const NOW: i64 = 1_795_296_000_000_000; // 2026-11-21T21:20:00Z

fn name() -> RecordName {
    RecordName { log: LogName::parse("000000ab.prod.security").unwrap(), seq: 7 }
}

fn sample() -> Event<'static> {
    let text = |t: &'static str| Some(Cow::Borrowed(t));
    Event {
        time: Some(NOW - 60_000_000),
        product: text("tidb"),
        stream: text("server"),
        level: text("WARN"),
        user: text("root"),
        src_ip: text("10.1.2.3"),
        activity: Some(&action::LOGON),
        status: Some(Status::Failure),
        conn_id: Some(7_398_943_596_793_037_429),
        rows: Some(12),
        issues: vec![Issue::Masked(Cow::Borrowed("password")), Issue::ZoneAssumed],
        fields: vec![(Cow::Borrowed("method"), Value::Text(Cow::Borrowed("DropCollection"))), (Cow::Borrowed("none"), Value::Null)],
        raw: Cow::Borrowed("[WARN] [conn.go:1184] [\"command dispatched failed\"] [err=\"[planner:1227]Access denied\"] [traceID=8f2c]"),
        ..Event::default()
    }
}

#[test]
fn what_matches() {
    let (event, name) = (sample(), name());
    for (search, expected) in [
        ("", true),
        ("denied", true),
        ("DENIED dispatched", true),
        ("denied nothing", false),
        ("\"command dispatched\"", true),
        ("\"dispatched command\"", false),
        ("planner:1227", true),
        ("\"[planner:1227]\"", true),
        ("8f2c", true),
        ("8f2", false),
        ("8f2*", true),
        ("nothing OR denied", true),
        ("denied OR nothing other", true),
        ("(nothing OR denied) dispatched", true),
        ("(nothing OR denied) other", false),
        ("-denied", false),
        ("-nothing", true),
        ("NOT nothing denied", true),
        ("-(nothing OR other)", true),
        ("-(nothing OR denied)", false),
        ("user:(dba root)", true),
        ("user:(dba OR root) denied", true),
        ("user:(dba app)", false),
        ("-user:(dba app)", true),
        ("(user:(root) OR nothing) denied", true),
        ("level:(\"WARN\" error)", true),
        ("user:root", true),
        ("user:ROOT", true),
        ("User:root", true),
        ("user:roo", false),
        ("user:r*", true),
        ("user:\"r*\"", false),
        ("-user:root", false),
        ("-user:alice", true),
        ("target_user:*", false),
        ("-target_user:*", true),
        ("-target_user:alice", true),
        ("user:*", true),
        ("ip:10.0.0.0/8", true),
        ("src_ip:11.0.0.0/8", false),
        ("src_ip:10.1.2.3", true),
        ("level:warn", true),
        ("level:warning", true),
        ("level:>=info", true),
        ("level:>warn", false),
        ("level:<error", true),
        ("action:authentication.logon", true),
        ("action:authentication.*", true),
        ("status:failure", true),
        ("conn_id:7398943596793037429", true),
        ("conn_id:7398943596793037428", false),
        ("rows:12", true),
        ("rows:>12", false),
        ("rows:>=12", true),
        ("rows:5..20", true),
        ("rows:..11", false),
        ("class_uid:3002", true),
        ("issues:masked:password", true),
        ("issues:masked:*", true),
        ("issues:forged", false),
        ("fields.method:dropcollection", true),
        ("fields.method:drop*", true),
        ("fields.other:*", false),
        ("fields.none:*", false),
        ("cluster:prod", true),
        ("cluster:test", false),
        ("class:security", true),
        ("log:000000ab.prod.security seq:7", true),
        ("since:5m", true),
        ("since:30s", false),
        ("until:30s", true),
        ("since:2026-11-21 until:2026-11-22 denied", true),
        ("time:<2026-11-21", false),
        ("raw:*denied*", true),
    ] {
        let read = Search::parse(search, NOW).unwrap();
        assert_eq!(read.matches(&event, &name), expected, "{search}");
    }
}

#[test]
fn what_cannot_be_read() {
    for (search, problem, advice) in [
        ("usr:root", "no field \"usr\"", "did you mean user:"),
        ("user:", "user: has no value", "user:*"),
        ("rows:many", "rows is a number", "rows:>=5"),
        ("since:soon", "since:soon is no time", "15m"),
        ("-since:1h", "a negation", "outside"),
        ("(since:1h)", "inside parentheses", "outside"),
        ("(a", "parenthesis is not closed", "quote"),
        ("\"a", "quotation mark is not closed", "quote"),
        ("a OR", "OR stands without a word", "quote"),
        ("level:>loud", "loud is no level", "fatal"),
        ("src_ip:10.0.0.0/99", "no network", "10.0.0.0/8"),
        ("*", "nothing to look for", ""),
        ("(a NOT)", "nothing follows the negation", "-word"),
    ] {
        match Search::parse(search, NOW) {
            Err(e) => {
                let said = e.to_string();
                assert!(
                    said.contains(problem) && said.contains(advice) && said.contains(&search.escape_debug().to_string()),
                    "{search}: {said}"
                );
            }
            Ok(read) => panic!("{search} was read as {read:?}"),
        }
    }
    let deep = "(".repeat(1000) + "a" + &")".repeat(1000);
    assert!(Search::parse(&deep, NOW).is_err());
    assert!(Search::parse(&("-".repeat(1000) + "a"), NOW).is_err());
    assert!(Search::parse(&"a ".repeat(1000), NOW).is_err());
}
