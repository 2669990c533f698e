//! Secrets that SQL's own words announce: `IDENTIFIED BY`, `.. AS`, `.. VIA .. USING`, and the columns of an INSERT.
//! Owns: those grammars. Account names stay.

use crate::redact::{
    kind::{KindId, PASSWORD, PASSWORD_HASH},
    scan::Scan,
    text::{at, escaped, is_word, run, run_back, skip_space, skip_space_back, word},
    value::{Bind, Value, literal, quoted, value},
};

use super::{
    email::is_account,
    keys::{classify, keep, statement},
    params,
};

/// Columns and rows of one INSERT that are looked at.
const COLUMNS_MAX: usize = 256;
const ROWS_BYTES_MAX: usize = 64 << 10;
/// An account statement is looked for this far before a `by` that stands alone.
const STATEMENT_BYTES_MAX: usize = 256;

/// Plugins that leave the password to somebody else: their string is the name of an account there.
const OUTSIDE: &[&[u8]] = &[b"ldap", b"socket", b"pam", b"kerberos", b"gss", b"tidb_auth_token"];

/// What a column of an INSERT holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Secret(KindId),
    Account,
    Other,
}

/// `identified`.
pub(in crate::redact) fn identified(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here.checked_sub(3)?;
    let mut p = skip_space(b, word(b, start, b"identified")?);
    if let Some(after) = word(b, p, b"with").or_else(|| word(b, p, b"via")) {
        let plugin = skip_space(b, after);
        let level = scan.depth_at(here, plugin).level;
        let end = plugin_end(b, plugin, level)?;
        p = skip_space(b, end);
        let name = b[plugin..end].to_ascii_lowercase();
        if word(b, p, b"as").is_some() && OUTSIDE.iter().any(|o| memchr::memmem::find(&name, o).is_some()) {
            return Some(p);
        }
    }
    secret(scan, here, p)
}

fn plugin_end(b: &[u8], p: usize, level: usize) -> Option<usize> {
    if let Some(v) = value(b, p, level, Bind::Word) { (v.end > p).then_some(v.end) } else { None }
}

/// `by 'x'`, `by password '*H'`, `as '*H'`, `using 'x'`, then `replace 'x'`.
fn secret(scan: &mut Scan<'_>, here: usize, p: usize) -> Option<usize> {
    let b = scan.b;
    let (after, mut kind) = match (word(b, p, b"by"), word(b, p, b"as").or_else(|| word(b, p, b"using"))) {
        (Some(after), _) => (after, PASSWORD),
        (_, Some(after)) => (after, PASSWORD_HASH),
        _ => return None,
    };
    let mut p = skip_space(b, after);
    if let Some(after) = word(b, p, b"password") {
        (p, kind) = (skip_space(b, after), PASSWORD_HASH);
        if at(b, p) == Some(b'(') {
            p = skip_space(b, p + 1);
        }
    }
    if word(b, p, b"random").is_some() {
        return Some(p);
    }
    let level = scan.depth_at(here, p).level;
    let found = value(b, p, level, Bind::Word)?;
    let end = keep(scan, &found, kind)?;
    let next = skip_space(b, end);
    match word(b, next, b"replace") {
        Some(after) => {
            let level = scan.depth_at(here, after).level;
            let old = value(b, skip_space(b, after), level, Bind::Word)?;
            keep(scan, &old, PASSWORD)
        }
        None => Some(end),
    }
}

/// `by` before a literal, in a statement about accounts whose `identified` is misspelled.
pub(in crate::redact) fn by(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    if here > 0 && is_word(b[here - 1]) && !escaped(b, here) {
        return None;
    }
    let p = skip_space(b, here + 2);
    if !matches!(at(b, p), Some(b'\'' | b'"' | b'\\' | 0xe2)) {
        return None;
    }
    let head = &b[here.saturating_sub(STATEMENT_BYTES_MAX)..here];
    let last = skip_space_back(b, here);
    let wordly = &b[run_back(b, last, 24, is_word)..last];
    const OTHERS: &[&[u8]] =
        &[b"order", b"group", b"partition", b"terminated", b"enclosed", b"escaped", b"separated", b"starting", b"cluster"];
    if OTHERS.iter().any(|o| wordly.eq_ignore_ascii_case(o)) {
        return None;
    }
    let head = head.to_ascii_lowercase();
    let about = |w: &[u8]| memchr::memmem::find(&head, w).is_some();
    if !(about(b" user") || about(b"grant ")) || !(about(b"ident") || about(b"creat") || about(b"alter") || about(b"grant")) {
        return None;
    }
    secret(scan, here, here)
}

