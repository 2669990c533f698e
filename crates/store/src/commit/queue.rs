//! Between those who store and the one committer: bounded queues, orders, and the word that nothing more is taken.
//!
//! Owns: what waits, and the limits on it. Whoever submits may wait for room; whoever appends records of our own never waits.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use event::{
    SourceDefinition, SourceId,
    frame::{Encoded, Header},
    identity::Mark,
    limits::GROUP_BYTES_MAX,
};
use serde_json::Value;

use crate::{StoreError, hold, state::own};

/// Frames that wait, in bytes; one is taken even if it is longer.
pub const QUEUE_BYTES_MAX: usize = 16 << 20;
/// Frames that wait.
pub const QUEUE_FRAMES_MAX: usize = 1024;
/// Records of our own that wait, in bytes. What comes beyond is dropped and counted.
pub const OWN_BYTES_MAX: usize = 16 << 20;
/// Records of our own that wait.
pub const OWN_RECORDS_MAX: usize = 65_536;
/// A record of ours is at most this long. A longer one is dropped and counted.
pub const OWN_RECORD_BYTES_MAX: usize = 1 << 20;
/// A durable mark follows after this long without frames (FORMAT §2).
pub const MARK_AFTER: Duration = Duration::from_millis(50);

/// Why a batch is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It does not begin where its generation ends.
    #[error("storing a batch: it does not go on where its file is stored up to, byte {stored}; read on from there")]
    Position {
        /// The known end of the generation.
        stored: u64,
    },
    /// Intake is stopped for now.
    #[error("storing a batch: intake is paused: {0}")]
    Paused(String),
    /// The store has stopped for good.
    #[error("storing a batch: the store has stopped: {0}; what was acknowledged is safe, restart to go on")]
    Stopped(String),
    /// One cluster more than a node keeps.
    #[error("storing a batch: this node keeps {max} clusters and {0} would be one more; give it to another node or name it as one of them", max = event::limits::CLUSTERS_MAX)]
    Clusters(String),
    /// The source was never defined.
    #[error("storing a batch: its source {0} has no definition of that version or cluster; define it first")]
    Undefined(SourceId),
    /// The batch contradicts itself.
    #[error("storing a batch: {0}")]
    Invalid(String),
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Its frame; none if it was stored before and dropped now.
    pub wal_seq: Option<u64>,
    /// Bytes of its generation that are durable.
    pub stored: u64,
}

pub(crate) type Reply<T> = SyncSender<Result<T, SubmitError>>;

/// A place in the queue.
#[derive(Debug)]
pub struct Ticket {
    answer: Receiver<Result<Ack, SubmitError>>,
    queue: Arc<Queue>,
}

impl Ticket {
    /// Waits until the batch is durable, or refused.
    pub fn wait(self) -> Result<Ack, SubmitError> {
        wait(&self.answer, &self.queue)
    }
}

fn wait<T>(answer: &Receiver<Result<T, SubmitError>>, queue: &Queue) -> Result<T, SubmitError> {
    answer.recv().unwrap_or_else(|_| Err(SubmitError::Stopped(queue.stopped().unwrap_or_else(|| "it was closed".to_owned()))))
}

/// What a source sends.
pub(crate) enum Item {
    /// A frame of records, still without its numbers.
    Records { frame: Encoded, header: Box<Header>, marks: Vec<(u64, Mark)>, reply: Reply<Ack> },
    /// A definition that is not known yet, or not like this.
    Define { definition: Box<SourceDefinition>, reply: Reply<(SourceId, u32)> },
}

impl Item {
    /// Bytes that it adds to a group, at most.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Records { frame, .. } => frame.len(),
            // The record, its header, its log's name, and what JSON adds.
            Self::Define { definition, .. } => 1024 + serde_json::to_vec(definition).map_or(0, |v| v.len()),
        }
    }
    fn refuse(self, why: SubmitError) {
        // A sender that does not wait for its answer is nobody to tell.
        let _ = match self {
            Self::Records { reply, .. } => reply.try_send(Err(why)).is_ok(),
            Self::Define { reply, .. } => reply.try_send(Err(why)).is_ok(),
        };
    }
}

/// Tells the end of an order.
pub(crate) type Done = SyncSender<Result<(), StoreError>>;

/// What the store asks of the committer between two groups.
pub(crate) enum Order {
    /// Everything numbered so far is one seal: a new salt begins, and the tail is told with the state at this place.
    Border { done: Option<Done> },
    /// The observer's snapshot is wanted behind everything numbered so far.
    Checkpoint { done: Done },
    /// The lake holds everything up to `wal_seq`.
    Sealed { wal_seq: u64, table_version: u64, done: Option<Done> },
    /// Segments that nobody needs any more may go.
    Release { done: Option<Done> },
}

