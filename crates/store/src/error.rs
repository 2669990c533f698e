//! What can go wrong in the store. Every message says what was being done, to what, and what to do next.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be read or written.
    #[error("{doing} {path}: {source}", path = .path.display())]
    Io {
        /// What was being done: "reading", "syncing the folder".
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something on disk is not what was written there.
    #[error("{path}: {what}; {next}", path = .path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        next: String,
    },
    /// There is no store here.
    #[error("opening the store {path}: there is none; `bartizan init --data {path}` makes one, `serve` and `import` do it by themselves", path = .0.display())]
    None(PathBuf),
    /// Another process writes here.
    #[error("opening the store {path}: {holder} writes to it; commands with --data speak to a running server, or stop it first", path = .path.display())]
    Locked {
        /// The store.
        path: PathBuf,
        /// Who holds it, as far as known.
        holder: String,
    },
    /// The lake refused.
    #[error("{doing} the lake {path}: {why}", path = .path.display())]
    Lake {
        /// What was being done.
        doing: &'static str,
        /// The table.
        path: PathBuf,
        /// What the library said.
        why: String,
    },
    /// The store stopped: a sync failed, or it was closed. Nothing more is acknowledged.
    #[error("the store has stopped: {0}; what was acknowledged is safe, restart to go on")]
    Stopped(String),
    /// A number of something is at its limit.
    #[error("{0}")]
    Limit(String),
}
