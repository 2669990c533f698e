//! What HTTP and gRPC carry: authorization headers, bearer and basic schemes, cookies. Owns: those grammars; the scheme's name stays.

use memchr::memchr;

use crate::redact::{
    kind::{KindId, PASSWORD, TOKEN},
    scan::Scan,
    text::{at, before, has, is_base64, is_key, is_word, run, run_back, skip_space, word},
    value::{literal, placeholder},
};

/// A shorter word behind `Bearer` is prose.
const BEARER_BYTES_MIN: usize = 8;
/// Credentials of the basic scheme are at least this many characters.
const BASIC_BYTES_MIN: usize = 8;
/// The parts of a digest are looked through for at most this many bytes.
const DIGEST_BYTES_MAX: usize = 1024;
/// They are decoded up to this many characters.
const BASIC_BYTES_MAX: usize = 4096;

/// A character of a token (RFC 6750), and what clients send besides.
fn is_token(b: u8) -> bool {
    is_base64(b) || matches!(b, b'.' | b'~' | b'=' | b':' | b'%' | b'|')
}

/// `thor` in `authorization`.
pub(in crate::redact) fn authorization(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here.checked_sub(2)?;
    let mut p = word(b, start, b"authorization")?;
    // The key's own closing quote.
    let name = run_back(b, start, 32, is_key);
    let slashes = run(b, p, 64, |c| c == b'\\') - p;
    if let Some(q @ (b'"' | b'\'')) = at(b, p + slashes)
        && before(b, name) == Some(q)
    {
        p += slashes + 1;
    }
    p = skip_space(b, p);
    if !matches!(at(b, p), Some(b':' | b'=')) {
        return None;
    }
    p = run(b, p, 3, |c| matches!(c, b':' | b'=' | b'>'));
    p = skip_space(b, p);
    let level = scan.depth_at(here, p).level;
    p = run(b, p, 1, |c| c == b'[');
    let close = literal(b, p, level);
    let from = close.as_ref().map_or(p, |l| l.inner.start);
    credentials(scan, from, close.map(|l| l.inner.end))
}

/// `<scheme> <credentials>` or credentials alone, from `p`; all up to `end` where that is known.
fn credentials(scan: &mut Scan<'_>, p: usize, end: Option<usize>) -> Option<usize> {
    let b = scan.b;
    let first = run(b, p, b.len(), is_token);
    let limit = end.unwrap_or(b.len());
    const SCHEMES: &[&[u8]] =
        &[b"bearer", b"basic", b"token", b"digest", b"negotiate", b"ntlm", b"apikey", b"hmac", b"aws4-hmac-sha256", b"sharedkey", b"bot"];
    let scheme = SCHEMES.iter().find(|s| b[p..first.min(limit)].eq_ignore_ascii_case(s));
    let (start, kind) = match scheme {
        Some(s) => (skip_space(b, first), if *s == b"basic" { PASSWORD } else { TOKEN }),
        None => (p, TOKEN),
    };
    // Digest and AWS list several parts, of which one is the secret: `signature` has a detector of its own.
    if matches!(scheme, Some(&b"digest")) {
        return digest(scan, start, limit);
    }
    if matches!(scheme, Some(&b"aws4-hmac-sha256" | &b"hmac")) {
        return Some(start);
    }
    let stop = end.unwrap_or_else(|| run(b, start, b.len(), is_token));
    if start >= stop || placeholder(&b[start..stop]) {
        return Some(stop.max(p));
    }
    scan.hit(start..stop, kind)
}

/// The `response` of a digest: user, realm and address stay.
fn digest(scan: &mut Scan<'_>, from: usize, limit: usize) -> Option<usize> {
    let b = scan.b;
    let window = &b[from..limit.min(from + DIGEST_BYTES_MAX)];
    let p = from + memchr::memmem::find(window, b"response=")? + 9;
    let p = run(b, p, 64, |c| matches!(c, b'\\' | b'"'));
    let end = run(b, p, 128, |c| c.is_ascii_alphanumeric());
    scan.hit(p..end, TOKEN)
}

