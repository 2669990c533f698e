//! What one line is for the framer: a head, a start of something longer, or a line that only stands within. Owns: that look at the first bytes. Never
//! looks further than a few hundred bytes.

use memchr::{memchr, memmem};

use crate::{parsers::legacy, time};

/// The role of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// A record of a known format that is one line, and ends whatever stood before.
    Head,
    /// `{"..`: a record where none is under way; inside a longer one it may be a part of it.
    Json,
    /// `{` alone: JSON that somebody wrote over several lines.
    JsonOpen,
    /// A 2.x header: its text may go on in the lines below.
    Legacy,
    /// `# Time: `: a block of the slow log.
    Slow,
    /// `# Key: value` of such a block.
    SlowKey,
    /// A panic or fatal error begins.
    Crash,
    /// A goroutine of a dump.
    Goroutine,
    /// A line of a stack.
    Frame,
    /// A banner begins, or its letters go on.
    Banner,
    /// A line that stands in banners.
    BannerLine,
    /// Nothing but blanks.
    Blank,
    /// Anything else.
    Other,
}

/// How far the look goes: longer than any header.
pub(crate) const LOOK_BYTES: usize = 400;

/// The role of a line, carriers' prefixes and its line end taken off.
pub(crate) fn classify(line: &[u8]) -> LineKind {
    let line = &line[..line.len().min(LOOK_BYTES)];
    match line.first() {
        None => LineKind::Blank,
        Some(b'[') => bracket(line),
        Some(b'{') => brace(line),
        Some(b'#') => slow(line),
        Some(b'0'..=b'9') => timed(line),
        Some(b'I' | b'W' | b'E' | b'F') if is_glog(line) => LineKind::Head,
        Some(b'\t' | b' ') => indented(line),
        Some(_) => word(line),
    }
}

/// Whether a line of this kind ends any longer record before it.
pub(crate) fn ends_others(kind: LineKind) -> bool {
    matches!(kind, LineKind::Head | LineKind::Legacy | LineKind::Slow)
}

/// Whether a year stands behind the bracket.
pub(super) fn is_dated(line: &[u8]) -> bool {
    line.len() > 6 && line[1..5].iter().all(u8::is_ascii_digit) && matches!(line[5], b'/' | b'-')
}

fn bracket(line: &[u8]) -> LineKind {
    let dated = is_dated(line);
    let leveled =
        || [&b"[INFO]"[..], b"[WARN]", b"[ERROR]", b"[DEBUG]", b"[FATAL]", b"[GIN] ", b"[GIN-debug] "].iter().any(|l| line.starts_with(l));
    if dated || leveled() {
        LineKind::Head
    } else if line.starts_with(b"[signal ") {
        LineKind::Frame
    } else {
        LineKind::Other
    }
}

fn brace(line: &[u8]) -> LineKind {
    if line.get(1) == Some(&b'"') {
        let keys = [&b"level\""[..], b"time\"", b"ts\"", b"log\"", b"message\"", b"msg\"", b"caller\"", b"TIME\"", b"ID\""];
        return if keys.iter().any(|k| line[2..].starts_with(k)) { LineKind::Head } else { LineKind::Json };
    }
    if line[1..].trim_ascii().is_empty() { LineKind::JsonOpen } else { LineKind::Other }
}

fn slow(line: &[u8]) -> LineKind {
    if line.starts_with(b"# Time: ") && line.get(8).is_some_and(u8::is_ascii_digit) {
        return LineKind::Slow;
    }
    let key = line.get(2..).unwrap_or_default();
    let named = memchr(b':', &key[..key.len().min(60)]).is_some_and(|end| !key[..end].contains(&b' '));
    if line.starts_with(b"# ") && named { LineKind::SlowKey } else { LineKind::Other }
}

/// Whether a line behind a slow log's header surely goes on with its block: another header, or a statement that begins with a word. What is not sure is
/// looked at as any other line.
pub(super) fn within_block(line: &[u8]) -> bool {
    match line.first() {
        Some(b'#') => !line.starts_with(b"# Time: "),
        Some(b'a'..=b'z' | b'A'..=b'Z') => !(is_glog(line) || begins_crash(&line[..line.len().min(LOOK_BYTES)])),
        _ => false,
    }
}

