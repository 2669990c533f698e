//! E-mail addresses in values: literals of SQL and of expressions, values of keys that say so. Owns: telling a value from an account.
//! An account name that is an address stays, wherever it stands.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::redact::{
    kind::EMAIL,
    scan::Scan,
    text::{at, backslashes, before, has, is_word, key_before, run, run_back, skip_space, skip_space_back, word},
};

use super::{keys, url};

/// A mailbox's name and a domain are at most this long.
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 255;
/// An opening quote is looked for this far before.
const LITERAL_BYTES_MAX: usize = 256;

/// Statements whose literals are accounts, and what ends a statement.
const VERBS: &[&str] = &[
    "create user",
    "alter user",
    "drop user",
    "rename user",
    "create role",
    "drop role",
    "grant ",
    "revoke ",
    "set password",
    "set default role",
    "set role",
    "show grants",
    "show create user",
    "mysql.user",
    "mysql.db",
    "mysql.tables_priv",
    "mysql.columns_priv",
    "mysql.global_priv",
    "mysql.role_edges",
    "mysql.default_roles",
    "access denied for",
    "kill user",
    ";",
];

static VERB: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst).build(VERBS).ok());

/// Where the last statement about accounts began, as far as the pass has come.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::redact) struct Verbs {
    pos: usize,
    last: Option<usize>,
}

impl Verbs {
    /// Moves on to `to`; gives the beginning of the statement about accounts that goes on there.
    fn advance(&mut self, b: &[u8], to: usize) -> Option<usize> {
        if self.pos < to {
            for m in VERB.iter().flat_map(|v| v.find_iter(&b[self.pos..to])) {
                let end = VERBS.get(m.pattern().as_usize()).is_none_or(|v| *v == ";");
                self.last = (!end).then_some(self.pos + m.start());
            }
            self.pos = to;
        }
        self.last
    }
}

/// An `@` with something on both sides.
pub(in crate::redact) fn detect(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let sign = here + 1;
    if let Some(end) = url::data_source(scan, sign) {
        return Some(end);
    }
    let b = scan.b;
    let start = run_back(b, sign, LOCAL_BYTES_MAX, is_local);
    let start =
        if start >= 1 && b[start - 1] == b'\\' && start < sign && matches!(b[start], b'n' | b't' | b'r') { start + 1 } else { start };
    let end = domain_end(b, sign + 1)?;
    // What goes on is no address: an account's host, a path, a longer name.
    if start == sign || at(b, end).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'@' | b'/' | b':')) {
        return None;
    }
    if scan.accounts.iter().any(|a| a.contains(&start)) {
        return None;
    }
    let level = scan.depth_at(here, start);
    let role = role(b, start, end, level.level);
    let account =
        scan.verbs.advance(b, start).is_some_and(|v| v >= if before(b, start) == Some(b'"') { level.outer_start() } else { level.start() });
    match role {
        Role::Mail => scan.hit(start..end, EMAIL),
        Role::Value if !account && !row_of_accounts(b, end) => scan.hit(start..end, EMAIL),
        _ => None,
    }
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-')
}

