//! The store, open for writing: what a server, an import or an agent's receiver speaks to.
//!
//! Owns: the lock, the three threads (committer, tail, sealer), and their order at start and stop. A store that is dropped without
//! [`Store::close`] ends as after a crash: nothing that was acknowledged is lost, and the next start seals it.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    mem,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::sync_channel,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use event::{
    Batch, Clock, Derive, Generation, LogClass, NodeId, SourceDefinition, SourceId,
    clock::SystemClock,
    identity::{IdentityKey, Known},
    limits::SEGMENT_BYTES,
};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use crate::{
    Init, Observer, RedactKey, StoreError,
    batch::{self, Shape},
    checkpoint,
    commit::{
        Committer, Counters, TAIL_GROUPS_MAX,
        queue::{Done, Order, OwnRecords, Queue, SubmitError, Ticket},
        salt::FrameSalt,
    },
    folder::{Folder, SECRET, Space, io_error, make_folder, space},
    hold, init,
    lake::Lake,
    live::{Live, Moment},
    recover::{self, Found, Sealed},
    replay::Replay,
    seal::Sealer,
    state::State,
    stats::Stats,
    tail::{Parts, SealAt, Tail},
    wal::{
        segment,
        writer::{Disk, Mill, Writer},
    },
};

/// How a store runs.
pub struct Options {
    /// Where it gets the time from.
    pub clock: Arc<dyn Clock>,
    /// Where records of our own go in; made before the store, so that its observer can hold one.
    pub own: OwnRecords,
    /// When rows go into the lake.
    pub seal_at: SealAt,
    /// Size of a WAL segment.
    pub segment_bytes: u64,
    /// What segments are made of.
    pub(crate) mill: Box<dyn Mill>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            own: OwnRecords::default(),
            seal_at: SealAt::default(),
            segment_bytes: SEGMENT_BYTES,
            mill: Box::new(Disk),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Options({:?}, segments of {} bytes)", self.seal_at, self.segment_bytes)
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    node: NodeId,
    run: u64,
    init: Option<Init>,
    queue: Arc<Queue>,
    state: Arc<Mutex<State>>,
    counters: Arc<Counters>,
    live: Arc<Live>,
    lake: Arc<Mutex<Lake>>,
    torn_bytes: u64,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held until the last thread has ended.
    lock: Mutex<Option<File>>,
}

impl Store {
    /// Opens a store; a missing or empty folder is made one first ([`Store::init`] tells). Returns when everything that was stored before is
    /// in sight again and the observer has caught up.
    pub fn open(dir: &Path, derive: Box<dyn Derive>, observer: Box<dyn Observer>, options: Options) -> Result<Self, StoreError> {
        let (folder, lock, init) = enter(dir, &options)?;
        let node = init::node(&folder)?;
        let segments = segment::list(&folder.wal())?;
        let lake = Lake::open(dir, node, 1 + segments.iter().map(|s| s.run).max().unwrap_or(0))?;
        let run = lake.run();
        let sealed = Sealed::of(&lake);
        let mut found = recover::find(&folder, &segments, &sealed)?;
        recover::settle(&folder, &mut found)?;
        let live = Arc::new(Live::default());
        live.change(|l| {
            l.files = Arc::new(lake.files());
            l.sealed = sealed.wal_seq;
        });
        let replay = recover::replay(&found, &sealed, derive, observer, &live)?;
        found.state.run = run;
        for hole in &found.holes {
            let segment = hole.path.file_name().map(|n| n.to_string_lossy().into_owned());
            options.own.append("damaged", json!({"segment": segment, "from": hole.from, "to": hole.to, "sealed": true}));
        }
        let store = Self {
            folder,
            node,
            run,
            init,
            queue: options.own.0.clone(),
            state: Arc::new(Mutex::new(mem::take(&mut found.state))),
            counters: Arc::default(),
            live,
            lake: Arc::new(Mutex::new(lake)),
            torn_bytes: found.torn_bytes,
            threads: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        };
        store.start(replay, found, sealed.wal_seq, options)?;
        Ok(store)
    }

