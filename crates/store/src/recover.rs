//! Opening a store: the state after the last start, checked whole before anything is shown or written (FORMAT §2).
//!
//! Owns: where to start from (the lake's snapshot, the observer's snapshot, frames behind them) and what is refused. The frames are read twice:
//! first all of them are checked and the state is made, then they become events again.

use std::{
    fs::{self, File},
    path::Path,
};

use event::{
    Derive,
    frame::{FLAG_MORE, Frame, Kind},
};
use serde_json::Value;

use crate::{
    Observer, StoreError,
    checkpoint::Checkpoint,
    folder::{Folder, io_error, sync_folder},
    lake::Lake,
    live::Live,
    replay::{Replay, Use},
    state::{State, own, snapshot},
    wal::{
        segment::{self, Facts, Segment},
        walk::{Hole, Walk},
    },
};

/// What the lake says of this node.
pub struct Sealed {
    /// Frames up to here are in the lake.
    pub wal_seq: u64,
    /// The state beside the seal, none where it cannot be read.
    pub state: Option<State>,
    /// The deriver behind it.
    pub derive: Option<Value>,
}

impl Sealed {
    /// Asks the lake.
    pub fn of(lake: &Lake) -> Self {
        let lines = lake.snapshot();
        let state = lines.as_deref().and_then(State::from_lines).filter(|s| s.at <= lake.sealed());
        let derive = lines.as_deref().and_then(snapshot::derive_of).filter(|_| state.is_some());
        Self { wal_seq: lake.sealed(), state, derive }
    }
}

/// What was found, before anything is shown to anybody.
pub struct Found {
    /// The state behind the last good frame.
    pub state: State,
    /// The segments.
    pub facts: Vec<Facts>,
    /// Frames below what is sealed that cannot be read.
    pub holes: Vec<Hole>,
    /// Bytes of frames that were never acknowledged.
    pub torn_bytes: u64,
    /// The observer's snapshot.
    pub checkpoint: Option<Checkpoint>,
    /// Findings that were said behind it.
    said: Vec<Value>,
}

/// Reads all frames that matter and makes the state. Changes nothing on disk.
pub fn find(folder: &Folder, segments: &[Segment], sealed: &Sealed) -> Result<Found, StoreError> {
    refuse_missing(folder, segments, sealed)?;
    let newest = Checkpoint::newest(&folder.detect())?;
    let seen = newest.as_ref().map_or(0, |c| c.wal_seq);
    let known = sealed.state.as_ref().map_or(0, |s| s.at);
    let mut maker = Maker {
        state: sealed.state.clone().or_else(|| (sealed.wal_seq == 0).then(State::default)),
        part: Vec::new(),
        seen,
        said: Vec::new(),
    };
    let walk = Walk { segments, after: seen.min(known), sealed: sealed.wal_seq, beside_writer: false };
    let walked = walk.frames(&mut |frame| maker.frame(frame))?;
    let state = maker.state.take().ok_or_else(|| StoreError::Damaged {
        path: folder.lake(),
        what: "no snapshot beside the last seals can be read, and none in the log of frames".to_owned(),
        next: "put lake/events/_bartizan back from a backup".to_owned(),
    })?;
    refuse_older(folder, walked.last, sealed.wal_seq, "the lake holds")?;
    refuse_older(folder, walked.last, seen, "state/detect knows")?;
    if state.oldest > 0 && segments.first().is_some_and(|s| s.first > state.oldest) {
        return Err(missing(&folder.wal(), state.oldest));
    }
    Ok(Found { state, facts: walked.facts, holes: walked.holes, torn_bytes: walked.torn_bytes, checkpoint: newest, said: maker.said })
}

fn missing(wal: &Path, first: u64) -> StoreError {
    StoreError::Damaged {
        path: wal.to_owned(),
        what: format!("the segment with frame {first} is missing"),
        next: "put it back; if it is gone, keep this folder as it is, start with a new one and import the logs again from their files"
            .to_owned(),
    }
}

/// A log of frames that is gone while the lake knows frames, or that begins behind what the lake knows.
fn refuse_missing(folder: &Folder, segments: &[Segment], sealed: &Sealed) -> Result<(), StoreError> {
    let needed = sealed.state.as_ref().map_or(1, |s| s.at + 1);
    match segments.first() {
        None if sealed.wal_seq == 0 => Ok(()),
        None => Err(missing(&folder.wal(), sealed.wal_seq + 1)),
        Some(first) if first.first > needed && (sealed.state.is_some() || sealed.wal_seq == 0) => Err(missing(&folder.wal(), needed)),
        Some(_) => Ok(()),
    }
}

fn refuse_older(folder: &Folder, last: u64, known: u64, who: &str) -> Result<(), StoreError> {
    if last >= known {
        return Ok(());
    }
    Err(StoreError::Damaged {
        path: folder.wal(),
        what: format!("it ends with frame {last}, and {who} frames up to {known}"),
        next: "it was cut or is older than the rest of the store: put wal/ back as it was, or restore the whole folder from one backup"
            .to_owned(),
    })
}

