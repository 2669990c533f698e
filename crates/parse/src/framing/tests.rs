//! Bytes in, records out; whole, byte by byte, and closed by time.

use super::*;

const L: &str = "[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [x]\n";

fn spans(data: &[u8]) -> Vec<Span> {
    let (mut framer, mut at, mut out) = (Framer::new(), 0, Vec::new());
    while let Some(span) = framer.next(&data[at..], End::Closed) {
        at += span.len;
        out.push(span);
    }
    assert_eq!(at, data.len(), "everything is covered");
    out
}

fn records(data: &str) -> Vec<&str> {
    let mut at = 0;
    spans(data.as_bytes())
        .into_iter()
        .map(|span| {
            at += span.len;
            &data[at - span.len..at]
        })
        .collect()
}

/// The same bytes, arriving one at a time, then silence.
fn trickled(data: &[u8]) -> Vec<usize> {
    let (mut framer, mut from, mut out) = (Framer::new(), 0, Vec::new());
    for to in 1..=data.len() {
        while let Some(span) = framer.next(&data[from..to], End::Open) {
            from += span.len;
            out.push(span.len);
        }
    }
    while let Some(span) = framer.next(&data[from..], End::Closed) {
        from += span.len;
        out.push(span.len);
    }
    out
}

/// Each case is a list of records; joined they must come apart again, however they arrive.
#[test]
fn records_come_apart() {
    let slow = "# Time: 2026-03-02T10:00:00.1Z\n# Query_time: 1\nuse shop;\nselect 'a;\nb' | c\nfrom t;\n";
    let slow2 = "# Time: 2026-03-02T10:00:01.1Z\n# Query_time: 2\nselect 2;\n";
    let panic = "panic: first\nsecond\n\ngoroutine 1 [running]:\nmain.f(0xc000)\n\t/a/b.go:12 +0x1\n\ngoroutine 2 [select]:\nmain.g(...)\n\t/a/b.go:13\nexit status 2\n";
    let banner = "\n    __  _________ _   ____  ______    \n   /  |/  /  _/ /| | / / / / / __/    \n\nWelcome to use Milvus!\nVersion:   v2.3.5\n\nTotalMem: 1\n";
    for case in [
        &[L, L, "{\"level\":\"INFO\",\"message\":\"x\"}\n", L][..],
        &[slow, slow2, L, slow, panic, L],
        &[panic, panic, "other\n", "goroutine 3 [IO wait]:\nmain.h(0x1)\n\t/a/b.go:1\n", L],
        &[banner, "open pid file: /run/x\n", banner, L],
        &["\n\n", L, "\n", "text\n", "text\n"],
        &[
            "2018/01/12 11:57:16.807 panic_hook.rs:99: [ERROR] thread 'x' panicked\nstack backtrace:\n   0:     0x7f9 - a\n  x\n",
            "2017/08/14 17:13:22 server.go:219: [info] y\n",
            L,
        ],
        &["2017/01/29 02:23:38 m.go:3: [warning] select *\nfrom t\n", L, "2026/11/21 21:14:19 maxprocs: x\n", "text\n"],
        &["{\n  \"level\": \"INFO\",\n  \"a\": [\n    1\n  ]\n}\n", "{\n", L, "{\n  \"a\": 1\n}\n"],
        // A value with real line ends; one that never closes.
        &["[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [sql=\"select\n 1 [x]\nfrom t\"] [k=v]\n", L],
        &["[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [sql=\"select\n 1\n", L, L],
        &["[2026/03/02 10:00:00.120 +00:00] [INFO] [main.x] [a.go:1] [it's 5\" wide] \n", L],
        // Rows that a value tore.
        &[
            "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <root: x> Query [expr: a\n or b]\n",
            "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <root: x> Query [expr: ]\n",
        ],
        &[
            "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <a: tcp-10.0.0.5:1> Flush [status: Failed] [code: 1] [sdk: p] [msg: at [x.cpp:5]\n => y] [traceID: Unknown] [timeCost: 1ms]\n",
            "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <a: tcp-10.0.0.5:1> Flush [status: Failed] [code: 1] [sdk: p] [msg: at [x.cpp:5]\n",
            L,
        ],
        &["[2026/03/02 10:00:00.120 +00:00] [ACCESS] <evil\n[FAKE] second <root: x> Connect [status: x]\n", L],
        // Carried.
        &[
            "2026-03-02T10:00:00.1Z stdout F a\n",
            "2026-03-02T10:00:00.1Z stdout P b\n2026-03-02T10:00:00.2Z stdout P c\n2026-03-02T10:00:00.2Z stdout F d\n",
            "2026-03-02T10:00:00.2Z stdout F e\n",
        ],
        &[
            "tidb-1  | # Time: 2026-03-02T10:00:00.1Z\ntidb-1  | select 1;\n",
            "pd-1    | x\n",
            "tidb-1  | # Time: 2026-03-02T10:00:00.1Z\ntidb-1  | select 1;\n",
        ],
        &[
            "{\"log\":\"panic: x\\n\",\"stream\":\"stderr\",\"time\":\"\"}\n{\"log\":\"\\u0009/a/b.go:1 +0x72\\n\",\"stream\":\"stderr\",\"time\":\"\"}\n",
            "{\"log\":\"[2026/03/02 10:00:00.120 +00:00] [x]\\n\",\"stream\":\"stderr\",\"time\":\"\"}\n",
        ],
        &["a\r\n", "[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [x]\r\n", "b\r\n"],
    ] {
        let data = case.concat();
        assert_eq!(records(&data), case, "{data}");
        let lens: Vec<usize> = case.iter().map(|r| r.len()).collect();
        assert_eq!(trickled(data.as_bytes()), lens, "{data}");
    }
}

