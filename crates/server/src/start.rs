//! Starts and stops a server: the store with its observer, the desk, delivery, the guard, the two doors. Owns: the order.
//!
//! Stopping: intake has ended before; then the store seals, findings on their way reach the desk, and what is owed stays in the outbox.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alert::{Settings, SettingsError};
use detect::Engine;
use event::{Clock, Finding};
use parse::Deriver;
use store::{Options, OwnRecords, Store, StoreError};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use crate::{
    api,
    auth::{self, Throttle},
    bus::Bus,
    counts::Counts,
    ctl,
    deliver::{Deliverer, Print},
    desk::{Channel, Desk},
    guard,
    intake::Intake,
    questions::Questions,
    site::{Evidences, External, Importer, Site},
    state::{State, StateError},
    watch::{Findings, Parts, Watch},
};

/// How long the desk may work off what the last events made.
const LAST_FINDINGS: Duration = Duration::from_secs(10);
/// How far back findings are looked through at a start: what came in longer ago has long been taken by an earlier one.
const CAUGHT_UP_US: i64 = 2 * event::clock::DAY;
/// So many findings wait for the desk at most. What comes while it is full is counted; it is a record already, and becomes an alert at the next start.
const FINDINGS_WAITING_MAX: usize = 65_536;
/// The working set is cleaned this often.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// What a server is made of.
pub struct Wanted {
    /// The data folder.
    pub data: PathBuf,
    /// Console and API; loopback.
    pub listen: SocketAddr,
    /// Where a proxy in front answers.
    pub external: Option<External>,
    /// Everybody on loopback is signed in.
    pub demo: bool,
    /// The rules at work, without a past.
    pub engine: Engine,
    /// How many rules make findings.
    pub rules: usize,
    /// Channels.
    pub channels: Vec<Settings>,
    /// The terminal of `serve`.
    pub print: Print,
    /// Now.
    pub clock: Arc<dyn Clock>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// A channel.
    #[error(transparent)]
    Channel(#[from] SettingsError),
    /// An address.
    #[error("listening on {address}: {source}; is another server running, or another program on this port?")]
    Listen {
        /// Where.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something of the machine.
    #[error("{0}")]
    Machine(String),
}

/// The TLS library needs one provider of cryptography for the process; the first call decides, later ones change nothing.
pub fn ready_for_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A store opened for detection, without the server around it: what `import` uses when none runs.
pub fn open_store(data: &Path, watch: Watch, own: OwnRecords, clock: Arc<dyn Clock>) -> Result<Store, StoreError> {
    let mut options = Options::default();
    (options.clock, options.own) = (clock, own);
    Store::open(data, Box::new(Deriver::default()), Box::new(watch), options)
}

/// A running server.
pub struct Running {
    /// What handlers share.
    pub site: Arc<Site>,
    /// Where batches come in.
    pub intake: Arc<Intake>,
    /// The one-use link, where no account exists yet.
    pub setup_link: Option<String>,
    desk: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts. When it returns, everything stored before is in sight again, and both doors are open.
    pub async fn start(wanted: Wanted, importer: impl FnOnce(&Arc<Intake>, &Arc<Store>) -> Importer) -> Result<Self, StartError> {
        ready_for_tls();
        let (findings, from_watch) = mpsc::channel(FINDINGS_WAITING_MAX);
        let (bus, counts, own) = (Bus::default(), Arc::new(Counts::default()), OwnRecords::default());
        let watch = Watch::new(Parts {
            engine: wanted.engine,
            clock: Arc::clone(&wanted.clock),
            own: own.clone(),
            findings: to_desk(findings, Arc::clone(&counts)),
            bus: bus.clone(),
            counts: Arc::clone(&counts),
            historical: false,
        });
        // The address first: a port that is taken is no reason to open a store.
        let listener = listen(wanted.listen).await?;
        let listen = listener.local_addr().map_err(|e| StartError::Machine(e.to_string()))?;
        let (data, clock) = (wanted.data.clone(), Arc::clone(&wanted.clock));
        let opened = tokio::task::spawn_blocking(move || open_store(&data, watch, own, clock)).await;
        let store = Arc::new(opened.map_err(|e| StartError::Machine(format!("opening the store: {e}")))??);
        let state = open_state(&wanted.data).await?;
        let build = |settings: Settings| Ok(Channel { notifier: settings.build()?, settings });
        let channels = Arc::new(wanted.channels.into_iter().map(build).collect::<Result<Vec<_>, SettingsError>>()?);
        let evidences = Evidences::new(Arc::clone(&store));
        let bell = Arc::new(Notify::new());
        let lines = Arc::new(evidences.clone());
        let desk = Desk::open(state.clone(), Arc::clone(&channels), lines, Arc::clone(&wanted.clock), Arc::clone(&bell)).await?;
        let intake = Arc::new(Intake::new(Arc::clone(&store)));
        let site = Arc::new(Site {
            importer: importer(&intake, &store),
            evidences,
            desk: Arc::new(desk),
            state: state.clone(),
            bus,
            counts,
            clock: Arc::clone(&wanted.clock),
            listen,
            external: wanted.external,
            demo: wanted.demo,
            rules: wanted.rules,
            channels: channels.iter().map(|c| (c.settings.name.clone(), c.settings.kind.clone())).collect(),
            questions: Questions::new().map_err(StartError::Machine)?,
            throttle: Throttle::default(),
        });
        let console = Some(site.url());
        let deliverer = Deliverer::new(state, channels, wanted.clock, bell, wanted.print, console).map_err(StartError::Machine)?;
        let setup_link = setup_link(&site).await?;
        let others = vec![
            tokio::spawn(deliverer.run()),
            tokio::spawn(guard::run(Arc::clone(&site))),
            tokio::spawn(forget(Arc::clone(&site.desk))),
            tokio::spawn(serve_tcp(listener, api::router(&site, false))),
            serve_socket(&wanted.data, api::router(&site, true))?,
        ];
        if let Err(e) = catch_up(&site).await {
            // Watching goes on: these findings are records, and were told before this start if it was not cut off within a moment of one.
            tracing::error!(error = %e, "alerts cannot be compared with the findings of the last two days; if a file of the lake is damaged, set it aside and import its logs again");
        }
        let desk = tokio::spawn(take_findings(Arc::clone(&site.desk), from_watch));
        Ok(Self { site, intake, setup_link, desk, others })
    }

    /// Stops. Sources must have ended. What fails on the way is told; nothing acknowledged is lost by it.
    pub async fn stop(self, data: &Path) -> Result<(), StartError> {
        let store = Arc::clone(self.site.evidences.store());
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        let _ = tokio::time::timeout(LAST_FINDINGS, self.desk).await;
        self.others.iter().for_each(JoinHandle::abort);
        self.site.state.close().await;
        let _ = std::fs::remove_file(ctl::socket(data));
        closed.map_err(|e| StartError::Machine(format!("closing the store: {e}")))?.map_err(StartError::Store)
    }
}

/// Opens the state; a file that SQLite cannot read is set aside, for everything in it but accounts and people's words can be made again.
async fn open_state(data: &Path) -> Result<State, StartError> {
    match State::open(data).await {
        Err(e) if e.is_malformed() => {
            let aside = State::set_aside(data)?;
            tracing::error!(error = %e, aside = %aside.display(), "state.db is damaged and was set aside; alerts of the last days are made again, accounts are not: use the setup link");
            Ok(State::open(data).await?)
        }
        opened => Ok(opened?),
    }
}

async fn listen(address: SocketAddr) -> Result<tokio::net::TcpListener, StartError> {
    tokio::net::TcpListener::bind(address).await.map_err(|source| StartError::Listen { address: address.to_string(), source })
}

async fn serve_tcp(listener: tokio::net::TcpListener, router: axum::Router) {
    if let Err(e) = axum::serve(listener, router).await {
        tracing::error!(error = %e, "the console has stopped answering");
    }
}

/// The command socket: only the owner of the data folder may connect. We hold the store's lock, so an old file is nobody's.
fn serve_socket(data: &Path, router: axum::Router) -> Result<JoinHandle<()>, StartError> {
    let failed = |source| StartError::Listen { address: ctl::socket(data).display().to_string(), source };
    let (path, folder) = ctl::reachable(data).map_err(failed)?;
    if let Err(e) = std::fs::remove_file(&path)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        return Err(failed(e));
    }
    let listener = tokio::net::UnixListener::bind(&path).map_err(failed)?;
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, owner_only).map_err(failed)?;
    Ok(tokio::spawn(async move {
        let _folder = folder;
        if let Err(e) = axum::serve(listener, router).await {
            tracing::error!(error = %e, "commands are not answered any more");
        }
    }))
}

