//! From rows to files: which rows go into which file, and what the commit says about it. Nothing here is visible before the commit.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use arrow::array::RecordBatch;
use deltalake_core::kernel::Add;
use event::{LogClass, LogName, clock};

use super::{
    LakeFile, Range, durable,
    file::{Content, Writer, Written},
    fresh::{Chunk, Fresh, LogRows},
    names::{self, FileName},
    table::{FORMAT, RAW_PLAIN},
};
use crate::StoreError;

/// A file that has come so far begins no new chunk: at most 512 MiB with what may follow.
pub(super) const FILE_BYTES_SOFT: u64 = 448 << 20;
/// A file begins at a multiple of this where the cut is ours: a tile of the ledger's tree.
const TILE_ROWS: u64 = 256;

/// Writes the files of one seal.
pub(super) struct Sealer<'s> {
    /// The table's folder.
    pub(super) folder: &'s Path,
    /// Where files are drafted on the same file system.
    pub(super) drafts: &'s Path,
    pub(super) run: u64,
    /// The number of the next file of this run.
    pub(super) next_file: &'s mut u64,
    pub(super) file_bytes: u64,
}

/// A file that lies where the commit will name it.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) add: Add,
    pub(super) file: LakeFile,
}

/// A file under way.
struct Draft {
    writer: Writer,
    path: PathBuf,
    day: i32,
    next_seq: u64,
}

impl Sealer<'_> {
    /// Writes all rows. Content, names and folders are synced when this returns. After an error nothing of it is left: a disk that is full must
    /// not get fuller with every try.
    pub(super) fn write(&mut self, fresh: &mut Fresh) -> Result<Vec<Placed>, StoreError> {
        let mut placed = Vec::new();
        match self.write_all(fresh, &mut placed) {
            Ok(()) => Ok(placed),
            Err(e) => {
                self.discard(&placed);
                Err(e)
            }
        }
    }

    /// Removes files that no commit was tried for.
    pub(super) fn discard(&self, placed: &[Placed]) {
        let files = placed.iter().try_for_each(|p| fs::remove_file(&p.file.path));
        if let Err(e) = files.and_then(|()| super::clear(self.drafts)) {
            tracing::warn!(error = %e, "removing the files of a seal that failed; a start after the grace removes them");
        }
    }

    fn write_all(&mut self, fresh: &mut Fresh, placed: &mut Vec<Placed>) -> Result<(), StoreError> {
        let logs = fresh.finished().map_err(|why| self.failed(&why))?;
        for log in logs {
            self.write_log(log, placed)?;
        }
        let mut folders: Vec<_> = placed.iter().filter_map(|p: &Placed| p.file.path.parent()).collect();
        folders.dedup();
        for folder in folders {
            durable::sync_folder(folder).map_err(|source| io_error("syncing the folder", folder, source))?;
        }
        Ok(())
    }

    fn write_log(&mut self, log: &LogRows, placed: &mut Vec<Placed>) -> Result<(), StoreError> {
        let mut draft: Option<Draft> = None;
        for chunk in &log.chunks {
            if let Some(old) = draft.take_if(|d| d.day != chunk.span.day || d.next_seq != chunk.span.first_seq) {
                placed.push(self.place(old, &log.name)?);
            }
            let mut rows = chunk.batch.clone();
            if let Some(mut old) = draft.take_if(|d| d.writer.size() >= self.file_bytes) {
                let head = head_rows(chunk);
                self.append(&mut old, &rows.slice(0, head))?;
                placed.push(self.place(old, &log.name)?);
                rows = rows.slice(head, rows.num_rows() - head);
            }
            if rows.num_rows() > 0 {
                let draft = match &mut draft {
                    Some(draft) => draft,
                    None => draft.insert(self.begin(chunk.span.day)?),
                };
                self.append(draft, &rows)?;
                draft.next_seq = chunk.span.last_seq + 1;
            }
        }
        match draft {
            Some(draft) => self.place(draft, &log.name).map(|p| placed.push(p)),
            None => Ok(()),
        }
    }

    fn begin(&mut self, day: i32) -> Result<Draft, StoreError> {
        let path = self.drafts.join(format!("{:016x}-{:016x}.parquet", self.run, self.next_file));
        *self.next_file += 1;
        durable::make_folders(self.drafts).map_err(|source| io_error("making the folder", self.drafts, source))?;
        let writer = Writer::create(&path).map_err(|e| self.failed(&format!("{}: {e}", path.display())))?;
        Ok(Draft { writer, path, day, next_seq: 0 })
    }

    fn append(&self, draft: &mut Draft, rows: &RecordBatch) -> Result<(), StoreError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        draft.writer.write(rows).map_err(|e| self.failed(&format!("{}: {e}", draft.path.display())))
    }

    /// Ends a draft and gives it its name.
    fn place(&self, draft: Draft, log: &LogName) -> Result<Placed, StoreError> {
        let written = draft.writer.finish().map_err(|e| self.failed(&format!("{}: {e}", draft.path.display())))?;
        let n = draft.path.file_stem().and_then(|s| names::hex(s.to_str()?.rsplit('-').next()?)).unwrap_or_default();
        let seq = |n: i64| u64::try_from(n).unwrap_or_default();
        let (first_seq, last_seq) = (seq(written.content.first_seq), seq(written.content.last_seq));
        let name = FileName { log: log.clone(), first_seq, last_seq, run: self.run, n };
        let path = format!("{}/{name}", names::partition(&log.cluster, log.class, draft.day));
        let target = self.folder.join(&path);
        let folder = target.parent().unwrap_or(self.folder);
        durable::make_folders(folder).map_err(|source| io_error("making the folder", folder, source))?;
        fs::rename(&draft.path, &target).map_err(|source| io_error("naming", &target, source))?;
        let file = LakeFile {
            path: target,
            size: written.size,
            rows: written.content.rows,
            cluster: log.cluster.clone(),
            class: log.class,
            day: draft.day,
            time: written.content.time,
            observed_time: written.content.observed,
            run: self.run,
            sha256: Some(hex(&written.sha256)),
            range: Some(Range { log: log.clone(), first_seq, last_seq }),
        };
        Ok(Placed { add: add(path, &log.cluster, log.class, draft.day, &written), file })
    }

    fn failed(&self, why: &str) -> StoreError {
        StoreError::Lake { doing: "sealing into", path: self.folder.to_owned(), why: why.to_owned() }
    }
}

