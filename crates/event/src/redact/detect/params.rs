//! Arguments of prepared statements that stand where a statement has `?` in a secret's place: `password = ?" .. [arguments: ("bob", "x")]`,
//! `EXECUTE_PARAMS="["x"]"`; and the row that an INSERT's error repeats. Owns: that mapping.

use crate::redact::{
    kind::KindId,
    scan::Scan,
    text::{at, before, has, run, skip_space},
    value::literal,
};

/// Secrets that one statement takes from its arguments, or an INSERT's rows hold, as far as they are remembered.
pub(in crate::redact) const PARAMS_MAX: usize = 64;
/// Arguments of one statement that are looked at.
const ARGUMENTS_MAX: usize = 1024;

/// A `?` in the place of a secret.
#[derive(Debug, Clone, Copy)]
pub(in crate::redact) struct Param {
    /// How many `?` stand before it in its statement.
    ordinal: usize,
    kind: KindId,
}

/// Remembers the `?` at `p`, in the statement that begins at `start`.
pub(in crate::redact) fn remember(scan: &mut Scan<'_>, p: usize, start: usize, kind: KindId) {
    if scan.params.len() < PARAMS_MAX && at(scan.b, p) == Some(b'?') && start <= p {
        let ordinal = memchr::memchr_iter(b'?', &scan.b[start..p]).count();
        scan.params.push(Param { ordinal, kind });
    }
}

/// `argu` of `[arguments: ..]`.
pub(in crate::redact) fn arguments(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    if scan.params.is_empty() || !has(b, here, b"arguments:") {
        return None;
    }
    let mut p = skip_space(b, here + 10);
    p = run(b, p, 3, |c| c >= 0x80);
    list(scan, here, run(b, p, 1, |c| c == b'('))
}

/// `E_PA` of `EXECUTE_PARAMS`.
pub(in crate::redact) fn execute(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    if scan.params.is_empty() || !has(b, here, b"e_params") {
        return None;
    }
    let p = run(b, here + 8, 16, |c| matches!(c, b'"' | b'\\' | b'=' | b':' | b' '));
    if at(b, p) == Some(b'[') { list(scan, here, p + 1) } else { None }
}

/// The arguments from `p`.
fn list(scan: &mut Scan<'_>, here: usize, mut p: usize) -> Option<usize> {
    let b = scan.b;
    let params = std::mem::take(&mut scan.params);
    let level = scan.depth_at(here, p).level;
    for ordinal in 0..ARGUMENTS_MAX {
        p = skip_space(b, p);
        let (range, end) = match literal(b, p, level) {
            Some(l) => (l.inner, l.end),
            None => {
                let end = run(b, p, b.len(), |c| !matches!(c, b',' | b')' | b']' | b'"' | b'\n'));
                (p..end, end)
            }
        };
        if let Some(param) = params.iter().find(|x| x.ordinal == ordinal) {
            scan.hit(range, param.kind);
        }
        p = skip_space(b, end);
        if at(b, p) != Some(b',') {
            break;
        }
        p += 1;
    }
    Some(p)
}

/// `ntry` of `Duplicate entry '..'`, where the row is one of an INSERT's secrets.
pub(in crate::redact) fn duplicate(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    if scan.rows.is_empty() || !matches!(before(b, here), Some(b'e' | b'E')) {
        return None;
    }
    let p = skip_space(b, here + 4);
    let level = scan.depth_at(here, p).level;
    let entry = literal(b, p, level)?;
    let row = scan.rows.iter().find(|(r, _)| b[r.clone()] == b[entry.inner.clone()])?;
    let kind = row.1;
    scan.hit(entry.inner, kind)
}