async fn setup_link(site: &Site) -> Result<Option<String>, StartError> {
    if site.demo || site.state.has_accounts().await? {
        return Ok(None);
    }
    let (token, hash) = auth::new_token().map_err(StartError::Machine)?;
    site.state.put_setup(&hash, site.clock.now() + auth::SETUP_US).await?;
    Ok(Some(format!("{}/setup#{token}", site.url())))
}

/// Findings that became records of `self` before the last end, and perhaps no alerts: the book knows by id and revision what it has.
async fn catch_up(site: &Site) -> Result<(), StartError> {
    let failed = |e: query::QueryError| StartError::Machine(format!("reading the findings of the last days: {e}"));
    let since = event::clock::rfc3339(site.clock.now() - CAUGHT_UP_US);
    // Our own text and a time of ours: nothing of a stranger's is in this SQL.
    let sql = format!("select raw from self where stream = 'finding' and observed_time >= '{since}' order by log, seq");
    let mut answer = site.evidences.engine(query::Limits::COMMAND).map_err(failed)?.sql(&sql).await.map_err(failed)?;
    while let Some(rows) = answer.next().await.map_err(failed)? {
        for row in rows {
            let said = row.get("raw").and_then(|v| v.as_str()).and_then(|raw| serde_json::from_str::<serde_json::Value>(raw).ok());
            // A finding of a later version that this one cannot read stays a record.
            if let Some(finding) = said.and_then(|mut v| serde_json::from_value::<Finding>(v["finding"].take()).ok()) {
                site.desk.take(&finding).await?;
            }
        }
    }
    Ok(())
}

/// The way of findings to the desk: it never waits.
fn to_desk(findings: mpsc::Sender<Finding>, counts: Arc<Counts>) -> Findings {
    Box::new(move |finding| {
        if let Err(mpsc::error::TrySendError::Full(finding)) = findings.try_send(finding) {
            counts.finding_waits();
            tracing::error!(finding = %finding.id, "too many findings wait; this one becomes an alert at the next start");
        }
    })
}

/// Findings, one after the other; one that cannot be kept is tried again, since it is a record already and must become an alert.
async fn take_findings(desk: Arc<Desk>, mut from_watch: mpsc::Receiver<Finding>) {
    while let Some(finding) = from_watch.recv().await {
        while let Err(e) = desk.take(&finding).await {
            tracing::error!(finding = %finding.id, error = %e, "a finding cannot be made an alert; it is tried again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn forget(desk: Arc<Desk>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        desk.forget().await;
    }
}