fn timed(line: &[u8]) -> LineKind {
    match time::scan_bytes(line) {
        Some(stamp) if legacy::is_old_header(&line[stamp.len..]) => LineKind::Legacy,
        Some(stamp) if matches!(line.get(stamp.len), Some(b' ' | b'\t')) => LineKind::Head,
        _ => LineKind::Other,
    }
}

/// `I20240107 17:16:04.771325`, `E0107 17:16:04.771325`
fn is_glog(line: &[u8]) -> bool {
    let digits = line[1..].iter().take_while(|c| c.is_ascii_digit()).count();
    matches!(digits, 4 | 8) && line.get(digits + 1) == Some(&b' ') && line.get(digits + 4) == Some(&b':')
}

fn indented(line: &[u8]) -> LineKind {
    let text = line.trim_ascii();
    if text.is_empty() {
        return LineKind::Blank;
    }
    if is_letters(line) {
        return LineKind::Banner;
    }
    let number = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let rust_frame = (number > 0 && text[number..].starts_with(b": ")) || text.starts_with(b"at ");
    let go_place = memmem::find(text, b".go:").is_some() || memmem::find(text, b".s:").is_some() || text.starts_with(b"panic: ");
    if rust_frame || go_place || text.starts_with(b"@ ") || text.starts_with(b"runtime error: ") {
        LineKind::Frame
    } else {
        LineKind::Other
    }
}

/// A line of letters drawn with strokes.
fn is_letters(line: &[u8]) -> bool {
    let strokes = line.iter().filter(|c| matches!(c, b'_' | b'/' | b'\\' | b'|' | b'<' | b'>')).count();
    strokes >= 6
        && line.iter().all(|c| matches!(c, b'_' | b'/' | b'\\' | b'|' | b'<' | b'>' | b' ' | b'(' | b')' | b'`' | b'\'' | b',' | b'.'))
}

/// Lines that begin a dump.
const CRASHES: &[&[u8]] = &[
    b"panic: ",
    b"fatal error: ",
    b"runtime: ",
    b"unexpected fault address ",
    b"SIGSEGV: ",
    b"SIGABRT: ",
    b"SIGQUIT: ",
    b"SIGILL: ",
    b"SIGBUS: ",
    b"SIGFPE: ",
    b"*** Aborted at ",
    b"*** SIG",
    b"terminate called ",
    b"stack backtrace:",
    b"runtime stack:",
];

/// Lines of a process' banner, by the key that they begin with.
const BANNER_KEYS: &[&[u8]] = &[
    b"Version:",
    b"Built:",
    b"GitCommit:",
    b"GoVersion:",
    b"TotalMem:",
    b"UsedMem:",
    b"Release Version:",
    b"Edition:",
    b"Git Commit Hash:",
    b"Git Commit Branch:",
    b"Git Branch:",
    b"UTC Build Time:",
    b"Race Enabled:",
    b"Check Table Before Drop:",
    b"Store:",
    b"Rust Version:",
    b"Enable Features:",
    b"Profile:",
    b"Running on machine:",
    b"Running duration ",
    b"Log line format:",
    b"Application fingerprint:",
    b"Binary: Built with",
];

fn begins_crash(line: &[u8]) -> bool {
    CRASHES.iter().any(|c| line.first() == c.first() && line.starts_with(c))
        || (line.starts_with(b"thread '") && memmem::find(line, b"panicked at").is_some())
}

fn word(line: &[u8]) -> LineKind {
    let begins = |words: &[&[u8]]| words.iter().any(|w| line.starts_with(w));
    if line.starts_with(b"goroutine ") && line.get(10).is_some_and(u8::is_ascii_digit) {
        return LineKind::Goroutine;
    }
    if begins_crash(line) {
        return LineKind::Crash;
    }
    if begins(&[b"Welcome to use Milvus", b"Welcome to TiDB", b"Log file created at: "]) || is_letters(line) {
        return LineKind::Banner;
    }
    if begins(BANNER_KEYS) {
        return LineKind::BannerLine;
    }
    if is_frame(line) { LineKind::Frame } else { LineKind::Other }
}

