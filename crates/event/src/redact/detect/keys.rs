//! Keys whose values are secrets: `password=`, `"secret_access_key":`, `Token:`, `[api_key=..]`, `PASSWORD('..')`, `<passwd>..</passwd>`.
//! Owns: the list of words. Never masks the value of a key that only has such a word in the middle (`password_lifetime`, `token-limit`).

use super::{card, params};
use memchr::memmem;

use crate::redact::{
    kind::{API_KEY, CARD, CLOUD_KEY, EMAIL, KindId, PASSWORD, PASSWORD_HASH, PRIVATE_KEY, SECRET_KEY, TOKEN},
    mark,
    scan::{Depth, Scan},
    text::{at, before, escaped, has, is_key, is_word, key_before, run, run_back, skip_space, skip_space_back, word},
    value::{Bind, Separator, Value, literal, literals, quoted, value, value_in},
};

/// A key is at most this long.
const KEY_BYTES_MAX: usize = 64;

/// What a key ends with, separators and case dropped. Longer words first; `bounded` ones are whole parts of the key.
struct Word {
    text: &'static str,
    kind: KindId,
    bounded: Bound,
}

/// Where in a key a word may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Anywhere,
    /// Behind a separator or at a capital.
    Part,
    /// Behind a separator only: too short to be told from the end of another text.
    Apart,
}

const fn w(text: &'static str, kind: KindId) -> Word {
    Word { text, kind, bounded: Bound::Anywhere }
}

const WORDS: &[Word] = &[
    w("secretaccesskey", SECRET_KEY),
    w("accesskeysecret", SECRET_KEY),
    w("accesskeyid", CLOUD_KEY),
    w("sharedaccesskey", CLOUD_KEY),
    w("accesskey", CLOUD_KEY),
    w("accountkey", CLOUD_KEY),
    w("storagekey", CLOUD_KEY),
    w("sharedkey", CLOUD_KEY),
    w("apikey", API_KEY),
    w("appkey", API_KEY),
    w("licensekey", API_KEY),
    w("privatekey", PRIVATE_KEY),
    w("secretkey", SECRET_KEY),
    w("signingkey", SECRET_KEY),
    w("encryptionkey", SECRET_KEY),
    w("masterkey", SECRET_KEY),
    w("authkey", SECRET_KEY),
    w("secret", SECRET_KEY),
    w("authenticationstring", PASSWORD_HASH),
    w("authstring", PASSWORD_HASH),
    w("passwordhash", PASSWORD_HASH),
    w("hashedpassword", PASSWORD_HASH),
    w("password", PASSWORD),
    w("passwd", PASSWORD),
    w("passphrase", PASSWORD),
    w("passcode", PASSWORD),
    w("requirepass", PASSWORD),
    w("pwd", PASSWORD),
    Word { text: "pw", kind: PASSWORD, bounded: Bound::Apart },
    Word { text: "pass", kind: PASSWORD, bounded: Bound::Part },
    w("token", TOKEN),
    w("emailaddress", EMAIL),
    w("mailaddress", EMAIL),
    w("email", EMAIL),
    Word { text: "mail", kind: EMAIL, bounded: Bound::Part },
    w("cardnumber", CARD),
    w("cardno", CARD),
    w("cardnum", CARD),
    w("creditcard", CARD),
    w("ccnumber", CARD),
    w("ccnum", CARD),
    Word { text: "cc", kind: CARD, bounded: Bound::Apart },
    Word { text: "card", kind: CARD, bounded: Bound::Part },
    Word { text: "pan", kind: CARD, bounded: Bound::Part },
];

/// What may follow such a word in a key that still names the secret itself.
const SUFFIXES: &[&str; 20] = &[
    "",
    "s",
    "hash",
    "value",
    "text",
    "string",
    "data",
    "base64",
    "b64",
    "encrypted",
    "confirm",
    "confirmation",
    "new",
    "old",
    "current",
    "plain",
    "plaintext",
    "cleartext",
    "raw",
    "digest",
];

/// Keys that look like secrets and are names or positions.
const EXCEPTIONS: &[&str; 9] = &[
    "initialclustertoken",
    "nexttoken",
    "pagetoken",
    "nextpagetoken",
    "continuationtoken",
    "passwordexpired",
    "expiredpassword",
    "clientemail",
    "accountemail",
];

