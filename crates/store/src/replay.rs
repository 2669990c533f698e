//! From frames to events, rows and what the observer sees: the same for frames just committed, for those of an earlier run, and for a reader.
//!
//! Owns: the deriver, the definitions as of the frame at hand, and the observer. Frames come in wal_seq order, each once.

use event::{
    Derive, LogClass, RecordMeta, RecordName, Snapshot, derive,
    frame::{Frame, Kind},
    id::OWN_CLUSTER,
};

use crate::{
    Observer, Seen,
    commit::salt::log_salt,
    lake::Place,
    live::Live,
    state::{Sources, own},
};

/// What is done with a frame beside deriving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Its rows are not in the lake.
    pub push: bool,
    /// The observer has not seen it.
    pub show: bool,
    /// It was committed before this start.
    pub replay: bool,
}

/// See the module.
pub struct Replay {
    /// Makes events.
    pub derive: Box<dyn Derive>,
    /// Sees them; none for a reader.
    pub observer: Option<Box<dyn Observer>>,
    /// Definitions up to the frame at hand.
    pub sources: Sources,
    /// The last frame.
    pub at: u64,
}

impl Replay {
    /// One frame. Its rows go to `live`.
    pub fn frame(&mut self, frame: &Frame, live: &Live, to: Use) {
        let h = &frame.header;
        if h.kind == Kind::Records {
            self.records(frame, live, to);
        }
        self.at = h.wal_seq;
        if to.show
            && let Some(observer) = &mut self.observer
        {
            observer.frame(h.wal_seq, to.replay);
        }
    }

    fn records(&mut self, frame: &Frame, live: &Live, to: Use) {
        let h = &frame.header;
        let salts: Vec<[u8; 16]> = frame.logs.iter().map(|l| log_salt(&h.salt, &l.log)).collect();
        let mut names: Vec<RecordName> = frame.logs.iter().map(|l| RecordName { log: l.log.clone(), seq: l.seq }).collect();
        let own = frame.logs.iter().any(|l| l.log.class == LogClass::Own);
        let fallback = event::SourceDefinition {
            cluster: names.first().map_or(OWN_CLUSTER, |n| n.log.cluster.as_str()).to_owned(),
            ..Default::default()
        };
        let definition = self.sources.get(h.source, h.definition_version).unwrap_or(&fallback);
        for record in frame.records() {
            let name = &mut names[record.log];
            name.seq = record.seq;
            let class = name.log.class;
            let meta = RecordMeta {
                source: h.source,
                generation: h.generation,
                byte_start: record.byte_start,
                byte_end: record.byte_end,
                observed_time: Some(h.observed_time),
                agent_time: (h.agent_time != 0).then_some(h.agent_time),
                flags: record.flags,
            };
            let event = self.derive.derive(definition, &meta, class, &*name, record.stored);
            if to.show
                && let Some(observer) = &mut self.observer
            {
                observer.event(&Seen { name, class, meta: &meta, definition, replay: to.replay }, &event);
            }
            if to.push {
                let mut live = live.lock();
                live.fresh.push(&Place { name, meta: &meta, salt: &salts[record.log] }, &event);
                live.rows += 1;
            }
        }
        if own {
            own::records(frame).iter().for_each(|r| self.sources.learn(r));
        }
    }

    /// What the observer must know to go on.
    pub fn observed(&mut self) -> Snapshot {
        self.observer.as_mut().map_or_else(|| derive::snapshot(&()), |o| o.snapshot())
    }
}
