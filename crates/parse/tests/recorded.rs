//! The recorded runs, read as an import reads them: files side by side, merged by event time. Facts that were counted by hand must come out.
//! SKIPPED where the recordings are not there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::PathBuf,
};

use event::{Derive, Event, Issue, LogClass, Micros, RecordMeta, SourceDefinition, SourceId, Status, limits::FRAME_SOURCE_BYTES_MAX};
use parse::{Deriver, End, Framer, Parser, vote};

/// A batch of a file ends when the file is this far ahead of another.
const AHEAD_US: Micros = 1_000_000;

fn shared(path: &str) -> Option<PathBuf> {
    let told = std::env::var_os("BARTIZAN_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let found = [told, Some(beside)].into_iter().flatten().map(|p| p.join(path)).find(|p| p.exists());
    if found.is_none() {
        println!("SKIPPED: no {path} in ../shared or $BARTIZAN_SHARED");
    }
    found
}

struct File {
    definition: SourceDefinition,
    source: SourceId,
    records: Vec<(RecordMeta, Vec<u8>, Option<Micros>)>,
    next: usize,
}

fn read(folder: &std::path::Path, name: &str, component: &str, number: u8) -> File {
    let mut bytes = std::fs::read(folder.join(name)).unwrap();
    if name.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        bytes = plain;
    }
    let definition = SourceDefinition {
        cluster: "c1".into(),
        instance: Some(folder.file_name().unwrap().to_string_lossy().into_owned()),
        component: Some(component.into()),
        voted: vote(&bytes, Some(component), Some(name)).map(str::to_owned),
        path: Some(name.into()),
        ..SourceDefinition::default()
    };
    let (mut framer, mut parser) = (Framer::new(), Parser::new(&definition));
    let (mut at, mut records) = (0, Vec::new());
    while let Some(span) = framer.next(&bytes[at..], End::Closed) {
        let record = &bytes[at..at + span.len];
        let mut meta = RecordMeta { source: SourceId([number; 16]), flags: span.flags, observed_time: Some(0), ..RecordMeta::default() };
        (meta.byte_start, meta.byte_end) = (at as u64, (at + span.len) as u64);
        let time = parser.parse(record, span.flags).time;
        let stored = record.strip_suffix(b"\n").unwrap_or(record);
        records.push((meta, stored.to_vec(), time));
        at += span.len;
    }
    assert_eq!(at, bytes.len(), "{name} is covered");
    File { definition, source: SourceId([number; 16]), records, next: 0 }
}

/// All events with their names, in the order in which an import stores them. The state goes through a snapshot every `every` records.
fn events(folder: &std::path::Path, files: &[&str], component: &str, every: usize) -> Vec<(String, Event<'static>)> {
    let mut lanes: Vec<File> = files.iter().enumerate().map(|(n, f)| read(folder, f, component, n as u8 + 1)).collect();
    let mut deriver = Deriver::default();
    let mut events = Vec::new();
    loop {
        let turn = |l: &File| l.records[l.next..].iter().find_map(|(_, _, t)| *t);
        let Some(i) = (0..lanes.len()).filter(|i| lanes[*i].next < lanes[*i].records.len()).min_by_key(|i| turn(&lanes[*i])) else { break };
        let others = lanes.iter().enumerate().filter(|(j, l)| *j != i && l.next < l.records.len()).filter_map(|(_, l)| turn(l)).min();
        let until = others.map_or(Micros::MAX, |t| t.saturating_add(AHEAD_US));
        let (mut bytes, mut first) = (0, true);
        let lane = &mut lanes[i];
        while let Some((meta, stored, time)) = lane.records.get(lane.next) {
            if !first && (time.is_some_and(|t| t > until) || bytes > FRAME_SOURCE_BYTES_MAX) {
                break;
            }
            let name = format!("{}:{}", lane.source.0[0], lane.next);
            let event = deriver.derive(&lane.definition, meta, LogClass::Server, &name, stored).into_owned();
            events.push((name, event));
            (bytes, first) = (bytes + stored.len(), false);
            lane.next += 1;
            if events.len() % every == 0 {
                let snapshot = serde_json::from_str(&deriver.snapshot().to_string()).unwrap();
                deriver = Deriver::default();
                deriver.restore(&snapshot);
            }
        }
    }
    assert_eq!(deriver.dropped(), 0);
    events
}

