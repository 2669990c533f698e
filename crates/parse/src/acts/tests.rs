//! Lines in, acts out: which line opens an act, which join it, and what they learn from each other. The lines go through the parser as they would in a store.

use event::{Derive, Event, Generation, Issue, LogClass, RecordFlags, RecordMeta, SourceDefinition, SourceId, Status};

use crate::Deriver;

/// When all lines arrive: 2026-03-02 12:00 UTC, after all of them.
const ARRIVED: i64 = 1_772_452_800_000_000;

/// One line of one file: instance and file, text.
type Line = (&'static str, String);

fn time(ms: u32) -> String {
    format!("2026/03/02 10:{:02}:{:02}.{:03} +00:00", ms / 60_000, ms / 1000 % 60, ms % 1000)
}

/// A Milvus server line at a millisecond of an hour.
fn server(ms: u32, message: &str, fields: &str) -> Line {
    ("m/server", format!("[{}] [WARN] [proxy/impl.go:1] [\"{message}\"] {fields}", time(ms)))
}

/// An access row; `status` and `message` as Milvus writes them.
fn access(ms: u32, who: &str, method: &str, status: &str, message: &str, trace: &str) -> Line {
    let code = if status == "OK" { 0 } else { 65535 };
    (
        "m/access",
        format!(
            "[{}] [ACCESS] <{who}: tcp-10.0.0.9:4711> {method} [status: {status}] [code: {code}] [sdk: Python-2.3.8] [msg: {message}] [traceID: {trace}] [timeCost: 1ms]",
            time(ms)
        ),
    )
}

fn refused(ms: u32, who: &str) -> Line {
    let message = "rpc error: code = Unauthenticated desc = auth check failure, please check username and password are correct";
    access(ms, who, "Connect", "GrpcUnauthenticated", message, &"0".repeat(32))
}

fn denied(ms: u32, who: &str, method: &str, privilege: &str) -> Line {
    let message = format!("rpc error: code = PermissionDenied desc = {privilege}: permission deny to {who}");
    access(ms, who, method, "GrpcPermissionDenied", &message, &"0".repeat(32))
}

fn wrong(ms: u32, who: &str) -> Line {
    server(ms, "fail to verify password", &format!("[username={who}]"))
}

fn refusal(ms: u32, who: &str, privilege: &str) -> Line {
    server(ms, "permission deny", &format!("[username={who}] [object_type=Collection] [object_privilege={privilege}] [object_name=papers]"))
}

fn unknown(ms: u32, who: &str) -> [Line; 3] {
    [
        server(ms, "GetCredential query credential failed", &format!("[traceID=0a] [username={who}] [error=\"key not found\"]")),
        server(ms, "Verify password failed", "[error=\"hashedSecret too short\"]"),
        wrong(ms, who),
    ]
}

/// A TiDB server line.
fn tidb(ms: u32, message: &str, fields: &str) -> Line {
    ("t/tidb", format!("[{}] [WARN] [session.go:1] [\"{message}\"] {fields}", time(ms)))
}

fn dispatched(ms: u32, conn: u32, sql: &str) -> Line {
    let info = format!("[connInfo=\"id:{conn}, addr:10.0.0.8:5123 status:10, collation:utf8mb4_general_ci, user:app\"]");
    tidb(ms, "command dispatched failed", &format!("[conn={conn}] {info} [command=Query] [sql=\"{sql}\"] [err=\"[planner:1142]denied\"]"))
}

fn crucial(ms: u32, conn: u32, sql: &str) -> Line {
    tidb(ms, "CRUCIAL OPERATION", &format!("[conn={conn}] [schemaVersion=65] [cur_db=shop] [sql=\"{sql}\"] [user=app@%]"))
}

struct Told {
    events: Vec<Event<'static>>,
    /// The number of the line that opened the act of each line.
    acts: Vec<usize>,
}

fn tell(lines: &[Line]) -> Told {
    let mut deriver = Deriver::default();
    let mut files: Vec<&str> = Vec::new();
    let (mut events, mut acts) = (Vec::new(), Vec::new());
    for (n, (file, text)) in lines.iter().enumerate() {
        let number = files.iter().position(|f| f == file).unwrap_or_else(|| {
            files.push(file);
            files.len() - 1
        });
        let (instance, _) = file.split_once('/').unwrap();
        let component = if instance.starts_with('t') { "tidb" } else { "milvus" };
        let definition = SourceDefinition {
            cluster: "c1".into(),
            instance: Some(instance.into()),
            component: Some(component.into()),
            ..SourceDefinition::default()
        };
        let id = [number as u8 + 1; 16];
        let flags = if text.contains(" P ") || text.contains(" F ") { RecordFlags(RecordFlags::PIECE) } else { RecordFlags::default() };
        let meta =
            RecordMeta { source: SourceId(id), generation: Generation(id), observed_time: Some(ARRIVED), flags, ..RecordMeta::default() };
        let event = deriver.derive(&definition, &meta, LogClass::Security, &n, text.as_bytes()).into_owned();
        acts.push(event.act_id.as_deref().map_or(n, |act| act.parse().unwrap()));
        events.push(event);
    }
    Told { events, acts }
}

#[track_caller]
fn expect(lines: &[Line], acts: &[usize]) -> Vec<Event<'static>> {
    let told = tell(lines);
    assert_eq!(told.acts, acts, "{}", lines.iter().map(|(f, l)| format!("\n{f} {l}")).collect::<String>());
    told.events
}

