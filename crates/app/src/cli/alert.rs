//! `bartizan alert`: list, show, acknowledge, close, and test the channels. Beside a running server, or without one.

use std::path::Path;

use alert::{Book, Kept, Said};
use anyhow::Context as _;
use event::{AlertState, Clock as _, clock::SystemClock};
use serde_json::{Map, Value, json};
use server::{
    ctl::Client,
    state::{AlertFilter, State},
};

use super::{
    Done, Format, Globals, Output,
    stores::{self, At},
};
use crate::exit::{Exit, ExitExt as _};

/// What to do, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List alerts, newest first
    List {
        #[command(flatten)]
        at: At,
        /// open, acked, closed, all
        #[arg(long, default_value = "open,acked")]
        state: String,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one alert with everything that is known of it
    Show {
        /// Its id
        id: String,
        #[command(flatten)]
        at: At,
    },
    /// Say that somebody has it in hand
    Ack(Word),
    /// Say that it is done
    Close {
        #[command(flatten)]
        word: Word,
        /// true_positive, false_positive or benign
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(alert::book::VERDICTS))]
        verdict: Option<String>,
    },
    /// Open it again
    Reopen(Word),
    /// Send a test through one channel, or all
    Test {
        /// The channel's name in [[notify]]
        channel: Option<String>,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, clap::Args)]
struct Word {
    /// The alert
    #[arg(value_parser = id)]
    id: String,
    #[command(flatten)]
    at: At,
    /// A note for those who come later
    #[arg(long)]
    note: Option<String>,
}

/// An id as `alert list` shows it.
fn id(text: &str) -> Result<String, String> {
    let fine = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fine { Ok(text.to_owned()) } else { Err("this is no id; `bartizan alert list --state all` shows them".to_owned()) }
}

/// Columns of a table for people.
const COLUMNS: [&str; 7] = ["id", "state", "severity", "last_time", "count", "rule", "title"];

/// Asks the running server, or the state itself.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    stores::wait(async {
        match args.what {
            What::List { at, state, limit } => list(&at.data, &state, limit, globals).await,
            What::Show { id, at } => show(&at.data, &id, globals).await,
            What::Ack(word) => say(word, AlertState::Acked, None, globals).await,
            What::Close { word, verdict } => say(word, AlertState::Closed, verdict, globals).await,
            What::Reopen(word) => say(word, AlertState::Open, None, globals).await,
            What::Test { channel, at } => test(&at.data, channel, globals).await,
        }
    })
}

async fn list(data: &Path, state: &str, limit: u32, globals: &Globals) -> anyhow::Result<Done> {
    let mut states = Vec::new();
    for word in state.split(',').map(str::trim).filter(|w| *w != "all") {
        let read = AlertState::parse(word).with_context(|| format!("listing alerts: {word:?} is no state; use open, acked, closed or all"));
        states.push(read.exit(Exit::Usage)?);
    }
    // The state is a database of its own with several readers: no need to ask the server.
    let opened = look_at_state(data).await?;
    let (page, total) = opened.alerts(&AlertFilter { states, limit, ..AlertFilter::default() }).await?;
    let table = globals.format() == Format::Table;
    let columns = if table { COLUMNS.map(str::to_owned).to_vec() } else { Vec::new() };
    let mut out = Output::new(globals.format(), columns);
    let shown = page.len() as u64;
    for kept in page {
        out.row(row(&kept)?)?;
    }
    out.finish()?;
    if shown < total && !globals.quiet {
        say!("{shown} of {total} alerts; --limit shows more");
    }
    Ok(Done::Ok)
}

fn row(kept: &Kept) -> anyhow::Result<Map<String, Value>> {
    match serde_json::to_value(&kept.alert)? {
        Value::Object(row) => Ok(row),
        _ => Ok(Map::new()),
    }
}

async fn show(data: &Path, id: &str, globals: &Globals) -> anyhow::Result<Done> {
    let found = look_at_state(data).await?.alert(id).await?;
    let kept = found.with_context(|| format!("showing alert {id}: there is no such alert; `bartizan alert list --state all` shows them")).exit(Exit::Usage)?;
    let mut out = Output::new(globals.format(), Vec::new());
    out.row(row(&kept)?)?;
    out.finish()?;
    Ok(Done::Ok)
}

async fn say(word: Word, state: AlertState, verdict: Option<String>, globals: &Globals) -> anyhow::Result<Done> {
    let by = std::env::var("USER").unwrap_or_else(|_| "command".to_owned());
    if let Some(client) = Client::find(&word.at.data) {
        let body = json!({"state": state.as_str(), "note": word.note, "verdict": verdict, "by": by});
        client.post(&format!("/api/v1/alerts/{}", word.id), &body).await.or_else(super::ctl_failed)?;
    } else {
        let opened = open_state(&word.at.data).await?;
        let mut book = Book::default();
        opened.alert(&word.id).await?.into_iter().for_each(|kept| book.restore(kept));
        let kept = book.say(&word.id, Said { state, by, note: word.note, verdict }, SystemClock.now()).exit(Exit::Usage)?;
        opened.put_alert(&kept).await?;
    }
    if !globals.quiet {
        say!("alert {} is {}", word.id, state.as_str());
    }
    Ok(Done::Ok)
}

async fn test(data: &Path, channel: Option<String>, globals: &Globals) -> anyhow::Result<Done> {
    let none = || format!("testing channels: no server runs on {}; start `bartizan serve` first, it sends", data.display());
    let client = Client::find(data).with_context(none).exit(Exit::Unavailable)?;
    let sent = client.post("/ctl/alert-test", &json!({"channel": channel})).await.or_else(super::ctl_failed)?;
    let mut out = Output::new(globals.format(), ["channel", "state", "error"].map(str::to_owned).to_vec());
    let mut failed = Vec::new();
    for test in sent["tests"].as_array().into_iter().flatten() {
        if test["state"] != "delivered" {
            let why = test["error"].as_str().unwrap_or("no answer yet");
            failed.push(format!("{} ({why})", test["channel"].as_str().unwrap_or_default()));
        }
        out.row(test.as_object().cloned().unwrap_or_default())?;
    }
    out.finish()?;
    if !failed.is_empty() {
        return Err(anyhow::anyhow!("testing channels: not delivered: {}", failed.join(", "))).exit(Exit::Unavailable);
    }
    Ok(Done::Ok)
}

/// The state of a store that exists, to look at. Where nobody has made one yet, it is made, empty.
pub async fn look_at_state(data: &Path) -> anyhow::Result<State> {
    exists(data)?;
    Ok(if data.join("state.db").exists() { State::look(data).await? } else { State::open(data).await? })
}

/// The state of a store that exists.
pub async fn open_state(data: &Path) -> anyhow::Result<State> {
    exists(data)?;
    Ok(State::open(data).await?)
}

fn exists(data: &Path) -> anyhow::Result<()> {
    if store::Folder::new(data).is_store() { Ok(()) } else { stores::refused(store::StoreError::None(data.to_owned())) }
}
