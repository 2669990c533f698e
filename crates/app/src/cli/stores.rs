//! Where `--data` leads: one moment of a store, ready for questions.
//!
//! A running server is asked through its `ctl.sock`; without one, lake and WAL are read beside whatever writes to them. Never writes.

use std::{
    future::Future,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use event::{Clock as _, Micros, clock::SystemClock};
use query::{Blame, Engine, Limits, QueryError, Row, Search, Snapshot};
use serde_json::{Value, json};
use server::ctl::Client;
use store::StoreError;

use crate::exit::{Exit, ExitExt as _};

/// Which store.
#[derive(Debug, clap::Args)]
pub struct At {
    /// The store's folder
    #[arg(long, value_name = "DIR", default_value = "bartizan-data")]
    pub data: PathBuf,
}

/// A question to a store.
pub enum Question<'q> {
    /// One SQL statement.
    Sql(&'q str),
    /// The newest so many lines that match.
    Search {
        /// The search as it was typed.
        text: &'q str,
        /// Only from this time on.
        since: Option<Micros>,
        /// Only before this time.
        until: Option<Micros>,
        /// At most so many.
        limit: usize,
    },
}

/// What comes of it, in order.
pub enum Reply {
    /// The columns' names, first.
    Columns(Vec<String>),
    /// One row.
    Row(Row),
}

/// Asks the server that runs on the folder (it has the footers and the newest rows in memory), else the store itself. Gives what the answer lacks.
pub async fn ask(data: &Path, question: &Question<'_>, mut each: impl FnMut(Reply) -> anyhow::Result<()>) -> anyhow::Result<Missing> {
    match Client::find(data) {
        Some(client) => there(&client, question, &mut each).await.map(|()| Missing(None)),
        None => here(data, question, &mut each).await,
    }
}

/// Why an answer is not whole.
#[derive(Debug)]
#[must_use]
pub struct Missing(Option<String>);

impl Missing {
    /// An answer that is not whole must not look like one: exit 3, after what there is has been printed.
    pub fn told(self) -> anyhow::Result<()> {
        let Some(why) = self.0 else { return Ok(()) };
        Err(anyhow::anyhow!("this answer is not whole, records behind the last seal are missing: {why}")).exit(Exit::Partial)
    }
}

async fn here(data: &Path, question: &Question<'_>, each: &mut dyn FnMut(Reply) -> anyhow::Result<()>) -> anyhow::Result<Missing> {
    let view = store::open_read_only(data, || Box::new(parse::Deriver::default())).or_else(refused)?;
    let snapshot = Snapshot::of(view.moment.files.iter(), view.moment.rows);
    let engine = asked(Engine::new(&snapshot, &Arc::default(), Limits::COMMAND))?;
    let mut answer = match question {
        Question::Sql(sql) => asked(engine.sql(sql).await)?,
        Question::Search { text, since, until, limit } => {
            let search = asked(Search::parse(text, SystemClock.now()))?.within(*since, *until);
            asked(engine.search(&search, *limit, None).await)?
        }
    };
    each(Reply::Columns(answer.columns.clone()))?;
    while let Some(rows) = asked(answer.next().await)? {
        rows.into_iter().try_for_each(|row| each(Reply::Row(row)))?;
    }
    Ok(Missing(view.missing))
}

async fn there(client: &Client, question: &Question<'_>, each: &mut dyn FnMut(Reply) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (path, body) = match question {
        Question::Sql(sql) => ("/ctl/query", json!({"sql": sql})),
        Question::Search { text, since, until, limit } => {
            ("/ctl/search", json!({"q": text, "since": since, "until": until, "limit": limit}))
        }
    };
    let mut failed = None;
    let line = |mut line: Value| {
        let reply = match (line["columns"].take(), line["row"].take()) {
            (Value::Array(names), _) => Reply::Columns(names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()),
            (_, Value::Object(row)) => Reply::Row(row),
            _ => return Ok(()),
        };
        each(reply).map_err(|e| {
            let why = e.to_string();
            failed = Some(e);
            why
        })
    };
    let ended = client.lines(path, &body, line).await;
    // What went wrong on our side (a reader that went away) is told as what it was.
    failed.map_or(Ok(()), Err)?;
    ended.or_else(super::ctl_failed)
}

/// Makes the store where there is none. Its root key is shown once and kept nowhere, so it is shown before anything else can fail.
pub fn ensure(data: &Path) -> anyhow::Result<()> {
    if store::Folder::new(data).is_store() {
        return Ok(());
    }
    let made = store::init(data).or_else(refused)?;
    say!("bartizan: a new store in {}; root key {}", data.display(), made.root_fingerprint);
    if std::io::stderr().is_terminal() {
        say!(
            "bartizan: the secret half of the root key; write it down now, it is stored nowhere and signs a restore:\n\n    {}\n",
            made.root_secret
        );
    } else {
        // A journal would keep it for ever.
        say!(
            "bartizan: its secret half, which signs a restore, is shown on a terminal only; to have it, make the store with `bartizan init` before the first start"
        );
    }
    Ok(())
}

/// Gives an error of the store its exit code.
pub fn refused<T>(error: StoreError) -> anyhow::Result<T> {
    let exit = match error {
        StoreError::Limit(_) => Exit::Refused,
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
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the threads of the query engine")?;
    runtime.block_on(question)
}
