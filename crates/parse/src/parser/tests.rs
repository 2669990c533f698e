//! Records of one source in, events out.

use event::clock::rfc3339;

use super::*;

fn definition(component: Option<&str>) -> SourceDefinition {
    SourceDefinition { component: component.map(str::to_owned), instance: Some("n1".to_owned()), ..SourceDefinition::default() }
}

#[test]
fn memory_of_a_source() {
    let mut parser = Parser::new(&definition(None));
    for (line, product, version, time) in [
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [server.go:1] [x]", None, None, "2026-03-02T10:00:00.120Z"),
        (
            "[2026/03/02 18:00:00.120 +08:00] [INFO] [printer.go:1] [\"Welcome to TiDB.\"] [\"Release Version\"=v8.5.0]",
            Some("tidb"),
            Some("v8.5.0"),
            "2026-03-02T10:00:00.120Z",
        ),
        // A neighbor's zone.
        ("[2026/03/02 18:00:00.120] [INFO] [server.go:1] [x]", Some("tidb"), Some("v8.5.0"), "2026-03-02T10:00:00.120Z"),
        // A weak signal does not override, a decisive one does.
        ("[2026/03/02 18:00:00.120 +08:00] [INFO] [tso.go:1] [x]", Some("tidb"), Some("v8.5.0"), "2026-03-02T10:00:00.120Z"),
        (
            "[2026/03/02 18:00:00.120 +08:00] [INFO] [x.go:1] [github.com/milvus-io/x]",
            Some("tidb"),
            Some("v8.5.0"),
            "2026-03-02T10:00:00.120Z",
        ),
        ("[2026/03/02 18:00:00.120 +08:00] [INFO] [apply.rs:1] [x]", Some("tikv"), None, "2026-03-02T10:00:00.120Z"),
    ] {
        let e = parser.parse(line.as_bytes(), RecordFlags::default());
        let got = (e.product.as_deref(), e.version.as_deref(), e.time.map(rfc3339));
        assert_eq!(got, (product, version, Some(time.to_owned())), "{line}");
        assert_eq!((e.instance.as_deref(), e.stream.as_deref()), (Some("n1"), Some("server")));
        assert_eq!(e.is_marked(&Issue::ZoneAssumed), !line.contains(" +0"), "{line}");
    }
}

#[test]
fn text_that_anybody_wrote_does_not_change_the_product() {
    let mut parser = Parser::new(&definition(Some("tidb")));
    for text in ["github.com/milvus-io/milvus", "Welcome to use Milvus!", "panic: tikv::x"] {
        assert_eq!(parser.parse(text.as_bytes(), RecordFlags::default()).product.as_deref(), Some("tidb"), "{text}");
    }
}

#[test]
fn raw_is_the_record_and_its_exact_bytes_are_kept() {
    let mut parser = Parser::new(&definition(Some("milvus")));
    for (record, raw, bytes, issues) in [
        (&b"hello\r\n"[..], "hello", None, vec![Issue::Unparsed]),
        (b"", "", None, vec![Issue::Unparsed]),
        (b"a\xff\\xfe\n", "a\\xff\\xfe", Some(&b"a\xff\\xfe"[..]), vec![Issue::Unparsed, Issue::NotUtf8]),
    ] {
        let e = parser.parse(record, RecordFlags::default());
        assert_eq!((e.raw.as_ref(), e.raw_bytes.as_deref(), &e.issues), (raw, bytes, &issues), "{record:?}");
        assert_eq!(e.product.as_deref(), Some("milvus"));
    }
}

#[test]
fn a_named_format_is_the_only_one() {
    let line = b"{\"level\":\"INFO\",\"message\":\"x\"}";
    for (name, parsed) in [(None, true), (Some("json"), true), (Some("unified"), false), (Some("auto"), true), (Some("plain"), false)] {
        let format = name.map(str::to_owned);
        let e = Parser::new(&SourceDefinition { format, ..definition(None) }).parse(line, RecordFlags::default()).into_owned();
        assert_eq!(!e.is_marked(&Issue::Unparsed), parsed, "{name:?}");
    }
}

#[test]
fn flags_of_the_bytes_become_issues() {
    let mut parser = Parser::new(&definition(None));
    let flags = RecordFlags::default().with(RecordFlags::CUT).with(RecordFlags::SPLIT);
    assert_eq!(parser.parse(b"{\"message\":\"x\"}", flags).issues, [Issue::Split, Issue::Cut]);
}