/// `eare` in `Bearer <token>`.
pub(in crate::redact) fn bearer(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here.checked_sub(1)?;
    let p = word(b, start, b"bearer")?;
    scheme(scan, p, TOKEN, |t| {
        t.len() >= BEARER_BYTES_MIN && (t.iter().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || *c == b'.') || t.len() >= 24)
    })
}

/// `asic` in `Basic <base64 of user:password>`.
pub(in crate::redact) fn basic(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here.checked_sub(1)?;
    let p = word(b, start, b"basic")?;
    scheme(scan, p, PASSWORD, |t| t.len() >= BASIC_BYTES_MIN && is_user_and_password(t))
}

fn scheme(scan: &mut Scan<'_>, p: usize, kind: KindId, secret: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let b = scan.b;
    if !matches!(at(b, p), Some(b' ' | b'%' | b'+' | b':' | b'=')) {
        return None;
    }
    let start = if has(b, p, b"%20") { p + 3 } else { skip_space(b, p + 1) };
    let end = run(b, start, b.len(), is_token);
    let end = if at(b, end.wrapping_sub(1)) == Some(b':') { end - 1 } else { end };
    if end <= start {
        return None;
    }
    if secret(&b[start..end]) { scan.hit(start..end, kind) } else { Some(end) }
}

/// `auth` as a key whose value is user and password in base64, as registries' credentials are kept.
pub(in crate::redact) fn short(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let end = word(b, here, b"auth")?;
    let p = run(b, end, 8, |c| matches!(c, b'"' | b'\\' | b'=' | b':' | b' '));
    let stop = run(b, p, BASIC_BYTES_MAX, is_token);
    if p > end && stop - p >= BASIC_BYTES_MIN && is_user_and_password(&b[p..stop]) { scan.hit(p..stop, PASSWORD) } else { None }
}

/// Whether this is base64 of printable text with a colon in it.
pub(in crate::redact) fn is_user_and_password(text: &[u8]) -> bool {
    let text = &text[..run(text, 0, BASIC_BYTES_MAX, is_base64)];
    let (mut bits, mut have, mut colon, mut bytes) = (0u32, 0u32, false, 0);
    for c in text {
        let v = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = (bits << 6 | u32::from(v)) & 0xffff;
        have += 6;
        if have >= 8 {
            have -= 8;
            let byte = (bits >> have) as u8;
            if byte < b' ' || byte == 0x7f {
                return false;
            }
            colon |= byte == b':';
            bytes += 1;
        }
    }
    colon && bytes > 2
}

/// `ooki` in `Cookie: ..` and `Set-Cookie: ..`.
pub(in crate::redact) fn cookie(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here.checked_sub(1)?;
    let mut p = word(b, start, b"cookie")?;
    if start > 0 && is_word(b[start - 1]) {
        return None;
    }
    p = run(b, p, 8, |c| matches!(c, b'\\' | b'"' | b'\''));
    p = skip_space(b, p);
    if !matches!(at(b, p), Some(b':' | b'=')) {
        return None;
    }
    p = skip_space(b, p + 1);
    let level = scan.depth_at(here, p).level;
    p = run(b, p, 1, |c| c == b'[');
    let end = match literal(b, p, level) {
        Some(l) => {
            p = l.inner.start;
            l.inner.end
        }
        None => run(b, p, b.len(), |c| !matches!(c, b'"' | b'\n' | b'\\' | b']')),
    };
    cookies(scan, p, end);
    Some(end)
}

/// The values of `a=1; b=2`: the names stay, and the attributes of a cookie that is set.
fn cookies(scan: &mut Scan<'_>, mut p: usize, end: usize) {
    const ATTRIBUTES: &[&[u8]] = &[b"path", b"domain", b"expires", b"max-age", b"samesite", b"version", b"comment", b"priority"];
    let b = scan.b;
    while p < end {
        let stop = p + memchr(b';', &b[p..end]).unwrap_or(end - p);
        let name = p + run(&b[p..stop], 0, 2, |c| c == b' ');
        if let Some(equal) = memchr(b'=', &b[name..stop]) {
            let value = name + equal + 1..stop;
            let attribute = ATTRIBUTES.iter().any(|a| b[name..name + equal].eq_ignore_ascii_case(a));
            if !attribute && !placeholder(&b[value.clone()]) {
                scan.hit(value, TOKEN);
            }
        }
        p = stop + 1;
    }
}