    /// Starts the three threads. On an error those that run end when the store is dropped.
    fn start(&self, replay: Replay, found: Found, sealed: u64, options: Options) -> Result<(), StoreError> {
        let detect = self.folder.detect();
        let floor = Arc::new(AtomicU64::new(checkpoint::floor(&detect)?));
        let (to_tail, from_committer) = sync_channel(TAIL_GROUPS_MAX);
        let mut committer = Committer {
            queue: self.queue.clone(),
            state: self.state.clone(),
            counters: self.counters.clone(),
            writer: Writer::new(&self.folder.wal(), self.run, options.segment_bytes, options.mill, found.facts),
            tail: to_tail,
            clock: options.clock.clone(),
            node: self.node,
            salt: FrameSalt::draw()?,
            sealed: (sealed, 0),
            checkpoints: floor.clone(),
            marked: false,
        };
        committer.begin()?;
        let (to_sealer, from_tail) = sync_channel(1);
        let tail = Tail::new(Parts {
            replay,
            live: self.live.clone(),
            queue: self.queue.clone(),
            clock: options.clock,
            seal_at: options.seal_at,
            sealer: to_sealer,
            folder: detect,
            floor,
            checkpoint: found.checkpoint.map_or(0, |c| c.wal_seq),
        });
        let sealer = Sealer { lake: self.lake.clone(), live: self.live.clone(), queue: self.queue.clone() };
        self.spawn("committer", move || committer.run())?;
        self.spawn("tail", move || tail.run(&from_committer))?;
        self.spawn("sealer", move || sealer.run(&from_tail))
    }

    fn spawn(&self, what: &'static str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let end = End { what, queue: self.queue.clone(), live: self.live.clone() };
        let run = move || {
            let _end = end;
            work();
        };
        let thread = std::thread::Builder::new().name(what.to_owned()).spawn(run);
        hold(&self.threads).push(thread.map_err(io_error("starting a thread for", Path::new(what)))?);
        Ok(())
    }

    /// The keys and the fingerprint, if this very opening made the store. Told once.
    pub fn init(&self) -> Option<&Init> {
        self.init.as_ref()
    }
    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.node
    }
    /// The number of this start.
    pub fn run(&self) -> u64 {
        self.run
    }
    /// Where it lies.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
    /// The key behind all marks of content.
    pub fn identity_key(&self) -> Result<IdentityKey, StoreError> {
        init::identity_key(&self.folder)
    }
    /// The key behind hashed marks in stored lines.
    pub fn redact_key(&self) -> Result<RedactKey, StoreError> {
        init::redact_key(&self.folder)
    }

    /// Finds the source at the definition's place (cluster, host, path), or makes it, and writes the definition if it is news. Returns when it
    /// is durable.
    pub fn define(&self, definition: &SourceDefinition) -> Result<(SourceId, u32), SubmitError> {
        if !event::id::is_cluster_name(&definition.cluster) {
            let name = &definition.cluster;
            return Err(SubmitError::Invalid(format!("{name:?} is no name of a cluster: 1 to 40 of a-z, 0-9 and -, and not bartizan")));
        }
        if let Some((id, Some(version))) = hold(&self.state).sources.find(definition) {
            return Ok((id, version));
        }
        self.queue.define(definition.clone())
    }
    /// A definition of a source; where the version is too old to be kept, the oldest that is.
    pub fn definition(&self, source: SourceId, version: u32) -> Option<SourceDefinition> {
        hold(&self.state).sources.get(source, version).cloned()
    }
    /// What is known of every generation of a cluster.
    pub fn known(&self, cluster: &str) -> Vec<Known> {
        let state = hold(&self.state);
        let of = |k: &&Known| state.sources.newest(k.source).is_some_and(|(_, d)| d.cluster == cluster);
        state.generations.values().filter(of).cloned().collect()
    }
    /// Bytes of a generation that are stored.
    pub fn stored(&self, generation: Generation) -> u64 {
        hold(&self.state).end(generation)
    }
    /// The stored records of a generation that end behind `from`, in order: byte_start, byte_end, stored bytes.
    pub fn records_behind(&self, generation: Generation, from: u64) -> Result<Vec<(u64, u64, Vec<u8>)>, StoreError> {
        self.catch_up();
        // Both under the lake's lock: a seal moves rows from one to the other.
        let lake = hold(&self.lake);
        let mut records = lake.records_behind(generation, from)?;
        let rows = self.live.moment().rows;
        drop(lake);
        records.extend(batch::records_behind(&rows, generation, from));
        records.sort_by_key(|(start, end, _)| (*start, *end));
        Ok(records)
    }

    /// Puts a batch on its way; `classes` has one class a record. Waits only for room in the queue ([`crate::QUEUE_BYTES_MAX`]). The frame is
    /// built on the caller's thread.
    pub fn submit(&self, batch: &Batch<'_>, classes: &[LogClass]) -> Result<Ticket, SubmitError> {
        if !hold(&self.state).sources.has(batch.source, batch.definition_version, &batch.cluster) {
            return Err(SubmitError::Undefined(batch.source));
        }
        let Shape { frame, header } = batch::shape(self.node, batch, classes)?;
        self.queue.submit_records(frame, header, batch.stamp.marks.clone())
    }
    /// Appends a record of our own; see [`OwnRecords::append`].
    pub fn append_own(&self, kind: &str, said: Value) -> bool {
        self.queue.append_own(kind, said)
    }

    /// Waits until everything acknowledged so far is in sight of queries and the observer. False if the store stopped before.
    pub fn catch_up(&self) -> bool {
        let durable = self.counters.durable.load(Ordering::SeqCst);
        self.live.wait(None, |l| l.seen >= durable || l.ended) && self.live.lock().seen >= durable
    }
    /// Files of the lake and the rows that are in none, at one moment.
    pub fn moment(&self) -> Moment {
        self.live.moment()
    }
    /// Brings everything acknowledged so far into the lake, and returns when it is there: the end of an import.
    pub fn seal(&self) -> Result<(), StoreError> {
        self.ordered(|done| Order::Border { done: Some(done) })
    }
    /// Has the observer's snapshot written, and returns when it is.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.ordered(|done| Order::Checkpoint { done })
    }
    fn ordered(&self, order: impl FnOnce(Done) -> Order) -> Result<(), StoreError> {
        let (done, end) = sync_channel(1);
        self.queue.order(order(done));
        end.recv().unwrap_or_else(|_| Err(StoreError::Stopped(self.queue.stopped().unwrap_or_else(|| "it was closed".to_owned()))))
    }

    /// Stops intake, visibly: batches are refused with this reason. Records of our own go on, and so does sealing.
    pub fn pause(&self, why: &str) {
        self.queue.pause(why);
    }
    /// Takes batches again.
    pub fn resume(&self) {
        self.queue.resume();
    }
    /// Why the store stopped for good, if it did.
    pub fn stopped(&self) -> Option<String> {
        self.queue.stopped()
    }
    /// Room on its disk.
    pub fn space(&self) -> Result<Space, StoreError> {
        space(self.folder.root())
    }
    /// Counters and positions.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.queue, &hold(&self.state), &self.counters, &self.live, self.torn_bytes)
    }

    /// Whether records of our own still wait.
    #[cfg(test)]
    pub(crate) fn queue_own(&self) -> bool {
        let (appended, durable, _) = self.queue.own_counts();
        durable < appended
    }

    /// A clean stop: what waits is stored, the observer's snapshot is written, everything is sealed, segments go, the last frame is a durable
    /// mark. What fails on the way is told at the end; nothing acknowledged is lost by it. A second call does nothing.
    pub fn close(&self) -> Result<(), StoreError> {
        if hold(&self.lock).is_none() {
            return Ok(());
        }
        self.queue.refuse_more();
        self.live.change(|l| l.closing = true);
        let sealed = self.checkpoint().and(self.seal());
        let released = self.ordered(|done| Order::Release { done: Some(done) });
        self.end();
        sealed.and(released)
    }

    fn end(&self) {
        self.queue.end();
        self.live.change(|l| l.closing = true);
        for thread in mem::take(&mut *hold(&self.threads)) {
            drop(thread.join());
        }
        *hold(&self.lock) = None;
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end();
    }
}