/// Makes the state from frames.
struct Maker {
    /// None until a snapshot says what was before the first frame.
    state: Option<State>,
    /// A snapshot that goes on in the next frame.
    part: Vec<u8>,
    seen: u64,
    said: Vec<Value>,
}

impl Maker {
    fn frame(&mut self, frame: &Frame) -> Result<(), StoreError> {
        let h = &frame.header;
        match &mut self.state {
            Some(state) if h.wal_seq > state.at => state.replay(frame).map_err(|what| StoreError::Damaged {
                path: "wal".into(),
                what,
                next: "the log of frames contradicts itself: keep this folder, start with a new one and import the logs again".to_owned(),
            })?,
            Some(_) => {}
            None if h.kind == Kind::Snapshot => {
                self.part.extend_from_slice(&frame.plain);
                if h.flags & FLAG_MORE == 0 {
                    self.state = State::from_lines(&self.part);
                    if let Some(state) = &mut self.state {
                        state.number(h);
                    }
                    self.part.clear();
                }
            }
            None => self.part.clear(),
        }
        if h.wal_seq > self.seen {
            let findings = own::records(frame).into_iter().filter(|r| r["kind"] == "finding");
            self.said.extend(findings.map(own::said));
        }
        Ok(())
    }
}

/// Where both replays begin: the older of what the lake and the observer know, with the deriver as it was there.
struct Start {
    after: u64,
    derive: Option<Value>,
    /// The deriver as it was behind this frame, where the start is older and knows nothing of it.
    again: Option<(u64, Value)>,
}

fn start(sealed: &Sealed, checkpoint: Option<&Checkpoint>) -> Start {
    let known = sealed.state.as_ref().map_or(0, |s| s.at);
    let lake = || sealed.derive.clone();
    match checkpoint {
        Some(c) if c.wal_seq < known => Start { after: c.wal_seq, derive: Some(c.derive.clone()), again: None },
        Some(_) => Start { after: known, derive: lake(), again: None },
        // Whoever has seen nothing sees all frames that are there, and rows become again what they were.
        None => Start { after: 0, derive: None, again: lake().map(|d| (known, d)) },
    }
}

/// Shows the frames again: rows that are not in the lake, events that the observer has not seen. Both by one run of the deriver.
pub fn replay(
    found: &Found,
    sealed: &Sealed,
    mut derive: Box<dyn Derive>,
    mut observer: Box<dyn Observer>,
    live: &Live,
) -> Result<Replay, StoreError> {
    let seen = found.checkpoint.as_ref().map_or(0, |c| c.wal_seq);
    let start = start(sealed, found.checkpoint.as_ref());
    if let Some(state) = &start.derive {
        derive.restore(state);
    }
    observer.restore(found.checkpoint.as_ref().map(|c| &c.observer), &found.said);
    // Definitions of frames ahead of the state's own frames are in it; those behind are learned as they come.
    let sources = sealed.state.as_ref().map(|s| s.sources.clone()).unwrap_or_else(|| found.state.sources.clone());
    let mut replay = Replay { derive, observer: Some(observer), sources, at: start.after };
    let segments: Vec<Segment> = found.facts.iter().map(|f| f.segment.clone()).collect();
    let walk = Walk { segments: &segments, after: start.after, sealed: sealed.wal_seq, beside_writer: false };
    let mut again = start.again;
    walk.frames(&mut |frame| {
        let at = frame.header.wal_seq;
        if let Some((_, state)) = again.take_if(|(known, _)| at > *known) {
            replay.derive.restore(&state);
        }
        replay.frame(frame, live, Use { push: at > sealed.wal_seq, show: at > seen, replay: true });
        Ok(())
    })?;
    replay.at = found.state.at;
    live.change(|l| l.seen = found.state.at);
    Ok(replay)
}

/// What the disk must hold before a new run begins: the last segments synced (their frames are called durable from now on), their zeros cut
/// off, those that a durable frame let go unlinked, damaged ones copied aside.
pub fn settle(folder: &Folder, found: &mut Found) -> Result<(), StoreError> {
    for hole in &found.holes {
        let name = hole.path.file_name().unwrap_or_default();
        let aside = folder.quarantine().join(name);
        fs::copy(&hole.path, &aside).map_err(io_error("copying into quarantine", &hole.path))?;
        tracing::error!(segment = %hole.path.display(), from = hole.from, to = hole.to, "frames that are in the lake cannot be read; the segment is in quarantine/");
    }
    let (gone, mut kept): (Vec<Facts>, Vec<Facts>) = std::mem::take(&mut found.facts).into_iter().partition(|f| {
        // Only whole segments below `oldest` go: the one that holds it begins with it.
        f.segment.first < found.state.oldest
    });
    for facts in &gone {
        fs::remove_file(&facts.segment.path).map_err(io_error("removing", &facts.segment.path))?;
    }
    for facts in kept.iter_mut().filter(|f| f.good_end.is_some()) {
        let path = &facts.segment.path;
        File::open(path).and_then(|f| f.sync_all()).map_err(io_error("syncing", path))?;
        facts.bytes = segment::cut_zeros(facts)?;
    }
    if !gone.is_empty() {
        sync_folder(&folder.wal())?;
    }
    found.facts = kept;
    Ok(())
}
