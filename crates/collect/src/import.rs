//! Reads whole files side by side, merged by event time, as if they were written now (DESIGN §2.13, §2.14).
//!
//! Owns: which file goes on. A batch of a file ends when its file is a second of event time ahead of another. A file is opened when its first
//! record's turn has come, and closed with its last.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use event::{
    Batch, Micros, Redactor, SourceDefinition, SourceId,
    clock::SECOND,
    identity::{Known, Tracker},
};
use parse::{End, Parser};

use crate::{
    CollectError, Ship, ShipError, Shipped,
    feed::Feed,
    identify::{self, CHUNK_BYTES, Growth, Identity},
    open::{Reader, open_at, read_full},
};

/// A batch ends when its file is this far ahead of another.
const AHEAD_US: Micros = SECOND;
/// Batches on their way to the disk; then the oldest is waited for.
const IN_FLIGHT_MAX: usize = 16;
/// How often the files are looked at again because another reader was faster.
const ATTEMPTS_MAX: usize = 3;

/// One file to read.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where it lies.
    pub path: PathBuf,
    /// What is told of it; `voted` is filled in here.
    pub definition: SourceDefinition,
    /// Refuse compressed data that ends early: somebody may still be writing it. Else what can be read is read.
    pub whole: bool,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Records stored.
    pub records: u64,
    /// Source bytes stored.
    pub bytes: u64,
    /// Files that added something.
    pub files: u64,
    /// Files that were known already.
    pub known: u64,
    /// Compressed files that could be read only in part, and why: what stands before the damage is stored.
    pub damaged: Vec<(PathBuf, String)>,
}

/// How far it is: called often, cheap to ignore.
pub trait Progress {
    /// Bytes looked at to know a file again.
    fn identified(&mut self, bytes: u64);
    /// Decompressed bytes that will be stored, known before the first is.
    fn total(&mut self, bytes: u64);
    /// Bytes handed to the store.
    fn stored(&mut self, bytes: u64);
}

/// A file with something new in it.
struct Lane {
    path: PathBuf,
    cluster: String,
    source: SourceId,
    version: u32,
    tracker: Tracker,
    definition: SourceDefinition,
    /// Time of its next record, as far as known.
    next: Option<Micros>,
    reader: Option<Reader>,
    feed: Feed,
    /// Only for times.
    parser: Parser,
    times: VecDeque<Option<Micros>>,
    ended: bool,
}

/// Imports files. Everything is durable when it returns. Where a running tail reads the same content, what it was faster with is looked up again.
pub fn import(files: &[Wanted], ship: &dyn Ship, redactor: &Redactor, progress: &mut dyn Progress) -> Result<Imported, CollectError> {
    let mut done = Imported::default();
    for _ in 1..ATTEMPTS_MAX {
        match attempt(files, ship, redactor, progress, &mut done) {
            Err(CollectError::Ship { source: ShipError::Position { .. }, .. }) => {
                (done.files, done.known) = (0, 0);
                done.damaged.clear();
            }
            ended => return ended.map(|()| done),
        }
    }
    attempt(files, ship, redactor, progress, &mut done).map(|()| done)
}

fn attempt(
    files: &[Wanted],
    ship: &dyn Ship,
    redactor: &Redactor,
    progress: &mut dyn Progress,
    done: &mut Imported,
) -> Result<(), CollectError> {
    let mut lanes = lanes(files, ship, redactor, progress, done)?;
    let mut in_flight: VecDeque<(PathBuf, Box<dyn Shipped>)> = VecDeque::new();
    let several = lanes.len() > 1;
    for lane in &mut lanes {
        if several {
            lane.peek()?;
        }
    }
    // The lane whose next record is the earliest goes on. A lane without a time goes at once: it holds nobody back.
    while let Some(i) = (0..lanes.len()).min_by_key(|i| lanes[*i].next) {
        let others = lanes.iter().enumerate().filter(|(j, _)| *j != i).filter_map(|(_, l)| l.next).min();
        let until = others.map_or(Micros::MAX, |t| t.saturating_add(AHEAD_US));
        let lane = &mut lanes[i];
        let count = lane.fill(several, until, redactor)?;
        if count > 0 {
            let bytes = lane.feed.bytes(count).len() as u64;
            let shipped = lane.ship(count, ship, redactor)?;
            in_flight.push_back((lane.path.clone(), shipped));
            lane.consume(count);
            (done.records, done.bytes) = (done.records + count as u64, done.bytes + bytes);
            progress.stored(bytes);
        }
        if lane.ended && lane.feed.pending() == 0 {
            lanes.swap_remove(i);
        }
        while in_flight.len() > IN_FLIGHT_MAX {
            wait(in_flight.pop_front())?;
        }
    }
    while !in_flight.is_empty() {
        wait(in_flight.pop_front())?;
    }
    Ok(())
}

fn wait(oldest: Option<(PathBuf, Box<dyn Shipped>)>) -> Result<(), CollectError> {
    oldest.map_or(Ok(()), |(path, shipped)| shipped.wait().map_err(CollectError::ship(&path)))
}

