//! Reading a store without its lock, beside nobody or beside a writer: lake and WAL as they are now.
//!
//! Must never write. The border between the two is the lake's `txn`, so no row is in both.

use std::{path::Path, sync::Arc, time::Duration};

use event::{Derive, NodeId};

use crate::{
    StoreError,
    folder::Folder,
    init,
    lake::Lake,
    live::{Live, Moment},
    recover::Sealed,
    replay::{Replay, Use},
    wal::{segment, walk::Walk},
};

/// A writer may seal and let segments go while we look; then we look again, this often.
const TRIES: usize = 5;
/// How long it waits before it looks again at what seems broken.
const PAUSE: Duration = Duration::from_millis(20);

/// A store at one moment.
#[derive(Debug)]
pub struct View {
    /// The node.
    pub node: NodeId,
    /// Files and rows.
    pub moment: Moment,
    /// Frames up to here are in the files.
    pub sealed: u64,
    /// Frames up to here are in files or rows.
    pub last: u64,
    /// Why records that were acknowledged are missing here: the log of frames is damaged.
    pub missing: Option<String>,
    lake: Lake,
}

impl View {
    /// Reads lake and WAL.
    pub fn open(dir: &Path, derive: impl Fn() -> Box<dyn Derive>) -> Result<Self, StoreError> {
        let folder = Folder::new(dir);
        let node = init::node(&folder)?;
        for _ in 1..TRIES {
            match Self::once(&folder, node, derive()) {
                // A segment went away under our hands, or the lake moved on between two looks.
                Ok(None) => {}
                Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                // Beside a writer a frame may look broken that was just being written; then it is whole at the next look.
                Ok(Some(view)) if view.missing.is_some() => std::thread::sleep(PAUSE),
                Ok(Some(view)) => return Ok(view),
                Err(e) => return Err(e),
            }
        }
        Self::once(&folder, node, derive())?.ok_or_else(|| StoreError::Damaged {
            path: folder.wal(),
            what: "frames behind the last seal are missing".to_owned(),
            next: "ask the running server through its socket; if none runs, start `bartizan serve` once: it says what is wrong".to_owned(),
        })
    }

    fn once(folder: &Folder, node: NodeId, mut derive: Box<dyn Derive>) -> Result<Option<Self>, StoreError> {
        let lake = Lake::open_read_only(folder.root(), node)?;
        let sealed = Sealed::of(&lake);
        let segments = segment::list(&folder.wal())?;
        if segments.first().is_some_and(|s| s.first > sealed.wal_seq + 1) {
            return Ok(None);
        }
        let known = sealed.state.as_ref().map_or(0, |s| s.at);
        if let Some(state) = &sealed.derive {
            derive.restore(state);
        }
        let live = Live::default();
        live.change(|l| l.files = Arc::new(lake.files()));
        let sources = sealed.state.unwrap_or_default().sources;
        let mut replay = Replay { derive, observer: None, sources, at: known };
        let walk = Walk { segments: &segments, after: known.min(sealed.wal_seq), sealed: sealed.wal_seq, beside_writer: true };
        let walked = walk.frames(&mut |frame| {
            let push = frame.header.wal_seq > sealed.wal_seq;
            replay.frame(frame, &live, Use { push, show: false, replay: true });
            Ok(())
        })?;
        Ok(Some(Self {
            node,
            moment: live.moment(),
            sealed: sealed.wal_seq,
            last: walked.last.max(sealed.wal_seq),
            missing: walked.doubt,
            lake,
        }))
    }

    /// The lake, for what its files do not say.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }
}

/// Opens a store to read: `derive` makes a new deriver for every look.
pub fn open_read_only(dir: &Path, derive: impl Fn() -> Box<dyn Derive>) -> Result<View, StoreError> {
    View::open(dir, derive)
}
