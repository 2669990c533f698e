//! Rows in, columns out: every version's formatter, strings of an operator's own, and rows that a client wrote.

use event::{Event, Issue, SourceDefinition};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::trial::tried;
use super::{CONFIGURED, FORMAT, Format, Formatters, Watch, entry};

const HEAD: &str = "[2026/03/02 10:00:07.075 +00:00] [ACCESS] <ada: tcp-10.0.0.5:47042> ";
const TRACE: &str = "c095719ac94f5d306f72c3e777d06ac7";

fn row(tail: &str) -> Json {
    let line = format!("{HEAD}{tail}");
    tried(&FORMAT, &SourceDefinition::default(), &line).unwrap_or_else(|| panic!("refused: {line}"))
}

fn issues(line: &str) -> Option<Json> {
    tried(&FORMAT, &SourceDefinition::default(), line).map(|v| v.get("issues").cloned().unwrap_or(Json::Null))
}

fn base(method: &str, status: &str, code: &str, sdk: &str, msg: &str, trace: &str, cost: &str) -> Json {
    json!({"user_name": "ada", "user_addr": "tcp-10.0.0.5:47042", "method_name": method, "method_status": status, "error_code": code, "sdk_version": sdk,
        "error_msg": msg, "trace_id": trace, "time_cost": cost})
}

fn with(mut fields: Json, more: Json) -> Json {
    let (Json::Object(a), Json::Object(b)) = (&mut fields, more) else { panic!("objects") };
    a.extend(b);
    fields
}

#[test]
fn every_version() {
    let place = |fields: Json| json!({"time": "2026-03-02T10:00:07.075Z", "stream": "access", "product": "milvus", "component": "proxy", "fields": fields});
    let rows = [
        // 2.3
        (
            format!("Connect [status: OK] [code: 0] [sdk: Unknown] [msg: ] [traceID: {TRACE}] [timeCost: 1.303213ms]"),
            base("Connect", "OK", "0", "Unknown", "", TRACE, "1.303213ms"),
        ),
        (
            "DropCollection [status: GrpcPermissionDenied] [code: 65535] [sdk: Python-2.3.8] [msg: rpc error: code = PermissionDenied desc = PrivilegeDropCollection: permission deny to ada] [traceID: 00000000000000000000000000000000] [timeCost: 433.463µs]".to_owned(),
            base("DropCollection", "GrpcPermissionDenied", "65535", "Python-2.3.8",
                "rpc error: code = PermissionDenied desc = PrivilegeDropCollection: permission deny to ada", "00000000000000000000000000000000", "433.463µs"),
        ),
        (
            format!("Search [status: OK] [code: 0] [sdk: Python-2.3.8] [msg: ] [traceID: {TRACE}] [timeCost: 8.1ms] [database: default] [collection: books] [partitions: [a b]] [expr: tag in ['t1', \"x]\"]]"),
            with(base("Search", "OK", "0", "Python-2.3.8", "", TRACE, "8.1ms"),
                json!({"database_name": "default", "collection_name": "books", "partition_name": "[a b]", "method_expr": "tag in ['t1', \"x]\"]"})),
        ),
        // 2.4: a client's own name for its request, a REST path, nothing known.
        (
            "Insert [status: Successful] [code: 0] [sdk: Java-2.4.1] [msg: ] [traceID: order-17] [timeCost: 1m2.5s]".to_owned(),
            base("Insert", "Successful", "0", "Java-2.4.1", "", "order-17", "1m2.5s"),
        ),
        (
            "/v2/vectordb/entities/get?x=1 2 [status: HttpError404] [code: Unknown] [sdk: Restful] [msg: ] [traceID: Unknown] [timeCost: 1µs]".to_owned(),
            base("/v2/vectordb/entities/get?x=1 2", "HttpError404", "Unknown", "Restful", "", "Unknown", "1µs"),
        ),
        // An error that reached the row over a line end, and an expression that did.
        (
            format!("Search [status: Failed] [code: 65535] [sdk: p] [msg: Assert at a.cpp:5\n => mismatch: x] [traceID: {TRACE}] [timeCost: 1ms] [database: ] [collection: b] [partitions: []] [expr: ]"),
            with(base("Search", "Failed", "65535", "p", "Assert at a.cpp:5\n => mismatch: x", TRACE, "1ms"),
                json!({"database_name": "", "collection_name": "b", "partition_name": "[]", "method_expr": ""})),
        ),
        // 2.6
        (
            format!("Query [status: Successful] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms] [database: d] [collection: c] [partitions: []] [expr: id in [1,\n2]] [params: {{\"limit\":\"10\"}}]"),
            with(base("Query", "Successful", "0", "p", "", TRACE, "1ms"),
                json!({"database_name": "d", "collection_name": "c", "partition_name": "[]", "method_expr": "id in [1,\n2]", "query_params": "{\"limit\":\"10\"}"})),
        ),
        (
            format!("HybridSearch [status: Failed] [code: 4] [sdk: p] [msg: no] [traceID: {TRACE}] [timeCost: 1ms] [database: d] [collection: c] [partitions: []] [expr: [\"\", \"a\"]] [nq: [\"1\", \"1\"]] [params: [\"{{}}\"]]"),
            with(base("HybridSearch", "Failed", "4", "p", "no", TRACE, "1ms"),
                json!({"database_name": "d", "collection_name": "c", "partition_name": "[]", "method_expr": "[\"\", \"a\"]", "nq": "[\"1\", \"1\"]",
                    "search_params": "[\"{}\"]"})),
        ),
        // Quoted by a newer version: what stands in quotes is a value, whatever it holds.
        (
            format!("Query [status: Failed] [code: 1100] [sdk: p] [msg: \"cannot parse: a\\n] [traceID: x] \\\"b\\\"\"] [traceID: {TRACE}] [timeCost: 1ms] [database: d] [collection: c] [partitions: []] [expr: \"a\\n] [nq: \"] [params: {{}}]"),
            with(base("Query", "Failed", "1100", "p", "cannot parse: a\n] [traceID: x] \"b\"", TRACE, "1ms"),
                json!({"database_name": "d", "collection_name": "c", "partition_name": "[]", "method_expr": "a\n] [nq: ", "query_params": "{}"})),
        ),
    ];
    for (tail, fields) in rows {
        assert_eq!(row(&tail), place(fields), "{tail}");
    }
}