/// The texts that end with a byte, a bit each in their order; an empty one ends everything.
const fn by_end<const N: usize>(texts: &[&str; N]) -> [u64; 256] {
    assert!(N <= 64, "a text is a bit");
    let (mut table, mut i) = ([0; 256], 0);
    while i < N {
        let text = texts[i].as_bytes();
        if text.is_empty() {
            let mut b = 0;
            while b < table.len() {
                table[b] |= 1 << i;
                b += 1;
            }
        } else {
            table[text[text.len() - 1] as usize] |= 1 << i;
        }
        i += 1;
    }
    table
}

static WORDS_BY_END: [u64; 256] = {
    let (mut texts, mut i) = ([""; WORDS.len()], 0);
    while i < WORDS.len() {
        texts[i] = WORDS[i].text;
        i += 1;
    }
    by_end(&texts)
};
/// Bytes of the words that are also told by how they begin, counted from their end.
const TAIL_BYTES: usize = 4;

/// The words that have a byte in this place from the end; shorter ones may follow any.
static WORDS_BY_TAIL: [u64; 256] = {
    let (mut table, mut i) = ([0; 256], 0);
    while i < WORDS.len() {
        let text = WORDS[i].text.as_bytes();
        let mut b = 0;
        while b < table.len() {
            if text.len() < TAIL_BYTES || text[text.len() - TAIL_BYTES] as usize == b {
                table[b] |= 1 << i;
            }
            b += 1;
        }
        i += 1;
    }
    table
};

/// The words that may stand at the end of a text, in their order.
fn words(text: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let told = |of: &[u64; 256], from_end: usize| text.len().checked_sub(from_end).map(|at| of[usize::from(text[at])]);
    bits(told(&WORDS_BY_END, 1).unwrap_or(0) & told(&WORDS_BY_TAIL, TAIL_BYTES).unwrap_or(!0))
}

static SUFFIXES_BY_END: [u64; 256] = by_end(SUFFIXES);
static EXCEPTIONS_BY_END: [u64; 256] = by_end(EXCEPTIONS);

/// The numbers of the set bits.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let n = set.trailing_zeros() as usize;
        set &= set.checked_sub(1)?;
        Some(n)
    })
}

/// What of a list may stand at the end of a text.
fn ends(of: &[u64; 256], text: &[u8]) -> impl Iterator<Item = usize> + use<> {
    bits(text.last().map_or(0, |last| of[usize::from(*last)]))
}

/// What a key's value is.
pub(in crate::redact) fn classify(key: &[u8]) -> Option<KindId> {
    let key = &key[key.len().saturating_sub(KEY_BYTES_MAX)..];
    let (mut flat, mut parts, mut n) = ([0u8; KEY_BYTES_MAX], [Bound::Apart; KEY_BYTES_MAX], 0);
    let mut edge = true;
    for (i, c) in key.iter().enumerate() {
        if matches!(c, b'_' | b'-' | b'.' | b' ') {
            edge = true;
            continue;
        }
        let camel = c.is_ascii_uppercase() && i > 0 && key[i - 1].is_ascii_lowercase();
        (flat[n], parts[n]) = (
            c.to_ascii_lowercase(),
            if edge {
                Bound::Apart
            } else if camel {
                Bound::Part
            } else {
                Bound::Anywhere
            },
        );
        n += 1;
        edge = false;
    }
    let flat = &flat[..n];
    if !flat.is_ascii() && std::str::from_utf8(flat).is_err() {
        return None;
    }
    if ends(&EXCEPTIONS_BY_END, flat).any(|i| flat.ends_with(EXCEPTIONS[i].as_bytes())) {
        return None;
    }
    let flat = &flat[..flat.iter().rposition(|c| !c.is_ascii_digit()).map_or(0, |last| last + 1)];
    for suffix in ends(&SUFFIXES_BY_END, flat) {
        let Some(rest) = flat.strip_suffix(SUFFIXES[suffix].as_bytes()) else { continue };
        let begins = |w: &Word| match (w.bounded, parts[rest.len() - w.text.len()]) {
            (Bound::Anywhere, _) | (_, Bound::Apart) => true,
            (wanted, found) => wanted == found,
        };
        let named = |w: &&Word| rest.ends_with(w.text.as_bytes()) && begins(w);
        if let Some(w) = words(rest).map(|i| &WORDS[i]).find(named) {
            return Some(w.kind);
        }
    }
    None
}

/// A place inside a key.
pub(in crate::redact) fn detect(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let start = run_back(scan.b, here, KEY_BYTES_MAX, is_key);
    key(scan, here, if escaped(scan.b, start + 1) { start + 1 } else { start })
}

