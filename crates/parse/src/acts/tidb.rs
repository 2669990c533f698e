//! Acts of TiDB: the lines of a refused login, of a failing statement, of a kill, by connection; DDL by job; and who is on a connection.

use event::{Class, Event, Micros, Snapshot, Status, action, derive, limits};
use serde::{Deserialize, Serialize};

use super::{
    At, copies,
    known::{Column, Known, Name},
    place::Places,
    table::Table,
};

/// Connections that are remembered, of all instances together.
const CONNECTIONS_MAX: usize = 16_384;
/// DDL jobs, and texts of DDL, that are remembered.
const JOBS_MAX: usize = 4096;
/// Releases that print CRUCIAL OPERATION before running the statement print its failure within this.
const CRUCIAL_US: Micros = 100_000;

/// Who is on a connection.
const WHO: &[Column] = &[Column::User, Column::SrcIp, Column::SrcPort, Column::SrcHost];

/// What the open act of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// A login that was refused.
    Login,
    /// A statement that failed.
    Statement,
    /// A statement printed before its outcome is known.
    Crucial,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open {
    phase: Phase,
    act: Name,
    at: Micros,
    /// What the opener does: class and activity.
    does: Option<(u16, u8)>,
    known: Known,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kill {
    act: Name,
    at: Micros,
    /// The line `kill` itself was printed: another one is another act.
    printed: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Connection {
    who: Known,
    open: Option<Open>,
    kill: Option<Kill>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Job {
    act: Name,
    at: Micros,
    /// The act has a line with an action.
    acted: bool,
    conn: Option<i64>,
    text: Option<u64>,
}

/// A text of DDL that waits for its other half.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ddl {
    act: Name,
    at: Micros,
    /// It stands in a CRUCIAL OPERATION; else in a job.
    crucial: bool,
    conn: Option<i64>,
}

/// The open acts of TiDB. Connections are keyed by instance, jobs and texts by cluster.
#[derive(Debug, Clone)]
pub struct Tidb {
    connections: Table<(u32, i64), Connection>,
    jobs: Table<(u32, i64), Job>,
    texts: Table<(u32, u64), Ddl>,
}

impl Default for Tidb {
    fn default() -> Self {
        Self { connections: Table::new(CONNECTIONS_MAX), jobs: Table::new(JOBS_MAX), texts: Table::new(JOBS_MAX) }
    }
}

/// Lines without an action that still belong to an act.
pub fn may_belong(event: &Event<'_>) -> bool {
    event.product.as_deref() == Some("tidb") && (event.message.as_deref().is_some_and(is_kill) || event.field("job_id").is_some())
}

fn is_kill(message: &str) -> bool {
    matches!(message, "kill" | "kill initiated" | "kill finished")
        || message.starts_with("Killing connection")
        || message.starts_with("Killed remote connection")
        || message.starts_with("Kill failed")
}

/// The server ended the statement: its failure is printed here and, as a rule, once more by the connection.
fn is_ended(message: &str) -> bool {
    message == "execution timeout, kill it"
        || message == "runaway query timeout"
        || message.starts_with("global memory controller tries to kill")
}

fn alive(opened: Micros, now: Micros) -> bool {
    opened.abs_diff(now) <= limits::ACT_LIFE_US.unsigned_abs()
}

impl Tidb {
    /// How many entries had to go before their time.
    pub fn dropped(&self) -> u64 {
        self.connections.dropped() + self.jobs.dropped() + self.texts.dropped()
    }

    /// An instance started: its connections are gone, and their numbers may come again.
    pub fn started(&mut self, place: u32) {
        let gone: Vec<(u32, i64)> = self.connections.iter().map(|(key, _)| *key).filter(|(p, _)| *p == place).collect();
        for key in gone {
            self.connections.remove(&key);
        }
    }

    /// Joins one line of TiDB.
    pub fn assign(&mut self, places: &mut Places, event: &mut Event<'_>, at: &At<'_>) {
        let message = event.message.clone().unwrap_or_default();
        if let Some(job) = event.field_text("job_id").and_then(|id| id.parse().ok()) {
            return self.ddl(event, at, job);
        }
        let Some(conn) = event.conn_id.filter(|c| *c != 0) else { return };
        let key = (at.place, conn);
        if is_kill(&message) {
            return self.kill(event, at, key, &message);
        }
        if event.stream.as_deref() == Some("server") {
            self.line(places, event, at, key, &message);
        }
        self.who(event, key, &message);
    }

    /// A line of the server log that names a connection.
    fn line(&mut self, places: &mut Places, event: &mut Event<'_>, at: &At<'_>, key: (u32, i64), message: &str) {
        let failed = event.status == Some(Status::Failure);
        match message {
            "CRUCIAL OPERATION" => self.crucial(places, event, at, key),
            "run statement failed" | "compile SQL failed" | "parse SQL failed" => self.failing(places, event, at, key, message),
            "command dispatched failed" => self.failed(event, at, key),
            m if is_ended(m) => self.failing(places, event, at, key, m),
            _ => match event.activity {
                Some(a) if failed && (*a == action::LOGON || *a == action::CONNECTION_FAIL) => self.login(event, at, key, message),
                _ => {}
            },
        }
    }

    fn open(&self, key: (u32, i64), at: &At<'_>) -> Option<&Open> {
        self.connections.get(&key)?.open.as_ref().filter(|o| alive(o.at, at.time))
    }

    fn set_open(&mut self, key: (u32, i64), open: Option<Open>) {
        match self.connections.get_mut(&key) {
            Some(connection) => connection.open = open,
            None if open.is_some() => self.connections.insert(key, Connection { open, ..Connection::default() }),
            None => {}
        }
    }

    fn opened(event: &Event<'_>, at: &At<'_>, phase: Phase, columns: &[Column]) -> Open {
        Open {
            phase,
            act: Name::of_act(event, at.name),
            at: at.time,
            does: event.activity.map(|a| (a.class.uid(), a.id)),
            known: Known::of(event, columns),
        }
    }

    /// A refused login prints one line where it failed and one where the connection ends; a database that does not exist one more before them.
    fn login(&mut self, event: &mut Event<'_>, at: &At<'_>, key: (u32, i64), message: &str) {
        const COLUMNS: &[Column] = &[Column::User, Column::SrcIp, Column::SrcPort, Column::SrcHost, Column::Database];
        match self.open(key, at).filter(|o| o.phase != Phase::Crucial).cloned() {
            Some(open) => {
                at.join(event, &open.act);
                open.known.teach(event);
            }
            None => self.set_open(key, Some(Self::opened(event, at, Phase::Login, COLUMNS))),
        }
        if message == "Server.onConn handshake" {
            self.connections.remove(&key);
        }
    }

    /// A line that says why a statement fails; the connection's own line follows.
    fn failing(&mut self, places: &Places, event: &mut Event<'_>, at: &At<'_>, key: (u32, i64), message: &str) {
        let crucial_last = places.get(at.place).is_some_and(|p| p.crucial_last);
        let joins = |o: &&Open| match o.phase {
            Phase::Statement => true,
            Phase::Login => false,
            // It was compiled and about to run; what does not parse or compile is another statement.
            Phase::Crucial => message == "run statement failed" && !crucial_last && o.at.abs_diff(at.time) <= CRUCIAL_US.unsigned_abs(),
        };
        let found = self.open(key, at).filter(joins).cloned();
        if let Some(open) = &found {
            at.join(event, &open.act);
        }
        let mut open = Self::opened(event, at, Phase::Statement, WHO);
        // The life of an act counts from its opener.
        open.at = found.map_or(open.at, |f| f.at);
        self.set_open(key, Some(open));
    }

    /// The connection's own line about a failed statement: the last one.
    fn failed(&mut self, event: &mut Event<'_>, at: &At<'_>, key: (u32, i64)) {
        let does = event.activity.map(|a| (a.class.uid(), a.id));
        let joins = |o: &&Open| match o.phase {
            Phase::Statement => true,
            Phase::Login => false,
            Phase::Crucial => {
                o.does == does
                    && same(o.known.get(Column::Object), event.object.as_deref())
                    && same(o.known.get(Column::TargetUser), event.target_user.as_deref())
            }
        };
        if let Some(open) = self.open(key, at).filter(joins) {
            at.join(event, &open.act);
        }
        self.set_open(key, None);
    }

    /// CRUCIAL OPERATION: behind the statement's failure it belongs to that; behind a DDL job with its text to that job.
    fn crucial(&mut self, places: &mut Places, event: &mut Event<'_>, at: &At<'_>, key: (u32, i64)) {
        const COLUMNS: &[Column] = &[Column::User, Column::Object, Column::TargetUser];
        if let Some(open) = self.open(key, at).filter(|o| o.phase == Phase::Statement) {
            at.join(event, &open.act);
            if event.status == Some(Status::Unknown) {
                event.status = Some(Status::Failure);
                event.inferred.push("status");
            }
            if let Some(place) = places.get_mut(at.place) {
                place.crucial_last = true;
            }
            return;
        }
        if let Some(text) = ddl_text(event) {
            let found = self
                .texts
                .get(&(at.cluster, text))
                .filter(|d| !d.crucial && alive(d.at, at.time) && d.conn.is_none_or(|c| c == key.1))
                .cloned();
            match found {
                Some(ddl) => {
                    at.join(event, &ddl.act);
                    self.texts.remove(&(at.cluster, text));
                }
                None => {
                    let ddl = Ddl { act: Name::of_act(event, at.name), at: at.time, crucial: true, conn: Some(key.1) };
                    self.texts.insert((at.cluster, text), ddl);
                }
            }
        }
        self.set_open(key, Some(Self::opened(event, at, Phase::Crucial, COLUMNS)));
    }

    /// The lines of one DDL job.
    fn ddl(&mut self, event: &mut Event<'_>, at: &At<'_>, id: i64) {
        let key = (at.cluster, id);
        let mut job = self.jobs.get(&key).filter(|j| alive(j.at, at.time)).cloned();
        let text = ddl_text(event);
        if let Some(text) = text
            && job.as_ref().is_none_or(|j| !j.acted)
            && let Some(ddl) = self.texts.get(&(at.cluster, text)).filter(|d| d.crucial && alive(d.at, at.time)).cloned()
        {
            // Older releases print the statement first. What has no action may stay outside.
            self.texts.remove(&(at.cluster, text));
            job = Some(Job { act: ddl.act, at: ddl.at, acted: true, conn: ddl.conn, text: Some(text) });
        }
        let fresh = job.is_none();
        let mut job = job.unwrap_or_else(|| Job { act: Name::of_act(event, at.name), at: at.time, acted: false, conn: None, text: None });
        if !fresh {
            at.join(event, &job.act);
        }
        job.acted |= event.activity.is_some();
        job.conn = job.conn.or(event.conn_id.filter(|c| *c != 0));
        if let Some(text) = text.filter(|_| job.text.is_none()) {
            job.text = Some(text);
            self.texts.insert((at.cluster, text), Ddl { act: job.act.clone(), at: job.at, crucial: false, conn: job.conn });
        }
        if let (Some(text), Some(conn)) = (job.text, job.conn)
            && let Some(ddl) = self.texts.get_mut(&(at.cluster, text)).filter(|d| d.act == job.act)
        {
            ddl.conn = Some(conn);
        }
        if let Some(conn) = job.conn.filter(|_| event.status == Some(Status::Failure)) {
            // The statement's own failure follows on its connection.
            let open = Open { phase: Phase::Statement, act: job.act.clone(), at: job.at, does: None, known: Known::default() };
            self.set_open((at.place, conn), Some(open));
        }
        match self.jobs.get_mut(&key) {
            Some(known) => *known = job,
            None => self.jobs.insert(key, job),
        }
        if let Some(conn) = event.conn_id
            && let Some(connection) = self.connections.get(&(at.place, conn))
            && event.activity.is_some()
        {
            connection.who.teach(event);
        }
    }

    /// The lines of one kill. `conn_id` is the victim's.
    fn kill(&mut self, event: &mut Event<'_>, at: &At<'_>, key: (u32, i64), message: &str) {
        let known = self.connections.get(&key);
        if let Some(user) = known.and_then(|c| c.who.get(Column::User))
            && event.target_user.is_none()
            && event.activity.is_some()
        {
            event.target_user = Some(user.to_owned().into());
            event.inferred.push("target_user");
        }
        let printed = message == "kill";
        let open = known.and_then(|c| c.kill.clone()).filter(|k| alive(k.at, at.time) && !(printed && k.printed));
        let kill = match open {
            Some(kill) => {
                at.join(event, &kill.act);
                Kill { printed: kill.printed || printed, ..kill }
            }
            None => Kill { act: Name::of_act(event, at.name), at: at.time, printed },
        };
        match self.connections.get_mut(&key) {
            Some(connection) => connection.kill = Some(kill),
            None => self.connections.insert(key, Connection { kill: Some(kill), ..Connection::default() }),
        }
    }

    /// Learns who is on the connection, or says so.
    fn who(&mut self, event: &mut Event<'_>, key: (u32, i64), message: &str) {
        if message == "Server.onConn handshake" {
            return;
        }
        let told = Known::of(event, WHO);
        match self.connections.get_mut(&key) {
            Some(connection) => {
                if event.activity.is_some() {
                    connection.who.teach(event);
                }
                connection.who.learn(&told);
            }
            None if told != Known::default() => self.connections.insert(key, Connection { who: told, ..Connection::default() }),
            None => {}
        }
        let over = message == "connection closed" || event.activity.is_some_and(|a| *a == action::LOGOFF);
        if over {
            self.connections.remove(&key);
        }
    }

    /// The open acts, as JSON.
    pub fn snapshot(&self) -> Snapshot {
        derive::parts([("connections", self.connections.snapshot()), ("jobs", self.jobs.snapshot()), ("texts", self.texts.snapshot())])
    }

    /// Goes on from a snapshot.
    pub fn restore(snapshot: &serde_json::Value) -> Self {
        let part = |name: &str| snapshot.get(name).unwrap_or(&serde_json::Value::Null);
        Self {
            connections: Table::restore(CONNECTIONS_MAX, part("connections")),
            jobs: Table::restore(JOBS_MAX, part("jobs")),
            texts: Table::restore(JOBS_MAX, part("texts")),
        }
    }
}

fn same(a: Option<&str>, b: Option<&str>) -> bool {
    a.is_none() || b.is_none() || a == b
}

/// The hash of a statement that makes, changes or drops something.
fn ddl_text(event: &Event<'_>) -> Option<u64> {
    let ddl = event.activity.is_some_and(|a| {
        a.class == Class::DatastoreActivity && (*a == action::DATA_CREATE || *a == action::DATA_UPDATE || *a == action::DATA_DELETE)
    });
    let text = event.statement.as_deref().filter(|_| ddl)?.trim().trim_end_matches(';');
    Some(copies::hash(0, text.as_bytes()))
}
