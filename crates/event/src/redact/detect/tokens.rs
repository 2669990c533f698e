//! Tokens and keys that are known by how they begin: cloud keys, JWT, GitHub, GitLab, Slack, Stripe and others. Owns: the list of shapes.
//! Their case may have been lost (TiDB lower-cases a statement that it normalizes), so every shape is met in any case, by length and alphabet.

use std::ops::Range;

use crate::redact::{
    kind::{API_KEY, CLOUD_KEY, KindId, SECRET_KEY, TOKEN},
    scan::Scan,
    text::{at, before, escaped, is_base64, is_word, run},
};

/// A shape: how it begins, the alphabet and the length of the rest.
struct Shape {
    prefix: &'static [u8],
    rest: fn(u8) -> bool,
    least: usize,
    most: usize,
    kind: KindId,
}

fn alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn base64url(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

fn dotted(b: u8) -> bool {
    base64url(b) || b == b'.'
}

fn base64(b: u8) -> bool {
    is_base64(b) || b == b'='
}

const fn shape(prefix: &'static [u8], rest: fn(u8) -> bool, least: usize, most: usize, kind: KindId) -> Shape {
    Shape { prefix, rest, least, most, kind }
}

/// The header of a JWT is at least this long.
const HEADER_BYTES_MIN: usize = 12;
/// A token is at most this long.
const MOST: usize = 4096;

const SHAPES: &[Shape] = &[
    shape(b"AKIA", alnum, 16, 16, CLOUD_KEY),
    shape(b"ASIA", alnum, 16, 16, CLOUD_KEY),
    shape(b"AIza", base64url, 35, 35, CLOUD_KEY),
    shape(b"ya29.", dotted, 20, MOST, TOKEN),
    shape(b"ghp_", alnum, 30, 255, TOKEN),
    shape(b"gho_", alnum, 30, 255, TOKEN),
    shape(b"ghu_", alnum, 30, 255, TOKEN),
    shape(b"ghs_", base64url, 30, MOST, TOKEN),
    shape(b"ghr_", alnum, 30, 255, TOKEN),
    shape(b"github_pat_", base64url, 20, 255, TOKEN),
    shape(b"glpat-", dotted, 16, 255, TOKEN),
    shape(b"gldt-", dotted, 16, 255, TOKEN),
    shape(b"glrt-", dotted, 16, 255, TOKEN),
    shape(b"glcbt-", dotted, 16, 255, TOKEN),
    shape(b"xapp-", base64url, 20, 512, TOKEN),
    shape(b"xoxb-", base64url, 10, 512, TOKEN),
    shape(b"xoxp-", base64url, 10, 512, TOKEN),
    shape(b"xoxa-", base64url, 10, 512, TOKEN),
    shape(b"xoxr-", base64url, 10, 512, TOKEN),
    shape(b"xoxs-", base64url, 10, 512, TOKEN),
    shape(b"xoxe", dotted, 10, 512, TOKEN),
    shape(b"xoxc-", base64url, 10, 512, TOKEN),
    shape(b"xoxd-", base64, 10, 512, TOKEN),
    shape(b"sk_live_", alnum, 10, 255, API_KEY),
    shape(b"sk_test_", alnum, 10, 255, API_KEY),
    shape(b"rk_live_", alnum, 10, 255, API_KEY),
    shape(b"rk_test_", alnum, 10, 255, API_KEY),
    shape(b"sk-proj-", base64url, 20, 512, API_KEY),
    shape(b"sk-ant-", base64url, 20, 512, API_KEY),
    shape(b"sk-", alnum, 32, 128, API_KEY),
    shape(b"SG.", dotted, 40, 128, API_KEY),
    shape(b"hf_", alnum, 30, 64, TOKEN),
    shape(b"hvs.", base64url, 20, 255, TOKEN),
    shape(b"npm_", alnum, 36, 36, TOKEN),
    shape(b"pypi-", base64url, 50, 512, TOKEN),
    // `root:` in base64, as Milvus clients send it.
    shape(b"cm9vdDp", base64, 3, 512, TOKEN),
    shape(b"eyJ", jwt, 20, usize::MAX, TOKEN),
];

fn jwt(b: u8) -> bool {
    base64url(b) || matches!(b, b'.' | b'=')
}

/// The secret of a cloud key stands at most this far behind it.
const PARTNER_BYTES_MAX: usize = 128;
/// Characters of such a secret.
const PARTNER_BYTES: usize = 40;

/// A place where a shape may begin.
pub(in crate::redact) fn detect(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    // A letter of an escape (`\n`) is no part of the word.
    let edge = before(b, here).is_none_or(|c| !is_word(c) || c >= 0x80) || escaped(b, here);
    if !edge {
        return None;
    }
    for s in SHAPES {
        if !b[here..].get(..s.prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(s.prefix)) {
            continue;
        }
        let from = here + s.prefix.len();
        let end = run(b, from, s.most.saturating_add(1), s.rest);
        if (s.least..=s.most).contains(&(end - from)) && fits(s, &b[here..end]) && !at(b, end).is_some_and(|c| c.is_ascii_alphanumeric()) {
            if s.prefix == b"AKIA" || s.prefix == b"ASIA" {
                partner(scan, end);
            }
            return scan.hit(here..end, s.kind);
        }
        if end - from > MOST {
            // A long text of another kind: looked at once is enough.
            return Some(end);
        }
    }
    None
}

/// Of a JWT the claims and the signature: its header names an algorithm and stays.
pub(in crate::redact) fn jwt_secret(b: &[u8], token: Range<usize>) -> Range<usize> {
    let text = &b[token.clone()];
    match text.iter().position(|c| *c == b'.') {
        Some(dot)
            if dot >= HEADER_BYTES_MIN
                && text.len() > dot + 1
                && (text.starts_with(b"eyJ") || text.starts_with(b"eyj"))
                && text[..dot].iter().all(|c| base64url(*c) || *c == b'=') =>
        {
            token.start + dot + 1..token.end
        }
        _ => token,
    }
}

/// What length and alphabet do not say.
fn fits(s: &Shape, text: &[u8]) -> bool {
    let digits = text.iter().filter(|c| c.is_ascii_digit()).count();
    match s.prefix {
        // A JWT has at least a second part; both alphabets of one case too.
        b"eyJ" => text.iter().filter(|c| **c == b'.').count() >= 1,
        // In lower case it could be a word: one with digits is not.
        b"AKIA" | b"ASIA" => text[0].is_ascii_uppercase() || digits > 0,
        b"SG." => text.len() == 69 && text[25] == b'.',
        b"sk-" => digits > 0 || text[3..].iter().any(u8::is_ascii_uppercase),
        _ => true,
    }
}

/// The secret access key that a key id stands beside.
fn partner(scan: &mut Scan<'_>, from: usize) {
    let b = scan.b;
    let limit = (from + PARTNER_BYTES_MAX).min(b.len());
    let mut p = from;
    while p < limit {
        let end = run(b, p, PARTNER_BYTES + 1, |c| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'+'));
        if end - p == PARTNER_BYTES && !b[p..end].iter().all(u8::is_ascii_hexdigit) {
            scan.hit(p..end, SECRET_KEY);
            return;
        }
        p = end.max(p) + 1;
    }
}

/// `lpat` in `glpat-`.
pub(in crate::redact) fn gitlab(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    detect(scan, here.checked_sub(1)?)
}

/// `b_pa` in `github_pat_`.
pub(in crate::redact) fn github_fine(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    detect(scan, here.checked_sub(5)?)
}