/// `i ke` of `api key`: written as two words.
pub(in crate::redact) fn two_words(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    key(scan, here + 1, run_back(scan.b, here + 1, 16, |c| c.is_ascii_alphabetic()))
}

fn key(scan: &mut Scan<'_>, here: usize, start: usize) -> Option<usize> {
    let b = scan.b;
    if start < scan.key_end {
        return None;
    }
    let mut end = run(b, here + 1, KEY_BYTES_MAX, is_key);
    while end > here && matches!(b[end - 1], b'.' | b'-') {
        end -= 1;
    }
    scan.key_end = end;
    // A mark names its kind and is no key.
    let kind = classify(&b[start..end]).filter(|_| memmem::find(&b[start..end], mark::PREFIX).is_none())?;
    let depth = scan.depth_at(here, end);
    let found = variable(b, start, end, depth.level).or_else(|| bound(b, start, end, depth, kind))?;
    let bare = json_number(b, start, &found).then_some(depth.level.saturating_sub(1));
    let before = scan.hits.len();
    let done = keep(scan, &found, kind);
    scan.hits[before..].iter_mut().for_each(|h| h.bare = bare);
    done
}

/// Whether the value is a bare number behind a quoted key and a colon: there only a string may take its place.
fn json_number(b: &[u8], key: usize, found: &Value) -> bool {
    let [secret] = &found.secrets[..] else { return false };
    let text = &b[secret.clone()];
    let behind = b[..secret.start].trim_ascii_end().last() == Some(&b':');
    before(b, key) == Some(b'"') && behind && text.iter().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-' | b'+' | b'e' | b'E'))
}

/// `[name=some_password] [val=x]`, `"name":"some_password","val":"x"`: a variable that was set.
fn variable(b: &[u8], start: usize, end: usize, level: usize) -> Option<Value> {
    let quote = run_back(b, start, 8, |c| matches!(c, b'"' | b'\\'));
    let name = key_before(b, quote.checked_sub(1).filter(|i| matches!(b[*i], b'=' | b':'))?);
    if !b[name].to_ascii_lowercase().ends_with(b"name") {
        return None;
    }
    let p = run(b, end, 12, |c| matches!(c, b'"' | b'\\' | b']' | b' ' | b',' | b'['));
    let p = word(b, p, b"val").or_else(|| word(b, p, b"value"))?;
    let p = run(b, p, 8, |c| matches!(c, b'"' | b'\\'));
    let found = match at(b, p)? {
        b'=' => value(b, p + 1, level, Bind::Bracket)?,
        b':' => value(b, p + 1, level.saturating_sub(1), Bind::Colon)?,
        _ => return None,
    };
    let number = found.secrets.iter().all(|s| b[s.clone()].iter().all(u8::is_ascii_digit));
    Some(if number { Value { secrets: Vec::new(), end: found.end } } else { found })
}

/// Keeps a value's secrets; gives its end.
pub(in crate::redact) fn keep(scan: &mut Scan<'_>, found: &Value, kind: KindId) -> Option<usize> {
    for secret in &found.secrets {
        let text = &scan.b[secret.clone()];
        let is_one = match kind {
            EMAIL => text.contains(&b'@') || memmem::find(text, b"%40").is_some(),
            CARD => card::is_number(text),
            _ => true,
        };
        if is_one {
            scan.hit(secret.clone(), kind);
        }
    }
    for secret in &found.secrets {
        scan.depth.advance(scan.b, secret.start);
        scan.depth.skip(secret.end);
    }
    if found.secrets.is_empty() && found.end > 0 {
        let start = statement(scan, found.end);
        params::remember(scan, found.end - 1, start, kind);
    }
    Some(found.end)
}

/// Where the statement around `p` begins: its string, or its line.
pub(in crate::redact) fn statement(scan: &mut Scan<'_>, p: usize) -> usize {
    let depth = scan.depth;
    match depth.level {
        0 => scan.b[..p.min(scan.b.len())].iter().rposition(|c| *c == b'\n').map_or(0, |n| n + 1),
        _ => depth.start(),
    }
}

