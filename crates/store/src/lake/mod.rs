//! The lake: a Delta Lake table of Parquet files (FORMAT §3), and the rows on their way into it.
//!
//! Owns: the schema, row builders, Parquet files, durable commits, the list of files. Knows nothing of the WAL.

use std::path::Path;

use arrow::array::RecordBatch;
use event::{Event, Generation, LogClass, NodeId, RecordMeta, RecordName};

use crate::StoreError;

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

/// Rows that are not sealed yet, by log, each log in `seq` order. Queries read them beside the files.
#[derive(Debug, Default)]
pub struct Fresh {}

impl Fresh {
    /// Appends one row.
    pub fn push(&mut self, _place: &Place<'_>, _event: &Event<'_>) {}
    /// Stored bytes of the rows.
    pub fn bytes(&self) -> u64 {
        0
    }
    /// Rows.
    pub fn rows(&self) -> u64 {
        0
    }
    /// Observed time of the oldest row of a class other than `self`; of any row.
    pub fn oldest(&self, _class_is_own: bool) -> Option<event::Micros> {
        None
    }
    /// The rows as batches with the partition columns behind the file columns. Cheap to ask again: finished chunks are shared.
    pub fn batches(&mut self) -> Vec<RecordBatch> {
        Vec::new()
    }
}

/// One file of the table.
#[derive(Debug, Clone)]
pub struct LakeFile {
    /// Where it lies.
    pub path: std::path::PathBuf,
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
    /// Exact bounds of `time` and `observed_time`, where there are any.
    pub time: Option<(i64, i64)>,
    /// Exact bounds of the arrival.
    pub observed_time: Option<(i64, i64)>,
}

/// The table, open.
#[derive(Debug)]
pub struct Lake {}

impl Lake {
    /// Opens or makes the table under `<data>/lake/events`; a torn last commit goes to `<data>/quarantine`.
    pub fn open(_data: &Path, _node: NodeId, _run: u64) -> Result<Self, StoreError> {
        Ok(Self {})
    }
    /// The `wal_seq` up to which this node's frames are in the table.
    pub fn sealed(&self) -> u64 {
        0
    }
    /// The snapshot (JSON Lines) that lies beside the last seal, none if there is none or it does not check.
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        None
    }
    /// Seals everything in `fresh`, which holds all rows up to `wal_seq`: files, snapshot, one commit. Gives the table's version.
    /// On an error the table is as it was and `fresh` keeps its rows: the store tries again later (a full disk passes).
    pub fn seal(&mut self, _fresh: &mut Fresh, _wal_seq: u64, _snapshot: &[u8]) -> Result<u64, StoreError> {
        Ok(0)
    }
    /// Opens the table to read beside a process that may be writing to it: makes nothing, repairs nothing. A missing table is an empty one.
    /// `node` is whose `txn` [`Self::sealed`] tells.
    pub fn open_read_only(_data: &Path, _node: NodeId) -> Result<Self, StoreError> {
        Ok(Self {})
    }
    /// Sealed records of a generation that end behind `from`, in order: byte_start, byte_end, stored bytes.
    pub fn records_behind(&self, _generation: Generation, _from: u64) -> Result<Vec<(u64, u64, Vec<u8>)>, StoreError> {
        Ok(Vec::new())
    }
    /// The files of the newest version known.
    pub fn files(&self) -> Vec<LakeFile> {
        Vec::new()
    }
    /// The files' columns, without the partitions.
    pub fn columns() -> arrow::datatypes::SchemaRef {
        std::sync::Arc::new(arrow::datatypes::Schema::empty())
    }
}
