//! What the API and the commands of a running server share: one place to ask and to act.
//!
//! Owns: nothing but the handles. Questions about stored events go to the query engine over one moment of the store.

use std::{net::SocketAddr, sync::Arc};

use alert::Line;
use event::{Clock, Evidence};
use futures::future::BoxFuture;
use query::{Engine, Footers, Limits, QueryError, Snapshot};
use store::Store;

use crate::{auth::Throttle, bus::Bus, counts::Counts, desk::Desk, lines::Lines, questions::Questions, state::State};

/// How the name of a log of our own records ends.
const OWN_SUFFIX: &str = ".self";
/// Names asked for at once when lines are joined.
const LINES_ASKED_MAX: usize = 200;

/// An import that a command asks a running server to do: paths and the definition's parts, in the JSON of the command; an answer for the person.
pub type Importer = Arc<dyn Fn(serde_json::Value) -> Result<serde_json::Value, String> + Send + Sync>;

/// The stored events, to ask questions about.
#[derive(Clone)]
pub struct Evidences {
    store: Arc<Store>,
    footers: Arc<Footers>,
}

impl Evidences {
    /// Over a store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, footers: Arc::default() }
    }
    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }
    /// An engine over this moment.
    pub fn engine(&self, limits: Limits) -> Result<Engine, QueryError> {
        let moment = self.store.moment();
        Engine::new(&Snapshot::of(moment.files.iter(), moment.rows.clone()), &self.footers, limits)
    }
    /// Rows of events by name, as the query engine gives them.
    pub async fn rows(&self, evidence: &[Evidence]) -> Result<Vec<query::Row>, QueryError> {
        let mut by_log: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
        for piece in evidence.iter().take(LINES_ASKED_MAX) {
            if let Evidence::Stored { log, seq } = piece
                && event::LogName::parse(log).is_some()
            {
                by_log.entry(log).or_default().push(seq.to_string());
            }
        }
        if by_log.is_empty() {
            return Ok(Vec::new());
        }
        let engine = self.engine(Limits::SERVER)?;
        let mut rows = Vec::new();
        for (table, own) in [("events", false), ("self", true)] {
            // A log's name is checked above and a seq is a number: nothing of a stranger's gets into the SQL.
            let one = |(log, seqs): (&&str, &Vec<String>)| format!("(log = '{log}' and seq in ({}))", seqs.join(","));
            let places: Vec<String> = by_log.iter().filter(|(log, _)| log.ends_with(OWN_SUFFIX) == own).map(one).collect();
            if !places.is_empty() {
                rows.extend(engine.sql(&format!("select * from {table} where {}", places.join(" or "))).await?.all().await?.rows);
            }
        }
        let place = |row: &query::Row| {
            let number = row.get("seq").and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
            let log = row.get("log").and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            number.and_then(|seq| evidence.iter().position(|e| matches!(e, Evidence::Stored { log: l, seq: s } if *l == log && *s == seq)))
        };
        let mut placed: Vec<(Option<usize>, query::Row)> = rows.into_iter().map(|r| (place(&r), r)).collect();
        placed.sort_by_key(|(at, _)| *at);
        Ok(placed.into_iter().map(|(_, row)| row).collect())
    }
}

impl Lines for Evidences {
    fn of<'a>(&'a self, evidence: &'a [Evidence]) -> BoxFuture<'a, Vec<Line>> {
        Box::pin(async move {
            match self.rows(evidence).await {
                Ok(rows) => rows.iter().map(line).collect(),
                Err(e) => {
                    tracing::warn!(error = %e, "evidence cannot be joined; the notification goes out without its lines");
                    Vec::new()
                }
            }
        })
    }
}

fn line(row: &query::Row) -> Line {
    let text = |key: &str| row.get(key).and_then(|v| v.as_str()).unwrap_or_default();
    let seq = row.get("seq").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).unwrap_or_default();
    let time = text("time").parse::<jiff::Timestamp>().ok().map(|t| t.as_microsecond());
    Line { name: format!("{}:{seq}", text("log")), time, raw: text("raw").to_owned() }
}

/// Everything that a handler needs.
pub struct Site {
    /// Stored events.
    pub evidences: Evidences,
    /// Alerts.
    pub desk: Arc<Desk>,
    /// What people made.
    pub state: State,
    /// Live events.
    pub bus: Bus,
    /// Counters.
    pub counts: Arc<Counts>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The console's address: what `Host` and `Origin` must name.
    pub listen: SocketAddr,
    /// Where a proxy in front answers, if there is one.
    pub external: Option<External>,
    /// Signs everybody in who reaches loopback: `bartizan demo`.
    pub demo: bool,
    /// Rules in force.
    pub rules: usize,
    /// Channels: name and kind.
    pub channels: Vec<(String, String)>,
    /// Where questions run.
    pub questions: Questions,
    /// How fast one may guess.
    pub throttle: Throttle,
    /// Imports for commands.
    pub importer: Importer,
}

/// The address under which a proxy on this machine shows the console to others: `https://` and a name, perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    origin: String,
}

impl External {
    /// Reads `https://bartizan.example.org` or `https://bartizan.example.org:8443`.
    pub fn parse(url: &str) -> Result<Self, String> {
        let origin = url.trim_end_matches('/').to_ascii_lowercase();
        let name = origin.strip_prefix("https://").unwrap_or_default();
        let fine = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
        if fine { Ok(Self { origin }) } else { Err(format!("{url:?}: write https:// and the proxy's name, without a path")) }
    }
    /// As an `Origin` has it.
    pub fn origin(&self) -> &str {
        &self.origin
    }
    /// As a `Host` has it.
    pub fn host(&self) -> &str {
        self.origin.trim_start_matches("https://")
    }
}

impl Site {
    /// What links begin with.
    pub fn url(&self) -> String {
        self.external.as_ref().map_or_else(|| format!("http://{}", self.listen), |e| e.origin.clone())
    }
    /// Why intake stands still.
    pub fn paused(&self) -> Option<String> {
        self.evidences.store().stats().paused
    }
}
