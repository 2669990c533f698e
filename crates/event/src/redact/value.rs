//! The grammar of a value: what behind a key, a keyword or an opening parenthesis are the characters of the secret. Owns: quotes, markers, calls, lists,
//! and where an unquoted value ends. Pure.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::{
    mark,
    text::{at, backslashes, before, has, is_key, is_word, level, run, skip_space, skip_space_back},
};

/// Literals of one call or list that are looked at.
const LITERALS_MAX: usize = 64;
/// A call or list is looked through for at most this many bytes outside of its literals.
const CALL_BYTES_MAX: usize = 256;
/// The brace of a dump is looked for this far before.
const DUMP_BYTES_MAX: usize = 512;
/// The closing marker is looked for this far.
const MARKED_BYTES_MAX: usize = 1024;
/// TiDB's markers around what it would redact.
const OPEN: &[u8] = "‹".as_bytes();
const CLOSE: &[u8] = "›".as_bytes();

/// A quoted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// Between the quotes.
    pub inner: Range<usize>,
    /// Behind the closing quote.
    pub end: usize,
}

/// The literal at `p` (a quote, with the backslashes that stand before it), in a text of this string level. One that nothing closes ends with its
/// line or with the string around it.
pub(super) fn literal(b: &[u8], p: usize, depth: usize) -> Option<Literal> {
    let open = run(b, p, 64, |c| c == b'\\');
    let slashes = open - p;
    match at(b, open)? {
        b'"' => Some(double(b, open, slashes)),
        c @ (b'\'' | b'`') => Some(single(b, open, slashes, depth, c)),
        _ => None,
    }
}

/// Whether the quote with `slashes` backslashes at `next` opens again at once: a doubled quote is a character of the literal.
fn doubled(b: &[u8], next: usize, slashes: usize, quote: u8) -> bool {
    run(b, next, 64, |c| c == b'\\') == next + slashes && at(b, next + slashes) == Some(quote)
}

/// A literal that nothing closes. The quote that a parser's error puts behind the statement that it quotes (`\" `) is not its text.
fn unclosed(b: &[u8], from: usize, to: usize) -> Literal {
    let mut end = memchr(b'\n', &b[from..to]).map_or(to, |n| from + n);
    if let Some(head) = b[from..end].strip_suffix(b"\" ") {
        end = from + head.len() - backslashes(head, head.len());
    }
    Literal { inner: from..end, end }
}

/// Whether what follows may stand behind the end of a string of a log line or of JSON.
fn ends_string(b: &[u8], after: usize) -> bool {
    at(b, after)
        .is_none_or(|c| matches!(c, b' ' | b']' | b'}' | b')' | b',' | b':' | b';' | b'\\' | b'\n' | b'\r' | b'\t' | b'=' | b'"' | b'\''))
}

fn double(b: &[u8], open: usize, slashes: usize) -> Literal {
    let (start, mine) = (open + 1, level(slashes));
    let mut p = start;
    while let Some(n) = memchr(b'"', &b[p..]) {
        let quote = p + n;
        let before = backslashes(b, quote).min(quote - start);
        match level(before).cmp(&mine) {
            std::cmp::Ordering::Less if ends_string(b, quote + 1) => return unclosed(b, start, quote - before),
            std::cmp::Ordering::Less => p = quote + 1,
            std::cmp::Ordering::Equal if doubled(b, quote + 1, slashes, b'"') => p = quote + 1 + slashes + 1,
            std::cmp::Ordering::Equal => return Literal { inner: start..(quote - slashes.min(before)), end: quote + 1 },
            std::cmp::Ordering::Greater => p = quote + 1,
        }
    }
    unclosed(b, start, b.len())
}

fn single(b: &[u8], open: usize, slashes: usize, depth: usize, quote: u8) -> Literal {
    let start = open + 1;
    let mut p = start;
    while let Some(n) = memchr2(quote, b'"', &b[p..]) {
        let here = p + n;
        let before = backslashes(b, here).min(here - start);
        p = here + 1;
        if b[here] == b'"' && quote != b'"' {
            if level(before) < depth && ends_string(b, p) {
                return unclosed(b, start, here - before);
            }
            continue;
        }
        let escaped = if slashes > 0 { before > slashes } else { before % 2 == 1 || (before >> depth) % 2 == 1 };
        if escaped {
            continue;
        }
        if doubled(b, p, slashes, quote) {
            p += slashes + 1;
            continue;
        }
        return Literal { inner: start..(here - slashes.min(before)), end: p };
    }
    unclosed(b, start, b.len())
}