/// Reads every file once, and opens a lane for each that has something new.
fn lanes(
    files: &[Wanted],
    ship: &dyn Ship,
    redactor: &Redactor,
    progress: &mut dyn Progress,
    done: &mut Imported,
) -> Result<Vec<Lane>, CollectError> {
    let key = ship.identity_key();
    let mut readings = Vec::with_capacity(files.len());
    for file in files {
        let known = ship.known(&file.definition.cluster);
        let reading = identify::read(&file.path, &key, known, true, &mut |n| progress.identified(n))?;
        match &reading.damage {
            Some(why) if file.whole => return Err(CollectError::Damaged { path: file.path.clone(), why: why.clone() }),
            Some(why) => done.damaged.push((file.path.clone(), why.clone())),
            None => {}
        }
        readings.push(reading);
    }
    let paths: Vec<&Path> = files.iter().map(|f| f.path.as_path()).collect();
    let (firsts, probes): (Vec<_>, Vec<_>) = readings.into_iter().map(|r| (r.first, r.probe)).unzip();
    let held = identify::held_by_another(&paths, &probes, &key)?;
    let mut lanes = Vec::new();
    let mut total = 0;
    for (i, file) in files.iter().enumerate() {
        if held[i].is_some() {
            done.known += 1;
            continue;
        }
        let definition = voted(&file.definition, &file.path, &firsts[i]);
        let (source, version) = ship.define(&definition).map_err(CollectError::ship(&file.path))?;
        let (tracker, source, version) = match identify::identify(&file.path, &probes[i], Growth::Ended, Some(source), ship, redactor)? {
            Identity::Contained(_) => {
                done.known += 1;
                continue;
            }
            Identity::New(tracker) => (*tracker, source, version),
            Identity::Known(Known { source, definition_version, .. }, tracker) => (*tracker, source, definition_version),
        };
        if probes[i].length > tracker.position() {
            done.files += 1;
            total += probes[i].length - tracker.position();
            lanes.push(Lane::new(file.path.clone(), definition, (source, version), tracker));
        }
    }
    progress.total(total);
    Ok(lanes)
}

/// The definition with the product that the first bytes vote for.
pub(crate) fn voted(definition: &SourceDefinition, path: &Path, first: &[u8]) -> SourceDefinition {
    let path_text = path.to_string_lossy();
    let vote = parse::vote(first, definition.component.as_deref(), Some(&path_text));
    SourceDefinition { voted: vote.map(str::to_owned), path: Some(path_text.into_owned()), ..definition.clone() }
}

impl Lane {
    fn new(path: PathBuf, definition: SourceDefinition, (source, version): (SourceId, u32), tracker: Tracker) -> Self {
        let parser = Parser::new(&definition);
        let cluster = definition.cluster.clone();
        let (feed, times) = (Feed::new(), VecDeque::new());
        Self { path, cluster, source, version, tracker, definition, next: None, reader: None, feed, parser, times, ended: false }
    }

    /// The time of the first record, without keeping the file open.
    fn peek(&mut self) -> Result<(), CollectError> {
        let mut reader = open_at(&self.path, self.tracker.position()).map_err(CollectError::io("reading", &self.path))?;
        let mut first = vec![0; identify::VOTE_BYTES];
        let n = read_full(&mut reader, &mut first).map_err(CollectError::io("reading", &self.path))?;
        let (mut feed, mut parser) = (Feed::new(), Parser::new(&self.definition));
        feed.push(&first[..n]);
        feed.scan(End::Closed, &Redactor::default());
        self.next = (0..feed.ready(true)).find_map(|i| {
            let (bytes, flags) = feed.record(i);
            parser.parse(bytes, flags).time
        });
        Ok(())
    }

    /// Reads on until a batch is full, the file ends, or it is ahead of `until`. Gives the number of records of the batch.
    fn fill(&mut self, timed: bool, until: Micros, redactor: &Redactor) -> Result<usize, CollectError> {
        if self.reader.is_none() {
            self.reader = Some(open_at(&self.path, self.tracker.position()).map_err(CollectError::io("reading", &self.path))?);
        }
        loop {
            let ready = self.feed.ready(self.ended);
            if timed {
                self.read_times(ready);
            }
            let fitting = self.feed.fitting(ready);
            let count = if timed { self.before(until, fitting) } else { fitting };
            let more_fits = fitting == ready && self.feed.pending() < CHUNK_BYTES;
            if self.ended || count < fitting || (count > 0 && !more_fits) {
                return Ok(count);
            }
            self.read_chunk(redactor)?;
        }
    }

    fn read_chunk(&mut self, redactor: &Redactor) -> Result<(), CollectError> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let mut buf = vec![0; CHUNK_BYTES];
        let n = read_full(reader, &mut buf).map_err(CollectError::io("reading", &self.path))?;
        self.ended = n < buf.len();
        self.feed.push(&buf[..n]);
        self.feed.scan(if self.ended { End::Closed } else { End::Open }, redactor);
        Ok(())
    }

    fn read_times(&mut self, ready: usize) {
        for i in self.times.len()..ready {
            let (bytes, flags) = self.feed.record(i);
            let time = self.parser.parse(bytes, flags).time;
            self.times.push_back(time);
        }
    }

    /// How many of the first `count` records come before one that is later than `until`; at least one, so that every turn goes on.
    fn before(&self, until: Micros, count: usize) -> usize {
        let late = self.times.iter().take(count).position(|t| t.is_some_and(|t| t > until));
        late.map_or(count, |n| n.max(1))
    }

    fn ship(&mut self, count: usize, ship: &dyn Ship, redactor: &Redactor) -> Result<Box<dyn Shipped>, CollectError> {
        let byte_start = self.tracker.position();
        let stamp = self.tracker.advance(self.feed.bytes(count));
        let records = self.feed.records(count, redactor);
        let batch = Batch {
            cluster: self.cluster.clone(),
            source: self.source,
            definition_version: self.version,
            generation: self.tracker.generation(),
            byte_start,
            stamp,
            agent_time: 0,
            redactor_version: event::redact::REDACTOR_VERSION,
            idempotency_key: [0; 16],
            records,
        };
        ship.ship(batch).map_err(CollectError::ship(&self.path))
    }

    fn consume(&mut self, count: usize) {
        self.feed.consume(count);
        let passed = self.times.drain(..count.min(self.times.len())).flatten().last();
        self.next = self.times.iter().copied().flatten().next().or(passed).or(self.next);
    }
}
