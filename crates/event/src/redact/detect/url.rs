//! Secrets in addresses: the password of `scheme://user:password@host` and of `user:password@tcp(host)`, signatures in queries, webhooks.
//! Owns: those grammars. Users, hosts, paths stay.

use memchr::{memchr, memrchr};

use crate::redact::{
    kind::{CONNECTION_STRING, TOKEN, WEBHOOK},
    scan::Scan,
    text::{at, before, has, run, run_back},
    value::placeholder,
};

/// User and password of an address are at most this long.
const USER_INFO_BYTES_MAX: usize = 512;

/// A character that ends an address.
fn ends(b: u8) -> bool {
    b <= b' ' || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
}

/// `://`.
pub(in crate::redact) fn detect(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here + 3;
    let end = run(b, start, USER_INFO_BYTES_MAX, |c| !ends(c));
    let all = &b[start..end];
    // The last `@` before the path divides; a password may hold a slash, a port may not, and an `@` before host and port divides wherever it is.
    let colon = start + memchr(b':', all)?;
    let slash = run(b, start, end - start, |c| !matches!(c, b'/' | b'?' | b'#'));
    let port = b[(colon + 1).min(slash)..slash].iter().all(u8::is_ascii_digit);
    let in_path = colon < slash && !port && !b[start..slash].contains(&b'@') && b[start] != b'[';
    let later =
        memrchr(b'@', all).map(|n| start + n).filter(|n| colon < slash && !(port && b[start..colon].contains(&b'.')) && address(b, n + 1));
    let divide = later.map_or(if in_path { end } else { slash }, |n| n + 1);
    let at_sign = run_back(b, divide, divide - start, |c| c != b'@').checked_sub(1)?;
    if colon >= at_sign || at_sign < start || b[at_sign] != b'@' {
        return None;
    }
    password(scan, colon + 1, at_sign)
}

fn password(scan: &mut Scan<'_>, start: usize, end: usize) -> Option<usize> {
    if start >= end || placeholder(&scan.b[start..end]) {
        return None;
    }
    scan.hit(start..end, CONNECTION_STRING)
}

/// `@` before `tcp(` or `unix(`: a Go data source; before an address with a port: `user:password@10.0.0.4:4000`.
pub(in crate::redact) fn data_source(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let host = here + 1;
    let go = [&b"tcp("[..], b"tcp6(", b"unix(", b"("].iter().any(|s| has(b, host, s));
    if !go && !address(b, host) {
        return None;
    }
    let mut start = run_back(b, here, USER_INFO_BYTES_MAX, |c| !ends(c) && c != b'[');
    start = start.max(scan.last_end.min(here));
    if let Some(equal) = b[start..here].iter().position(|c| *c == b'=')
        && b[start..start + equal].iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
    {
        start += equal + 1;
    }
    let colon = start + memchr(b':', &b[start..here])?;
    // `://` has its own grammar; a name is needed before the colon.
    if b[colon..].starts_with(b"://") || colon == start && !go {
        return None;
    }
    let user = &b[start..colon];
    let named = user.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
    if !go && (!named || !mixed(&b[colon + 1..here])) {
        return None;
    }
    password(scan, colon + 1, here)
}

/// Whether a text is no word: `user:root@10.0.0.1:4000` names an account.
fn mixed(text: &[u8]) -> bool {
    let has = |f: fn(&u8) -> bool| text.iter().any(f);
    text.len() >= 6
        && (has(u8::is_ascii_digit) || has(u8::is_ascii_punctuation) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)))
}

/// `host:port`, where the host is an address or a name with a dot.
fn address(b: &[u8], p: usize) -> bool {
    let end = run(b, p, 255, |c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'));
    let port = run(b, end + 1, 6, |c| c.is_ascii_digit());
    at(b, end) == Some(b':') && port > end + 1 && b[p..end].contains(&b'.')
}

/// `sig=`, `Signature=` in a query or a header.
pub(in crate::redact) fn signature(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let p = if matches!(b[here], b'?' | b'&' | b'6' | b';') {
        if !has(b, here + 1, b"sig=") {
            return None;
        }
        here + 5
    } else {
        let name = here.checked_sub(2)?;
        let p = name + b"signature=".len();
        let edge = matches!(before(b, name), Some(b'?' | b'&' | b'-' | b' ' | b',' | b'6'));
        if !has(b, name, b"signature=") || !edge {
            return None;
        }
        p
    };
    let p = run(b, p, 4, |c| matches!(c, b'\\' | b'"'));
    let end = run(b, p, b.len(), |c| !ends(c) && !matches!(c, b'&' | b'#' | b',' | b';' | b']' | b')' | b'}'));
    if end < p + 8 || placeholder(&b[p..end]) {
        return None;
    }
    scan.hit(p..end, TOKEN)
}

/// Where webhooks live: what stands before the part that nobody may know.
const WEBHOOKS: &[&[u8]] = &[
    b"hooks.slack.com/services/",
    b"hooks.slack.com/workflows/",
    b"hooks.slack-gov.com/services/",
    b"/api/webhooks/",
    b"webhook.office.com/webhookb2/",
    b"hooks.zapier.com/hooks/catch/",
    b"hook/send?access_token=",
    b"open-apis/bot/v2/hook/",
    b"webhook/send?key=",
];

/// `hook`.
pub(in crate::redact) fn webhook(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    for w in WEBHOOKS {
        let Some(offset) = memchr::memmem::find(w, b"hook") else { continue };
        let Some(start) = here.checked_sub(offset).filter(|s| has(b, *s, w)) else { continue };
        let from = start + w.len();
        let end = run(b, from, b.len(), |c| !ends(c) && !matches!(c, b']' | b')' | b'}' | b','));
        return if end > from { scan.hit(from..end, WEBHOOK) } else { None };
    }
    None
}