/// `pkg.(*T).f(0xc00052dd80)`, `created by pkg.f`, registers.
fn is_frame(line: &[u8]) -> bool {
    let whole = [
        &b"created by "[..],
        b"non-Go function",
        b"...additional frames elided...",
        b"exit status ",
        b"PC=0x",
        b"pc=0x",
        b"PC: @ ",
        b"main.main()",
        b"note: run with `RUST_BACKTRACE",
        b"note: Some details are omitted, run with `RUST_BACKTRACE",
    ];
    if whole.iter().any(|w| line.starts_with(w)) {
        return true;
    }
    // A register: `rax    0x0`.
    if line.len() < 40
        && let Some(hex) = memmem::find(line, b" 0x")
        && line[..hex].trim_ascii_end().iter().all(u8::is_ascii_alphanumeric)
    {
        return true;
    }
    // A call: a name without blanks, then arguments that are hexadecimal.
    let Some(arguments) = line.strip_suffix(b")").and_then(|call| memchr::memrchr(b'(', call)) else { return false };
    let name = &line[..arguments];
    let inside = &line[arguments + 1..line.len() - 1];
    !name.is_empty()
        && !name.contains(&b' ')
        && (name.contains(&b'.') || name == b"panic")
        && inside.iter().all(|c| c.is_ascii_hexdigit() || matches!(c, b'x' | b'?' | b'{' | b'}' | b',' | b' ' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_lines() {
        use LineKind::*;
        for (line, kind) in [
            ("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [x]", Head),
            ("[GIN] 2026/11/21 - 21:28:53 | 401 |", Head),
            ("[INFO] [a.go:1] [x]", Head),
            ("{\"level\":\"INFO\"}", Head),
            ("{\"log\":\"x\"}", Head),
            ("{\"a\":1}", Json),
            ("{", JsonOpen),
            ("I20240107 17:16:04.771325    27 a.cpp:1] x", Head),
            ("E0107 17:16:04.771325    27 a.cpp:1] x", Head),
            ("2026/11/21 21:14:19 maxprocs: Leaving", Head),
            ("2026/03/02 10:00:00.120 +00:00\tINFO\tmain\ta/b.go:1\tx", Head),
            ("2023-06-08 01:46:31,945 | DEBUG | default | x", Head),
            ("2017/08/14 17:13:22 server.go:219: [info] [775] x", Legacy),
            ("2018/03/16 09:30:28.021 server.rs:154: [INFO] x", Legacy),
            ("2016-09-27 02:27:26,259 client.rs:115 - INFO  - x", Legacy),
            ("# Time: 2026-03-02T10:00:00.1Z", Slow),
            ("# Query_time: 1", SlowKey),
            ("# a remark", Other),
            ("panic: x", Crash),
            ("fatal error: concurrent map writes", Crash),
            ("thread 'raftstore-1' panicked at 'x', src/a.rs:1", Crash),
            ("goroutine 389 [IO wait]:", Goroutine),
            ("\t/usr/local/go/src/runtime/proc.go:381 +0xd6 fp=0xc000671980", Frame),
            ("        /home/x/milvus/internal/datacoord/server.go:305 +0x2b", Frame),
            ("google.golang.org/grpc.(*ccBalancerWrapper).watcher(0xc00052dd80)", Frame),
            ("runtime.throw({0x40010ba?, 0x7f85846297d0?})", Frame),
            ("main.f(...)", Frame),
            ("panic({0x4ada220, 0x7423830})", Frame),
            ("created by main.main in goroutine 1", Frame),
            ("[signal SIGSEGV: segmentation violation code=0x1 addr=0x10 pc=0x372ed75]", Frame),
            ("   0:     0x7f9182d3a97e - backtrace::trace", Frame),
            ("             at src/raftstore/store/peer.rs:12", Frame),
            ("rax    0x0", Frame),
            ("note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace", Frame),
            ("    __  _________ _   ____  ______    ", Banner),
            ("Welcome to use Milvus!", Banner),
            ("Version:   v2.3.5", BannerLine),
            ("   ", Blank),
            ("", Blank),
            ("select a.f(b) from t", Other),
            ("line 1:5 extraneous input '==' expecting", Other),
            (" => vector dimension mismatch", Other),
            ("[x]", Other),
            ("select 1", Other),
            ("12", Other),
        ] {
            assert_eq!(classify(line.as_bytes()), kind, "{line}");
            assert!(!within_block(line.as_bytes()) || !ends_others(kind) && kind != Crash, "{line}");
        }
    }
}
