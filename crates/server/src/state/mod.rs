//! What people made: accounts, sessions, alerts, and the outbox, in SQLite (`state.db`). Owns: the schema (migrations forward only) and every statement.
//!
//! Durable before it answers (WAL journal, full sync). Must never hold a password or a session token: only hashes.

mod accounts;
mod alerts;
mod outbox;

use std::{
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use accounts::{Account, NAME_CHARS_MAX};
pub use alerts::{AlertFilter, OpenCounts};
pub use outbox::{ChannelState, Due, Owed};

/// Connections to the file: SQLite has one writer, a few readers beside it are enough.
const CONNECTIONS_MAX: u32 = 4;
/// How long a statement waits for another writer.
const BUSY: Duration = Duration::from_secs(10);

/// The state, open.
#[derive(Debug, Clone)]
pub struct State {
    pool: SqlitePool,
}

/// What went wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database refused.
    #[error("{doing} state.db: {source}; if the disk is full, make room, then try again")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// A newer version wrote it.
    #[error("opening state.db: {0}; use the version of Bartizan that wrote it, or a newer one")]
    Migration(sqlx::migrate::MigrateError),
    /// It could not be made.
    #[error("opening {path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A stored row cannot be read.
    #[error("reading state.db: {0}")]
    Row(String),
    /// A name that is not one.
    #[error("{0}")]
    Refused(String),
}

impl StateError {
    /// Whether the file itself is broken, not the disk or the question.
    pub fn is_malformed(&self) -> bool {
        let text = self.to_string();
        text.contains("malformed") || text.contains("file is not a database")
    }
}

pub(crate) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StateError {
    move |source| StateError::Database { doing, source }
}

impl State {
    /// Opens or makes `state.db` in the data folder and brings it to today's schema.
    pub async fn open(data: &Path) -> Result<Self, StateError> {
        let path = data.join("state.db");
        // Hashes of passwords and sessions: for the owner alone, also where the folder was opened to others. SQLite gives its other files the same mode.
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| StateError::File { path: path.clone(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).connect_with(options).await.map_err(failed("opening"))?;
        sqlx::migrate!("./migrations").run(&pool).await.map_err(StateError::Migration)?;
        Ok(Self { pool })
    }

    /// For reading alone, also where the folder cannot be written.
    pub async fn look(data: &Path) -> Result<Self, StateError> {
        let path = data.join("state.db");
        let options = SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(1);
        // A database with a log needs a file of shared memory. Where that cannot be made nobody writes; but what stands in the log alone would be missed.
        let opened = match pool.clone().connect_with(options.clone()).await {
            Ok(opened) => opened,
            Err(e) if std::fs::metadata(data.join("state.db-wal")).is_ok_and(|m| m.len() > 0) => return Err(failed("opening")(e)),
            Err(_) => pool.connect_with(options.immutable(true)).await.map_err(failed("opening"))?,
        };
        Ok(Self { pool: opened })
    }

    /// Moves a file that cannot be read into `quarantine/`, its companions too; gives where it lies.
    pub fn set_aside(data: &Path) -> Result<std::path::PathBuf, StateError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let folder = data.join("quarantine");
        let aside = folder.join(format!("state.db.{now}"));
        let moved = std::fs::create_dir_all(&folder).and_then(|()| std::fs::rename(data.join("state.db"), &aside));
        moved.map_err(|source| StateError::File { path: aside.clone(), source })?;
        for companion in ["state.db-wal", "state.db-shm"] {
            let _ = std::fs::rename(data.join(companion), folder.join(format!("{companion}.{now}"))); // often there is none
        }
        Ok(aside)
    }

    /// Closes it; what was answered is on disk already.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_broken_file_is_told_from_others_and_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("state.db"), "this is no database, and it is longer than the header of one".repeat(40)).unwrap();
        let broken = State::open(folder.path()).await.unwrap_err();
        assert!(broken.is_malformed(), "{broken}");
        assert!(!State::open(&folder.path().join("nowhere")).await.unwrap_err().is_malformed());
        let aside = State::set_aside(folder.path()).unwrap();
        assert!(aside.exists() && !folder.path().join("state.db").exists());
        assert!(!State::open(folder.path()).await.unwrap().has_accounts().await.unwrap());
    }

    #[tokio::test]
    async fn a_state_can_be_looked_at_beside_its_writer() {
        let folder = tempfile::tempdir().unwrap();
        let writer = State::open(folder.path()).await.unwrap();
        writer.put_account("dba", "h", 0).await.unwrap();
        let reader = State::look(folder.path()).await.unwrap();
        assert_eq!(reader.account_names().await.unwrap(), ["dba"]);
        assert!(reader.put_account("eve", "h", 0).await.is_err());
    }
}
