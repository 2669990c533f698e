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
use detect::RuleSet;
use event::{Redactor, clock::SystemClock};
use server::start::{Running, Wanted};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Done, Globals, import, output, source_args::SourceArgs, stores};
use crate::{
    config::Config,
    content,
    exit::{Exit, ExitExt as _, told},
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

/// A plan whose every part has been read and checked.
#[derive(Clone)]
pub struct Prepared {
    config: Config,
    demo: bool,
    rules: Arc<RuleSet>,
    channels: Vec<Settings>,
    sources: Vec<FileSource>,
}

impl Prepared {
    /// Reads rules, secrets and the databases' own configurations; changes nothing.
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        let Plan { config, folder, demo } = plan;
        let rules = content::rules(&config.rules.folders, &config.rules.disabled).or_else(super::rule_problems)?;
        drop(content::engine(&rules, &config.rules).or_else(super::rule_problems)?);
        config.redact.redactor(None).exit(Exit::Config)?;
        let (channels, sources) = (channels(&config, &folder)?, sources(&config)?);
        Ok(Self { config, demo, rules, channels, sources })
    }

    /// How many rules are in force.
    pub fn rules(&self) -> usize {
        self.rules.finding()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// Reads a configuration file, and everything that it names.
pub fn read(path: &Path) -> anyhow::Result<Prepared> {
    let config = Config::read(path).exit(Exit::Config)?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    Prepared::new(Plan { config, folder, demo: false })
}

/// Runs until SIGINT or SIGTERM; SIGHUP reads the configuration again.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    super::logging(globals);
    let prepared = read(&args.config)?;
    if prepared.sources.is_empty() {
        say!("bartizan: {} names no [[source]]: nothing will be read", args.config.display());
    }
    stores::wait(async move {
        let mut signals = Signals::new()?;
        let mut watching = Watching::start(prepared).await?;
        watching.say();
        while signals.next().await == Asked::Reload {
            watching = watching.reload(&args.config).await?;
        }
        say!("bartizan: stopping; what was read is being sealed");
        watching.stop().await
    })?;
    Ok(Done::Ok)
}

/// A server with its sources.
pub struct Watching {
    running: Running,
    prepared: Prepared,
    stop: Arc<AtomicBool>,
    tail: std::thread::JoinHandle<Result<(), collect::CollectError>>,
}

impl Watching {
    /// Starts everything that a plan names.
    pub async fn start(prepared: Prepared) -> anyhow::Result<Self> {
        let Prepared { config, demo, rules, channels, sources } = prepared.clone();
        if !demo {
            stores::ensure(&config.server.data)?;
        }
        let wanted = Wanted {
            data: config.server.data.clone(),
            listen: config.server.listen,
            external: config.external().map_err(anyhow::Error::msg).exit(Exit::Config)?,
            demo,
            engine: content::engine(&rules, &config.rules).or_else(super::rule_problems)?,
            rules: rules.finding(),
            channels,
            print: Arc::new(print),
            clock: Arc::new(SystemClock),
        };
        let redact = config.redact.clone();
        let importer = |intake: &_, store: &_| import::importer(intake, store, redact);
        let running = Running::start(wanted, importer).await.or_else(start_failed)?;
        let store = running.site.evidences.store();
        let redactor: Arc<Redactor> = Arc::new(config.redact.redactor(Some(store.redact_key()?)).exit(Exit::Config)?);
        let here = Arc::new(Here::new(Arc::clone(store), Arc::clone(&running.intake))?);
        let tail = Tail::new(sources, here, redactor).exit(Exit::Config)?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let tail = std::thread::Builder::new().name("tail".to_owned()).spawn(move || tail.run(&asked)).context("starting the reader of files")?;
        Ok(Self { running, prepared, stop, tail })
    }

    /// Goes on with what the configuration says now; one that is wrong changes nothing. Meanwhile lines wait in their files; what detection knows, open
    /// alerts and sessions are kept, as over any restart.
    async fn reload(self, path: &Path) -> anyhow::Result<Self> {
        let prepared = match read(path) {
            Ok(prepared) if prepared.config.server.data == self.prepared.config.server.data => prepared,
            Ok(_) => {
                kept("[server] data cannot change while the server runs; stop it, and start it with the other folder");
                return Ok(self);
            }
            Err(e) => {
                kept(&told(&e));
                return Ok(self);
            }
        };
        let before = self.prepared.clone();
        let (sources, channels, rules) = (prepared.sources.len(), prepared.config.notify.len(), prepared.rules());
        self.stop().await?;
        let watching = match Self::start(prepared).await {
            Ok(watching) => watching,
            Err(e) => {
                kept(&told(&e));
                return Self::start(before).await;
            }
        };
        say!("bartizan: {} was read again: {sources} sources, {channels} channels, {rules} rules", path.display());
        Ok(watching)
    }

    /// What a person must know now.
    pub fn say(&self) {
        say!("bartizan: the console answers on http://{}", self.running.site.listen);
        if let Some(link) = &self.running.setup_link {
            say!("bartizan: nobody has an account yet; make the first one here (works once, for 15 minutes):\n\n    {link}\n");
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
        let stopped = self.running.stop(&self.prepared.config.server.data).await.or_else(start_failed);
        read.exit(Exit::Io).and(stopped)
    }
}

/// Why a new configuration is not taken.
fn kept(why: &str) {
    say!("bartizan: SIGHUP: the configuration stays as it was: {why}");
}

/// Gives an error of a start its exit code.
fn start_failed<T>(error: server::start::StartError) -> anyhow::Result<T> {
    use server::start::StartError;
    match error {
        StartError::Store(e) => stores::refused(e),
        e @ StartError::Channel(_) => Err(e).exit(Exit::Config),
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
    let text = if output::colors(&out) { text.to_owned() } else { output::plain(text) };
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush()); // a closed terminal is no reason to stop watching
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// SIGINT or SIGTERM.
    End,
    /// SIGHUP.
    Reload,
}

/// The signals that a server listens to, from here on.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens.
    pub fn new() -> anyhow::Result<Self> {
        let listen = |kind, name| signal(kind).with_context(|| format!("listening for {name}"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt(), "SIGINT")?,
            terminate: listen(SignalKind::terminate(), "SIGTERM")?,
            hangup: listen(SignalKind::hangup(), "SIGHUP")?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End,
            _ = self.terminate.recv() => Asked::End,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}
