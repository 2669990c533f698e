//! Password hashes by their own shape: MySQL's `*<40 hex>`, crypt's `$..$..`. Owns: those shapes.

use crate::redact::{
    kind::PASSWORD_HASH,
    scan::Scan,
    text::{is_word, run},
};

/// Hex digits of MySQL's native hash.
const NATIVE_DIGITS: usize = 40;
/// The schemes of crypt: how one begins, and how many characters follow at least.
const SCHEMES: &[(&[u8], usize)] = &[
    (b"$2a$", 50),
    (b"$2b$", 50),
    (b"$2y$", 50),
    (b"$2x$", 50),
    (b"$argon2", 40),
    (b"$1$", 20),
    (b"$5$", 40),
    (b"$6$", 80),
    (b"$A$", 30),
    (b"$y$", 30),
];

/// A `*` behind a quote.
pub(in crate::redact) fn mysql(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let start = here + 1;
    let end = run(scan.b, start + 1, NATIVE_DIGITS + 1, |c| c.is_ascii_hexdigit());
    let whole = end == start + 1 + NATIVE_DIGITS && !scan.b.get(end).copied().is_some_and(is_word);
    if whole { scan.hit(start..end, PASSWORD_HASH) } else { None }
}

/// A `$`.
pub(in crate::redact) fn crypt(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here + 1;
    let (scheme, least) = SCHEMES.iter().find(|(s, _)| b[start..].get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s)))?;
    let from = start + scheme.len();
    let end = run(b, from, 256, |c| c.is_ascii_alphanumeric() || matches!(c, b'$' | b'.' | b'/' | b'+' | b'=' | b',' | b'-' | b'_'));
    if *scheme == b"$A$" {
        // caching_sha2_password's salt may hold any byte: the literal around it ends it.
        let end = run(b, from, 80, |c| !matches!(c, b'\'' | b'"' | b'\n'));
        return if end - from >= *least { scan.hit(start..end, PASSWORD_HASH) } else { None };
    }
    if end - from >= *least { scan.hit(start..end, PASSWORD_HASH) } else { None }
}
