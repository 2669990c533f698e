//! The lake: a Delta Lake table of Parquet files (FORMAT §3), and the rows on their way into it.
//!
//! Owns: the schema, row builders, Parquet files, durable commits, the list of files. Knows nothing of the WAL.

mod chunk;
mod durable;
mod file;
mod fresh;
mod log;
mod names;
mod read;
mod schema;
mod seal;
mod snapshot;
mod table;

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use event::{Generation, LogClass, LogName, NodeId, RecordMeta, RecordName};

pub use fresh::Fresh;
use seal::Sealer;
use snapshot::Snapshots;
use table::{Author, Committed, State, Table};

use crate::StoreError;

/// A checkpoint after so many commits.
const CHECKPOINT_COMMITS: u64 = 100;
/// How often a commit that other writers overtook is tried again.
const ATTEMPTS_MAX: usize = 64;
/// A file of our logs that the table does not name may still belong to a reader of an older version, for so long.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// At most so many stored bytes are read to compare a file with what is known of it.
const RECORDS_BYTES_MAX: usize = 1 << 30;

/// A row on its way.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// Its name.
    pub name: &'p RecordName,
    /// Its place in its source.
    pub meta: &'p RecordMeta,
    /// The log salt of its frame (FORMAT §5).
    pub salt: &'p [u8; 16],
}

/// One file of the table.
#[derive(Debug, Clone)]
pub struct LakeFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// Partition.
    pub cluster: String,
    /// Partition.
    pub class: LogClass,
    /// Partition: days since 1970-01-01.
    pub day: i32,
    /// Exact bounds of `time`, where there are any.
    pub time: Option<(i64, i64)>,
    /// Exact bounds of the arrival.
    pub observed_time: Option<(i64, i64)>,
    /// The run that wrote it; 0 if another writer did.
    pub run: u64,
    /// SHA-256 of the file as hex, where the log says it.
    pub sha256: Option<String>,
    /// The records in it; none if another writer made the file.
    pub range: Option<Range>,
}

/// Consecutive records of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The log.
    pub log: LogName,
    /// The first.
    pub first_seq: u64,
    /// The last, included.
    pub last_seq: u64,
}

/// The table, open. Only one process at a time may write for a node: it holds the store's lock.
#[derive(Debug)]
pub struct Lake {
    folder: PathBuf,
    node: NodeId,
    run: u64,
    /// None for a reader that found no table.
    table: Option<Table>,
    writes: bool,
    log: log::Log,
    snapshots: Snapshots,
    state: State,
    next_file: u64,
    checkpoint: u64,
    file_bytes: u64,
    #[cfg(test)]
    stop_before: Option<Step>,
}

/// The steps of a seal, each on top of what the one before made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Commit,
    Committed,
    Checkpoint,
}

impl Lake {
    /// Opens or makes the table under `<data>/lake/events`; a torn last commit goes to `<data>/quarantine`. The run is raised above every run of
    /// this node that the table knows: see [`Lake::run`].
    pub fn open(data: &Path, node: NodeId, run: u64) -> Result<Self, StoreError> {
        let folder = folder(data);
        let io_error = |doing| move |source| StoreError::Io { doing, path: self::folder(data), source };
        durable::make_folders(&folder).map_err(io_error("making the folder"))?;
        let snapshots = Snapshots::new(&folder, node);
        clear(&snapshots.drafts).map_err(io_error("removing drafts in"))?;
        let log = log::Log::new(&folder, data);
        log.set_aside_torn()?;
        let table = Table::new(&folder, snapshots.drafts.clone())?;
        if !log.exists() {
            table.create()?;
        }
        let state = match table.load() {
            Ok(state) => state,
            Err(e) => match log.set_aside_checkpoint()? {
                Some(_) => table.load()?,
                None => return Err(e),
            },
        };
        let ours = state.files.iter().filter(|f| f.range.as_ref().is_some_and(|r| r.log.node == node));
        let known = ours.map(|f| f.run).max().unwrap_or_default().max(snapshots.run());
        let run = run.max(known + 1);
        let lake = Self { run, table: Some(table), writes: true, state, ..Self::without_table(data, node) };
        lake.remove_unnamed(GRACE)?;
        Ok(lake)
    }

