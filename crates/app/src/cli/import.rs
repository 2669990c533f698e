//! `bartizan import`: whole files through the same pipeline, in a batch. Beside a running server it asks the server to do it.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use collect::import::{Imported, Progress, Wanted};
use event::{Finding, SourceDefinition, clock::SystemClock};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::{
    bus::Bus,
    counts::Counts,
    ctl::Client,
    guard,
    intake::Intake,
    site::Importer,
    start,
    watch::{Parts, Watch},
};
use store::{OwnRecords, Store};

use super::{Done, Globals, Output, records, source_args::SourceArgs, stores};
use crate::{
    config::{Config, Redact},
    content,
    exit::{Exit, ExitExt as _, told},
    pipeline::Here,
};

/// What to read, and into which store.
#[derive(Debug, clap::Args)]
#[command(after_help = "Files are known by content: importing one again, renamed, compressed or grown, adds only what is new.")]
pub struct Args {
    /// The store's folder; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "bartizan-data")]
    data: PathBuf,
    /// Take [redact] and [rules] from this configuration; beside a running server its own are in force
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
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
        None => {
            let config = args.config.as_deref().map(Config::read).transpose().exit(Exit::Config)?.unwrap_or_default();
            alone(&args.data, &files, &config, globals)?
        }
    };
    let mut out = Output::new(globals.format(), Vec::new());
    let mut damaged = records::Damaged::new();
    if let Value::Object(mut row) = summary {
        damaged = row.remove("damaged").map(serde_json::from_value).transpose()?.unwrap_or_default();
        out.row(row)?;
    }
    out.finish()?;
    records::all_read("importing", &damaged, "what stands before the damage is stored; import a whole copy, and only the rest is added")?;
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
        wanted.push(Wanted { path: absolute, definition, whole: false });
    }
    Ok(wanted)
}

/// Without a server: opens the store, imports, seals, closes.
fn alone(data: &Path, files: &[Wanted], config: &Config, globals: &Globals) -> anyhow::Result<Value> {
    let rules = content::rules(&config.rules.folders, &config.rules.disabled).or_else(super::rule_problems)?;
    let own = OwnRecords::default();
    // By id: the last revision counts.
    let found: Arc<Mutex<BTreeMap<String, Finding>>> = Arc::default();
    let seen = Arc::clone(&found);
    let watch = Watch::new(Parts {
        engine: content::engine(&rules, &config.rules).or_else(super::rule_problems)?,
        clock: Arc::new(SystemClock),
        own: own.clone(),
        findings: Box::new(move |finding| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(finding.id.clone(), finding);
        }),
        bus: Bus::default(),
        counts: Arc::new(Counts::default()),
        historical: true,
    });
    stores::ensure(data)?;
    let store = Arc::new(start::open_store(data, watch, own, Arc::new(SystemClock)).or_else(stores::refused)?);
    let intake = Arc::new(Intake::new(Arc::clone(&store)));
    let mut bar = Guarded { bar: Bar::new(globals.quiet), store: Arc::clone(&store), unseen: 0 };
    bar.look();
    let imported = through(&store, &intake, files, &config.redact, &mut bar)?;
    bar.bar.done();
    store.close().or_else(stores::refused)?;
    // The desk's work: findings of an import become alerts that notify nobody.
    let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
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
    let mut summary = counts(imported);
    summary["findings"] = findings.into();
    summary
}

fn counts(imported: &Imported) -> Value {
    json!({
        "files": imported.files,
        "known": imported.known,
        "records": imported.records,
        "bytes": imported.bytes,
        "damaged": imported.damaged,
    })
}

/// Reads files into a store, and returns when everything is in the lake.
fn through(
    store: &Arc<Store>,
    intake: &Arc<Intake>,
    files: &[Wanted],
    redact: &Redact,
    progress: &mut dyn Progress,
) -> anyhow::Result<Imported> {
    let redactor = redact.redactor(Some(store.redact_key()?)).exit(Exit::Config)?;
    let here = Here::new(Arc::clone(store), Arc::clone(intake))?;
    let imported = collect::import::import(files, &here, &redactor, progress).exit(Exit::Io)?;
    store.seal()?;
    Ok(imported)
}

/// What a server does for `import` beside it, behind the gate of its configuration.
pub fn importer(intake: &Arc<Intake>, store: &Arc<Store>, redact: Redact) -> Importer {
    let (intake, store) = (Arc::clone(intake), Arc::clone(store));
    Arc::new(move |asked: Value| {
        let asked: Asked = serde_json::from_value(asked).map_err(|e| format!("reading what to import: {e}"))?;
        let files: Vec<Wanted> = asked.files.into_iter().map(|(path, definition)| Wanted { path, definition, whole: false }).collect();
        let imported = through(&store, &intake, &files, &redact, &mut Quiet).map_err(|e| told(&e))?;
        Ok(counts(&imported))
    })
}

/// Nobody looks.
struct Quiet;

impl Progress for Quiet {
    fn identified(&mut self, _bytes: u64) {}
    fn total(&mut self, _bytes: u64) {}
    fn stored(&mut self, _bytes: u64) {}
}

/// Looks at the disk as it goes: on a nearly full one intake stops, and the import ends with the reason. What is stored stays, and is known next time.
struct Guarded {
    bar: Bar,
    store: Arc<Store>,
    /// Bytes since it looked last.
    unseen: u64,
}

/// So many bytes are stored between two looks at the disk.
const LOOK_BYTES: u64 = 16 << 20;

impl Guarded {
    fn look(&mut self) {
        self.unseen = 0;
        if let Ok(space) = self.store.space()
            && guard::must_pause(space, false)
        {
            self.store.pause(&guard::why(space));
        }
    }
}

impl Progress for Guarded {
    fn identified(&mut self, bytes: u64) {
        self.bar.identified(bytes);
    }
    fn total(&mut self, bytes: u64) {
        self.bar.total(bytes);
    }
    fn stored(&mut self, bytes: u64) {
        self.bar.stored(bytes);
        self.unseen += bytes;
        if self.unseen >= LOOK_BYTES {
            self.look();
        }
    }
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
