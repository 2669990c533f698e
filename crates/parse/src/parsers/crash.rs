//! Go and Rust panics, fatal errors, dumps of goroutines.

use std::borrow::Cow;

use event::{Event, Value};

use super::{Context, Format, LineFormat, put_field};
use crate::framing::kind::{LineKind, classify};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Crash, recognize, parse };

fn recognize(b: &[u8]) -> bool {
    let line = b.split(|c| *c == b'\n').next().unwrap_or(b);
    matches!(classify(line), LineKind::Crash | LineKind::Goroutine | LineKind::Frame)
}

/// The message is the first line. Only what ends a process gets a level; a goroutine or a frame that stands alone says nothing of its own.
fn parse<'r>(text: &'r str, event: &mut Event<'r>, _context: &Context<'_>) -> bool {
    let first = text.lines().next().unwrap_or_default().trim();
    if first.is_empty() {
        return false;
    }
    event.stream = Some(Cow::Borrowed("crash"));
    event.message = Some(Cow::Borrowed(first));
    let cause = match classify(first.as_bytes()) {
        LineKind::Crash => {
            ["panic: ", "fatal error: "].iter().find_map(|word| first.strip_prefix(word)).or(first.starts_with("SIG").then_some(first))
        }
        _ => first.starts_with("[signal ").then_some(first),
    };
    if let Some(cause) = cause.or_else(|| rust_cause(first, text)) {
        event.level = Some(Cow::Borrowed("FATAL"));
        event.error = Some(Cow::Borrowed(cause)).filter(|c| !c.is_empty());
    }
    if let Some(place) = text.lines().find_map(own_frame) {
        put_field(event, Cow::Borrowed("frame"), Value::Text(Cow::Borrowed(place)));
    }
    true
}

/// What a Rust panic says: `thread 'x' panicked at 'y', src/a.rs:1` of old, `thread 'x' panicked at src/a.rs:1:9:` and the reason on the next line.
fn rust_cause<'r>(first: &'r str, text: &'r str) -> Option<&'r str> {
    if !first.contains("panicked at") {
        return None;
    }
    let next = text.lines().nth(1).map(str::trim).filter(|l| first.ends_with(':') && !l.is_empty());
    Some(next.unwrap_or(first))
}

/// The first function of a stack that is not the runtime's own: where it happened.
fn own_frame(line: &str) -> Option<&str> {
    let call = line.strip_suffix(')').and_then(|call| call.rfind('(').map(|at| &call[..at]))?;
    let foreign = ["runtime.", "panic", "testing.", "sync."].iter().any(|own| call.starts_with(own));
    (classify(line.as_bytes()) == LineKind::Frame && !foreign && call.contains('.')).then_some(call)
}

#[cfg(test)]
mod tests {
    use event::SourceDefinition;

    use super::{super::access::Formatters, *};
    use crate::time::Zone;

    #[test]
    fn dumps() {
        let (definition, access, zone) = (SourceDefinition::default(), Formatters::default(), Zone::Assumed);
        let context = Context { definition: &definition, access: &access, zone: &zone, product: None };
        for (text, level, error, frame) in [
            (
                "panic: runtime error: index out of range\n\ngoroutine 7 [running]:\npanic({0x4ada220, 0x7423830})\n\t/go/panic.go:987\ngithub.com/x/y.(*Server).init(0xc0014c4ae0)\n\t/y.go:9",
                Some("FATAL"),
                Some("runtime error: index out of range"),
                Some("github.com/x/y.(*Server).init"),
            ),
            ("fatal error: concurrent map writes", Some("FATAL"), Some("concurrent map writes"), None),
            (
                "[signal SIGSEGV: segmentation violation code=0x1]",
                Some("FATAL"),
                Some("[signal SIGSEGV: segmentation violation code=0x1]"),
                None,
            ),
            (
                "thread 'raftstore-1' panicked at 'x', src/a.rs:1",
                Some("FATAL"),
                Some("thread 'raftstore-1' panicked at 'x', src/a.rs:1"),
                None,
            ),
            ("thread 'a' panicked at src/a.rs:1:9:\nno space\nstack backtrace:", Some("FATAL"), Some("no space"), None),
            ("goroutine 389 [IO wait]:\nmain.f(0x1)", None, None, Some("main.f")),
            ("\t/usr/local/go/src/runtime/panic.go:992 +0x71", None, None, None),
        ] {
            let mut event = Event::default();
            assert!(recognize(text.as_bytes()) && parse(text, &mut event, &context), "{text}");
            assert_eq!((event.level.as_deref(), event.error.as_deref(), event.field_text("frame")), (level, error, frame), "{text}");
            assert_eq!(event.stream.as_deref(), Some("crash"));
        }
        assert!(!recognize(b"select a.f(b) from t"));
    }
}