/// How a value is bound to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bind {
    /// `k=v` without space.
    Equal,
    /// `k = v`.
    EqualSpaced,
    /// `k:v`.
    Colon,
    /// `k: v`: prose, YAML or a header.
    ColonSpaced,
    /// `[k=v]` or `[k: v]` of a log line: the value goes to the bracket.
    Bracket,
    /// A word of SQL before it: `by`, `as`.
    Word,
}

/// What stands at a value's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// The characters of the secret; several in a call or list.
    pub secrets: Vec<Range<usize>>,
    /// Behind all of it.
    pub end: usize,
}

/// None where there is nothing to mask.
fn one(skip: bool, range: Range<usize>) -> Vec<Range<usize>> {
    if skip { Vec::new() } else { std::iter::once(range).collect() }
}

/// What may end an unquoted value before another key: what stands before its own key, if that is one of `,;&`, else any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// Nothing says which.
    Any,
    /// The list's own.
    Only(u8),
}

impl Separator {
    /// Of the list in which the key at `key` stands.
    pub fn before(b: &[u8], key: usize) -> Self {
        match before(b, skip_space_back(b, key)) {
            Some(c @ (b',' | b';' | b'&')) => Self::Only(c),
            Some(b'?') => Self::Only(b'&'),
            // Fields of a Go dump are parted by spaces.
            Some(b'{') if before(b, key) == Some(b'{') => Self::Only(b' '),
            _ if before(b, key) == Some(b' ') && is_dump(b, key) => Self::Only(b' '),
            _ => Self::Any,
        }
    }
    fn allows(self, c: u8) -> bool {
        self == Self::Any || self == Self::Only(c)
    }
}

/// The value at `p`, white space skipped.
pub(super) fn value(b: &[u8], p: usize, depth: usize, bind: Bind) -> Option<Value> {
    value_in(b, p, depth, bind, Separator::Any)
}

/// The same in a list whose separator is known.
pub(super) fn value_in(b: &[u8], p: usize, depth: usize, bind: Bind, list_of: Separator) -> Option<Value> {
    let p = if bind == Bind::Equal { p } else { skip_space(b, p) };
    if let Some(v) = marked(b, p) {
        return Some(v);
    }
    if let Some(v) = quoted(b, p, depth) {
        return Some(v);
    }
    match at(b, p)? {
        b'[' => Some(list(b, p, depth)),
        b'{' | b'(' if bind != Bind::Bracket => None,
        _ if bind == Bind::Bracket => unquoted(b, p, depth, bind, list_of),
        _ => call(b, p, depth).or_else(|| unquoted(b, p, depth, bind, list_of)),
    }
}

/// A literal, with what may stand before its quote: `x'..'`, `N'..'`, `_utf8mb4'..'`.
pub(super) fn quoted(b: &[u8], p: usize, depth: usize) -> Option<Value> {
    let introducer = match at(b, p)? {
        b'x' | b'X' | b'n' | b'N' | b'b' | b'B' if matches!(at(b, p + 1), Some(b'\'' | b'"' | b'\\')) => p + 1,
        b'_' if at(b, p + 1) != Some(b'_') => skip_space(b, run(b, p, 24, is_word)),
        _ => p,
    };
    if let Some(inner) = twice(b, introducer) {
        let end = inner.end + 2;
        return Some(Value { secrets: one(placeholder(&b[inner.clone()]), inner), end });
    }
    let literal = literal(b, introducer, depth)?;
    let skip = placeholder(&b[literal.inner.clone()]);
    Some(Value { end: literal.end, secrets: one(skip, literal.inner) })
}

/// The inside of `''x''`: a literal of a statement that itself stands in quotes (`prepare s from '.. by ''x'''`). An empty literal is none.
fn twice(b: &[u8], p: usize) -> Option<Range<usize>> {
    let start = p + 2;
    let ends = |c: u8| c.is_ascii_whitespace() || matches!(c, b'\'' | b',' | b';' | b')' | b']' | b'"' | b'\\');
    if b.get(p..start)? != b"''" || at(b, start).is_none_or(ends) {
        return None;
    }
    let mut from = start;
    loop {
        let close = from + memchr(b'\'', b.get(from..(start + MARKED_BYTES_MAX).min(b.len()))?)?;
        match run(b, close, 64, |c| c == b'\'') - close {
            1 => return None,
            // Two end it; a third one ends what it stands in. More are quotes of its own, written twice.
            2 | 3 => return Some(start..close),
            more => from = close + more,
        }
    }
}