/// The value that is bound to the key at `start..end`.
fn bound(b: &[u8], start: usize, end: usize, mut depth: Depth, kind: KindId) -> Option<Value> {
    let key = start..end;
    let slashes = run(b, end, 64, |c| c == b'\\') - end;
    let quote = at(b, end + slashes).filter(|c| matches!(c, b'"' | b'\'' | b'`'));
    // A quoted key: the same quote stands before it.
    let closed = quote.filter(|q| before(b, start) == Some(*q)).map(|_| end + slashes + 1);
    let p = closed.unwrap_or(end);
    depth.advance(b, p);
    if at(b, p) == Some(b'>') && before(b, start) == Some(b'<') {
        let end = run(b, p + 1, b.len(), |c| !matches!(c, b'<' | b'\n'));
        return Some(Value { secrets: std::iter::once(p + 1..end).collect(), end });
    }
    let spaced = skip_space(b, p);
    let bracket = before(b, start) == Some(b'[') || (closed.is_some() && before(b, start - 1) == Some(b'['));
    let (level, list_of) = (depth.level, Separator::before(b, start));
    match at(b, spaced)? {
        b'=' => {
            let mut p = spaced + 1;
            while matches!(at(b, p), Some(b'=' | b'>' | b'~')) {
                p += 1;
            }
            let space = matches!(at(b, p), Some(b' ' | b'\t'));
            let bind = match (bracket, spaced > key.end && closed.is_none() || space) {
                (true, false) => Bind::Bracket,
                (_, true) => Bind::EqualSpaced,
                (_, false) => Bind::Equal,
            };
            let column = bind == Bind::EqualSpaced && column(b, skip_space(b, p), kind);
            if column { None } else { checked(b, value_in(b, p, level, bind, list_of)?, bind, kind) }
        }
        b':' if at(b, spaced + 1) == Some(b'=') => checked(b, value(b, spaced + 2, level, Bind::EqualSpaced)?, Bind::EqualSpaced, kind),
        b':' if at(b, spaced + 1) == Some(b':') => None,
        b':' => {
            let space = matches!(at(b, spaced + 1), Some(b' ' | b'\t' | b'\n'));
            let bind = if bracket {
                Bind::Bracket
            } else if space {
                Bind::ColonSpaced
            } else {
                Bind::Colon
            };
            if space && using(b, start) {
                return None;
            }
            checked(b, value_in(b, spaced + 1, level, bind, list_of)?, bind, kind)
        }
        b'!' | b'<' if closed.is_none() => compared(b, spaced, level),
        _ if closed.is_some() || matches!(kind, EMAIL | CARD) => None,
        b'(' => Some(literals(b, spaced + 1, level, b')')).filter(|v| !v.secrets.is_empty()),
        _ => by_word(b, key.start, end, spaced, level, kind),
    }
}

/// `password 'x'`, `PASSWORD FOR u = 'x'`, `password like 'x%'`, `--password x`.
fn by_word(b: &[u8], start: usize, end: usize, p: usize, level: usize, kind: KindId) -> Option<Value> {
    if p == end && at(b, p) != Some(b'\\') {
        return None;
    }
    if let Some(after) = word(b, p, b"for") {
        return account_value(b, after, level);
    }
    for compare in [&b"like"[..], b"in", b"not", b"rlike", b"regexp", b"is"] {
        if let Some(after) = word(b, p, compare) {
            let p = skip_space(b, after);
            return compared(b, p, level);
        }
    }
    let quote = quoted(b, p, level).filter(|v| !v.secrets.is_empty());
    if matches!(kind, PASSWORD | SECRET_KEY | PASSWORD_HASH) && p > end {
        if let Some(v) = quote {
            return Some(v);
        }
        if at(b, p) == Some(0xe2) || at(b, p) == Some(b'\\') {
            return value(b, p, level, Bind::Word).filter(|_| b[p..].starts_with("‹".as_bytes()) || has(b, p, b"\\u2039"));
        }
    }
    let option = b[start..end].eq_ignore_ascii_case(b"requirepass")
        || start >= 1 && b[start] == b'-' && b[start..].starts_with(b"--") && at(b, end) == Some(b' ');
    if option { value(b, p, level, Bind::Equal) } else { None }
}

/// The literals of a comparison behind its operator's beginning.
fn compared(b: &[u8], p: usize, level: usize) -> Option<Value> {
    let p = skip_space(b, run(b, p, 16, |c| c.is_ascii_alphabetic() || matches!(c, b'!' | b'<' | b'>' | b'=' | b' ')));
    match at(b, p)? {
        b'(' | b'[' => Some(literals(b, p + 1, level, if b[p] == b'(' { b')' } else { b']' })).filter(|v| !v.secrets.is_empty()),
        b'?' => Some(Value { secrets: Vec::new(), end: p + 1 }),
        _ => quoted(b, p, level),
    }
}