#[test]
fn a_refused_login_is_one_act_in_either_order() {
    let e = expect(&[wrong(1000, "ann"), refused(1001, "ann")], &[0, 0]);
    assert_eq!((e[1].field_text("reason"), e[1].inferred.as_slice()), (Some("wrong_password"), &["fields.reason"][..]));
    let e = expect(&[refused(1001, "ann"), wrong(1000, "ann")], &[0, 0]);
    assert_eq!((e[1].src_ip.as_deref(), e[1].src_port), (Some("10.0.0.9"), Some(4711)));
    assert_eq!(e[1].inferred, ["src_ip", "src_port", "client"]);
    assert_eq!(e[0].field_text("reason"), Some("access_denied"), "the earlier line is never rewritten");
}

#[test]
fn logins_are_joined_one_to_one_in_order() {
    // Files are read in frames: several lines of one, then those of the other.
    let lines =
        [wrong(1000, "ann"), wrong(1155, "ann"), wrong(1160, "bob"), refused(1000, "ann"), refused(1156, "ann"), refused(1161, "bob")];
    expect(&lines, &[0, 1, 2, 0, 1, 2]);
    expect(&[wrong(1000, "ann"), wrong(1050, "ann"), refused(1050, "ann"), refused(1051, "ann")], &[0, 1, 0, 1]);
    expect(&[wrong(1000, "ann"), refused(1101, "ann")], &[0, 1]);
    expect(&[wrong(1000, "ann"), refused(1000, "ann"), refused(1000, "ann")], &[0, 0, 2]);
    expect(&[wrong(1000, "ann"), wrong(1000, "ann")], &[0, 1]);
    expect(&[refused(1000, "ann"), refused(1000, "ann")], &[0, 1]);
    expect(&[wrong(1000, "ann"), refused(1000, "bob")], &[0, 1]);
}

#[test]
fn an_unknown_account_is_one_act_of_four_lines() {
    let [get, verify, fail] = unknown(1000, "ghost");
    for (lines, acts) in [
        (vec![get.clone(), verify.clone(), fail.clone(), refused(1001, "ghost")], [0, 0, 0, 0]),
        (vec![refused(1001, "ghost"), get.clone(), verify.clone(), fail.clone()], [0, 0, 0, 0]),
        (vec![get.clone(), refused(1001, "ghost"), verify.clone(), fail.clone()], [0, 0, 0, 0]),
    ] {
        let e = expect(&lines, &acts);
        let last = e.iter().rfind(|e| e.message.as_deref() == Some("fail to verify password")).unwrap();
        assert_eq!((last.field_text("reason"), last.inferred.contains(&"fields.reason")), (Some("unknown_user"), true));
        let verify = e.iter().find(|e| e.message.as_deref() == Some("Verify password failed")).unwrap();
        assert_eq!((verify.user.as_deref(), verify.inferred.contains(&"user")), (Some("ghost"), true));
        // Where the access row came first, all lines behind it know the address.
        assert_eq!(last.src_ip.is_some(), e[0].stream.as_deref() == Some("access"));
    }
    // The three are used up: a wrong password right behind them is its own act.
    expect(&[get.clone(), verify.clone(), fail.clone(), wrong(1010, "ghost")], &[0, 0, 0, 3]);
    let [get2, verify2, fail2] = unknown(1020, "ghost");
    expect(&[get, verify, fail, get2, verify2, fail2, refused(1001, "ghost"), refused(1021, "ghost")], &[0, 0, 0, 3, 3, 3, 0, 3]);
}

