//! The usual way through a row: where a value ends, by what its kind is made of, in one look. Owns: only that. What it is not sure of it leaves to the
//! general way (`pattern.rs`), which would have come to the same end at its first try.

use super::value::{Kind, UNKNOWN};
use crate::{
    address,
    time::{self, Stamp},
};

/// Whether a usual value of this kind may hold the byte. A literal that begins with a byte which none may hold is found where the value ends.
pub(super) fn may_hold(kind: Kind, c: u8) -> bool {
    let letter = c.is_ascii_alphanumeric() || c == b'_';
    match kind {
        Kind::Time => c.is_ascii_digit() || matches!(c, b'/' | b':' | b'.' | b'+' | b'-' | b' '),
        Kind::Method => letter,
        Kind::Word => letter || matches!(c, b'(' | b')'),
        Kind::Number => letter || c == b'-',
        Kind::Address => letter || matches!(c, b'.' | b':' | b'-'),
        Kind::Trace => !matches!(c, b'[' | b']'),
        Kind::Duration => letter || c == b'.' || c >= 0x80,
        Kind::Line | Kind::Free | Kind::Quotable => true,
    }
}

/// How many bytes of a kind stand at `from`.
fn run(b: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    let mut at = from;
    while b.get(at).is_some_and(|c| of(*c)) {
        at += 1;
    }
    at - from
}

/// Letters, digits and what else stands in words.
static WORD: [bool; 256] = {
    let (mut table, mut c) = ([false; 256], 0);
    while c < table.len() {
        table[c] = (c as u8).is_ascii_alphanumeric() || matches!(c as u8, b'_' | b'(' | b')');
        c += 1;
    }
    table
};

/// Digits of a number that has a column.
const DIGITS_MAX: usize = 20;
/// A trace id of Milvus' own.
const TRACE_BYTES: usize = 32;

/// The time at `at`, if it is written in the usual way.
pub(super) fn time(text: &str, at: usize) -> Option<Stamp> {
    const USUAL_BYTES: usize = 30;
    time::scan_usual(text.get(at..at + USUAL_BYTES)?)
}

/// Where the value at `at` ends, if it is a usual one.
pub(super) fn end(kind: Kind, text: &str, at: usize) -> Option<usize> {
    let b = text.as_bytes();
    let rest = b.get(at..)?;
    if rest.starts_with(UNKNOWN.as_bytes()) && kind != Kind::Time {
        return Some(at + UNKNOWN.len());
    }
    let len = match kind {
        Kind::Time => time(text, at)?.len,
        Kind::Method => {
            let len = run(rest, 0, |c| WORD[usize::from(c)] && c > b')');
            // A word in capitals may be a level.
            rest[..len].iter().any(u8::is_ascii_lowercase).then_some(len)?
        }
        Kind::Word => run(rest, 0, |c| WORD[usize::from(c)]),
        Kind::Number => {
            let len = run(rest, 0, |c| c.is_ascii_digit());
            (1..=DIGITS_MAX).contains(&len).then_some(len)?
        }
        Kind::Address => {
            let host = if rest.starts_with(b"tcp-") { 4 } else { 0 };
            let colon = address::v4_end(rest, host)?;
            let port = if rest.get(colon) == Some(&b':') { run(rest, colon + 1, |c| c.is_ascii_digit()) } else { return None };
            (1..=5).contains(&port).then_some(colon + 1 + port)?
        }
        Kind::Trace => {
            let id: &[u8; TRACE_BYTES] = rest.first_chunk()?;
            let hex = id.iter().fold(true, |all, c| all & (c.wrapping_sub(b'0') < 10 || c.wrapping_sub(b'a') < 6));
            hex.then_some(TRACE_BYTES)?
        }
        Kind::Duration => {
            let whole = run(rest, 0, |c| c.is_ascii_digit());
            let number = if rest.get(whole) == Some(&b'.') { whole + 1 + run(rest, whole + 1, |c| c.is_ascii_digit()) } else { whole };
            let unit = [&b"ms"[..], "µs".as_bytes(), b"s"].iter().find(|u| rest[number..].starts_with(u))?.len();
            (whole > 0).then_some(number + unit)?
        }
        Kind::Line | Kind::Free | Kind::Quotable => return None,
    };
    (len <= kind.bytes_max()).then_some(at + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_value_ends_where_its_alphabet_does_and_is_one_of_its_kind() {
        for (kind, text, want) in [
            (Kind::Time, "2026/11/25 21:13:45.942 +00:00]", Some(30)),
            (Kind::Time, "2026/11/25 21:13:45 +00:00]", None),
            (Kind::Method, "Insert [", Some(6)),
            (Kind::Method, "INFO [", None),
            (Kind::Method, "/v2/x [", None),
            (Kind::Word, "GrpcUnauthenticated]", Some(19)),
            (Kind::Word, "]", Some(0)),
            (Kind::Number, "65535]", Some(5)),
            (Kind::Number, "-1]", None),
            (Kind::Number, "Unknown]", Some(7)),
            (Kind::Number, "]", None),
            (Kind::Number, "123456789012345678901]", None),
            (Kind::Address, "tcp-10.3.0.40:36053>", Some(19)),
            (Kind::Address, "10.3.0.40:1>", Some(11)),
            (Kind::Address, "10.3.0.40>", None),
            (Kind::Address, "tcp-10.3.0.40:123456>", None),
            (Kind::Address, "tcp-[::1]:4>", None),
            (Kind::Trace, "40d6824e2ef3fc17879e2e2256feff0c]", Some(32)),
            (Kind::Trace, "40D6824e2ef3fc17879e2e2256feff0c]", None),
            (Kind::Trace, "order-17]", None),
            (Kind::Trace, "Unknown]", Some(7)),
            (Kind::Duration, "4.882ms]", Some(7)),
            (Kind::Duration, "12µs]", Some(5)),
            (Kind::Duration, "1s]", Some(2)),
            (Kind::Duration, "1m2s]", None),
            (Kind::Duration, ".5s]", None),
            (Kind::Line, "x]", None),
        ] {
            let got = end(kind, text, 0);
            assert_eq!(got, want, "{kind:?} {text}");
            if let Some(end) = got {
                assert!(kind.takes(&text[..end]), "{kind:?} {text}");
                assert!(text.bytes().take(end).all(|c| may_hold(kind, c)), "{kind:?} {text}");
            }
        }
    }
}
