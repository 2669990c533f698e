//! The redaction gate (FORMAT §6): the only place where a [`Redacted`] can be made, and nothing but a `Redacted` reaches a disk or a wire.
//!
//! Owns: what is a secret, how it is masked, and the marks. Must leave a line that still parses to the same structure; account names are never masked.

mod config;
mod detect;
mod kind;
mod mark;
mod pieces;
mod scan;
mod sieve;
mod text;
mod value;

use std::{borrow::Cow, fmt, sync::Arc};

use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::bytes::Regex;
use sha2::Sha256;

pub use config::{HashKey, Mode, PATTERNS_MAX, Pattern, RedactConfig, RedactError};
pub use kind::KINDS;
pub use mark::marks_in;
pub use pieces::Piece;

use config::Compiled;
use kind::{KindId, PRIVATE_KEY, REMOVED};
use scan::{Hit, Scan};

/// Version of what the gate masks: raised whenever the same bytes would give other stored bytes (FORMAT §1: identity compares them).
pub const REDACTOR_VERSION: u16 = 1;

/// A record's bytes after the gate. The private fields make this module its only maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'a> {
    bytes: Cow<'a, [u8]>,
}

impl<'a> Redacted<'a> {
    /// The bytes that may be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// Cut loose from the source's buffer.
    pub fn into_owned(self) -> Redacted<'static> {
        Redacted { bytes: Cow::Owned(self.bytes.into_owned()) }
    }
    /// The bytes themselves.
    pub fn into_bytes(self) -> Cow<'a, [u8]> {
        self.bytes
    }
}

/// Finds and masks secrets. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor {
    chosen: Option<Arc<Chosen>>,
}

/// What differs from the default.
struct Chosen {
    mode: Mode,
    key: Option<HashKey>,
    patterns: Vec<Compiled>,
    exceptions: Vec<Regex>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.chosen.as_ref().map_or(Mode::Mask, |c| c.mode);
        write!(f, "Redactor({mode:?}, ..)")
    }
}

impl Redactor {
    /// A gate of this configuration.
    pub fn new(config: RedactConfig) -> Result<Self, RedactError> {
        let (patterns, exceptions) = config.compile()?;
        Ok(Self { chosen: Some(Arc::new(Chosen { mode: config.mode, key: config.hash_key, patterns, exceptions })) })
    }
    /// Masks what is secret in one record (without its final line end). Borrows where there is nothing.
    pub fn redact<'a>(&self, record: &'a [u8]) -> Redacted<'a> {
        let (hits, marks) = self.find(record, 0);
        Redacted { bytes: self.apply(record, &hits, &marks) }
    }
    /// The same over the joined content of several pieces: a secret cut in two is masked in both. One result a piece, in order.
    pub fn redact_pieces<'a>(&self, pieces: &[Piece<'a>]) -> Vec<Redacted<'a>> {
        pieces::redact(self, pieces)
    }
    /// The mark that stands where `secret` was of this kind: what a search for it must look for. The name of a kind is one of [`KINDS`] or of a pattern.
    pub fn mark_of(&self, kind: &str, secret: &[u8]) -> String {
        match self.chosen.as_ref().map(|c| (c.mode, &c.key)) {
            Some((Mode::Remove, _)) => format!("__masked_{}__", KINDS[usize::from(REMOVED)]),
            Some((Mode::Hash, Some(key))) => format!("__masked_{kind}_{}_{}__", key.id, hash(&key.key, kind, secret)),
            _ => format!("__masked_{kind}__"),
        }
    }

    /// All secrets of a text that stands in `level` strings, in order and apart, and where it looks like a mark.
    fn find(&self, b: &[u8], level: usize) -> (Vec<Hit>, Vec<usize>) {
        let mut scan = Scan::new(b, level);
        scan.run();
        if let Some(range) = detect::pem::line(b) {
            scan.hits.push(Hit::new(range, PRIVATE_KEY));
        }
        if let Some(chosen) = &self.chosen {
            for (i, p) in chosen.patterns.iter().enumerate() {
                let kind = (KINDS.len() + i) as KindId;
                for c in p.regex.captures_iter(b) {
                    if let Some(m) = c.get(1).or_else(|| c.get(0)) {
                        scan.hit(m.range(), kind);
                    }
                }
            }
            scan.hits.retain(|h| !chosen.exceptions.iter().any(|e| e.is_match(&b[h.range.clone()])));
        }
        let marks = if scan.marked { mark::looks(b) } else { Vec::new() };
        (apart(scan.hits), marks)
    }
    fn kind_name(&self, kind: KindId) -> &str {
        let i = usize::from(kind);
        KINDS.get(i).copied().or_else(|| self.chosen.as_ref()?.patterns.get(i - KINDS.len()).map(|p| &p.name[..])).unwrap_or("secret")
    }
    /// The bytes with marks for the hits, and with what looks like a mark doubled.
    fn apply<'a>(&self, b: &'a [u8], hits: &[Hit], marks: &[usize]) -> Cow<'a, [u8]> {
        if hits.is_empty() && marks.is_empty() {
            return Cow::Borrowed(b);
        }
        let mut out = Vec::with_capacity(b.len() + 32 * (hits.len() + marks.len()));
        let (mut from, mut marks) = (0, marks.iter().copied().peekable());
        for h in hits.iter().map(Some).chain(std::iter::once(None)) {
            let to = h.map_or(b.len(), |h| h.range.start);
            while let Some(at) = marks.next_if(|m| *m < to) {
                if at >= from {
                    out.extend_from_slice(&b[from..at]);
                    out.extend_from_slice(mark::PREFIX);
                    from = at;
                }
            }
            out.extend_from_slice(&b[from..to]);
            if let Some(h) = h {
                let quote = h.bare.map_or(0, |level| 1 << level);
                out.extend(std::iter::repeat_n(b'\\', quote.max(1) - 1).chain((quote > 0).then_some(b'"')));
                out.extend_from_slice(self.mark_of(self.kind_name(h.kind), &b[h.range.clone()]).as_bytes());
                out.extend(std::iter::repeat_n(b'\\', quote.max(1) - 1).chain((quote > 0).then_some(b'"')));
                from = h.range.end;
            }
        }
        Cow::Owned(out)
    }
}

/// Sorted, without overlap: of two that overlap, the one that begins first goes on to the end of both.
fn apart(mut hits: Vec<Hit>) -> Vec<Hit> {
    if hits.len() < 2 {
        return hits;
    }
    hits.sort_by_key(|h| (h.range.start, usize::MAX - h.range.end));
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    for h in hits {
        match kept.last_mut() {
            Some(last) if h.range.start < last.range.end => last.range.end = last.range.end.max(h.range.end),
            _ => kept.push(h),
        }
    }
    kept
}

/// Hex digits of the keyed hash. Mailboxes are compared without case, card numbers by their digits.
fn hash(key: &[u8; 32], kind: &str, secret: &[u8]) -> String {
    let normal: Cow<'_, [u8]> = match kind {
        "email" => Cow::Owned(secret.to_ascii_lowercase()),
        "card" => Cow::Owned(secret.iter().copied().filter(u8::is_ascii_digit).collect()),
        _ => Cow::Borrowed(secret),
    };
    // An HMAC key may have any length, so the error cannot occur.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return "0".repeat(mark::HASH_DIGITS) };
    mac.update(b"bartizan redact\0");
    mac.update(&normal);
    mac.finalize().into_bytes().iter().take(mark::HASH_DIGITS / 2).map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests;