#[test]
fn refusals_without_a_name_are_joined_by_their_reason() {
    let key = "rpc error: code = Unauthenticated desc = auth check failure, please check api key is correct";
    let row = |ms| access(ms, "Unknown", "Connect", "GrpcUnauthenticated", key, &"0".repeat(32));
    let first = server(1000, "fail to verify apikey", "[api_key=__masked_api_key__] [error=\"no\"]");
    let second = server(1000, "fail to verify apikey", "[error=\"invalid apikey\"]");
    expect(&[first.clone(), second.clone(), row(1001)], &[0, 0, 0]);
    expect(&[row(1001), first, second.clone()], &[0, 0, 0]);
    expect(&[second, row(1001)], &[0, 0]);
    let none = "rpc error: code = Unauthenticated desc = missing authorization in header";
    let row = access(1000, "Unknown", "Query", "GrpcUnauthenticated", none, &"0".repeat(32));
    expect(&[server(1000, "key not found in header", ""), row], &[0, 0]);
}

#[test]
fn a_refused_privilege_is_one_act() {
    let e = expect(&[refusal(1000, "eve", "PrivilegeInsert"), denied(1001, "eve", "Insert", "PrivilegeInsert")], &[0, 0]);
    assert_eq!((e[1].object.as_deref(), e[1].inferred.as_slice()), (Some("papers"), &["object"][..]));
    let e = expect(&[denied(1001, "eve", "Insert", "PrivilegeInsert"), refusal(1000, "eve", "PrivilegeInsert")], &[0, 0]);
    assert_eq!(e[1].src_ip.as_deref(), Some("10.0.0.9"));
    // Two at once are told apart by the privilege.
    expect(
        &[
            refusal(1000, "eve", "PrivilegeInsert"),
            refusal(1000, "eve", "PrivilegeSearch"),
            denied(1000, "eve", "Search", "PrivilegeSearch"),
            denied(1000, "eve", "Insert", "PrivilegeInsert"),
        ],
        &[0, 1, 1, 0],
    );
    expect(&[refusal(1000, "eve", "PrivilegeInsert"), wrong(1000, "eve"), refused(1000, "eve")], &[0, 1, 1]);
}

#[test]
fn a_request_is_one_act_by_its_trace() {
    let trace = "5ecdd7e5a9db3d962427c8fd71e33145";
    let drop = server(1000, "received request to drop collection", &format!("[traceID={trace}] [dbName=default] [name=papers]"));
    let row = access(1008, "root", "DropCollection", "OK", "", trace);
    let done = server(1007, "done to drop collection", &format!("[traceID={trace}] [name=papers]"));
    let e = expect(&[drop.clone(), done, row.clone()], &[0, 1, 0]);
    assert_eq!((e[2].object.as_deref(), e[2].database.as_deref()), (Some("papers"), Some("default")));
    let e = expect(&[row.clone(), drop.clone()], &[0, 0]);
    assert_eq!((e[1].user.as_deref(), e[1].src_ip.as_deref()), (Some("root"), Some("10.0.0.9")));
    // One to one, across streams only, for what was asked, within a life; a trace of zeros is none.
    expect(&[drop.clone(), row.clone(), row.clone(), drop.clone()], &[0, 0, 2, 2]);
    expect(&[drop.clone(), drop.clone()], &[0, 1]);
    expect(&[drop.clone(), access(1008, "root", "DropPartition", "OK", "", trace)], &[0, 0]);
    expect(&[drop.clone(), access(1008, "root", "Search", "OK", "", trace)], &[0, 1]);
    expect(&[drop, access(62_000, "root", "DropCollection", "OK", "", trace)], &[0, 1]);
    let zero = "0".repeat(32);
    let drop = server(1000, "received request to drop collection", &format!("[traceID={zero}] [name=papers]"));
    expect(&[drop, access(1001, "root", "DropCollection", "OK", "", &zero)], &[0, 1]);
}

