//! Private keys in PEM, whole or cut, with real or escaped line ends. Owns: that grammar. Certificates and public keys stay.

use crate::redact::{
    kind::PRIVATE_KEY,
    scan::Scan,
    text::{at, has, run, run_back},
};

/// A line of the body alone in its record is at least this long.
const LINE_BYTES_MIN: usize = 64;
/// And at most this long.
const LINE_BYTES_MAX: usize = 76;
/// Characters between `-----BEGIN ` and the dashes behind it.
const LABEL_BYTES_MAX: usize = 40;

/// A byte that a PEM body may hold, escapes of its line ends included.
fn body(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\\' | b'\n' | b'\r' | b' ' | b'\t' | b':' | b',' | b'-')
}

/// The end of the label's line, where the label names a private key.
fn label(b: &[u8], from: usize) -> Option<usize> {
    let end = run(b, from, LABEL_BYTES_MAX, |c| c != b'-');
    let text = &b[from..end];
    let private = memchr::memmem::find(&text.to_ascii_lowercase(), b"private key").is_some();
    private.then(|| run(b, end, 5, |c| c == b'-'))
}

/// `-BEG`.
pub(in crate::redact) fn begin(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    if !has(b, here, b"-begin ") {
        return None;
    }
    let start = line_end(b, label(b, here + 7)?);
    // Up to the END line, or as far as the text could be one.
    let mut end = start;
    while end < b.len() && body(b[end]) && !has(b, end, b"-----end") {
        end += 1;
    }
    let end = start + trimmed(&b[start..end], at(b, end) == Some(b'"'));
    scan.hit(start..end, PRIVATE_KEY)
}

/// Behind the line end that follows a label, escaped or not.
fn line_end(b: &[u8], p: usize) -> usize {
    let slashes = run(b, p, 64, |c| c == b'\\');
    let letters = if slashes > p { run(b, slashes, 1, |c| matches!(c, b'n' | b'r')) } else { slashes };
    let p = if letters > slashes { letters } else { p };
    run(b, p, 2, |c| matches!(c, b'\r' | b'\n'))
}

/// The body without the line end before what follows, and without the backslashes of a quote that follows.
fn trimmed(text: &[u8], quote: bool) -> usize {
    let mut n = text.len();
    if quote {
        n = run_back(text, n, 64, |c| c == b'\\');
    }
    loop {
        let before = n;
        n = run_back(text, n, 8, |c| matches!(c, b'\n' | b'\r' | b' ' | b'-'));
        if n >= 2 && matches!(text[n - 1], b'n' | b'r') && text[n - 2] == b'\\' {
            n = run_back(text, n - 1, 64, |c| c == b'\\');
        }
        if n == before {
            return n;
        }
    }
}

/// `-END` of a key whose beginning is not here.
pub(in crate::redact) fn end(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    if !has(b, here, b"-end ") {
        return None;
    }
    let end = label(b, here + 5)?;
    let stop = run_back(b, here, 8, |c| c == b'-');
    let stop = trimmed(&b[..stop], false);
    let low = scan.last_end;
    let start = run_back(b, stop, stop - low.min(stop), |c| body(c) && !matches!(c, b':' | b',' | b'-' | b' '));
    if stop > start {
        scan.hit(start..stop, PRIVATE_KEY);
    }
    Some(end)
}

/// Whether a record is nothing but one full line of such a body: log readers cut a key into its lines.
pub(in crate::redact) fn is_line(record: &[u8]) -> bool {
    let text = record.trim_ascii();
    (LINE_BYTES_MIN..=LINE_BYTES_MAX).contains(&text.len())
        && text.len().is_multiple_of(4)
        && text.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'='))
        && text.iter().any(u8::is_ascii_uppercase)
        && text.iter().any(u8::is_ascii_lowercase)
        && text.iter().any(u8::is_ascii_digit)
}