#[test]
fn a_line_without_its_end_waits_for_the_file_to_close() {
    let mut framer = Framer::new();
    assert_eq!(framer.next(b"half", End::Open), None);
    assert_eq!(framer.next(b"half", End::Idle), None);
    let span = framer.next(b"half", End::Closed).unwrap();
    assert_eq!((span.len, span.cut), (4, true));
    assert_eq!(framer.next(b"", End::Closed), None);
    assert!(!spans(L.as_bytes())[0].cut);
}

#[test]
fn silence_closes_a_block_and_what_comes_later_is_a_piece() {
    let mut framer = Framer::new();
    let block = b"# Time: 2026-03-02T10:00:00.1Z\nselect 1;\n";
    assert_eq!(framer.next(block, End::Open), None);
    let span = framer.next(block, End::Idle).unwrap();
    assert_eq!((span.len, span.flags, span.cut), (block.len(), RecordFlags::default(), false));
    assert_eq!(framer.next(b"and more;\n", End::Open), None);
    let span = framer.next(b"and more;\n", End::Idle).unwrap();
    assert_eq!((span.len, span.flags), (10, RecordFlags(RecordFlags::PIECE)));
    // A head ends the matter.
    assert_eq!(framer.next(L.as_bytes(), End::Open).unwrap().flags, RecordFlags::default());
    assert_eq!(framer.next(b"text\n", End::Open).unwrap().flags, RecordFlags::default());
}

#[test]
fn pieces_that_another_stream_interrupts_are_joined_by_key() {
    let lines = [
        "2026-03-02T10:00:00.1Z stdout P a\n",
        "2026-03-02T10:00:00.1Z stderr F x\n",
        "2026-03-02T10:00:00.1Z stdout P b\n",
        "2026-03-02T10:00:00.1Z stderr P y\n",
        "2026-03-02T10:00:00.1Z stdout F c\n",
        "2026-03-02T10:00:00.1Z stderr F z\n",
    ];
    let all = spans(lines.concat().as_bytes());
    let flags: Vec<(bool, Option<bool>)> = all.iter().map(|s| (s.flags.has(RecordFlags::PIECE), s.piece.map(|p| p.last))).collect();
    assert_eq!(
        flags,
        [(true, Some(false)), (false, None), (true, Some(false)), (true, Some(false)), (true, Some(true)), (true, Some(true))]
    );
    let keys: Vec<u64> = all.iter().filter_map(|s| s.piece).map(|p| p.key).collect();
    assert_eq!((keys[0], keys[0], keys[2]), (keys[1], keys[3], keys[4]));
    assert_ne!(keys[0], keys[2]);
}

