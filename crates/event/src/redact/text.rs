//! Small reading functions over bytes: words, white space, quotes and their levels. Pure, never panic, every one bounded or linear.

use std::ops::Range;

/// White space, comments and escapes that a statement may hold between two words are looked through for at most this many bytes.
const SPACE_BYTES_MAX: usize = 512;
/// A run of backslashes longer than this is text, not an escape.
const BACKSLASHES_MAX: usize = 64;

/// A byte of an identifier.
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// A byte of a key: `secret-access-key`, `sasl.password`.
pub(super) fn is_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// A character of base64 in either alphabet.
pub(super) fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_')
}

/// The byte at `at`.
pub(super) fn at(b: &[u8], at: usize) -> Option<u8> {
    b.get(at).copied()
}

/// The byte before `at`.
pub(super) fn before(b: &[u8], at: usize) -> Option<u8> {
    b.get(at.checked_sub(1)?).copied()
}

/// Whether the lower-case `word` stands at `at`, in any case.
pub(super) fn has(b: &[u8], at: usize, word: &[u8]) -> bool {
    b.get(at..at + word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word))
}

/// The same, and no identifier goes on behind it; gives the end.
pub(super) fn word(b: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let end = at + word.len();
    (has(b, at, word) && !b.get(end).copied().is_some_and(is_word)).then_some(end)
}

/// End of the run of bytes that `keep` from `from`, at most `max` long.
pub(super) fn run(b: &[u8], from: usize, max: usize, keep: impl Fn(u8) -> bool) -> usize {
    let window = &b[from.min(b.len())..from.saturating_add(max).min(b.len())];
    from + window.iter().position(|c| !keep(*c)).unwrap_or(window.len())
}

/// Start of the run of bytes that `keep` before `to`, at most `max` long.
pub(super) fn run_back(b: &[u8], to: usize, max: usize, keep: impl Fn(u8) -> bool) -> usize {
    let low = to.saturating_sub(max);
    b[low..to].iter().rposition(|c| !keep(*c)).map_or(low, |i| low + i + 1)
}

/// Behind spaces, tabs and line ends, also escaped ones (`\n`), and comments.
pub(super) fn skip_space(b: &[u8], from: usize) -> usize {
    let (mut p, limit) = (from, (from + SPACE_BYTES_MAX).min(b.len()));
    while p < limit {
        match b[p] {
            b' ' | b'\t' | b'\r' | b'\n' => p += 1,
            b'\\' => {
                let end = run(b, p, BACKSLASHES_MAX, |c| c == b'\\');
                if !matches!(at(b, end), Some(b'n' | b't' | b'r')) {
                    return p;
                }
                p = end + 1;
            }
            // What stands in an executable comment is a part of the statement: `/*!50000 by*/`, `/*T! by */`.
            b'/' if executable(b, p).is_some() => p = executable(b, p).unwrap_or(p + 1),
            b'*' if at(b, p + 1) == Some(b'/') => p += 2,
            b'/' if at(b, p + 1) == Some(b'*') => match memchr::memmem::find(&b[p + 2..limit.max(p + 2)], b"*/") {
                Some(n) => p += n + 4,
                None => return p,
            },
            _ => return p,
        }
    }
    p
}

/// Behind the opening of a comment that MySQL or TiDB executes.
fn executable(b: &[u8], p: usize) -> Option<usize> {
    let rest = b.get(p..)?;
    let mark = [&b"/*!"[..], b"/*T!", b"/*t!"].into_iter().find(|m| rest.starts_with(m))?;
    let digits = run(b, p + mark.len(), 6, |c| c.is_ascii_digit());
    if at(b, digits) != Some(b'[') {
        return Some(digits);
    }
    // `/*T![auto_id_cache] ..`: the feature that it is for.
    let close = run(b, digits, 64, |c| c != b']');
    Some(if at(b, close) == Some(b']') { close + 1 } else { digits })
}

/// Before spaces, tabs and line ends, also escaped ones.
pub(super) fn skip_space_back(b: &[u8], to: usize) -> usize {
    let (mut p, limit) = (to, to.saturating_sub(SPACE_BYTES_MAX));
    while p > limit {
        match b[p - 1] {
            b' ' | b'\t' | b'\r' | b'\n' => p -= 1,
            b'n' | b't' | b'r' if p >= 2 && b[p - 2] == b'\\' => p = run_back(b, p - 1, BACKSLASHES_MAX, |c| c == b'\\'),
            _ => return p,
        }
    }
    p
}

/// Whether the letter before `at` belongs to an escaped line end or tab, and so to no word.
pub(super) fn escaped(b: &[u8], at: usize) -> bool {
    at >= 2 && b[at - 2] == b'\\' && matches!(b[at - 1], b'n' | b't' | b'r')
}

/// Backslashes right before `at`.
pub(super) fn backslashes(b: &[u8], at: usize) -> usize {
    at - run_back(b, at, BACKSLASHES_MAX, |c| c == b'\\')
}

/// The level of a double quote with `n` backslashes before it: 0 delimits a string of the line itself, 1 (`\"`) one inside such a string,
/// 2 (`\\\"`) one inside that. Backslashes that only escape one another count nothing.
pub(super) fn level(n: usize) -> usize {
    n.trailing_ones() as usize
}

/// The identifier or key that ends at `to`, behind a closing quote of its own if it has one.
pub(super) fn key_before(b: &[u8], to: usize) -> Range<usize> {
    let mut end = to;
    if let Some(b'"' | b'\'' | b'`') = before(b, end) {
        end = run_back(b, end - 1, BACKSLASHES_MAX, |c| c == b'\\');
    }
    run_back(b, end, 64, is_key)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_looked_through() {
        for (text, rest) in [
            ("  x", "x"),
            ("\\n by", "by"),
            ("\\\\n by", "by"),
            ("/* a */ /**/x", "x"),
            ("/* a", "/* a"),
            ("\\\"x", "\\\"x"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(&text[skip_space(text.as_bytes(), 0)..], rest, "{text}");
        }
        assert_eq!(skip_space_back(b"for \\n ", 7), 3);
    }

    #[test]
    fn quotes_have_levels() {
        for (n, want) in [(0, 0), (1, 1), (2, 0), (3, 2), (4, 0), (5, 1), (7, 3)] {
            assert_eq!(level(n), want, "{n}");
        }
    }
}
