//! Marks in the stored line (FORMAT §6): how they are written, read back, and told from text of the input that only looks like one.
//!
//! The rule, read from left to right without overlap: [`PREFIX`] twice stands for one `__masked_` of the input; once, followed by a kind and `__`
//! (or kind, key id, 16 hex digits and `__`), it is a mark of the gate; anything else is plain text. So what was done can always be told, and undone
//! for the text of the input.

use std::{borrow::Cow, sync::LazyLock};

use memchr::memmem::Finder;

use super::{config::key_id_ok, kind::KINDS, scan::Scan};
use crate::Issue;

/// What every mark begins with.
pub(super) const PREFIX: &[u8] = b"__masked_";
/// Hex digits of a keyed hash.
pub(super) const HASH_DIGITS: usize = 16;
/// No mark is longer: prefix, a name of 32, an id of 16, a hash, the separators.
const MARK_BYTES_MAX: usize = 96;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(PREFIX));

/// Where the next text that looks like the beginning of a mark stands.
fn find(bytes: &[u8], from: usize) -> Option<usize> {
    FINDER.find(bytes.get(from..)?).map(|at| from + at)
}

/// The beginning of what may look like a mark: that is looked for afterwards, in all of the text.
pub(super) fn seen(scan: &mut Scan<'_>, _: usize) -> Option<usize> {
    scan.marked = true;
    None
}

/// Where texts of the input look like the beginning of a mark, without overlap.
pub(super) fn looks(bytes: &[u8]) -> Vec<usize> {
    if holds_pair(bytes) { FINDER.find_iter(bytes).collect() } else { Vec::new() }
}

/// The mark at the start of `bytes`: its kind and its length.
fn read(bytes: &[u8]) -> Option<(&str, usize)> {
    let body = bytes.strip_prefix(PREFIX)?;
    let window = &body[..body.len().min(MARK_BYTES_MAX)];
    let end = window.windows(2).position(|w| w == b"__")?;
    let text = std::str::from_utf8(&window[..end]).ok()?;
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.bytes().all(legal) {
        return None;
    }
    Some((kind_of(text), PREFIX.len() + end + 2))
}

/// The kind in a mark's body: without key id and hash where it has them.
fn kind_of(body: &str) -> &str {
    let mut parts = body.rsplitn(3, '_');
    if let (Some(hash), Some(id), Some(kind)) = (parts.next(), parts.next(), parts.next())
        && hash.len() == HASH_DIGITS
        && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        && key_id_ok(id.as_bytes())
    {
        return kind;
    }
    body
}

/// Whether all of `value` is one mark (also one of an input, doubled or not): nothing in it is left to mask.
pub(super) fn is_mark(value: &[u8]) -> bool {
    let value = match value.strip_prefix(PREFIX) {
        Some(rest) if rest.starts_with(PREFIX) => rest,
        Some(_) => value,
        None => return false,
    };
    read(value).is_some_and(|(_, n)| n == value.len())
}

/// Whether two underscores stand side by side anywhere, as at the beginning of every mark. Most lines have none, and this look is cheaper than a search.
fn holds_pair(b: &[u8]) -> bool {
    let behind = b.get(1..).unwrap_or_default();
    b.iter().zip(behind).fold(false, |any, (one, next)| any | ((*one == b'_') & (*next == b'_')))
}

/// The marks that stand in stored bytes, as issues, each once, in order: what a reader of the store derives again.
pub fn marks_in(stored: &[u8]) -> Vec<Issue> {
    let mut issues = Vec::new();
    if !holds_pair(stored) {
        return issues;
    }
    let mut add = |issue: Issue| {
        if !issues.contains(&issue) {
            issues.push(issue);
        }
    };
    let mut from = 0;
    while let Some(at) = find(stored, from) {
        let here = &stored[at..];
        from = if here[PREFIX.len()..].starts_with(PREFIX) {
            add(Issue::MarkInInput);
            at + 2 * PREFIX.len()
        } else if let Some((kind, n)) = read(here) {
            let known = KINDS.iter().find(|k| **k == kind);
            add(Issue::Masked(known.map_or_else(|| Cow::Owned(kind.to_owned()), |k| Cow::Borrowed(*k))));
            at + n
        } else {
            at + 1
        };
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issues(stored: &str) -> Vec<String> {
        marks_in(stored.as_bytes()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn marks_are_read_back() {
        let cases: &[(&str, &[&str])] = &[
            ("nothing here", &[]),
            ("a='__masked_password__' b=__masked_password__", &["masked:password"]),
            ("__masked_password_k1_0123456789abcdef__", &["masked:password"]),
            ("__masked_password_hash__ __masked_password_hash_k1_0123456789abcdef__", &["masked:password_hash"]),
            ("__masked___masked_password__", &["mark_in_input"]),
            ("__masked___masked_x __masked_email__", &["mark_in_input", "masked:email"]),
            ("__masked___masked___masked_email__", &["mark_in_input", "masked:email"]),
            // a beginning that is no mark right before one
            ("__masked__masked_email__", &["masked:email"]),
            ("__masked_ __masked_X__ __masked_a", &[]),
            ("__masked_employee_no__", &["masked:employee_no"]),
            ("\u{2039}__masked_card__\u{203a}", &["masked:card"]),
        ];
        for (stored, want) in cases {
            assert_eq!(issues(stored), *want, "{stored}");
        }
    }

    #[test]
    fn a_whole_value_can_be_a_mark() {
        for (value, want) in [
            ("__masked_password__", true),
            ("__masked___masked_password__", true),
            ("__masked_password_k1_0123456789abcdef__", true),
            ("__masked_password__x", false),
            ("__masked_hunter2", false),
            ("hunter2", false),
        ] {
            assert_eq!(is_mark(value.as_bytes()), want, "{value}");
        }
    }
}