/// A thread that ends takes the store with it, however it ends.
struct End {
    what: &'static str,
    queue: Arc<Queue>,
    live: Arc<Live>,
}

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.queue.stop(&format!("the {} failed: this is an error in the program, please report it", self.what));
        }
        if self.what == "tail" {
            self.queue.stop("it was closed");
            self.live.change(|l| l.ended = true);
        }
    }
}

/// Takes the lock, and makes the store if there is none.
fn enter(dir: &Path, options: &Options) -> Result<(Folder, File, Option<Init>), StoreError> {
    let folder = Folder::new(dir);
    make_folder(dir, 0o755)?;
    if !folder.is_store() {
        init::refuse_strangers(&folder)?;
    }
    if options.own.0.stopped().is_some() {
        return Err(StoreError::Limit("opening a store: its queue of own records belongs to one that was closed".to_owned()));
    }
    let lock = lock(&folder)?;
    let init = if folder.is_store() { None } else { Some(init::init(dir)?) };
    Ok((folder, lock, init))
}

/// A writer that is just ending may hold its lock so long, and so may a child that it started, until the child runs its own program.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// Takes the lock of the one writer, and says in it who that is.
fn lock(folder: &Folder) -> Result<File, StoreError> {
    let path = folder.lock();
    let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(SECRET).open(&path);
    let mut file = open.map_err(io_error("opening", &path))?;
    let asked = Instant::now();
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if asked.elapsed() < LOCK_PATIENCE {
            std::thread::sleep(LOCK_PATIENCE / 20);
            continue;
        }
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        let holder = if holder.trim().is_empty() { "another process".to_owned() } else { holder.trim().to_owned() };
        return Err(StoreError::Locked { path: folder.root().to_owned(), holder });
    }
    let name = format!("process {}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(name.as_bytes())).map_err(io_error("writing", &path))?;
    Ok(file)
}

#[cfg(test)]
mod seals;
#[cfg(test)]
mod tests;
