//! `bartizan serve`: follows the configured files, watches, tells, and answers on the console.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use alert::Settings;
use anyhow::Context as _;
use collect::tail::{FileSource, Tail};
use event::{Redactor, clock::SystemClock};
use server::start::{Running, Wanted};
use tokio::signal::unix::{SignalKind, signal};

use super::{Done, Globals, import, source_args::SourceArgs, stores};
use crate::{
    config::Config,
    content,
    exit::{Exit, ExitExt as _},
    pipeline::Here,
};

/// Where the configuration lies.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "bartizan.toml")]
    config: PathBuf,
}

/// What a server watches: from the configuration, or from the demo.
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// Where its relative secrets lie.
    pub folder: PathBuf,
    /// Everybody on loopback is signed in.
    pub demo: bool,
}

/// Runs until SIGINT or SIGTERM.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    super::logging(globals);
    let config = Config::read(&args.config).exit(Exit::Config)?;
    let folder = args.config.parent().unwrap_or(Path::new(".")).to_owned();
    if config.source.is_empty() {
        eprintln!("bartizan: {} names no [[source]]: nothing will be read", args.config.display());
    }
    stores::wait(async move {
        let watching = Watching::start(Plan { config, folder, demo: false }).await?;
        watching.say();
        ended().await?;
        eprintln!("bartizan: stopping; what was read is being sealed");
        watching.stop().await
    })?;
    Ok(Done::Ok)
}

/// A server with its sources.
pub struct Watching {
    running: Running,
    data: PathBuf,
    stop: Arc<AtomicBool>,
    tail: std::thread::JoinHandle<Result<(), collect::CollectError>>,
}

impl Watching {
    /// Starts everything that a plan names.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let Plan { config, folder, demo } = plan;
        let rules = content::rules(&config.rules.folders, &config.rules.disabled).or_else(super::rule_problems)?;
        let channels = channels(&config, &folder)?;
        let sources = sources(&config)?;
        let data = config.server.data.clone();
        let wanted = Wanted {
            data: data.clone(),
            listen: config.server.listen,
            demo,
            rules,
            shared_addresses: config.rules.shared_addresses.clone(),
            channels,
            print: Arc::new(print),
            clock: Arc::new(SystemClock),
        };
        let running = Running::start(wanted, import::importer).await.or_else(start_failed)?;
        let store = running.site.evidences.store();
        let redactor: Arc<Redactor> = Arc::new(config.redactor(Some(store.redact_key()?)).exit(Exit::Config)?);
        let here = Arc::new(Here::new(Arc::clone(store), Arc::clone(&running.intake))?);
        let tail = Tail::new(sources, here, redactor).exit(Exit::Config)?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let tail = std::thread::Builder::new().name("tail".to_owned()).spawn(move || tail.run(&asked)).context("starting the reader of files")?;
        Ok(Self { running, data, stop, tail })
    }

    /// What a person must know now.
    pub fn say(&self) {
        if let Some(fingerprint) = &self.running.made {
            eprintln!("bartizan: a new store in {}; root key {fingerprint}", self.data.display());
        }
        eprintln!("bartizan: the console answers on http://{}", self.running.site.listen);
        if let Some(link) = &self.running.setup_link {
            eprintln!("bartizan: nobody has an account yet; make the first one here (works once, for 15 minutes):\n\n    {link}\n");
        }
    }

    /// The running server.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Stops sources, then the server.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let tail = self.tail;
        let ended = tokio::task::spawn_blocking(move || tail.join()).await.context("ending the reader of files")?;
        let read = ended.unwrap_or(Ok(()));
        let stopped = self.running.stop(&self.data).await.or_else(start_failed);
        read.exit(Exit::Io).and(stopped)
    }
}

/// Gives an error of a start its exit code.
fn start_failed<T>(error: server::start::StartError) -> anyhow::Result<T> {
    use server::start::StartError;
    match error {
        StartError::Store(e) => stores::refused(e),
        e @ (StartError::Channel(_) | StartError::Shared(_)) => Err(e).exit(Exit::Config),
        e @ StartError::Listen { .. } => Err(e).exit(Exit::Unavailable),
        e => Err(e).exit(Exit::Io),
    }
}

/// The configured channels; without any, alerts are printed.
fn channels(config: &Config, folder: &Path) -> anyhow::Result<Vec<Settings>> {
    let mut channels = config.channels(folder).map_err(anyhow::Error::msg).exit(Exit::Config)?;
    if !channels.iter().any(|c| c.kind == "terminal") {
        channels.push(Settings::new("terminal", "terminal"));
    }
    Ok(channels)
}

fn sources(config: &Config) -> anyhow::Result<Vec<FileSource>> {
    let source = |s: &crate::config::Source| {
        let told = SourceArgs { db_config: s.db_config.iter().cloned().collect(), ..SourceArgs::default() }.definition()?;
        let mut definition = s.definition(told.access_formats);
        definition.component = definition.component.or(told.component);
        Ok(FileSource { pattern: s.path.clone(), definition })
    };
    config.source.iter().map(source).collect()
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush()); // a closed terminal is no reason to stop watching
}

/// Waits for SIGINT or SIGTERM.
pub async fn ended() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
