//! Segments: their names, their order, and cutting off what was preallocated and never written.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

use event::Micros;

use crate::{StoreError, folder::io_error};

/// A segment, by its name `<first frame>-<run>.wal`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// Number of its first frame.
    pub first: u64,
    /// The start of the writer that made it.
    pub run: u64,
    /// Where it lies.
    pub path: PathBuf,
}

impl Segment {
    /// The segment of this name in `wal`.
    pub fn at(wal: &Path, first: u64, run: u64) -> Self {
        Self { first, run, path: wal.join(format!("{first:016x}-{run:016x}.wal")) }
    }
    fn parse(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".wal")?;
        let (first, run) = name.split_once('-').filter(|(a, b)| a.len() == 16 && b.len() == 16)?;
        let number = |t: &str| u64::from_str_radix(t, 16).ok();
        Some(Self { first: number(first)?, run: number(run)?, path })
    }
}

/// All segments in a folder, in order. A missing folder has none; other names are not ours to judge.
pub fn list(wal: &Path) -> Result<Vec<Segment>, StoreError> {
    let entries = match fs::read_dir(wal) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io_error("reading the folder", wal)(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(Segment::parse(entry.map_err(io_error("reading the folder", wal))?.path()));
    }
    found.sort();
    Ok(found)
}

/// A segment and what is known of its end.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The segment.
    pub segment: Segment,
    /// Behind its last good byte; none where it was not read.
    pub good_end: Option<u64>,
    /// Observed time of its last frame (its file's time where it was not read): how old it is.
    pub observed: Micros,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Cuts the zeros off behind the last byte that anybody wrote, never into a good frame. Gives the bytes that are left.
pub fn cut_zeros(facts: &Facts) -> Result<u64, StoreError> {
    let path = &facts.segment.path;
    let Some(good) = facts.good_end else { return Ok(facts.bytes) };
    let bytes = fs::read(path).map_err(io_error("reading", path))?;
    let written = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at as u64 + 1);
    let keep = written.max(good);
    if keep < bytes.len() as u64 {
        let cut = || OpenOptions::new().write(true).open(path).and_then(|f| f.set_len(keep).and_then(|()| f.sync_all()));
        cut().map_err(io_error("cutting the zeros off", path))?;
    }
    Ok(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        for (first, run) in [(256, 2), (1, 1), (256, 3), (17, 1)] {
            fs::write(Segment::at(dir.path(), first, run).path, "").unwrap();
        }
        for other in ["x.wal", "0000000000000001-1.wal", "0000000000000001-0000000000000001.tmp"] {
            fs::write(dir.path().join(other), "").unwrap();
        }
        let found: Vec<_> = list(dir.path()).unwrap().iter().map(|s| (s.first, s.run)).collect();
        assert_eq!(found, [(1, 1), (17, 1), (256, 2), (256, 3)]);
        assert_eq!(list(&dir.path().join("none")).unwrap(), []);
    }

    #[test]
    fn only_trailing_zeros_go() {
        let dir = tempfile::tempdir().unwrap();
        for (bytes, good, left) in [(b"ab\0\0\0\0".as_slice(), 4, 4), (b"ab\0\0c\0", 2, 5), (b"\0\0", 0, 0), (b"ab", 2, 2)] {
            let segment = Segment::at(dir.path(), 1, 1);
            fs::write(&segment.path, bytes).unwrap();
            let facts = Facts { segment, good_end: Some(good), observed: 0, bytes: bytes.len() as u64 };
            assert_eq!(cut_zeros(&facts).unwrap(), left, "{bytes:?}");
            assert_eq!(fs::metadata(&facts.segment.path).unwrap().len(), left);
        }
    }
}