/// A text between TiDB's markers, as characters or as the escapes of a JSON encoder; quotes inside them stay. Without a closing marker it goes to the
/// end of its string or line.
fn marked(b: &[u8], p: usize) -> Option<Value> {
    let (start, close) = marker(b, p)?;
    let window = &b[..b.len().min(start + MARKED_BYTES_MAX)];
    let found = match close {
        CLOSE => find_close(window, start),
        _ => memmem::find(&window[start..], close).map(|n| start + n),
    };
    let (end, after) = match found {
        Some(end) => (end, end + close.len()),
        None => {
            let end = memchr2(b'"', b'\n', &b[start..]).map_or(b.len(), |n| start + n);
            let end = end - backslashes(b, end).min(end - start);
            (end, end)
        }
    };
    let bare = match &b[start..end] {
        [q @ (b'\'' | b'"'), .., last] if q == last => start + 1..end - 1,
        _ => start..end,
    };
    let skip = placeholder(&b[bare.clone()]);
    Some(Value { end: after, secrets: one(skip, bare) })
}

/// An opening marker at `p`: where its text begins, and what closes it.
fn marker(b: &[u8], p: usize) -> Option<(usize, &'static [u8])> {
    if b.get(p..)?.starts_with(OPEN) {
        return Some((p + OPEN.len(), CLOSE));
    }
    let u = run(b, p, 64, |c| c == b'\\');
    (u > p && has(b, u, b"u2039")).then_some((u + 5, b"\\u203a"))
}

/// The closing marker; a doubled one is a character of the text.
fn find_close(b: &[u8], start: usize) -> Option<usize> {
    let mut end = start + memmem::find(&b[start..], CLOSE)?;
    while b[end + CLOSE.len()..].starts_with(CLOSE) {
        end += 2 * CLOSE.len();
        end += memmem::find(&b[end..], CLOSE)?;
    }
    Some(end)
}

/// `[v]` of a map's or a message's value, `["v", "w"]` of a list.
fn list(b: &[u8], p: usize, depth: usize) -> Value {
    let inside = skip_space(b, p + 1);
    if quoted(b, inside, depth).is_some() {
        return literals(b, inside, depth, b']');
    }
    let end = run(b, p + 1, b.len(), |c| !matches!(c, b']' | b'"' | b'\n'));
    let skip = placeholder(&b[p + 1..end]);
    Value { end, secrets: one(skip, p + 1..end) }
}

/// The literals of a call, from behind its opening parenthesis to the closing one.
pub(super) fn literals(b: &[u8], from: usize, depth: usize, close: u8) -> Value {
    let mut v = Value { secrets: Vec::new(), end: from };
    let (mut p, mut looked) = (from, 0);
    while looked < CALL_BYTES_MAX && v.secrets.len() < LITERALS_MAX {
        let may_begin = at(b, p).is_some_and(|c| matches!(c, b'\'' | b'"' | b'`' | b'\\' | b'_' | b'x' | b'X' | b'n' | b'N' | 0xe2));
        if may_begin && let Some(q) = marked(b, p).or_else(|| quoted(b, p, depth)) {
            v.secrets.extend(q.secrets);
            p = q.end;
        } else {
            match at(b, p) {
                None | Some(b';' | b'\n' | b'"') => break,
                Some(c) if c == close => break,
                Some(_) => p += 1,
            }
        }
        looked += 1;
        v.end = p;
    }
    v
}

/// `md5('v')`: the name stays, the literals are the secret.
fn call(b: &[u8], p: usize, depth: usize) -> Option<Value> {
    let end = run(b, p, 48, |c| is_word(c) || c == b'.');
    if end == p || at(b, end) != Some(b'(') {
        return None;
    }
    let v = literals(b, end + 1, depth, b')');
    (!v.secrets.is_empty() && at(b, v.end) == Some(b')')).then_some(v)
}

/// A value without quotes.
fn unquoted(b: &[u8], p: usize, depth: usize, bind: Bind, list_of: Separator) -> Option<Value> {
    let end = if bind == Bind::Bracket { bracket_end(b, p) } else { plain_end(b, p, depth, bind, list_of) };
    // Base64 may end like a key: the line end behind it and the dashes of PEM are no value.
    if b[p..].trim_ascii_start().starts_with(b"\\n-----") || b[p..].starts_with(b"-----END") {
        return Some(Value { secrets: Vec::new(), end: p });
    }
    let text = &b[p..end];
    let variable = matches!(bind, Bind::EqualSpaced | Bind::Word) && text[..1.min(text.len())] == *b"@";
    if bind != Bind::Bracket && is_next_key(b, p) {
        return Some(Value { secrets: Vec::new(), end: p });
    }
    if text.is_empty() || bare_placeholder(text) || variable {
        return Some(Value { secrets: Vec::new(), end });
    }
    Some(Value { secrets: one(false, p..end), end })
}