#[test]
fn instances_do_not_mix_where_each_has_both_logs() {
    let other = |(file, text): Line| (if file == "m/server" { "m2/server" } else { "m2/access" }, text);
    let lines = [
        wrong(0, "x"),
        refused(0, "x"),
        other(wrong(0, "y")),
        other(refused(0, "y")),
        // Now both are known to have both.
        wrong(5000, "ann"),
        other(refused(5001, "ann")),
        other(wrong(5001, "ann")),
        refused(5000, "ann"),
    ];
    expect(&lines, &[0, 0, 2, 2, 4, 5, 5, 4]);
    // A server log whose access log lies in another folder.
    let apart = |(_, text): Line| ("m3/access", text);
    expect(&[wrong(0, "ann"), apart(refused(1, "ann"))], &[0, 0]);
    // The coordinator's line belongs to the proxy that asked it.
    let coordinator = |(_, text): Line| ("m4/server", text);
    let [get, verify, fail] = unknown(9000, "ghost");
    expect(&[wrong(0, "x"), refused(0, "x"), coordinator(get), verify, fail, refused(9001, "ghost")], &[0, 0, 2, 2, 2, 2]);
}

#[test]
fn the_second_copy_of_a_line_is_a_duplicate() {
    let file = |(_, text): Line| ("m/standalone-1.log", text);
    let lines = [
        wrong(1000, "ann"),
        wrong(1000, "ann"),
        file(wrong(1000, "ann")),
        refused(1000, "ann"),
        file(wrong(1000, "ann")),
        file(wrong(1000, "ann")),
    ];
    let e = expect(&lines, &[0, 1, 0, 0, 1, 5]);
    let duplicates: Vec<bool> = e.iter().map(|e| e.is_marked(&Issue::Duplicate)).collect();
    assert_eq!(duplicates, [false, false, true, false, true, false]);
    // The copy that comes first is the one that counts; a line without an action has its copy too.
    let plain = server(1000, "some thing", "[n=1]");
    let e = expect(&[file(plain.clone()), plain.clone(), plain], &[0, 0, 2]);
    assert!(e[1].is_marked(&Issue::Duplicate) && !e[2].is_marked(&Issue::Duplicate));
    // Another instance, another line.
    expect(&[server(1, "x", ""), ("m2/server", server(1, "x", "").1), server(2, "x", "")], &[0, 1, 2]);
    // Through a container runtime the same line is the same line.
    let (_, text) = server(3, "carried", "");
    let e = expect(&[file(("", text.clone())), ("m/stdout", format!("2026-03-02T10:00:00.003Z stdout F {text}"))], &[0, 0]);
    assert!(e[1].is_marked(&Issue::Duplicate));
}

#[test]
fn a_start_says_whether_there_was_a_farewell() {
    let start = |ms| server(ms, "starting running Milvus components", "");
    let stop = |ms| server(ms, "Get signal to exit", "[signal=terminated]");
    let told = tell(&[start(0), start(1000), stop(2000), start(3000), start(4000)]);
    let reasons: Vec<Option<&str>> = told.events.iter().map(|e| e.field_text("reason")).collect();
    assert_eq!(reasons, [None, Some("unclean"), None, Some("clean"), Some("unclean")]);
    assert_eq!(told.events[1].inferred, ["fields.reason"]);
}

