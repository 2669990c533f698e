//! What can go wrong while logs are read. Every message says what was being done, to what, and what to do next.

use std::{io, path::PathBuf};

use crate::ShipError;

/// An error of a source.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A file could not be read.
    #[error("{doing} {path}: {source}", path = .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Compressed data that is damaged, or ends early.
    #[error("unpacking {path}: {why}; it may still be written, or a copy of it went wrong", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        why: String,
    },
    /// A pattern that names no files.
    #[error("reading the source's path {pattern:?}: {why}; write a path, with * for a part of a name")]
    Pattern {
        /// As configured.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store did not take it.
    #[error("storing what was read of {path}: {source}", path = .path.display())]
    Ship {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ShipError,
    },
    /// No random bytes for a new generation.
    #[error("making a name for a new file: the system gave no random bytes: {0}")]
    Random(String),
}

impl CollectError {
    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
    pub(crate) fn ship(path: &std::path::Path) -> impl FnOnce(ShipError) -> Self {
        move |source| Self::Ship { path: path.to_owned(), source }
    }
}