#[derive(Default)]
struct Inner {
    items: VecDeque<Item>,
    bytes: usize,
    own: VecDeque<Vec<u8>>,
    own_bytes: usize,
    orders: Vec<Order>,
    paused: Option<String>,
    stopped: Option<String>,
    /// Nothing more is submitted.
    refusing: bool,
    /// Nothing more comes at all: the committer ends when nothing waits.
    closing: bool,
}

/// What waits for the committer.
#[derive(Default)]
pub struct Queue {
    inner: Mutex<Inner>,
    work: Condvar,
    room: Condvar,
    own_appended: AtomicU64,
    own_dropped: AtomicU64,
    own_durable: AtomicU64,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

/// What the committer gets.
pub(crate) enum Work {
    /// A group, at most [`GROUP_BYTES_MAX`] or one frame.
    Group { items: Vec<Item>, own: Vec<Vec<u8>>, orders: Vec<Order> },
    /// Nothing came for [`MARK_AFTER`].
    Idle,
    /// The end.
    End,
}

impl Queue {
    /// Puts a frame into the queue, waiting for room. Refused while intake is paused and after the end.
    pub(crate) fn submit(&self, item: Item) -> Result<(), SubmitError> {
        let bytes = item.bytes();
        let mut inner = hold(&self.inner);
        loop {
            if let Some(why) = &inner.stopped {
                return Err(SubmitError::Stopped(why.clone()));
            }
            if inner.refusing {
                return Err(SubmitError::Stopped("it is being closed".to_owned()));
            }
            if let Some(why) = &inner.paused {
                return Err(SubmitError::Paused(why.clone()));
            }
            if inner.items.is_empty() || (inner.bytes + bytes <= QUEUE_BYTES_MAX && inner.items.len() < QUEUE_FRAMES_MAX) {
                inner.bytes += bytes;
                inner.items.push_back(item);
                self.work.notify_one();
                return Ok(());
            }
            inner = self.room.wait(inner).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
    pub(crate) fn submit_records(self: &Arc<Self>, frame: Encoded, header: Header, marks: Vec<(u64, Mark)>) -> Result<Ticket, SubmitError> {
        let (reply, answer) = sync_channel(1);
        self.submit(Item::Records { frame, header: Box::new(header), marks, reply })?;
        Ok(Ticket { answer, queue: self.clone() })
    }
    /// Writes a definition and waits until it is durable.
    pub(crate) fn define(&self, definition: SourceDefinition) -> Result<(SourceId, u32), SubmitError> {
        let (reply, answer) = sync_channel(1);
        self.submit(Item::Define { definition: Box::new(definition), reply })?;
        wait(&answer, self)
    }
    /// Appends a record of ours. Never waits: what has no room is dropped and counted.
    pub(crate) fn append_own(&self, kind: &str, said: Value) -> bool {
        let record = own::stored(kind, said);
        let mut inner = hold(&self.inner);
        let fits =
            record.len() <= OWN_RECORD_BYTES_MAX && inner.own_bytes + record.len() <= OWN_BYTES_MAX && inner.own.len() < OWN_RECORDS_MAX;
        if !fits || inner.stopped.is_some() {
            self.own_dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.own_appended.fetch_add(1, Ordering::SeqCst);
        inner.own_bytes += record.len();
        inner.own.push_back(record);
        self.work.notify_one();
        true
    }
    /// Gives an order. None is taken after the end: its `done` is dropped.
    pub(crate) fn order(&self, order: Order) {
        let mut inner = hold(&self.inner);
        if inner.stopped.is_none() {
            inner.orders.push(order);
            self.work.notify_one();
        }
    }
    /// Waits for work. `marked`: the last frame is a durable mark already, so there is no need to wake up without work.
    pub(crate) fn take(&self, marked: bool) -> Work {
        let mut inner = hold(&self.inner);
        loop {
            if inner.stopped.is_some() {
                return Work::End;
            }
            if !(inner.items.is_empty() && inner.own.is_empty() && inner.orders.is_empty()) {
                return self.group(&mut inner);
            }
            if marked {
                if inner.closing {
                    return Work::End;
                }
                inner = self.work.wait(inner).unwrap_or_else(std::sync::PoisonError::into_inner);
                continue;
            }
            if inner.closing {
                return Work::Idle;
            }
            let (guard, timeout) = self.work.wait_timeout(inner, MARK_AFTER).unwrap_or_else(std::sync::PoisonError::into_inner);
            inner = guard;
            if timeout.timed_out() && inner.items.is_empty() && inner.own.is_empty() && inner.orders.is_empty() {
                return Work::Idle;
            }
        }
    }
    fn group(&self, inner: &mut Inner) -> Work {
        let (mut items, mut own, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(record) = inner.own.pop_front_if(|r| bytes + r.len() <= OWN_RECORD_BYTES_MAX) {
            bytes += record.len();
            inner.own_bytes -= record.len();
            own.push(record);
        }
        while let Some(item) = inner.items.pop_front() {
            let more = item.bytes();
            if bytes > 0 && bytes + more > GROUP_BYTES_MAX {
                inner.items.push_front(item);
                break;
            }
            bytes += more;
            inner.bytes -= more;
            items.push(item);
        }
        self.room.notify_all();
        Work::Group { items, own, orders: mem::take(&mut inner.orders) }
    }
    /// A group could not be written for want of a segment: sources are told, the rest waits again for a while.
    pub(crate) fn put_back(&self, items: Vec<Item>, own: Vec<Vec<u8>>, orders: Vec<Order>, why: &str, wait: Duration) {
        items.into_iter().for_each(|i| i.refuse(SubmitError::Paused(why.to_owned())));
        let mut inner = hold(&self.inner);
        for record in own.into_iter().rev() {
            inner.own_bytes += record.len();
            inner.own.push_front(record);
        }
        inner.orders.splice(0..0, orders);
        if inner.refusing {
            // There will be no better time: what cannot be written is lost with the process, and nobody was told otherwise.
            drop(inner);
            self.stop(why);
            return;
        }
        drop(self.room.wait_timeout(inner, wait));
    }
    /// Intake stops until [`Self::resume`]. Records of our own go on.
    pub(crate) fn pause(&self, why: &str) {
        hold(&self.inner).paused = Some(why.to_owned());
        self.room.notify_all();
    }
    pub(crate) fn resume(&self) {
        hold(&self.inner).paused = None;
    }
    pub(crate) fn paused(&self) -> Option<String> {
        hold(&self.inner).paused.clone()
    }
    /// The end, for good: nothing that waits is stored. The first reason stays.
    pub(crate) fn stop(&self, why: &str) {
        let mut inner = hold(&self.inner);
        inner.stopped.get_or_insert_with(|| why.to_owned());
        let why = inner.stopped.clone().unwrap_or_default();
        inner.bytes = 0;
        let items = mem::take(&mut inner.items);
        inner.orders.clear();
        drop(inner);
        items.into_iter().for_each(|i| i.refuse(SubmitError::Stopped(why.clone())));
        self.work.notify_all();
        self.room.notify_all();
    }
    pub(crate) fn stopped(&self) -> Option<String> {
        hold(&self.inner).stopped.clone()
    }
    /// Nothing more is submitted; what waits and orders are still done.
    pub(crate) fn refuse_more(&self) {
        hold(&self.inner).refusing = true;
        self.room.notify_all();
    }
    /// The committer ends when nothing waits.
    pub(crate) fn end(&self) {
        let mut inner = hold(&self.inner);
        (inner.refusing, inner.closing) = (true, true);
        drop(inner);
        self.work.notify_all();
        self.room.notify_all();
    }
    /// Records of ours that were taken into the queue, those of them that are durable, those dropped.
    pub(crate) fn own_counts(&self) -> (u64, u64, u64) {
        let get = |n: &AtomicU64| n.load(Ordering::SeqCst);
        (get(&self.own_appended), get(&self.own_durable), get(&self.own_dropped))
    }
    pub(crate) fn own_written(&self, records: u64) {
        self.own_durable.fetch_add(records, Ordering::SeqCst);
    }
    /// Bytes and frames that wait.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let inner = hold(&self.inner);
        (inner.bytes, inner.items.len())
    }
}

/// Where records of our own go in: findings, access, what was decided. Cheap to clone; made before the store so that its observer can hold one.
/// What is said must hold no secret: whoever says it has put it through the gate.
#[derive(Debug, Clone, Default)]
pub struct OwnRecords(pub(crate) Arc<Queue>);

impl OwnRecords {
    /// Appends `{"kind": kind, ...said}` to this node's `self` log without waiting; what has a `kind` of its own stands under `kind`
    /// (`{"kind": "finding", "finding": {...}}`). False if it had to be dropped, which is counted.
    pub fn append(&self, kind: &str, said: Value) -> bool {
        self.0.append_own(kind, said)
    }
}