#[test]
fn a_failed_login_of_tidb_is_one_act() {
    let error = "[error=\"[privilege:1045]Access denied for user 'root'@'10.0.0.66' (using password: YES)\"]";
    let first = |ms, conn: u32| tidb(ms, "open new session or authentication failure", &format!("[conn={conn}] {error}"));
    let last = |ms, conn: u32| tidb(ms, "Server.onConn handshake", &format!("[conn={conn}] {error} [\"remote addr\"=10.0.0.66:49635]"));
    expect(&[first(0, 5), first(0, 7), last(1, 7), last(1, 5)], &[0, 1, 1, 0]);
    expect(&[last(0, 5), last(1, 7)], &[0, 1]);
    // The connection is over: its number means another one from then on.
    expect(&[first(0, 5), last(1, 5), first(2, 5), last(3, 5)], &[0, 0, 2, 2]);
    // The database that was named at login does not exist.
    let session = "[session=\"{\\n  \\\"currDBName\\\": \\\"\\\",\\n  \\\"id\\\": 9,\\n  \\\"status\\\": 2}\"]";
    let run =
        tidb(0, "run statement failed", &format!("[error=\"[executor:1044]Access denied for user 'app'@'%' to database 'x'\"] {session}"));
    expect(&[run, first(0, 9), last(1, 9)], &[0, 0, 0]);
    let malformed = tidb(0, "got malformed handshake response", "[conn=11] [packetData=x]");
    let reset = tidb(1, "Server.onConn handshake", "[conn=11] [error=\"malform packet error\"] [\"remote addr\"=10.0.0.66:1]");
    expect(&[malformed, reset], &[0, 0]);
}

#[test]
fn a_failing_statement_is_one_act() {
    let compile = |ms, conn: u32, sql: &str| {
        tidb(ms, "compile SQL failed", &format!("[conn={conn}] [error=\"[planner:1142]denied\"] [SQL=\"{sql}\"]"))
    };
    let run = |ms, conn: u32| tidb(ms, "run statement failed", &format!("[conn={conn}] [error=\"[planner:1227]denied\"]"));
    let sql = "drop table shop.orders";
    expect(&[compile(0, 5, sql), dispatched(1, 5, sql), compile(50, 5, sql), dispatched(51, 5, sql)], &[0, 0, 2, 2]);
    expect(&[dispatched(0, 5, sql), dispatched(1, 5, sql)], &[0, 1]);
    expect(&[compile(0, 5, sql), compile(0, 7, sql), dispatched(1, 7, sql), dispatched(1, 5, sql)], &[0, 1, 1, 0]);
    expect(&[compile(0, 5, sql), dispatched(61_000, 5, sql)], &[0, 1]);
    // Printed behind the failure: it did not happen.
    let create = "create user evil@'%'";
    let e = expect(&[run(0, 5), crucial(0, 5, create), dispatched(1, 5, create)], &[0, 0, 0]);
    assert_eq!((e[1].status, e[1].inferred.contains(&"status")), (Some(Status::Failure), true));
    // Printed before it, by older releases.
    let e = expect(&[crucial(0, 5, create), run(1, 5), dispatched(1, 5, create)], &[0, 0, 0]);
    assert_eq!(e[0].status, Some(Status::Unknown));
    expect(&[crucial(0, 5, create), dispatched(1, 5, create)], &[0, 0]);
    // A statement that succeeded, then another that fails on the same connection.
    expect(&[crucial(0, 5, create), compile(30, 5, sql), dispatched(31, 5, sql)], &[0, 1, 1]);
    expect(&[crucial(0, 5, create), run(500, 5), dispatched(501, 5, sql)], &[0, 1, 1]);
    expect(&[crucial(0, 5, create), dispatched(1, 5, "insert into t values (1)")], &[0, 1]);
    // A release that prints it last is known from then on.
    expect(
        &[run(0, 5), crucial(0, 5, create), dispatched(1, 5, create), crucial(10, 5, create), run(11, 5), dispatched(11, 5, sql)],
        &[0, 0, 0, 3, 4, 4],
    );
    // Another instance has connections of its own.
    expect(&[compile(0, 5, sql), ("t2/tidb", dispatched(1, 5, sql).1)], &[0, 1]);
}