    /// Opens the table to read beside a process that may be writing to it: makes nothing, repairs nothing. A missing table is an empty one.
    /// `node` is whose `txn` [`Self::sealed`] tells.
    pub fn open_read_only(data: &Path, node: NodeId) -> Result<Self, StoreError> {
        let empty = Self::without_table(data, node);
        if !empty.log.exists() {
            return Ok(empty);
        }
        let table = Table::new(&empty.folder, empty.snapshots.drafts.clone())?;
        Ok(Self { state: table.load()?, table: Some(table), ..empty })
    }

    fn without_table(data: &Path, node: NodeId) -> Self {
        let folder = folder(data);
        let log = log::Log::new(&folder, data);
        Self {
            node,
            run: 0,
            table: None,
            writes: false,
            checkpoint: log.checkpoint(),
            log,
            snapshots: Snapshots::new(&folder, node),
            state: State::default(),
            next_file: 0,
            file_bytes: seal::FILE_BYTES_SOFT,
            folder,
            #[cfg(test)]
            stop_before: None,
        }
    }

    /// This run: what was asked for, or more if the table knew of later ones. Names of WAL segments must use it.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The `wal_seq` up to which this node's frames are in the table; 0 if none is (frames count from 1).
    pub fn sealed(&self) -> u64 {
        self.state.sealed.get(&self.node).copied().unwrap_or_default()
    }

    /// The same for every node.
    pub fn sealed_by_node(&self) -> &BTreeMap<NodeId, u64> {
        &self.state.sealed
    }