#[test]
fn what_is_too_long_is_split() {
    let long = format!("{L}[{}]\n{L}", "é".repeat(RECORD_BYTES_MAX / 2 + 10));
    let all = spans(long.as_bytes());
    let lens: Vec<usize> = all.iter().map(|s| s.len).collect();
    assert_eq!(lens, [L.len(), RECORD_BYTES_MAX - 1, 24, L.len()]);
    assert!(all[1].flags.has(RecordFlags::SPLIT) && all[2].flags.has(RecordFlags::SPLIT) && !all[3].flags.has(RecordFlags::SPLIT));
    // A block without end: bounded in lines.
    let block = format!("# Time: 2026-03-02T10:00:00.1Z\n{}", "select 1\n".repeat(25_000));
    let lines: Vec<usize> = spans(block.as_bytes()).iter().map(|s| (s.len.saturating_sub(31)) / 9).collect();
    assert_eq!(lines.len(), 3);
}

#[test]
fn growing_buffers_cost_nothing_twice() {
    // A block that arrives in many small parts: looked at once. (Quadratic would be 5 * 10^9 bytes.)
    let block = format!("# Time: 2026-03-02T10:00:00.1Z\n{}", "x\n".repeat(9_000));
    let long = "y".repeat(4 << 20);
    let data = format!("{block}{L}{long}");
    let (mut framer, mut from, mut to) = (Framer::new(), 0, 0);
    while to < data.len() {
        to = (to + 64).min(data.len());
        while let Some(span) = framer.next(&data.as_bytes()[from..to], End::Open) {
            from += span.len;
        }
    }
    assert_eq!(from, block.len() + L.len());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_covered_however_they_arrive(parts in proptest::collection::vec(proptest::sample::select(vec![
        L, "\n", "# Time: 2026-03-02T10:00:00.1Z\n", "# A: 1\n", "select 1;\n", "panic: x\n", "\tx.go:1\n", "{", "{\n", "}\n", "  \"a\": 1\n", "goroutine 1 [x]:\n",
        "2026-03-02T10:00:00.1Z stdout P a", "2026-03-02T10:00:00.1Z stderr F b\n", "{\"log\":\"x", "\\n\",\"stream\":\"stdout\"}\n", "[2026/03/02 10:00:00.120 +00:00] [ACCESS] <a",
        "[2026/03/02 10:00:00.120 +00:00] [a=\"b", "\"]\n", "\r\n", "\u{0}\u{fffd}", "2017/08/14 17:13:22 s.go:2: [info] y\n", "  __/ / \\ \\ __\n", "a | b\n",
    ]), 0..40), idle in 0usize..60) {
        let data = parts.concat();
        let whole: Vec<usize> = spans(data.as_bytes()).iter().map(|s| s.len).collect();
        proptest::prop_assert_eq!(trickled(data.as_bytes()), whole);
        // Silence in the middle changes the boundaries, never the cover.
        let (mut framer, mut from) = (Framer::new(), 0);
        for (to, end) in [(data.len().min(idle), End::Open), (data.len().min(idle), End::Idle), (data.len(), End::Open), (data.len(), End::Closed)] {
            while let Some(span) = framer.next(&data.as_bytes()[from..to], end) {
                proptest::prop_assert!(span.len > 0);
                from += span.len;
            }
        }
        proptest::prop_assert_eq!(from, data.len());
    }
}

/// A log that was truncated under a writer that does not append begins with zeros; one that an editor made begins with a byte order mark.
#[test]
fn holes_and_marks_hide_no_line() {
    let slow = "# Time: 2026-03-02T10:00:00.1Z\n# Query_time: 1\nselect 1;\n";
    let hole = "\0".repeat(300);
    for case in [&[&format!("\u{feff}{L}")[..], L][..], &[slow, &format!("{hole}{slow}"), &format!("{hole}{L}"), L]] {
        let all: String = case.concat();
        assert_eq!(records(&all), case, "{all:?}");
    }
}
