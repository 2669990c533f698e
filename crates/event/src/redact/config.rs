//! What an operator may choose about the gate, and the checks of it. Never holds or prints a secret but the key of the hashes.

use std::fmt;

use regex::bytes::Regex;

use super::kind::KINDS;

/// Patterns and exceptions of the configuration, together.
pub const PATTERNS_MAX: usize = 64;
/// A name of a pattern is at most this long.
const NAME_BYTES_MAX: usize = 32;
/// An id of a key is at most this long.
const KEY_ID_BYTES_MAX: usize = 16;
/// A compiled pattern is at most this large.
const PATTERN_SIZE_MAX: usize = 1 << 20;

/// What stands in the place of a secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// `__masked_<kind>__`.
    #[default]
    Mask,
    /// `__masked_removed__`: not even the kind stays.
    Remove,
    /// `__masked_<kind>_<key id>_<16 hex>__`: equal secrets can be seen to be equal, by those who hold the key.
    Hash,
}

/// The key of mode [`Mode::Hash`]: its id, which stands in every mark, and the key.
#[derive(Clone)]
pub struct HashKey {
    /// `[a-z0-9]{1,16}`.
    pub id: String,
    /// 32 random bytes.
    pub key: [u8; 32],
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashKey({}, ..)", self.id)
    }
}

/// A pattern of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The kind that its marks carry: `[a-z][a-z0-9_]{0,31}`, no double underscore.
    pub name: String,
    /// A regular expression over bytes; its first group is the secret, without a group all of it.
    pub regex: String,
}

/// What an operator chooses.
#[derive(Debug, Clone, Default)]
pub struct RedactConfig {
    /// What stands in the place of a secret.
    pub mode: Mode,
    /// The key of mode hash; required there.
    pub hash_key: Option<HashKey>,
    /// More patterns than the built-in kinds.
    pub patterns: Vec<Pattern>,
    /// Regular expressions over what was found: a secret that one of them matches stays in clear text.
    pub exceptions: Vec<String>,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// Mode hash without a key.
    #[error("redact: mode hash needs a key")]
    KeyMissing,
    /// An id that could not stand in a mark.
    #[error("redact: the key's id {0:?} must be 1 to 16 of a-z and 0-9")]
    KeyId(String),
    /// A name that could not stand in a mark.
    #[error("redact: the pattern's name {0:?} must be 1 to 32 of a-z, 0-9 and single _, beginning with a letter, and no built-in kind")]
    Name(String),
    /// A pattern that does not compile, or matches nothing.
    #[error("redact: pattern {name:?}: {why}")]
    Pattern {
        /// Its name, or `exceptions`.
        name: String,
        /// What the compiler of patterns said.
        why: String,
    },
    /// Too many of them.
    #[error("redact: {0} patterns and exceptions, at most 64")]
    TooMany(usize),
}

/// A pattern ready for use.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub name: String,
    pub regex: Regex,
}

fn compile(name: &str, pattern: &str) -> Result<Regex, RedactError> {
    let refuse = |why: String| RedactError::Pattern { name: name.to_owned(), why };
    let regex = regex::bytes::RegexBuilder::new(pattern)
        .size_limit(PATTERN_SIZE_MAX)
        .dfa_size_limit(PATTERN_SIZE_MAX)
        .build()
        .map_err(|e| refuse(e.to_string()))?;
    if regex.is_match(b"") {
        return Err(refuse("it matches the empty text".to_owned()));
    }
    Ok(regex)
}

/// Whether marks can carry this name and be read back.
fn name_ok(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.contains("__")
        && !name.ends_with('_')
        && !KINDS.contains(&name)
}

impl RedactConfig {
    /// Checks everything and compiles the patterns and the exceptions.
    pub(super) fn compile(&self) -> Result<(Vec<Compiled>, Vec<Regex>), RedactError> {
        let many = self.patterns.len() + self.exceptions.len();
        if many > PATTERNS_MAX {
            return Err(RedactError::TooMany(many));
        }
        match &self.hash_key {
            None if self.mode == Mode::Hash => return Err(RedactError::KeyMissing),
            Some(key) if !key_id_ok(key.id.as_bytes()) => return Err(RedactError::KeyId(key.id.clone())),
            _ => {}
        }
        let mut patterns = Vec::with_capacity(self.patterns.len());
        for p in &self.patterns {
            if !name_ok(&p.name) {
                return Err(RedactError::Name(p.name.clone()));
            }
            patterns.push(Compiled { name: p.name.clone(), regex: compile(&p.name, &p.regex)? });
        }
        let exceptions = self.exceptions.iter().map(|e| compile("exceptions", e)).collect::<Result<_, _>>()?;
        Ok((patterns, exceptions))
    }
}

/// Whether a mark can carry this id of a key.
pub(super) fn key_id_ok(id: &[u8]) -> bool {
    (1..=KEY_ID_BYTES_MAX).contains(&id.len()) && id.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
