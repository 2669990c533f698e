//! `bartizan import`: whole files through the same pipeline, in a batch. Beside a running server it asks the server to do it.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use collect::import::{Imported, Progress, Wanted};
use detect::Engine;
use event::{
    Redactor, SourceDefinition,
    clock::SystemClock,
    redact::{HashKey, RedactConfig},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::{
    bus::Bus,
    counts::Counts,
    ctl::Client,
    intake::Intake,
    site::Importer,
    start,
    watch::{Parts, Watch},
};
use store::{OwnRecords, Store};

use super::{Done, Globals, Output, source_args::SourceArgs, stores};
use crate::{
    content,
    exit::{Exit, ExitExt as _},
    pipeline::Here,
};

/// What to read, and into which store.
#[derive(Debug, clap::Args)]
#[command(after_help = "Files are known by content: importing one again, renamed, compressed or grown, adds only what is new.")]
pub struct Args {
    /// The store's folder; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "bartizan-data")]
    data: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    /// Log files, plain, gzip or zstd
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What a running server is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    files: Vec<(PathBuf, SourceDefinition)>,
}

/// Imports, shows how far it is, prints a summary.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    super::logging(globals);
    let files = wanted(&args)?;
    let summary = match Client::find(&args.data) {
        Some(client) => {
            let asked = Asked { files: files.into_iter().map(|w| (w.path, w.definition)).collect() };
            stores::wait(async { client.post("/ctl/import", &serde_json::to_value(&asked)?).await.or_else(super::ctl_failed) })?
        }
        None => alone(&args.data, &files, globals)?,
    };
    let mut out = Output::new(globals.format(), Vec::new());
    if let Value::Object(row) = summary {
        out.row(row)?;
    }
    out.finish()?;
    Ok(Done::Ok)
}

/// The files, each readable, with what is told of them.
fn wanted(args: &Args) -> anyhow::Result<Vec<Wanted>> {
    let told = SourceDefinition { imported: true, host: crate::config::hostname(), ..args.source.definition()? };
    let mut wanted = Vec::new();
    for path in &args.files {
        drop(collect::open::open(path).with_context(|| format!("importing {}", path.display())).exit(Exit::Io)?);
        let absolute = std::path::absolute(path).with_context(|| format!("importing {}", path.display()))?;
        let definition = SourceArgs::of_file(&told, &absolute);
        wanted.push(Wanted { path: absolute, definition });
    }
    Ok(wanted)
}

/// Without a server: opens the store, imports, seals, closes.
fn alone(data: &Path, files: &[Wanted], globals: &Globals) -> anyhow::Result<Value> {
    let rules = content::rules(&[], &[]).or_else(super::rule_problems)?;
    let own = OwnRecords::default();
    let (findings, mut from_watch) = tokio::sync::mpsc::unbounded_channel();
    let watch = Watch::new(Parts {
        engine: Engine::new(rules),
        clock: Arc::new(SystemClock),
        own: own.clone(),
        findings,
        bus: Bus::default(),
        counts: Arc::new(Counts::default()),
        historical: true,
    });
    let store = Arc::new(start::open_store(data, watch, own, Arc::new(SystemClock)).or_else(stores::refused)?);
    if let Some(made) = store.init() {
        eprintln!("bartizan: a new store in {}; root key {} (secret half, write it down, it is stored nowhere: {})", data.display(), made.root_fingerprint, made.root_secret);
    }
    let intake = Arc::new(Intake::new(Arc::clone(&store)));
    let mut bar = Bar::new(globals.quiet);
    let imported = through(&store, &intake, files, &mut bar)?;
    bar.done();
    store.close().or_else(stores::refused)?;
    // The desk's work: findings of an import become alerts that notify nobody.
    let mut found = std::collections::BTreeMap::new();
    while let Ok(finding) = from_watch.try_recv() {
        found.insert(finding.id.clone(), finding);
    }
    stores::wait(async {
        let state = server::state::State::open(data).await?;
        let mut book = alert::Book::default();
        for kept in state.working_set(i64::MIN).await? {
            book.restore(kept);
        }
        for finding in found.values() {
            if let Some(outcome) = book.take(finding, event::Clock::now(&SystemClock)) {
                state.put_alert(&outcome.kept).await?;
            }
        }
        state.close().await;
        Ok(())
    })?;
    Ok(summary(&imported, found.len()))
}

fn summary(imported: &Imported, findings: usize) -> Value {
    json!({"files": imported.files, "known": imported.known, "records": imported.records, "bytes": imported.bytes, "findings": findings})
}

/// Reads files into a store, and returns when everything is in the lake.
fn through(store: &Arc<Store>, intake: &Arc<Intake>, files: &[Wanted], progress: &mut dyn Progress) -> anyhow::Result<Imported> {
    let key = store.redact_key()?;
    let redactor = Redactor::new(RedactConfig { hash_key: Some(HashKey { id: key.id, key: key.key }), ..RedactConfig::default() })?;
    let here = Here::new(Arc::clone(store), Arc::clone(intake))?;
    let imported = collect::import::import(files, &here, &redactor, progress).exit(Exit::Io)?;
    store.seal()?;
    Ok(imported)
}

/// What a server does for `import` beside it.
pub fn importer(intake: &Arc<Intake>, store: &Arc<Store>) -> Importer {
    let (intake, store) = (Arc::clone(intake), Arc::clone(store));
    Arc::new(move |asked: Value| {
        let asked: Asked = serde_json::from_value(asked).map_err(|e| format!("reading what to import: {e}"))?;
        let files: Vec<Wanted> = asked.files.into_iter().map(|(path, definition)| Wanted { path, definition }).collect();
        let imported = through(&store, &intake, &files, &mut Quiet).map_err(|e| format!("{e:#}"))?;
        Ok(json!({"files": imported.files, "known": imported.known, "records": imported.records, "bytes": imported.bytes}))
    })
}

/// Nobody looks.
struct Quiet;

impl Progress for Quiet {
    fn identified(&mut self, _bytes: u64) {}
    fn total(&mut self, _bytes: u64) {}
    fn stored(&mut self, _bytes: u64) {}
}

/// A bar on standard error, on a terminal only.
struct Bar(ProgressBar);

impl Bar {
    fn new(quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{msg:10} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = ProgressBar::new(0).with_message("looking");
        Self(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
    }
    fn done(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn identified(&mut self, bytes: u64) {
        self.0.inc_length(bytes);
        self.0.inc(bytes);
    }
    fn total(&mut self, bytes: u64) {
        self.0.set_position(0);
        self.0.set_length(bytes);
        self.0.set_message("storing");
    }
    fn stored(&mut self, bytes: u64) {
        self.0.inc(bytes);
    }
}
