//! JSON strings as they stand inside log lines. Owns: finding their end, undoing their escapes, cutting stacks off. Linear, never fails: an escape that
//! means nothing stays as it is.

use std::{borrow::Cow, sync::LazyLock};

use memchr::{memchr, memmem};

use crate::near;

/// The closing quote of a string whose first byte behind the opening quote is at `from`: the first quote with an even number of backslashes before it.
/// (Stacks are full of escapes and hold no quotes, so looking for quotes alone is several times faster than stopping at each escape.)
pub fn closing(b: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr(b'"', b.get(at..)?)?;
        let slashes = b[at..quote].iter().rev().take_while(|c| **c == b'\\').count();
        if slashes % 2 == 0 {
            return Some(quote);
        }
        at = quote + 1;
    }
}

/// The closing quote, and whether anything is escaped before it: the first look decides for nearly every string.
pub fn closing_escaped(b: &[u8], from: usize) -> Option<(usize, bool)> {
    let at = near::find2(b, from, b'"', b'\\')?;
    if b[at] == b'"' { Some((at, false)) } else { closing(b, at).map(|at| (at, true)) }
}

/// The text of a JSON string's inside. Borrowed where nothing is escaped.
pub fn unescape(inside: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'\\', inside.as_bytes()) else { return Cow::Borrowed(inside) };
    let mut out = String::with_capacity(inside.len());
    out.push_str(&inside[..first]);
    let mut rest = &inside[first..];
    while let Some(tail) = rest.strip_prefix('\\') {
        let (ch, used) = one_escape(tail.as_bytes());
        match ch {
            Some(ch) => out.push(ch),
            None => out.push('\\'),
        }
        rest = &tail[used..];
        let next = memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(out)
}

/// The character that an escape (behind its backslash) stands for, and the bytes it took; none and 0 where it stands for nothing.
fn one_escape(b: &[u8]) -> (Option<char>, usize) {
    let ch = match b.first() {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(c @ (b'"' | b'\\' | b'/')) => char::from(*c),
        Some(b'u') => return unicode(b).map_or((None, 0), |(ch, used)| (Some(ch), used)),
        _ => return (None, 0),
    };
    (Some(ch), 1)
}

fn hex4(b: &[u8], at: usize) -> Option<u32> {
    let text = std::str::from_utf8(b.get(at..at + 4)?).ok()?;
    text.bytes().all(|c| c.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

/// `uXXXX`, or a surrogate pair of two; half a pair is U+FFFD.
fn unicode(b: &[u8]) -> Option<(char, usize)> {
    let high = hex4(b, 1)?;
    if (0xD800..0xDC00).contains(&high)
        && b.get(5..7) == Some(b"\\u")
        && let Some(low @ 0xDC00..0xE000) = hex4(b, 7)
    {
        return char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).map(|ch| (ch, 11));
    }
    Some((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

/// What a frame of a stack has between its two lines. Made once: to make it takes longer than to look with it.
static FRAME: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(br"\n\t"));

/// Keys whose value is a stack from its first line on.
fn is_stack_key(key: &str) -> bool {
    matches!(key, "stack" | "backtrace" | "stacktrace")
}

/// The value of `key` (escaped, inside its quotes) without the Go stack that Go's loggers append to errors: the whole of it stays in `raw`. Of a value
/// that is a stack the first line stays.
pub fn without_stack<'t>(key: &str, inside: &'t str) -> &'t str {
    if is_stack_key(key) {
        return inside.split_once("\\n").map_or(inside, |(first, _)| first);
    }
    let b = inside.as_bytes();
    let Some(mut from) = memchr(b'\\', b) else { return inside };
    // A frame is two lines: the function, then a tab and the place.
    while let Some(at) = FRAME.find(&b[from..]).map(|i| from + i) {
        let place = &b[at + 4..];
        let place = &place[..memmem::find(place, b"\\n").unwrap_or(place.len())];
        if is_place(place) {
            return &inside[..memmem::rfind(&b[..at], b"\\n").unwrap_or(0)];
        }
        from = at + 4;
    }
    inside
}

/// `/usr/local/go/src/runtime/proc.go:271`, perhaps with ` +0x1d` behind it.
fn is_place(line: &[u8]) -> bool {
    let line = line.split(|c| *c == b' ').next().unwrap_or(line);
    let digits = line.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let file = &line[..line.len() - digits];
    digits > 0 && (file.ends_with(b".go:") || file.ends_with(b".s:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_the_rest_stays() {
        for (inside, text) in [
            ("plain", "plain"),
            (r#"a \"b\" \\ \/ \n\t\r\b\f"#, "a \"b\" \\ / \n\t\r\u{8}\u{c}"),
            (r"\u0041\u00b5\ud83d\ude00", "Aµ😀"),
            (r"\ud83d x \ude00", "\u{fffd} x \u{fffd}"),
            (r"\xff \q \u12", r"\xff \q \u12"),
            ("end\\", "end\\"),
            (r"\uéé", r"\uéé"),
        ] {
            assert_eq!(unescape(inside), text, "{inside}");
        }
        assert!(matches!(unescape("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_closing_quote_is_not_an_escaped_one() {
        assert_eq!(closing(br#"ab\"c\\"d"#, 0), Some(7));
        assert_eq!(closing(br#"ab\"#, 0), None);
        assert_eq!(closing(br#"\"\\\"\\"x"#, 0), Some(8));
        assert_eq!(closing(b"", 0), None);
        assert_eq!(closing(b"x", 5), None);
    }

    #[test]
    fn stacks_stay_out_of_errors_and_nested_errors_stay_in() {
        for (key, inside, kept) in [
            (
                "err",
                r"[planner:1142]denied\ngithub.com/x/errors.AddStack\n\t/go/pkg/errors.go:178\nmain.f\n\t/a.go:1",
                "[planner:1142]denied",
            ),
            ("err", r"first\nsecond\nmain.f\n\ta/b.go:12 +0x3f", r"first\nsecond"),
            ("error", r"closing failed:\n\tconnection gone:\n\ttls: bye", r"closing failed:\n\tconnection gone:\n\ttls: bye"),
            ("stack", r"main.f\n\t/a.go:1\nmain.g\n\t/a.go:2", "main.f"),
            ("errorVerbose", r"main.f\n\t/a.go:1", ""),
            ("sql", "select 1", "select 1"),
        ] {
            assert_eq!(without_stack(key, inside), kept, "{inside}");
        }
    }
}
