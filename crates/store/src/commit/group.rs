//! A group under construction: frames get their numbers, and the answers wait until it is on the disk.

use std::mem;

use event::{
    LogName, Micros, NodeId, SourceId,
    frame::{Assigned, Encoded, Header, Kind, RecordIn, encode_plain, encode_records},
    id::OWN_CLUSTER,
    limits::CLUSTERS_MAX,
};

use super::{
    queue::{Ack, Item, Reply, SubmitError},
    salt::FrameSalt,
};
use crate::{
    StoreError,
    init::random,
    state::{Check, Sources, State, own},
};

/// An answer that waits for the sync.
enum Answer {
    Batch(Reply<Ack>, Result<Ack, SubmitError>),
    Defined(Reply<(SourceId, u32)>, Result<(SourceId, u32), SubmitError>),
}

/// Frames of one sync.
pub(super) struct Group {
    run: u64,
    observed: Micros,
    bytes: Vec<u8>,
    last: u64,
    durable: Option<u64>,
    frames: u64,
    records: u64,
    repeated: u64,
    answers: Vec<Answer>,
}

fn unbuilt(e: &event::frame::EncodeError) -> StoreError {
    StoreError::Limit(e.to_string())
}

impl Group {
    pub fn new(run: u64, observed: Micros) -> Self {
        Self { run, observed, bytes: Vec::new(), last: 0, durable: None, frames: 0, records: 0, repeated: 0, answers: Vec::new() }
    }
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    pub fn observed(&self) -> Micros {
        self.observed
    }
    /// Number of the last frame.
    pub fn last(&self) -> u64 {
        self.last
    }
    pub fn frames(&self) -> u64 {
        self.frames
    }
    pub fn records(&self) -> u64 {
        self.records
    }
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Numbers a frame and appends it. The highest frame known synced is the last of the group ahead, for every frame of this one.
    fn push(&mut self, state: &mut State, mut frame: Encoded, salt: [u8; 16], header: &mut Header) -> Vec<u64> {
        let durable = *self.durable.get_or_insert(state.at);
        let given = Assigned { run: self.run, wal_seq: state.at + 1, durable, observed_time: self.observed, salt };
        (header.run, header.wal_seq, header.durable, header.observed_time, header.salt) =
            (given.run, given.wal_seq, given.durable, given.observed_time, given.salt);
        let first: Vec<u64> = frame.logs().map(|(log, _)| state.next(log)).collect();
        let next = frame.logs().zip(&first).map(|((_, n), first)| first + n).collect();
        self.bytes.extend_from_slice(frame.assign(&given, first));
        self.last = given.wal_seq;
        self.frames += 1;
        next
    }

    /// A frame that holds no records.
    pub fn plain(&mut self, state: &mut State, kind: Kind, flags: u8, plain: &[u8]) -> Result<(), StoreError> {
        let mut header = Header { kind, flags, ..Header::default() };
        let frame = encode_plain(&header, plain).map_err(|e| unbuilt(&e))?;
        self.push(state, frame, [0; 16], &mut header);
        state.number(&header);
        Ok(())
    }

    /// One frame of our own records.
    pub fn own(&mut self, state: &mut State, node: NodeId, salt: &mut FrameSalt, records: &[Vec<u8>]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let log = [LogName::own(node)];
        let columns: Vec<RecordIn<'_>> =
            records.iter().map(|r| RecordIn { original_len: 0, log: 0, flags: Default::default(), stored: r }).collect();
        let mut header = Header::default();
        let frame = encode_records(&header, &log, &[], &columns).map_err(|e| unbuilt(&e))?;
        let salt = salt.next(records.len() as u64, self.observed)?;
        let next = self.push(state, frame, salt, &mut header);
        state.records(&header, log.iter().zip(next), &[]);
        self.records += records.len() as u64;
        Ok(())
    }

    /// What a source sends.
    pub fn item(&mut self, state: &mut State, node: NodeId, salt: &mut FrameSalt, item: Item) -> Result<(), StoreError> {
        match item {
            Item::Define { definition, reply } => {
                let answer = self.define(state, node, salt, *definition)?;
                self.answers.push(Answer::Defined(reply, answer));
            }
            Item::Records { frame, mut header, marks, reply } => {
                let answer = match state.check(&header) {
                    Check::Refuse(stored) => Err(SubmitError::Position { stored }),
                    Check::Stored(stored) => {
                        self.repeated += 1;
                        Ok(Ack { wal_seq: None, stored })
                    }
                    Check::Take => {
                        let logs: Vec<(LogName, u64)> = frame.logs().map(|(log, n)| (log.clone(), n)).collect();
                        let records = logs.iter().map(|(_, n)| n).sum();
                        let salt = salt.next(records, self.observed)?;
                        let next = self.push(state, frame, salt, &mut header);
                        state.records(&header, logs.iter().map(|(log, _)| log).zip(next), &marks);
                        self.records += records;
                        Ok(Ack { wal_seq: Some(header.wal_seq), stored: header.byte_end })
                    }
                };
                self.answers.push(Answer::Batch(reply, answer));
            }
        }
        Ok(())
    }

    /// Finds the source by its place, and writes its definition if that is news.
    fn define(
        &mut self,
        state: &mut State,
        node: NodeId,
        salt: &mut FrameSalt,
        definition: event::SourceDefinition,
    ) -> Result<Result<(SourceId, u32), SubmitError>, StoreError> {
        let (id, version) = match state.sources.find(&definition) {
            Some((id, Some(version))) => return Ok(Ok((id, version))),
            Some((id, None)) => (id, state.sources.newest(id).map_or(1, |(v, _)| v + 1)),
            None => (SourceId(random()?), 1),
        };
        let cluster = &definition.cluster;
        let mut clusters: std::collections::BTreeSet<&str> = state.sources.iter().map(|(_, _, d)| d.cluster.as_str()).collect();
        clusters.extend(state.logs.keys().map(|l| l.cluster.as_str()).filter(|c| *c != OWN_CLUSTER));
        if !clusters.contains(cluster.as_str()) && clusters.len() >= CLUSTERS_MAX {
            return Ok(Err(SubmitError::Clusters(cluster.clone())));
        }
        let record = own::stored(crate::state::SOURCE, Sources::line(id, version, &definition));
        self.own(state, node, salt, &[record])?;
        state.sources.set(id, version, definition);
        Ok(Ok((id, version)))
    }

    /// The group is on the disk: everybody gets his answer. Gives its bytes.
    pub fn acknowledge(mut self) -> Vec<u8> {
        for answer in mem::take(&mut self.answers) {
            // Nobody may be waiting any more: that is no error.
            let _ = match answer {
                Answer::Batch(reply, answer) => reply.try_send(answer).is_ok(),
                Answer::Defined(reply, answer) => reply.try_send(answer).is_ok(),
            };
        }
        mem::take(&mut self.bytes)
    }

    /// The group did not reach the disk: nobody is told that it did.
    pub fn refuse(self, why: &str) {
        for answer in self.answers {
            let stopped = SubmitError::Stopped(why.to_owned());
            let _ = match answer {
                Answer::Batch(reply, _) => reply.try_send(Err(stopped)).is_ok(),
                Answer::Defined(reply, _) => reply.try_send(Err(stopped)).is_ok(),
            };
        }
    }
}