/// `nto` of `into t (a, password) values ('x', 'y'), ..`: the literals in the place of a secret's column.
pub(in crate::redact) fn insert(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here.checked_sub(1)?;
    if here < scan.rows_end || (start > 0 && is_word(b[start - 1]) && !escaped(b, start)) {
        return None;
    }
    let table = skip_space(b, word(b, start, b"into")?);
    let p = skip_space(b, run(b, table, 128, |c| is_word(c) || matches!(c, b'`' | b'.')));
    let (kinds, p) = columns(b, p)?;
    if kinds.iter().all(|k| *k == Column::Other) {
        return None;
    }
    let p = skip_space(b, p);
    let p = word(b, p, b"values").or_else(|| word(b, p, b"value"))?;
    let level = scan.depth_at(here, p).level;
    let mut cells = Vec::new();
    scan.rows_end = rows(b, p, level, &kinds, &mut cells);
    let start = statement(scan, p);
    // What stands between is looked at by the others, so the pass goes on behind the column list.
    for (v, column) in cells {
        match column {
            Column::Secret(kind) if v.secrets.is_empty() => params::remember(scan, v.end.saturating_sub(1), start, kind),
            Column::Secret(kind) => {
                let room = params::PARAMS_MAX.saturating_sub(scan.rows.len());
                scan.rows.extend(v.secrets.iter().take(room).map(|s| (s.clone(), kind)));
                keep(scan, &v, kind);
            }
            _ => scan.accounts.extend(v.secrets),
        }
    }
    Some(p)
}

/// The kinds of the columns in a list at `p`, and its end.
fn columns(b: &[u8], p: usize) -> Option<(Vec<Column>, usize)> {
    if at(b, p) != Some(b'(') {
        return None;
    }
    let (mut kinds, mut p) = (Vec::new(), p + 1);
    while kinds.len() < COLUMNS_MAX {
        p = skip_space(b, p);
        let start = run(b, p, 1, |c| c == b'`');
        let end = run(b, start, 64, |c| is_word(c) || c == b'.');
        if end == start {
            return None;
        }
        let name = &b[start..end];
        kinds.push(match classify(name).filter(|k| *k != crate::redact::kind::EMAIL) {
            Some(kind) => Column::Secret(kind),
            None if is_account(name) && !name.eq_ignore_ascii_case(b"name") => Column::Account,
            None => Column::Other,
        });
        p = skip_space(b, run(b, end, 1, |c| c == b'`'));
        match at(b, p)? {
            b',' => p += 1,
            b')' => return Some((kinds, p + 1)),
            _ => return None,
        }
    }
    None
}

/// The literals of the rows from `p`; gives how far it looked.
fn rows(b: &[u8], mut p: usize, level: usize, kinds: &[Column], cells: &mut Vec<(Value, Column)>) -> usize {
    let limit = (p + ROWS_BYTES_MAX).min(b.len());
    let (mut column, mut nested) = (0usize, 0usize);
    let known = |column: usize| kinds.get(column).copied().filter(|k| *k != Column::Other);
    while p < limit {
        if let Some(l) = literal(b, p, level).filter(|_| nested > 0) {
            if let (Some(kind), Some(v)) = (known(column), quoted(b, p, level)) {
                cells.push((v, kind));
            }
            p = l.end;
            continue;
        }
        match b[p] {
            b'(' => {
                nested += 1;
                if nested == 1 {
                    column = 0;
                }
            }
            b')' => nested = nested.saturating_sub(1),
            b',' if nested == 1 => column += 1,
            b'?' if nested == 1 => cells.extend(known(column).map(|k| (Value { secrets: Vec::new(), end: p + 1 }, k))),
            b';' | b'"' => return p,
            0xe2 if nested > 0 => {
                if let (Some(kind), Some(v)) = (known(column), value(b, p, level, Bind::Word)) {
                    p = v.end.max(p + 1);
                    cells.push((v, kind));
                    continue;
                }
            }
            c if nested == 0 && c.is_ascii_alphabetic() => return p,
            _ => {}
        }
        p += 1;
    }
    p
}
