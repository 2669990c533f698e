//! The recorded runs of a real TiDB, PD and TiProxy: what is found in them, counted, and acts of their ground truth that must be found.
//! Skipped, and says so, where the folder of shared data is missing.

use std::{collections::BTreeMap, fs, path::PathBuf};

use event::{Event, Issue, SourceDefinition};

use crate::{End, Framer, Parser};

fn folder() -> Option<PathBuf> {
    let tried = [
        std::env::var_os("BARTIZAN_SHARED").map(PathBuf::from),
        Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"))),
    ];
    let found = tried.into_iter().flatten().map(|p| p.join("corpus/tidb")).find(|p| p.is_dir());
    if found.is_none() {
        println!("SKIPPED the recorded runs of TiDB: no ../shared/corpus/tidb");
    }
    found
}

/// Every event of one file.
fn events(component: &str, bytes: &[u8], mut each: impl FnMut(&Event<'_>)) {
    let mut parser = Parser::new(&SourceDefinition { component: Some(component.to_owned()), ..SourceDefinition::default() });
    let (mut framer, mut at) = (Framer::new(), 0);
    while at < bytes.len() {
        let Some(span) = framer.next(&bytes[at..], End::Closed) else { break };
        each(&parser.parse(&bytes[at..at + span.len], span.flags));
        at += span.len;
    }
}

const FILES: &[(&str, &str)] = &[
    ("server-9.0-text/tidb.log", "tidb"),
    ("server-9.0-text/tidb-general.log", "tidb"),
    ("server-9.0-text/tidb-slow.log", "tidb"),
    ("server-9.0-text/pd.log", "pd"),
    ("tiproxy-text/tidb.log", "tidb"),
    ("tiproxy-text/tiproxy.log", "tiproxy"),
    ("tiproxy-text/tiproxy-json.log", "tiproxy"),
    ("tiproxy-text/tiproxy-console.log", "tiproxy"),
];

#[test]
fn what_is_found_is_counted() {
    let Some(folder) = folder() else { return };
    for (file, component) in FILES {
        let bytes = fs::read(folder.join(file)).unwrap();
        let (mut counts, mut unparsed) = (BTreeMap::<_, u64>::new(), 0);
        events(component, &bytes, |e| {
            unparsed += u64::from(e.is_marked(&Issue::Unparsed));
            *counts.entry((e.action().unwrap_or("-"), e.status.map_or("-", event::Status::as_str))).or_default() += 1;
            assert!(e.activity.is_some() || e.status.is_none(), "a status without an action: {}", e.raw);
            assert!(!e.is_marked(&Issue::Unparsed) || (e.activity.is_none() && e.user.is_none()), "an unparsed act: {}", e.raw);
        });
        println!("{file}: {unparsed} unparsed");
        for ((action, status), n) in &counts {
            println!("  {n:6} {action} {status}");
        }
        assert!(counts.keys().any(|(action, _)| *action != "-"), "nothing was found in {file}");
    }
}

/// Acts of the scenario: an action and columns that one event of the file must have, all of them.
const ACTS: &[super::tests::Case] = &[
    (
        "server-9.0-text/tidb.log",
        "authentication.logon failure",
        &[("user", "root"), ("src_ip", "127.0.0.66"), ("fields.reason", "wrong_password")],
    ),
    (
        "server-9.0-text/tidb.log",
        "authentication.logon failure",
        &[("user", "sa"), ("src_ip", "127.0.0.67"), ("fields.reason", "unknown_user")],
    ),
    ("server-9.0-text/tidb.log", "account_change.lock success", &[("target_user", "kiosk")]),
    (
        "server-9.0-text/tidb.log",
        "user_access.assign_privileges unknown",
        &[("user", "dba"), ("target_user", "app"), ("privilege", "SUPER"), ("object", "*.*")],
    ),
    ("server-9.0-text/tidb.log", "account_change.create unknown", &[("user", "dba"), ("target_user", "svc_backup2")]),
    ("server-9.0-text/tidb.log", "account_change.delete unknown", &[("user", "dba"), ("target_user", "ghost")]),
    ("server-9.0-text/tidb.log", "datastore_activity.delete unknown", &[("user", "dba"), ("database", "shop"), ("object", "secrets")]),
    (
        "server-9.0-text/tidb.log",
        "datastore_activity.delete unknown",
        &[("user", "dba"), ("object", "staging"), ("fields.object_type", "database")],
    ),
    ("server-9.0-text/tidb.log", "event_log_activity.disable success", &[("object", "tidb_enable_slow_log")]),
    (
        "server-9.0-text/tidb.log",
        "datastore_activity.query failure",
        &[("user", "analyst"), ("src_ip", "127.0.0.8"), ("privilege", "SELECT"), ("database", "mysql"), ("object", "user")],
    ),
    (
        "server-9.0-text/tidb.log",
        "account_change.create failure",
        &[("user", "analyst"), ("target_user", "evil"), ("fields.reason", "permission_denied")],
    ),
    ("server-9.0-text/tidb.log", "datastore_activity.query failure", &[("user", "app"), ("fields.reason", "timeout")]),
    (
        "server-9.0-text/tidb-general.log",
        "event_log_activity.enable unknown",
        &[("user", "dba"), ("src_ip", "127.0.0.9"), ("object", "tidb_general_log")],
    ),
    ("server-9.0-text/pd.log", "event_log_activity.disable unknown", &[("object", "SetServiceMiddlewareConfig"), ("src_ip", "127.0.0.66")]),
    ("server-9.0-text/pd.log", "api_activity.update unknown", &[("user", "pd-ctl"), ("src_ip", "10.0.0.1"), ("fields.forwarded", "true")]),
    ("server-9.0-text/pd.log", "entity_management.delete success", &[("object", "balance-leader-scheduler")]),
    (
        "tiproxy-text/tiproxy.log",
        "authentication.logon failure",
        &[("user", "root"), ("src_ip", "127.0.0.66"), ("client", "pymysql 1.2.4")],
    ),
    ("tiproxy-text/tiproxy.log", "api_activity.create success", &[("object", "traffic_capture")]),
    ("tiproxy-text/tiproxy-json.log", "device_config_state_change.update success", &[("object", "config")]),
    ("tiproxy-text/tiproxy-console.log", "device_config_state_change.update success", &[("object", "config")]),
    (
        "server-9.0-text/tidb-slow.log",
        "datastore_activity.query success",
        &[
            ("user", "analyst"),
            ("src_ip", "127.0.0.8"),
            ("database", "shop"),
            ("object", "orders"),
            ("client", "pymysql 1.2.4"),
            ("rows", "1"),
        ],
    ),
];

#[test]
fn acts_of_the_scenario_are_found_and_named() {
    let Some(folder) = folder() else { return };
    for (file, outcome, columns) in ACTS {
        let component = FILES.iter().find(|(f, _)| f == file).unwrap().1;
        let mut found = false;
        events(component, &fs::read(folder.join(file)).unwrap(), |e| {
            let status = e.status.map_or("-", event::Status::as_str);
            let same = e.action().is_some_and(|a| format!("{a} {status}") == *outcome);
            found |= same && columns.iter().all(|(name, want)| super::tests::seen(e, name) == *want);
        });
        assert!(found, "{outcome} {columns:?} is not found in {file}");
    }
}