#[test]
fn pieces_of_a_record_are_joined_in_the_last() {
    let mut parser = Parser::new(&definition(None));
    let piece = RecordFlags(RecordFlags::PIECE);
    let first = parser.parse(b"2026-03-02T10:00:00.1Z stdout P [2026/03/02 10:00:00.120 +00:00] [INFO] [a.go", piece).into_owned();
    let other = parser.parse(b"2026-03-02T10:00:00.1Z stderr F panic: x", RecordFlags::default()).into_owned();
    let last = parser.parse(b"2026-03-02T10:00:00.2Z stdout F :7] [done]", piece);
    assert_eq!((first.message.as_deref(), &first.issues[..]), (None, &[Issue::Piece][..]));
    assert!(!other.is_marked(&Issue::Piece));
    assert_eq!((last.message.as_deref(), last.caller.as_deref()), (Some("done"), Some("a.go:7")));
    assert_eq!(last.raw, "2026-03-02T10:00:00.2Z stdout F :7] [done]");
    assert_eq!(last.labels.as_deref(), Some("{\"stdio\":\"stdout\"}"));
}

#[test]
fn a_line_behind_a_hole_is_read_and_the_hole_is_shown() {
    let line = "[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:7] [done]";
    for before in ["\0\0\0", "\u{feff}"] {
        let record = format!("{before}{line}");
        let event = Parser::new(&definition(Some("tidb"))).parse(record.as_bytes(), RecordFlags::default()).into_owned();
        assert_eq!((event.message.as_deref(), &*event.raw, event.issues.len()), (Some("done"), &*record, 0));
    }
    let event = Parser::new(&definition(None)).parse(b"\0\0", RecordFlags::default()).into_owned();
    assert_eq!((event.message, &*event.raw), (None, "\0\0"));
}

proptest::proptest! {
    /// Whatever comes, every record gives an event that is JSON and shows the record.
    #[test]
    fn any_bytes_are_an_event(parts in proptest::collection::vec(proptest::sample::select(vec![
        "[2026/03/02 10:00:00.120 +00:00] ", "[INFO] ", "[WARN] ", "[a.go:1] ", "[main.x] ", "[\"x y\"] ", "[k=v] ", "[k=\"v\\n\\t/a.go:1\\\"\"] ", "[k=[", "]]", "[", "]", "\"", "\\",
        "\\u00", "{\"level\":\"INFO\",", "\"time\":\"2026/03/02 10:00:00.120 +00:00\",", "\"n\":1e5,", "\"n\":-,", "\"o\":{\"a\":[1,", "}", "\"message\":\"x\"}", "{\"log\":\"", "\\n\",\"stream\":\"stdout\"}",
        "# Time: 2026-03-02T10:00:00Z\n", "# Query_time: 1 A: b\n", "select 1;\n", "2026-03-02T10:00:00.1Z stdout P ", "2026-03-02T10:00:00.1Z stderr F ", "panic: ", "goroutine 1 [x]:\n",
        "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <root: tcp-1.2.3.4:5> Query [status: OK] ", "[GIN] 2026/03/02 - 10:00:00 | 200 | ", "I20260302 10:00:00.1 7 a.cpp:1] ", "2017/08/14 17:13:22 s.go:2: [info] ",
        "\t", "\r", "\n", "\u{0}", "é", "tidb-1  | ", "[pod/a/b] ", "__masked_password__",
    ]), 0..14), noise in proptest::collection::vec(proptest::num::u8::ANY, 0..4), flags in 0u8..16) {
        let mut record = parts.concat().into_bytes();
        record.extend(noise);
        for component in [None, Some("tidb"), Some("milvus")] {
            let mut parser = Parser::new(&definition(component));
            for _ in 0..2 {
                let event = parser.parse(&record, RecordFlags(flags));
                let mut json = String::new();
                event::json::push_event(&mut json, &event);
                let shown: serde_json::Value = serde_json::from_str(&json).map_err(|e| proptest::test_runner::TestCaseError::fail(format!("{e}: {json}")))?;
                proptest::prop_assert!(!json.contains('\n'));
                if let Ok(text) = std::str::from_utf8(framing::body(&record)) {
                    proptest::prop_assert_eq!(shown["raw"].as_str(), Some(text));
                } else {
                    proptest::prop_assert_eq!(event.raw_bytes.as_deref(), Some(framing::body(&record)));
                }
            }
        }
    }
}