/// In a Go dump the next field (`Address:`) stands where a value is empty.
fn is_next_key(b: &[u8], p: usize) -> bool {
    let end = run(b, p, 64, is_key);
    if end == p || at(b, end) != Some(b':') || before(b, p) != Some(b' ') {
        return false;
    }
    is_dump(b, p)
}

/// Whether a brace is open here: `{Name:bob Port:3`.
fn is_dump(b: &[u8], p: usize) -> bool {
    let head = &b[p.saturating_sub(DUMP_BYTES_MAX)..p];
    head.iter().rev().find(|c| matches!(c, b'{' | b'}' | b'\n')) == Some(&b'{')
}

/// The bracket that ends a field of a log line.
fn bracket_end(b: &[u8], p: usize) -> usize {
    let mut i = p;
    while let Some(c) = at(b, i) {
        let last = match c {
            b'\n' | b'"' => true,
            b']' => matches!(at(b, i + 1), None | Some(b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\\' | b'[' | b']')),
            _ => false,
        };
        if last {
            break;
        }
        i += 1;
    }
    i
}

/// Where a value without quotes ends.
fn plain_end(b: &[u8], p: usize, depth: usize, bind: Bind, list_of: Separator) -> usize {
    let hard = |i: usize| matches!(at(b, i), None | Some(0..=b' ' | b'"' | b'\'' | b'\\' | b']' | b'}' | b')' | b'`'));
    let closes = |i: usize| hard(i) || matches!(at(b, i), Some(b',' | b';'));
    let mut i = p;
    while let Some(c) = at(b, i) {
        let last = match c {
            0..=b' ' | b'"' | b'\'' | b'`' | b']' => true,
            b'\\' => match escape(b, i, depth) {
                Some(n) => {
                    i += n;
                    continue;
                }
                None => true,
            },
            b')' | b'}' => closes(i + 1),
            b'>' => hard(i + 1),
            b',' | b';' | b'&' => hard(i + 1) || (list_of.allows(c) && next_key(b, i + 1, bind)),
            b'<' => at(b, i + 1) == Some(b'/') && at(b, run(b, i + 2, 64, is_key)) == Some(b'>'),
            0xe2 => b[i..].starts_with(CLOSE),
            _ => false,
        };
        if last {
            break;
        }
        i += 1;
    }
    i
}

/// Length of the backslashes at `i` where they are characters of the value; none where they begin an escape or a quote.
fn escape(b: &[u8], i: usize, depth: usize) -> Option<usize> {
    let end = run(b, i, 64, |c| c == b'\\');
    let odd = (end - i) % 2 == 1;
    match at(b, end) {
        None | Some(b'"' | b'\'' | b'`') => None,
        Some(b'n' | b't' | b'r' | b'u') if odd && depth > 0 => None,
        _ => Some(end - i),
    }
}

/// Whether another key begins here, bound as the one before: what separates it is not part of the value before.
fn next_key(b: &[u8], from: usize, bind: Bind) -> bool {
    let start = run(b, from, 2, |c| c == b' ');
    let end = run(b, start, 64, is_key);
    match at(b, end) {
        _ if end == start => false,
        Some(b'=') => !matches!(bind, Bind::Colon | Bind::ColonSpaced),
        Some(b':') => !matches!(bind, Bind::Equal | Bind::EqualSpaced),
        _ => false,
    }
}

/// What a program writes where it masked by itself, or where there is nothing.
pub(super) fn placeholder(v: &[u8]) -> bool {
    let all = |c: u8| v.iter().all(|b| b.eq_ignore_ascii_case(&c));
    const WORDS: &[&[u8]] =
        &[b"redacted", b"<redacted>", b"[redacted]", b"masked", b"<masked>", b"<hidden>", b"[hidden]", b"<secret>", b"?", b"<nil>"];
    v.is_empty() || all(b'*') || (v.len() >= 3 && all(b'x')) || WORDS.iter().any(|w| v.eq_ignore_ascii_case(w)) || mark::is_mark(v)
}

/// The same for a value without quotes, where a keyword may stand too.
fn bare_placeholder(v: &[u8]) -> bool {
    const WORDS: &[&[u8]] =
        &[b"true", b"false", b"null", b"nil", b"none", b"undefined", b"default", b"plaintext", b"on", b"off", b"...", b"%s", b"%v", b"%q"];
    placeholder(v) || WORDS.iter().any(|w| v.eq_ignore_ascii_case(w)) || v.starts_with(b"${") || v.starts_with(b"{{")
}