/// `SET PASSWORD FOR 'u'@'h' = ..`: the account stays.
fn account_value(b: &[u8], p: usize, level: usize) -> Option<Value> {
    let p = skip_space(b, p);
    let mut p = account_end(b, p, level)?;
    p = skip_space(b, p);
    if at(b, p) == Some(b':') && at(b, p + 1) == Some(b'=') {
        p += 1;
    } else if let Some(after) = word(b, p, b"to").or_else(|| word(b, p, b"as")) {
        return value(b, after, level, Bind::Word);
    }
    (at(b, p) == Some(b'=')).then(|| value(b, p + 1, level, Bind::Word))?
}

/// Behind an account's name and host.
pub(in crate::redact) fn account_end(b: &[u8], p: usize, level: usize) -> Option<usize> {
    let part = |p: usize| match literal(b, p, level) {
        Some(l) => Some(l.end),
        None => {
            Some(run(b, p, 128, |c| is_word(c) || matches!(c, b'.' | b'%' | b'-' | b'?' | b':' | b'/') || c >= 0x80)).filter(|e| *e > p)
        }
    };
    let mut p = part(p)?;
    let host = skip_space(b, p);
    if at(b, host) == Some(b'@') {
        p = part(skip_space(b, host + 1)).unwrap_or(host + 1);
    }
    Some(p)
}

/// `(using password: YES)`.
fn using(b: &[u8], start: usize) -> bool {
    let end = skip_space_back(b, start);
    end >= 5 && has(b, end - 5, b"using")
}

/// A column, a variable or a placeholder stands on the other side: `a.password = b.password`, `token = token + 1`.
fn column(b: &[u8], p: usize, kind: KindId) -> bool {
    let end = run(b, p, KEY_BYTES_MAX, |c| is_word(c) || c == b'.' || c == b'`');
    let name: &[u8] = &b[p..end];
    !name.is_empty() && !matches!(at(b, end), Some(b'(' | b'\'' | b'"' | b'\\' | b'-')) && classify(&b[key_before(b, end)]) == Some(kind)
}

/// Leaves alone what is prose or a position: `invalid token: expired at ..`, `token=17`, `private_key=/etc/x.pem`.
fn checked(b: &[u8], v: Value, bind: Bind, kind: KindId) -> Option<Value> {
    let [secret] = &v.secrets[..] else { return Some(v) };
    let (text, quoted) = (&b[secret.clone()], v.end > secret.end);
    let number = text.iter().all(u8::is_ascii_digit);
    let path = text.starts_with(b"/") && !text.contains(&b' ');
    let none = match kind {
        TOKEN if !quoted => number && text.len() < 16,
        PRIVATE_KEY | SECRET_KEY => path && text.len() < 256 && [&b".pem"[..], b".key", b".crt", b".der"].iter().any(|e| text.ends_with(e)),
        PASSWORD if has(b, secret.start.saturating_sub(4), b"pwd=") => path,
        // A count of what passed.
        PASSWORD if !quoted && number => counts(b, secret.start),
        _ => false,
    };
    let prose = bind == Bind::ColonSpaced && !quoted && prose(b, secret.start, secret.end);
    Some(if none || prose { Value { secrets: Vec::new(), end: v.end } } else { v })
}

/// Whether the key is no more than `pass`.
fn counts(b: &[u8], value: usize) -> bool {
    let key = key_before(b, skip_space_back(b, run_back(b, value, 3, |c| matches!(c, b'=' | b':' | b' '))));
    b[key].eq_ignore_ascii_case(b"pass")
}

/// Whether an unquoted value behind a colon and a space is the next word of a sentence.
fn prose(b: &[u8], start: usize, end: usize) -> bool {
    const WORDS: &[&[u8]] = &[
        b"expired",
        b"invalid",
        b"missing",
        b"required",
        b"empty",
        b"incorrect",
        b"wrong",
        b"mismatch",
        b"unauthorized",
        b"denied",
        b"not",
        b"is",
        b"has",
        b"must",
        b"failed",
        b"error",
        b"unknown",
        b"no",
        b"yes",
        b"cannot",
        b"too",
        b"unsupported",
        b"crypto",
        b"rpc",
    ];
    let text = b[start..end].strip_suffix(b":").unwrap_or(&b[start..end]);
    if WORDS.iter().any(|w| text.eq_ignore_ascii_case(w)) {
        return true;
    }
    let goes_on = at(b, end) == Some(b' ') && at(b, end + 1).is_some_and(|c| c.is_ascii_alphabetic());
    let plain = text.iter().skip(1).all(|c| c.is_ascii_lowercase() || matches!(c, b'/' | b'-' | b'\'')) || b[end - 1] == b':';
    goes_on && plain && text.iter().all(|c| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
