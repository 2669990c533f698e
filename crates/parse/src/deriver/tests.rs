//! State that goes through a snapshot anywhere gives the same events; what sources taught is kept; tables stay within their bounds.

use event::{Derive, Event, Issue, LogClass, RecordFlags, RecordMeta, SourceDefinition, SourceId, limits::CLOCK_AHEAD_US};
use proptest::prelude::*;

use super::Deriver;

fn definition(n: u8) -> SourceDefinition {
    let (component, instance) = if n < 2 { ("milvus", "m") } else { ("tidb", "t") };
    SourceDefinition {
        cluster: "c1".into(),
        instance: Some(instance.into()),
        component: Some(component.into()),
        ..SourceDefinition::default()
    }
}

fn derive(deriver: &mut Deriver, definition: &SourceDefinition, source: u8, n: usize, line: &str) -> Event<'static> {
    let flags =
        if line.contains(" stdout P ") || line.contains(" stdout F ") { RecordFlags(RecordFlags::PIECE) } else { RecordFlags::default() };
    let meta =
        RecordMeta { source: SourceId([source; 16]), flags, byte_start: n as u64, observed_time: Some(n as i64), ..RecordMeta::default() };
    deriver.derive(definition, &meta, LogClass::Security, &format_args!("c1:{n}"), line.as_bytes()).into_owned()
}

#[test]
fn a_live_time_far_ahead_of_its_arrival_is_suspect() {
    let line = "[2026/03/02 10:00:00.000 +00:00] [INFO] [a.go:1] [x]";
    let at = 1_772_445_600_000_000;
    for (arrived, imported, suspect) in [
        (Some(at - CLOCK_AHEAD_US), false, false),
        (Some(at - CLOCK_AHEAD_US - 1), false, true),
        (Some(at - CLOCK_AHEAD_US - 1), true, false),
        (None, false, false),
    ] {
        let definition = SourceDefinition { imported, ..definition(2) };
        let meta = RecordMeta { observed_time: arrived, ..RecordMeta::default() };
        let event = Deriver::default().derive(&definition, &meta, LogClass::Server, &"a:0", line.as_bytes()).into_owned();
        assert_eq!((event.time, event.is_marked(&Issue::ClockSuspect)), (Some(at), suspect), "{arrived:?}");
        assert_eq!(event.window_time(), if suspect { arrived } else { Some(at) });
    }
}

fn acts(deriver: &Deriver) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(deriver.snapshot().get()).unwrap()["acts"].take()
}

fn through_snapshot(deriver: &Deriver) -> Deriver {
    let mut back = Deriver::default();
    back.restore(&serde_json::from_str(&deriver.snapshot().to_string()).unwrap());
    back
}