/// How many rows of a chunk still go into a file that is full, so that the next begins at a tile.
fn head_rows(chunk: &Chunk) -> usize {
    let head = (TILE_ROWS - chunk.span.first_seq % TILE_ROWS) % TILE_ROWS;
    usize::try_from(head).unwrap_or(0).min(chunk.batch.num_rows())
}

fn add(path: String, cluster: &str, class: LogClass, day: i32, written: &Written) -> Add {
    let content = &written.content;
    let partition = |name: &str, value: String| (name.to_owned(), Some(value));
    let mut tags = vec![
        ("format", FORMAT.to_string()),
        ("raw", RAW_PLAIN.to_owned()),
        ("first_seq", content.first_seq.to_string()),
        ("last_seq", content.last_seq.to_string()),
        ("sha256", hex(&written.sha256)),
    ];
    if let Some((low, high)) = content.time {
        tags.extend([("time_min", low.to_string()), ("time_max", high.to_string())]);
    }
    if let Some((low, high)) = content.observed {
        tags.extend([("observed_time_min", low.to_string()), ("observed_time_max", high.to_string())]);
    }
    let now = event::Clock::now(&clock::SystemClock);
    Add {
        path,
        partition_values: HashMap::from([
            partition("cluster", cluster.to_owned()),
            partition("class", class.to_string()),
            partition("day", names::day(day)),
        ]),
        size: i64::try_from(written.size).unwrap_or(i64::MAX),
        modification_time: now / 1000,
        data_change: true,
        stats: Some(stats(content)),
        tags: Some(tags.into_iter().map(|(k, v)| (k.to_owned(), Some(v))).collect()),
        ..Add::default()
    }
}

/// Statistics as other engines read them: milliseconds, the maximum rounded up.
fn stats(content: &Content) -> String {
    let mut low = serde_json::json!({"seq": content.first_seq});
    let mut high = serde_json::json!({"seq": content.last_seq});
    for (name, bounds) in [("time", content.time), ("observed_time", content.observed)] {
        if let Some((from, to)) = bounds {
            low[name] = clock::rfc3339(from.div_euclid(1000) * 1000).into();
            high[name] = clock::rfc3339(to.saturating_add(999).div_euclid(1000) * 1000).into();
        }
    }
    let nulls = serde_json::json!({"seq": 0, "time": content.null_times, "observed_time": 0});
    serde_json::json!({"numRecords": content.rows, "minValues": low, "maxValues": high, "nullCount": nulls}).to_string()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn io_error(doing: &'static str, path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { doing, path: path.to_owned(), source }
}