/// The acts among these events.
fn acts<'e>(events: impl Iterator<Item = &'e (String, Event<'static>)>) -> BTreeSet<&'e str> {
    events.map(|(name, e)| e.act_id.as_deref().unwrap_or(name)).collect()
}

fn failed_logons<'e>(events: &'e [(String, Event<'static>)]) -> BTreeMap<&'e str, usize> {
    let mut users: BTreeMap<&'e str, BTreeSet<&'e str>> = BTreeMap::new();
    for (name, e) in events {
        if e.action() == Some("authentication.logon")
            && e.status == Some(Status::Failure)
            && let Some(user) = e.user.as_deref()
        {
            users.entry(user).or_default().insert(e.act_id.as_deref().unwrap_or(name));
        }
    }
    users.into_iter().map(|(user, acts)| (user, acts.len())).collect()
}

#[test]
fn milvus_facts() {
    let Some(folder) = shared("corpus/milvus/server-2.3.5-text") else { return };
    let events = events(&folder, &["milvus-stdout.log.gz", "access.log"], "milvus", usize::MAX);

    let users = failed_logons(&events);
    for (user, want) in [("root", 20), ("mallory", 1), ("evil", 1), ("bob", 1), ("alice", 1)] {
        assert_eq!(users.get(user), Some(&want), "{user} in {users:?}");
    }
    assert_eq!(users.len(), 5, "{users:?}");

    let rows: Vec<&str> = events.iter().filter(|(_, e)| e.stream.as_deref() == Some("access")).map(|(_, e)| e.raw.as_ref()).collect();
    let denied = events.iter().filter(|(_, e)| {
        e.stream.as_deref() == Some("access")
            && e.status == Some(Status::Failure)
            && e.user.as_deref() == Some("alice")
            && e.privilege.is_some()
            && e.src_ip.as_deref() == Some("127.0.0.1")
    });
    assert_eq!(denied.count(), rows.iter().filter(|r| r.contains("permission deny to alice")).count());

    let actions: BTreeSet<&str> = events.iter().filter_map(|(_, e)| e.action()).collect();
    for want in [
        "authentication.logon",
        "account_change.create",
        "account_change.delete",
        "account_change.password_change",
        "group_management.add_user",
        "user_access.assign_privileges",
        "datastore_activity.query",
        "datastore_activity.write",
        "datastore_activity.create",
        "datastore_activity.delete",
        "application_lifecycle.start",
    ] {
        assert!(actions.contains(want), "{want} in {actions:?}");
    }
}

#[test]
fn milvus_joins() {
    let Some(folder) = shared("corpus/milvus/server-2.3.5-text") else { return };
    let events = events(&folder, &["milvus-stdout.log.gz", "access.log"], "milvus", usize::MAX);
    // Every refused login and every refusal has both lines, and the server's learns the address or teaches the reason.
    let both = |action: &str, reason: Option<&str>| {
        let lines: Vec<&(String, Event<'static>)> = events
            .iter()
            .filter(|(_, e)| {
                e.status == Some(Status::Failure) && e.action() == Some(action) && reason.is_none_or(|r| e.field_text("reason") == Some(r))
            })
            .collect();
        (lines.len(), acts(lines.into_iter()).len())
    };
    // 26 refused rows; 25 `fail to verify ..` or `key not found ..` lines, 3 accounts with two more lines, one key with one more.
    let (lines, logons) = both("authentication.logon", None);
    assert_eq!(logons, 26, "{lines} lines");
    assert_eq!(lines, 26 + 26 + 6 + 1);
    let (lines, unknown) = both("authentication.logon", Some("unknown_user"));
    assert_eq!((lines >= 9, unknown), (true, 3));
    let denied = events.iter().filter(|(_, e)| e.field_text("reason") == Some("permission_denied"));
    let (lines, denied) = (denied.clone().count(), acts(denied).len());
    assert_eq!(lines, 2 * denied, "each refusal is a server line and a row");
    let connected: Vec<&(String, Event<'static>)> =
        events.iter().filter(|(_, e)| e.action() == Some("authentication.logon") && e.status == Some(Status::Success)).collect();
    let servers = connected.iter().filter(|(_, e)| e.stream.as_deref() == Some("server")).count();
    assert_eq!(acts(connected.into_iter()).len(), servers, "every successful login has its server line");
}

#[test]
fn a_snapshot_anywhere_changes_nothing() {
    let Some(folder) = shared("corpus/milvus/server-2.3.5-text-default-cache") else { return };
    let files = ["milvus-stdout.log", "access.log"];
    let whole = events(&folder, &files, "milvus", usize::MAX);
    for every in [1, 7, 50] {
        let split = events(&folder, &files, "milvus", every);
        assert!(whole == split, "every {every} records");
    }
    let Some(folder) = shared("corpus/tidb/tiproxy-text") else { return };
    let files = ["tiproxy.log", "tidb.log"];
    let (whole, split) = (events(&folder, &files, "tidb", usize::MAX), events(&folder, &files, "tidb", 97));
    for (a, b) in whole.iter().zip(&split) {
        assert_eq!(a, b);
    }
}

#[test]
fn copies_of_a_stream_are_marked_once_each() {
    let Some(folder) = shared("corpus/milvus/server-2.3.5-text-default-cache") else { return };
    let one = events(&folder, &["milvus-stdout.log", "access.log"], "milvus", usize::MAX);
    let two = events(&folder, &["milvus-stdout.log", "access.log", "milvus-stdout.log"], "milvus", usize::MAX);
    let placed = |all: &[(String, Event<'static>)]| {
        all.iter().filter(|(_, e)| e.stream.as_deref() == Some("server") && e.time.is_some() && !e.is_marked(&Issue::Unparsed)).count()
    };
    let duplicates = two.iter().filter(|(_, e)| e.is_marked(&Issue::Duplicate)).count();
    assert_eq!((duplicates, 2 * duplicates), (placed(&one), placed(&two)));
    let with_action = |all: &[(String, Event<'static>)]| acts(all.iter().filter(|(_, e)| e.activity.is_some())).len();
    assert_eq!(with_action(&one), with_action(&two), "a second copy adds no act");
}

#[test]
fn tidb_facts() {
    let Some(folder) = shared("corpus/tidb/server-9.0-text") else { return };
    let events = events(&folder, &["tidb.log", "tidb-slow.log", "tidb-general.log", "pd.log"], "tidb", usize::MAX);
    let with = |message: &'static str| events.iter().filter(move |(_, e)| e.message.as_deref() == Some(message));

    // A refused login is one act: as many acts as connections that ended in a refusal.
    let logons = events.iter().filter(|(_, e)| e.action() == Some("authentication.logon") && e.status == Some(Status::Failure));
    let handshakes = with("Server.onConn handshake").filter(|(_, e)| e.action() == Some("authentication.logon"));
    assert_eq!(acts(logons).len(), handshakes.count());

    // A failing statement is one act, whatever it printed before.
    let failing = with("command dispatched failed");
    let count = failing.clone().count();
    assert_eq!(acts(failing.clone()).len(), count);
    let causes = with("run statement failed").chain(with("compile SQL failed")).chain(with("parse SQL failed"));
    let ended = acts(failing);
    let login = acts(events.iter().filter(|(_, e)| e.action() == Some("authentication.logon")));
    let stray: Vec<&str> = acts(causes).into_iter().filter(|act| !ended.contains(act) && !login.contains(act)).collect();
    assert!(stray.is_empty(), "causes belong to the failures that follow, or to a login: {stray:?}");

    // What was refused did not happen.
    let crucial = with("CRUCIAL OPERATION");
    let refused: Vec<&Event<'static>> = crucial.clone().map(|(_, e)| e).filter(|e| e.inferred.contains(&"status")).collect();
    assert!(refused.iter().any(|e| e.target_user.as_deref() == Some("evil")), "{:?}", refused.len());
    assert!(refused.iter().all(|e| e.status == Some(Status::Failure) && e.act_id.is_some()));

    // A DDL job is one act with the statement that asked for it.
    let jobs = with("DDL job submitted");
    let submitted = jobs.clone().count();
    let all =
        jobs.chain(with("finish DDL job")).chain(with("add DDL jobs")).chain(with("DDL job is finished")).chain(with("run one job step"));
    assert_eq!(acts(all).len(), submitted);
    let dropped = crucial.filter(|(_, e)| e.statement.as_deref().is_some_and(|s| s.starts_with("create table")));
    assert!(dropped.clone().count() > 3 && dropped.clone().all(|(_, e)| e.act_id.is_some()));

    // Kills: one act a victim's line `kill`.
    let kills = with("kill");
    let count = kills.clone().count();
    assert_eq!(acts(kills.chain(with("kill initiated")).chain(with("kill finished"))).len(), count);
}