/// A line of a kind, by a user or connection, a few milliseconds further on.
fn line(kind: u8, who: u8, ms: u32) -> (u8, String) {
    let t = format!("2026/03/02 10:{:02}:{:02}.{:03} +00:00", ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    let server = |message: &str, fields: &str| format!("[{t}] [WARN] [proxy/impl.go:1] [\"{message}\"] {fields}");
    let tidb = |message: &str, fields: &str| format!("[{t}] [WARN] [session.go:1] [\"{message}\"] [conn={}] {fields}", 5 + who);
    let row = |method: &str, status: &str, message: &str, trace: &str| {
        format!(
            "[{t}] [ACCESS] <u{who}: tcp-10.0.0.{who}:4711> {method} [status: {status}] [code: 0] [sdk: Python-2.3.8] [msg: {message}] [traceID: {trace}] [timeCost: 1ms]"
        )
    };
    let denied = "[error=\"[privilege:1045]Access denied for user 'root'@'10.0.0.66' (using password: YES)\"]";
    let trace = format!("{:032x}", u32::from(who) + 7);
    match kind {
        0 => (0, server("fail to verify password", &format!("[username=u{who}]"))),
        1 => (0, server("GetCredential query credential failed", &format!("[username=u{who}]"))),
        2 => (0, server("Verify password failed", "[error=x]")),
        3 => (1, row("Connect", "GrpcUnauthenticated", "auth check failure", "Unknown")),
        4 => (0, server("received request to drop collection", &format!("[traceID={trace}] [name=c]"))),
        5 => (1, row("DropCollection", "OK", "", &trace)),
        6 => (0, server("permission deny", &format!("[username=u{who}] [object_privilege=PrivilegeInsert]"))),
        7 => (1, row("Insert", "GrpcPermissionDenied", &format!("PrivilegeInsert: permission deny to u{who}"), "Unknown")),
        8 => (0, server("starting running Milvus components", "")),
        9 => (0, server("Get signal to exit", "")),
        10 => (2, tidb("open new session or authentication failure", denied)),
        11 => (2, tidb("Server.onConn handshake", denied)),
        12 => (2, tidb("run statement failed", "[error=\"[planner:1227]no\"]")),
        13 => (2, tidb("CRUCIAL OPERATION", "[sql=\"drop table a\"] [user=app@%]")),
        14 => (2, tidb("command dispatched failed", "[sql=\"drop table a\"] [err=\"[planner:1227]no\"]")),
        15 => (2, tidb("DDL job submitted", "[job=\"ID:9, Type:drop table, State:x\"] [query=\"drop table a\"]")),
        16 => (2, tidb("finish DDL job", "[jobID=9] [job=\"ID:9, Type:drop table, State:x\"]")),
        17 => (2, tidb("kill", "[query=false]")),
        18 => (2, tidb("set global var", "[name=tidb_general_log] [val=1]")),
        19 => (2, tidb("Welcome to TiDB.", "[\"Release Version\"=v8.5.0]")),
        20 => (0, format!("2026-03-02T10:00:00.1Z stdout P [{t}] [WARN] [proxy/a.go:1] [\"fail to ")),
        21 => (0, format!("2026-03-02T10:00:00.1Z stdout F verify password\"] [username=u{who}]")),
        22 => (3, format!("[{t}] [WARN] [proxy/impl.go:1] [\"fail to verify password\"] [username=u{who}]")),
        _ => (0, "not a line of any format".to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_snapshot_anywhere_changes_nothing(
        script in prop::collection::vec((0u8..24, 0u8..3, prop_oneof![0u32..20, 0u32..20, 0u32..20, 20_000u32..70_000]), 1..120),
        cuts in prop::collection::vec(0usize..120, 0..4),
    ) {
        let (mut whole, mut split) = (Deriver::default(), Deriver::default());
        let mut ms = 0;
        for (n, (kind, who, step)) in script.iter().enumerate() {
            ms += step;
            let (source, text) = line(*kind, *who, ms);
            // The fourth source is a copy of the first.
            let definition = definition(if source == 3 { 0 } else { source });
            if cuts.contains(&n) {
                split = through_snapshot(&split);
            }
            let (a, b) = (derive(&mut whole, &definition, source, n, &text), derive(&mut split, &definition, source, n, &text));
            prop_assert_eq!(a, b, "line {}: {}", n, text);
        }
        prop_assert_eq!(acts(&through_snapshot(&whole)), acts(&whole));
    }

    #[test]
    fn hostile_state_and_lines_are_survived(snapshot in "\\PC{0,200}", lines in prop::collection::vec("\\PC{0,120}", 0..8)) {
        let mut deriver = Deriver::default();
        deriver.restore(&serde_json::from_str(&snapshot).unwrap_or(serde_json::Value::String(snapshot)));
        for (n, text) in lines.iter().enumerate() {
            derive(&mut deriver, &definition(0), 1, n, text);
        }
        prop_assert_eq!(acts(&through_snapshot(&deriver)), acts(&deriver));
    }
}

#[test]
fn what_a_source_taught_survives() {
    let told = SourceDefinition { cluster: "c1".into(), ..SourceDefinition::default() };
    let welcome = "[2026/03/02 10:00:00.120 +08:00] [INFO] [printer.go:73] [\"Welcome to TiDB.\"] [\"Release Version\"=v8.5.0]";
    let later = "[2026/03/02 10:00:01.120] [INFO] [server.go:73] [x]";
    let mut deriver = Deriver::default();
    derive(&mut deriver, &told, 1, 0, welcome);
    let mut back = through_snapshot(&deriver);
    let (a, b) = (derive(&mut deriver, &told, 1, 1, later), derive(&mut back, &told, 1, 1, later));
    assert_eq!((a.product.as_deref(), a.version.as_deref()), (Some("tidb"), Some("v8.5.0")));
    assert_eq!(a, b);
    // Twice through a snapshot without a record between.
    let twice = derive(&mut through_snapshot(&through_snapshot(&deriver)), &told, 1, 1, later);
    assert_eq!(twice.version.as_deref(), Some("v8.5.0"));
    // Another source knows nothing of it.
    assert_eq!(derive(&mut back, &told, 2, 2, later).product, None);
}

#[test]
fn what_the_operator_says_outweighs_what_was_learned() {
    let told = SourceDefinition { cluster: "c1".into(), ..SourceDefinition::default() };
    let line = "[2026/03/02 10:00:00.120 +00:00] [WARN] [server.go:1] [x]";
    let mut deriver = Deriver::default();
    derive(&mut deriver, &told, 1, 0, "[2026/03/02 10:00:00.120 +00:00] [INFO] [printer.go:73] [\"Welcome to TiDB.\"]");
    assert_eq!(derive(&mut deriver, &told, 1, 1, line).product.as_deref(), Some("tidb"));
    let renamed = SourceDefinition { path: Some("/var/log/tidb-2.log".into()), ..told.clone() };
    assert_eq!(derive(&mut deriver, &renamed, 1, 2, line).product.as_deref(), Some("tidb"));
    let named = SourceDefinition { component: Some("tiproxy".into()), ..told };
    assert_eq!(derive(&mut deriver, &named, 1, 3, line).product.as_deref(), Some("tiproxy"));
}

#[test]
fn own_records_are_of_bartizan() {
    let mut deriver = Deriver::default();
    let meta = RecordMeta { byte_start: 3, byte_end: 9, observed_time: Some(5), ..RecordMeta::default() };
    let record = br#"{"kind":"gap","message":"lines are missing"}"#;
    let e = deriver.derive(&SourceDefinition::default(), &meta, LogClass::Own, &"self:0", record);
    assert_eq!(
        (e.product.as_deref(), e.stream.as_deref(), e.message.as_deref()),
        (Some("bartizan"), Some("gap"), Some("lines are missing"))
    );
    assert_eq!((e.byte_start, e.byte_end, e.observed_time), (3, 9, Some(5)));
}