#[test]
fn a_job_is_one_act_with_its_statement() {
    let text = "drop table shop.orders";
    let job = "ID:143, Type:drop table, State:queueing, SchemaState:none";
    let add = tidb(0, "add DDL jobs", &format!("[category=ddl] [jobs=\"{job}; \"]"));
    let submitted = tidb(0, "DDL job submitted", &format!("[category=ddl] [job=\"{job}\"] [query=\"{text}\"]"));
    let step = tidb(1, "run one job step", &format!("[category=ddl] [jobID=143] [conn=5] [job=\"{job}\"]"));
    let finish = tidb(2, "finish DDL job", &format!("[category=ddl] [jobID=143] [conn=5] [job=\"{job}\"]"));
    let done = tidb(3, "DDL job is finished", "[category=ddl] [jobID=143]");
    expect(&[add.clone(), submitted.clone(), step.clone(), finish.clone(), done.clone(), crucial(4, 5, text)], &[0; 6]);
    expect(&[submitted.clone(), add.clone(), finish.clone(), crucial(4, 7, text)], &[0, 0, 0, 3]);
    // Older releases print the statement first.
    expect(&[crucial(0, 5, text), submitted.clone(), add.clone(), finish.clone()], &[0, 0, 0, 0]);
    expect(&[crucial(0, 5, text), add.clone(), submitted.clone(), finish.clone()], &[0, 1, 0, 0]);
    // A job that fails is one act with the statement's failure.
    let cancelled = tidb(2, "DDL job is cancelled normally", "[category=ddl] [jobID=143] [conn=5] [error=\"no\"]");
    let run = tidb(3, "run statement failed", "[conn=5] [error=\"[ddl:-1]no\"]");
    expect(&[add, submitted, cancelled, run, crucial(3, 5, text), dispatched(4, 5, text)], &[0; 6]);
}

#[test]
fn kills_are_acts_of_their_victim() {
    let kill = |ms, conn: u32| tidb(ms, "kill", &format!("[conn={conn}] [query=false] [maxExecutionTime=false] [runawayExceed=false]"));
    let initiated = |ms, conn: u32| tidb(ms, "kill initiated", &format!("[\"connection ID\"={conn}] [reason=\"interrupted\"]"));
    let finished = |ms, conn: u32| tidb(ms, "kill finished", &format!("[conn={conn}]"));
    expect(&[kill(0, 5), initiated(0, 5), finished(1, 5), kill(2, 5), initiated(2, 5)], &[0, 0, 0, 3, 3]);
    let e = expect(&[dispatched(0, 5, "select 1"), kill(1, 5)], &[0, 1]);
    assert_eq!((e[1].target_user.as_deref(), e[1].inferred.as_slice(), e[1].user.as_deref()), (Some("app"), &["target_user"][..], None));
}

#[test]
fn a_connection_says_who_set_a_variable() {
    let set = |conn: u32| tidb(10, "set global var", &format!("[conn={conn}] [name=tidb_general_log] [val=OFF]"));
    let e = expect(&[dispatched(0, 5, "select 1"), set(5), set(7)], &[0, 1, 2]);
    assert_eq!((e[1].user.as_deref(), e[1].src_ip.as_deref(), e[1].src_port), (Some("app"), Some("10.0.0.8"), Some(5123)));
    assert_eq!(e[1].inferred, ["user", "src_ip", "src_port"]);
    assert_eq!((e[2].user.as_deref(), e[2].inferred.len()), (None, 0));
    // A start ends all connections.
    let start = tidb(5, "Welcome to TiDB.", "[\"Release Version\"=v8.5.0]");
    let e = expect(&[dispatched(0, 5, "select 1"), start, set(5)], &[0, 1, 2]);
    assert_eq!(e[2].user.as_deref(), None);
}

#[test]
fn pieces_of_one_record_are_one_act() {
    let piece = |tag: &str, text: &str| ("m/pod", format!("2026-03-02T10:00:00.1Z stdout {tag} {text}"));
    let e = expect(
        &[
            piece("P", "[2026/03/02 10:00:00.100 +00:00] [WARN] [proxy/a.go:1] [\"fail to "),
            ("m/pod", "2026-03-02T10:00:00.1Z stderr P panic: one".to_owned()),
            piece("F", "verify password\"] [username=ann]"),
            refused(101, "ann"),
        ],
        &[0, 1, 0, 0],
    );
    assert_eq!(e[2].user.as_deref(), Some("ann"));
}

#[test]
fn forged_and_unparsed_lines_join_nothing() {
    let mut forged = refused(1000, "ann");
    forged.1.push_str(" and more that no row has");
    let told = tell(&[wrong(1000, "ann"), forged, refused(1001, "ann")]);
    if told.events[1].issues.iter().any(|i| matches!(i, Issue::Forged | Issue::Unparsed)) {
        assert_eq!(told.acts, [0, 1, 0]);
    } else {
        panic!("the row is believed: {:?}", told.events[1]);
    }
}