    /// The table's version.
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// The snapshot (JSON Lines) that lies beside the last seal, or the one of the seal before where that does not check; none if neither does.
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        self.snapshots.newest(self.sealed()).map(|f| f.lines)
    }

    /// Seals everything in `fresh`, which holds all rows above [`Self::sealed`] up to `wal_seq`: files, snapshot, one commit. Gives the table's
    /// version. On an error `fresh` keeps its rows and the same call may be made again later (a full disk passes): if the commit came to be in
    /// spite of the error, that call finds it.
    pub fn seal(&mut self, fresh: &mut Fresh, wal_seq: u64, snapshot: &[u8]) -> Result<u64, StoreError> {
        if !self.writes {
            return Err(self.failed("sealing into", "it was opened to read"));
        }
        if wal_seq <= self.sealed() {
            return Ok(self.state.version);
        }
        let mut sealer = Sealer {
            folder: &self.folder,
            drafts: &self.snapshots.drafts,
            run: self.run,
            next_file: &mut self.next_file,
            file_bytes: self.file_bytes,
        };
        let placed = sealer.write(fresh)?;
        if let Err(source) = self.snapshots.write(self.run, wal_seq, snapshot) {
            sealer.discard(&placed);
            return Err(StoreError::Io { doing: "writing a snapshot below", path: self.folder.clone(), source });
        }
        self.reach(Step::Commit)?;
        let version = self.commit(wal_seq, placed)?;
        self.reach(Step::Committed)?;
        if let Err(e) = self.snapshots.trim(wal_seq) {
            tracing::warn!(error = %e, "removing an old snapshot of the lake");
        }
        if version.saturating_sub(self.checkpoint) >= CHECKPOINT_COMMITS {
            self.reach(Step::Checkpoint)?;
            // Without it the table opens slower, no more: the next commit tries again.
            match self.table.as_ref().map(Table::checkpoint) {
                Some(Ok(())) | None => self.checkpoint = version,
                Some(Err(e)) => tracing::warn!(error = %e, "the lake goes on without a new checkpoint"),
            }
        }
        Ok(version)
    }

    fn commit(&mut self, wal_seq: u64, placed: Vec<seal::Placed>) -> Result<u64, StoreError> {
        let Some(table) = self.table.take() else { return Err(self.failed("committing to", "there is no table")) };
        let done = self.commit_to(&table, wal_seq, placed);
        self.table = Some(table);
        done
    }

    fn commit_to(&mut self, table: &Table, wal_seq: u64, placed: Vec<seal::Placed>) -> Result<u64, StoreError> {
        let author = Author { node: self.node, run: self.run, wal_seq };
        let before = self.sealed();
        for _ in 0..ATTEMPTS_MAX {
            let version = self.state.version + 1;
            let adds = placed.iter().map(|p| p.add.clone()).collect();
            if table.commit(version, &author, adds)? == Committed::Yes {
                self.state.version = version;
                self.state.files.extend(placed.into_iter().map(|p| p.file));
                self.state.sealed.insert(self.node, wal_seq);
                return Ok(version);
            }
            self.refresh_from(table)?;
            if self.sealed() >= wal_seq {
                return Ok(self.state.version);
            }
            if self.sealed() != before {
                let other = format!("another process of node {} sealed up to {} meanwhile", self.node, self.sealed());
                return Err(StoreError::Stopped(other));
            }
        }
        Err(self.failed("committing to", &format!("other writers were faster {ATTEMPTS_MAX} times")))
    }

    /// Takes in what others have committed. An error if a later run of this node has: two processes hold one node's identity.
    pub fn refresh(&mut self) -> Result<(), StoreError> {
        let Some(table) = self.table.take() else { return Ok(()) };
        let done = self.refresh_from(&table);
        self.table = Some(table);
        done
    }

    fn refresh_from(&mut self, table: &Table) -> Result<(), StoreError> {
        let newer = self.log.writers_above(self.state.version);
        let rival = newer.iter().filter(|w| self.writes && w.node == self.node && w.run > self.run).map(|w| w.run).max();
        if let Some(rival) = rival {
            return Err(StoreError::Stopped(format!("run {rival} of node {} writes to the lake, and this is run {}", self.node, self.run)));
        }
        self.state = table.load()?;
        Ok(())
    }

    /// The files of the newest version known.
    pub fn files(&self) -> Vec<LakeFile> {
        self.state.files.clone()
    }

    /// The files' columns, without the partitions.
    pub fn columns() -> arrow::datatypes::SchemaRef {
        schema::files()
    }

    /// Sealed records of a generation that end behind `from`, in order: byte_start, byte_end, stored bytes.
    pub fn records_behind(&self, generation: Generation, from: u64) -> Result<Vec<(u64, u64, Vec<u8>)>, StoreError> {
        read::records_behind(&self.state.files, generation, from, RECORDS_BYTES_MAX)
    }

    fn failed(&self, doing: &'static str, why: &str) -> StoreError {
        StoreError::Lake { doing, path: self.folder.clone(), why: why.to_owned() }
    }

    /// Unlinks data files of this node's logs that the table does not name and that are old enough: what a crash before the commit left.
    fn remove_unnamed(&self, grace: Duration) -> Result<(), StoreError> {
        let failed = |doing: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { doing, path, source }
        };
        let named: HashSet<&Path> = self.state.files.iter().map(|f| f.path.as_path()).collect();
        let now = SystemTime::now();
        for path in log::data_files(&self.folder).map_err(failed("listing", &self.folder))? {
            let name = path.to_str().and_then(names::FileName::parse);
            if named.contains(path.as_path()) || name.is_none_or(|n| n.log.node != self.node) {
                continue;
            }
            let changed = path.metadata().and_then(|m| m.modified()).map_err(failed("reading", &path))?;
            if now.duration_since(changed).is_ok_and(|age| age > grace) {
                fs::remove_file(&path).map_err(failed("removing", &path))?;
                tracing::info!(file = %path.display(), "removed a file that never came into the lake");
            }
        }
        Ok(())
    }

    #[cfg(test)]
    fn reach(&self, step: Step) -> Result<(), StoreError> {
        match self.stop_before {
            Some(stop) if stop == step => Err(StoreError::Stopped(format!("by a test, before {step:?}"))),
            _ => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests stop here")]
    fn reach(&self, _step: Step) -> Result<(), StoreError> {
        Ok(())
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("lake").join("events")
}

/// Empties a folder of drafts.
fn clear(drafts: &Path) -> std::io::Result<()> {
    if drafts.is_dir() { fs::remove_dir_all(drafts) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
