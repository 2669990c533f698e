//! Private keys in PEM, whole or cut, with real or escaped line ends. Owns: that grammar. Certificates and public keys stay.

use std::ops::Range;

use crate::redact::{
    kind::PRIVATE_KEY,
    scan::Scan,
    text::{at, has, is_base64, run, run_back},
};

/// A line of the body alone in its record is at least this long.
const LINE_BYTES_MIN: usize = 64;
/// And at most this long.
const LINE_BYTES_MAX: usize = 76;
/// The last line, which ends in `=`, is at least this long.
const LAST_BYTES_MIN: usize = 16;
/// What a container runtime puts around a line is at most this long.
const CARRIER_BYTES_MAX: usize = 128;
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

/// The body of a record that is nothing but one line of such a key: log readers cut a key into its lines, container runtimes put theirs around it.
pub(in crate::redact) fn line(record: &[u8]) -> Option<Range<usize>> {
    // A common line is known by its end.
    let text = record.trim_ascii();
    let end = &text[text.len().saturating_sub(LAST_BYTES_MIN)..];
    let docker = text.starts_with(b"{\"log\":\"");
    if record.len() > LINE_BYTES_MAX + CARRIER_BYTES_MAX || !(docker || end.iter().rev().all(|c| is_base64(*c) || *c == b'=')) {
        return None;
    }
    let text = [&b"stdout F "[..], b"stderr F ", b"stdout P ", b"stderr P "]
        .iter()
        .find_map(|c| memchr::memmem::find(text, c).map(|n| &text[n + c.len()..]))
        .unwrap_or(text);
    let text = match text.strip_prefix(b"{\"log\":\"") {
        Some(log) => &log[..memchr::memmem::find(log, b"\\n\"")?],
        None => text,
    };
    let text = text.trim_ascii();
    let full = (LINE_BYTES_MIN..=LINE_BYTES_MAX).contains(&text.len());
    let last = (LAST_BYTES_MIN..LINE_BYTES_MAX).contains(&text.len()) && text.ends_with(b"=");
    let any = |f: fn(&u8) -> bool| text.iter().any(f);
    let body = (full || last)
        && text.len().is_multiple_of(4)
        && text.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'='))
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && any(u8::is_ascii_digit);
    let start = memchr::memmem::find(record, text)?;
    body.then_some(start..start + text.len())
}
