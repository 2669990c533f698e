//! Where `--data` leads: one moment of a store, ready for questions.
//!
//! A running server would be asked through its `ctl.sock`; without one, lake and WAL are read beside whatever writes to them. Never writes.

use std::{future::Future, path::Path, sync::Arc};

use anyhow::Context as _;
use query::{Blame, Engine, Limits, QueryError, Snapshot};
use store::StoreError;

use crate::exit::{Exit, ExitExt as _};

/// An engine over the newest moment of the store in a folder.
pub fn engine(data: &Path) -> anyhow::Result<Engine> {
    // A server that runs here is asked first, once it answers questions on its socket: it has the footers and the newest rows in memory.
    let view = store::open_read_only(data, || Box::new(parse::Deriver::default())).or_else(refused)?;
    let snapshot = Snapshot::of(view.moment.files.iter(), view.moment.rows);
    asked(Engine::new(&snapshot, &Arc::default(), Limits::COMMAND))
}

/// Gives an error of the store its exit code.
pub fn refused<T>(error: StoreError) -> anyhow::Result<T> {
    let exit = match error {
        StoreError::None(_) | StoreError::Locked { .. } | StoreError::Stopped(_) => Exit::Unavailable,
        _ => Exit::Io,
    };
    Err(error).exit(exit)
}

/// Gives an error of a question its exit code.
pub fn asked<T>(answer: Result<T, QueryError>) -> anyhow::Result<T> {
    answer.or_else(|e| {
        let exit = match e.blame() {
            Blame::Question => Exit::BadData,
            Blame::Refused => Exit::Refused,
            Blame::Store => Exit::Io,
        };
        Err(e).exit(exit)
    })
}

/// Runs a question to its end.
pub fn wait<T>(question: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().context("starting the threads of the query engine")?;
    runtime.block_on(question)
}