/// End of a domain with at least one dot and a last label of letters.
fn domain_end(b: &[u8], from: usize) -> Option<usize> {
    let mut end = run(b, from, DOMAIN_BYTES_MAX, |c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'));
    while end > from && matches!(b[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let domain = &b[from..end];
    let dot = domain.iter().rposition(|c| *c == b'.')?;
    let last = &domain[dot + 1..];
    (dot > 0 && (2..=24).contains(&last.len()) && last.iter().all(u8::is_ascii_alphabetic)).then_some(end)
}

/// Whether a place stands inside a longer literal of SQL or of an expression.
pub(in crate::redact) fn in_literal(b: &[u8], start: usize, level: usize) -> bool {
    inside(b, start, level) == Role::Value
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The value of something that is called mail.
    Mail,
    /// A literal of SQL or of an expression.
    Value,
    /// An account, free text, or a field of a log line.
    Other,
}

fn role(b: &[u8], start: usize, end: usize, level: usize) -> Role {
    match before(b, start) {
        Some(b'\'' | b'"' | b'`' | 0xb9) => {
            let quote = if before(b, start) == Some(0xb9) { start.saturating_sub(3) } else { start - 1 };
            let open = quote - backslashes(b, quote);
            let close = run(b, end, 64, |c| c == b'\\');
            let after = match at(b, close) {
                Some(b'\'' | b'"' | b'`') => close + 1,
                Some(0xe2) => close + 3,
                _ => end,
            };
            if at(b, skip_space(b, after)) == Some(b'@') {
                return Role::Other;
            }
            literal_role(b, open, level, after > end)
        }
        Some(b'=' | b':') => bare_role(b, start),
        Some(_) => inside(b, start, level),
        None => Role::Other,
    }
}

/// `email=..`, `mail:..` without quotes.
fn bare_role(b: &[u8], start: usize) -> Role {
    let key = key_before(b, skip_space_back(b, start - 1));
    if keys::classify(&b[key]) == Some(EMAIL) { Role::Mail } else { Role::Other }
}

/// By what stands before a literal's opening quote.
fn literal_role(b: &[u8], open: usize, level: usize, whole: bool) -> Role {
    let double = b[open..].iter().find(|c| **c != b'\\') == Some(&b'"');
    // A string of the line itself: a field, a message, a value of a JSON line.
    let field = double && level <= 1;
    let p = skip_space_back(b, open);
    let value = if field && !whole { Role::Other } else { Role::Value };
    match before(b, p) {
        Some(b'=' | b'>' | b'<' | b'!' | b':') => {
            let operator = run_back(b, p, 3, |c| matches!(c, b'=' | b'>' | b'<' | b'!' | b':' | b'~'));
            let key = key_before(b, skip_space_back(b, operator));
            let key = &b[key];
            let single = matches!(&b[operator..p], b"=" | b":");
            match keys::classify(key) {
                Some(EMAIL) => Role::Mail,
                _ if is_account(key) => Role::Other,
                _ if key == b"arguments" => Role::Value,
                _ if field && single => Role::Other,
                _ if key.eq_ignore_ascii_case(b"name") && &b[operator..p] == b":" => Role::Other,
                _ => Role::Value,
            }
        }
        Some(b'(' | b',' | b'[' | b'|') => value,
        Some(c) if is_word(c) => {
            let w = &b[run_back(b, p, 32, is_word)..p];
            if field || is_account_word(w) { Role::Other } else { Role::Value }
        }
        _ if double => Role::Other,
        Some(b'@' | b'/') => Role::Other,
        _ => Role::Value,
    }
}

/// Words before an account in a sentence.
fn is_account_word(w: &[u8]) -> bool {
    const WORDS: &[&[u8]] =
        &[b"user", b"for", b"to", b"from", b"role", b"account", b"definer", b"users", b"of", b"username", b"login", b"by"];
    WORDS.iter().any(|x| w.eq_ignore_ascii_case(x))
}

/// What the key of an account holds.
const PARTS: &[&[u8]] = &[
    b"user",
    b"account",
    b"login",
    b"owner",
    b"grantee",
    b"principal",
    b"role",
    b"definer",
    b"caller",
    b"actor",
    b"operator",
    b"subject",
    b"identity",
    b"creator",
    b"author",
    b"member",
    b"host",
    b"service",
    b"client_email",
];

/// Bytes that one of them begins with.
static BEGINS_PART: [bool; 256] = {
    let (mut table, mut i) = ([false; 256], 0);
    while i < PARTS.len() {
        table[PARTS[i][0] as usize] = true;
        i += 1;
    }
    table
};

/// Keys and columns whose value is an account, or part of one.
pub(in crate::redact) fn is_account(key: &[u8]) -> bool {
    let key = key.to_ascii_lowercase();
    // Keys are short: to look at every place is quicker than to prepare a search a word.
    let holds_part = || (0..key.len()).any(|at| BEGINS_PART[usize::from(key[at])] && PARTS.iter().any(|p| key[at..].starts_with(p)));
    let holds_mail = || key.windows(4).any(|w| w == b"mail");
    holds_part() && !holds_mail() || key == b"client_email"
}

/// Inside a longer literal: the quote before it opens one.
fn inside(b: &[u8], start: usize, level: usize) -> Role {
    let low = start.saturating_sub(LITERAL_BYTES_MAX);
    let Some(n) = b[low..start].iter().rposition(|c| matches!(c, b'\'' | b'"')) else { return Role::Other };
    let quote = low + n;
    let open = quote - backslashes(b, quote);
    if b[quote] == b'"' && (level <= 1 || open == quote) {
        return Role::Other;
    }
    let p = skip_space_back(b, open);
    match before(b, p) {
        Some(b'=' | b'(' | b',' | b'<' | b'>') => literal_role(b, open, level, false),
        Some(c) if is_word(c) && p < open => {
            let w = &b[run_back(b, p, 32, is_word)..p];
            const WORDS: &[&[u8]] = &[
                b"comment", b"like", b"default", b"values", b"entry", b"value", b"select", b"then", b"else", b"when", b"regexp", b"rlike",
            ];
            if WORDS.iter().any(|x| w.eq_ignore_ascii_case(x)) { Role::Value } else { Role::Other }
        }
        _ => Role::Other,
    }
}

/// `Duplicate entry '..' for key 'user.PRIMARY'`: a row of the accounts themselves.
fn row_of_accounts(b: &[u8], end: usize) -> bool {
    let p = run(b, end, 8, |c| matches!(c, b'\'' | b'"' | b'\\'));
    let p = skip_space(b, p);
    let Some(after) = word(b, p, b"for") else { return false };
    let p = skip_space(b, after);
    word(b, p, b"key").is_some_and(|k| has(b, run(b, skip_space(b, k), 8, |c| matches!(c, b'\'' | b'"' | b'\\')), b"user."))
}