#[test]
fn strings_of_an_operators_own() {
    let try_with = |formats: &[String], line: &str| {
        let definition = SourceDefinition { access_formats: formats.to_vec(), ..SourceDefinition::default() };
        tried(&CONFIGURED, &definition, line)
    };
    for (format, line, want) in [
        // The example of Milvus's documentation.
        (
            entry(
                "[$time_now] [ACCESS] <$user_name: $user_addr> $method_name-$method_status-$error_code [traceID: $trace_id] [timeCost: $time_cost]",
                &[],
            ),
            "[2026/03/02 10:00:07.075 +00:00] [ACCESS] <ada: tcp-[::1]:1> /v2/a-b/c-Successful-0 [traceID: Unknown] [timeCost: 1h0m0s]",
            Some(
                json!({"user_name": "ada", "user_addr": "tcp-[::1]:1", "method_name": "/v2/a-b/c", "method_status": "Successful", "error_code": "0",
                "trace_id": "Unknown", "time_cost": "1h0m0s"}),
            ),
        ),
        (
            entry(
                r#"{"t":"$time_start","u":"$user_name","m":"$method_name","e":$method_expr,"new":"$brand_new","$":1}"#,
                &["Query", "Search"],
            ),
            r#"{"t":"2026/03/02 10:00:07.075 +00:00","u":"ada","m":"Query","e":"id > 1","new":"x y","$":1}"#,
            Some(json!({"user_name": "ada", "method_name": "Query", "method_expr": "id > 1", "brand_new": "x y"})),
        ),
        // For other methods.
        (entry(r#"access {"u":"$user_name","m":"$method_name"}"#, &["Query"]), r#"access {"u":"ada","m":"Insert"}"#, None),
        // A loose string does not take a server line.
        (entry("[$time_now] [$method_name] $error_msg", &[]), "[2026/03/02 10:00:07.075 +00:00] [INFO] [a.go:1] [x]", None),
        (
            entry("[$time_now] [$method_name] $error_msg", &[]),
            "[2026/03/02 10:00:07.075 +00:00] [Flush] a [b] c",
            Some(json!({"method_name": "Flush", "error_msg": "a [b] c"})),
        ),
        // Two placeholders with nothing between them cannot be told apart: the string is not used.
        (entry("$time_now $user_name$user_addr", &[]), "2026/03/02 10:00:07.075 +00:00 ada10.0.0.1", None),
        (entry("no placeholder", &[]), "no placeholder", None),
        (entry("", &[]), "", None),
    ] {
        let got = try_with(std::slice::from_ref(&format), line);
        let forged = json!(["forged"]);
        match want {
            Some(fields) => assert_eq!(got.map(|g| g["fields"].clone()), Some(fields), "{format}"),
            // What begins like a row and is none is not taken for a server line either.
            None => assert!(got.is_none_or(|g| g["issues"] == forged && g.get("fields").is_none()), "{format}"),
        }
    }
    // Beside a configured string the built-in ones hold.
    let line = format!("{HEAD}Connect [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms]");
    let definition =
        SourceDefinition { access_formats: vec!["$time_now,$user_name,$method_name".to_owned()], ..SourceDefinition::default() };
    assert!(tried(&CONFIGURED, &definition, &line).is_none());
    assert!(tried(&FORMAT, &definition, &line).is_some());
}

#[test]
fn rows_that_a_client_wrote() {
    let forged = [
        // A fake row in an expression, in both of the places where the server repeats it.
        format!(
            "{HEAD}DropCollection [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: deadbeef] [timeCost: 1ms], error: x] [traceID: {TRACE}] [timeCost: 2ms] [database: d] [collection: c] [partitions: []] [expr: id in [1]]"
        ),
        format!("{HEAD}DropCollection [status: OK] [code: 0]]"),
        // The real tail ends the fake row.
        format!(
            "{HEAD}Query [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms], error: x] [traceID: {TRACE}] [timeCost: 2ms] [database: d] [collection: c] [partitions: []] [expr: id in [1]]"
        ),
        // The formatter's words in an expression of one line.
        format!(
            "{HEAD}Query [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms] [database: d] [collection: c] [partitions: []] [expr: a] [traceID: {TRACE}] [timeCost: 1ms]"
        ),
        format!(
            "{HEAD}Query [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms] [database: d] [collection: c] [partitions: x] [expr: y] [expr: z]"
        ),
        // A trace id that 2.3 never makes; a time, a status, a code, an address, a duration that is none; a method with the wrong formatter.
        format!("{HEAD}Connect [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: deadbeef] [timeCost: 1ms]"),
        format!("{HEAD}Connect [status: O K] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms]"),
        format!("{HEAD}Connect [status: OK] [code: zero] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms]"),
        format!("{HEAD}Connect [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: quick]"),
        format!(
            "{HEAD}Insert [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms] [database: d] [collection: c] [partitions: []] [expr: ]"
        ),
        format!(
            "[2026/03/02 10:00:07.075 +00:00] [ACCESS] <ada: here> Connect [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms]"
        ),
        // A line end in a user's name.
        "[2026/03/02 10:00:07.075 +00:00] [ACCESS] <eve\n[FAKE] second line <root: tcp-10.0.0.5:1> Connect [status: GrpcUnauthenticated] [code: 65535] [sdk: p] [msg: x] [traceID: Unknown] [timeCost: 1ms]"
            .to_owned(),
        // A line end in the client's own name for itself.
        format!("{HEAD}Connect [status: OK] [code: 0] [sdk: p\nq] [msg: ] [traceID: {TRACE}] [timeCost: 1ms]"),
    ];
    for line in &forged {
        assert_eq!(issues(line), Some(json!(["forged"])), "{line}");
    }
}

#[test]
fn rows_that_end_too_early() {
    for tail in [
        "Query [status: Failed] [code: 65535] [sdk: p] [msg: cannot parse expression: id in [1]]",
        "Query [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: c0957",
        "Query [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: c095719ac94f5d306f72c3e777d06ac7] [timeCost: 1ms] [database: d] [collection: c] [parti",
        "Query [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: c095719ac94f5d306f72c3e777d06ac7] [timeCost: 1ms] [database: d] [collection: c] [partitions: []] [expr: id in ",
        "Que",
        "",
    ] {
        let got = row(tail);
        assert_eq!(
            (&got["issues"], got.get("fields"), &got["time"]),
            (&json!(["truncated"]), None, &json!("2026-03-02T10:00:07.075Z")),
            "{tail}"
        );
        // A client that closes the row's bracket itself gets the next line for itself.
        assert_eq!(Formatters::default().is_open(&format!("{HEAD}{tail}")), !tail.ends_with("]]"), "{tail}");
    }
    for line in ["[2026/03/02 10:00:07.075 +00:00] [INFO] [a.go:1] [x]", "[2026/03/0", "", "[", "x"] {
        assert!(!Formatters::default().is_open(line) && issues(line).is_none(), "{line}");
    }
    assert!(
        !Formatters::default()
            .is_open(&format!("{HEAD}Connect [status: OK] [code: 0] [sdk: p] [msg: ] [traceID: {TRACE}] [timeCost: 1ms]"))
    );
}

#[test]
fn what_follows_an_open_row_is_the_clients() {
    let marked = |first: &[Issue], format: Format| {
        let mut watch = Watch::default();
        let mut open = Event { issues: first.to_vec(), ..Event::default() };
        watch.see(&mut open, Format::Access);
        let mut out = Vec::new();
        for format in [format, Format::Access] {
            let mut next = Event::default();
            watch.see(&mut next, format);
            out.push(next.is_marked(&Issue::Forged));
        }
        out
    };
    assert_eq!(marked(&[Issue::Truncated], Format::Access), [true, false]);
    assert_eq!(marked(&[Issue::Truncated], Format::Unified), [true, false]);
    assert_eq!(marked(&[], Format::Access), [false, false]);
}

#[test]
fn hostile_rows_take_linear_time() {
    let pieces = ["] [traceID: ", "] [timeCost: 1ms", "] [expr: ", "> ", ": ", "-", "a-", "[", "\"", "\\\""];
    let loose = [entry("$time_now $sdk_version-$sdk_version-$sdk_version-$sdk_version-$error_msg-$nq-$nq-$nq!", &[])];
    for piece in pieces {
        let junk = piece.repeat(400_000 / piece.len());
        for line in [
            format!("{HEAD}Query [status: OK] [code: 0] [sdk: p] [msg: {junk}"),
            format!("[2026/03/02 10:00:07.075 +00:00] [ACCESS] <{junk}"),
            format!("2026/03/02 10:00:07.075 +00:00 {junk}"),
        ] {
            let definition = SourceDefinition { access_formats: loose.to_vec(), ..SourceDefinition::default() };
            let _ = tried(&FORMAT, &definition, &line);
            let _ = tried(&CONFIGURED, &definition, &line);
        }
    }
}

proptest! {
    #[test]
    fn never_panics(format in "(methods=[A-Z,]{0,3} )?[\\[ é]?(\\$(time_now|user_name|nq|error_msg|q)?[-:\\] $é]{0,2}){0,5}", line in "[-:\\[\\] é\"0-9a\\n]{0,40}", tail in "[ -~é]{0,60}") {
        let definition = SourceDefinition { access_formats: vec![format], ..SourceDefinition::default() };
        let _ = tried(&CONFIGURED, &definition, &line);
        let _ = tried(&FORMAT, &definition, &format!("{HEAD}{tail}"));
        let _ = definition.access_formats.len();
        let _ = Formatters::compile(&definition.access_formats).is_open(&line);
    }
}

proptest! {
    #[test]
    fn brackets_are_counted(row in "[\\[\\]a]{0,300}", more in 0_usize..400) {
        let row = format!("{}{row}", "[".repeat(more));
        let count = |c: char| row.matches(c).count();
        prop_assert_eq!(super::closes_all(row.as_bytes()), count('[') == count(']'));
        let closed = format!("{row}{}", "]".repeat(count('[').saturating_sub(count(']'))));
        prop_assert_eq!(super::closes_all(closed.as_bytes()), count('[') >= count(']'));
    }
}
