//! Snapshots beside the table: `_bartizan/<node>/<wal_seq>`, what the store must know to go on behind a seal (FORMAT §2, §3).
//!
//! The first line says what follows and checks it; the rest belongs to the WAL, which reads and writes it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use event::NodeId;
use serde::{Deserialize, Serialize};

use super::{
    durable::{self, Replace},
    names,
};

/// So many are kept of a node: the one of the last commit, and the one before in case that commit never came.
const KEPT: usize = 2;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    snapshot: u8,
    run: u64,
    wal_seq: u64,
    bytes: usize,
    crc32c: u32,
}

/// A snapshot that checked.
#[derive(Debug, Clone)]
pub(super) struct Found {
    #[cfg(test)]
    pub(super) wal_seq: u64,
    pub(super) run: u64,
    pub(super) lines: Vec<u8>,
}

/// The snapshots of one node.
#[derive(Debug, Clone)]
pub(super) struct Snapshots {
    folder: PathBuf,
    /// Where files are drafted on the same file system.
    pub(super) drafts: PathBuf,
}

impl Snapshots {
    pub(super) fn new(table: &Path, node: NodeId) -> Self {
        let folder = table.join(names::OWN_FOLDER).join(node.to_string());
        Self { drafts: folder.join("drafts"), folder }
    }

    /// Writes one, synced.
    pub(super) fn write(&self, run: u64, wal_seq: u64, lines: &[u8]) -> io::Result<()> {
        let head = Head { snapshot: 1, run, wal_seq, bytes: lines.len(), crc32c: crc32c::crc32c(lines) };
        let mut head = serde_json::to_vec(&head)?;
        head.push(b'\n');
        durable::write(&self.path(wal_seq), &self.drafts, Replace::Old, [head.as_slice(), lines].into_iter())
    }

    /// Removes all but the newest two at or below what is committed.
    pub(super) fn trim(&self, committed: u64) -> io::Result<()> {
        let numbers: Vec<u64> = self.numbers().into_iter().filter(|n| *n <= committed).collect();
        for old in numbers.iter().rev().skip(KEPT) {
            fs::remove_file(self.path(*old))?;
        }
        Ok(())
    }

    /// The newest that checks, at or below a number.
    pub(super) fn newest(&self, at_most: u64) -> Option<Found> {
        self.numbers().into_iter().rev().filter(|n| *n <= at_most).find_map(|n| self.read(n))
    }

    /// The highest run that wrote one, committed or not.
    pub(super) fn run(&self) -> u64 {
        self.numbers().into_iter().filter_map(|n| self.read(n)).map(|f| f.run).max().unwrap_or_default()
    }

    fn path(&self, wal_seq: u64) -> PathBuf {
        self.folder.join(format!("{wal_seq:016x}"))
    }

    /// Ascending.
    fn numbers(&self) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut out: Vec<u64> = entries.flatten().filter_map(|e| names::hex(e.file_name().to_str()?)).collect();
        out.sort_unstable();
        out
    }

    fn read(&self, wal_seq: u64) -> Option<Found> {
        let mut bytes = fs::read(self.path(wal_seq)).ok()?;
        let end = bytes.iter().position(|b| *b == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let lines = bytes.split_off(end + 1);
        let good = head.snapshot == 1 && head.wal_seq == wal_seq && head.bytes == lines.len() && head.crc32c == crc32c::crc32c(&lines);
        good.then_some(Found {
            #[cfg(test)]
            wal_seq,
            run: head.run,
            lines,
        })
    }
}

/// The nodes that have snapshots in a table.
pub(super) fn nodes(table: &Path) -> Vec<NodeId> {
    let Ok(entries) = fs::read_dir(table.join(names::OWN_FOLDER)) else { return Vec::new() };
    entries.flatten().filter_map(|e| NodeId::parse(e.file_name().to_str()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_checks_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let all = Snapshots::new(dir.path(), NodeId(1));
        assert!(all.newest(u64::MAX).is_none());
        for n in [1, 5, 9, 0x20] {
            all.write(7, n, format!("{{\"n\":{n}}}\n").as_bytes()).unwrap();
        }
        assert_eq!(all.newest(9).map(|f| (f.wal_seq, f.run, f.lines)), Some((9, 7, b"{\"n\":9}\n".to_vec())));
        all.trim(9).unwrap();
        assert_eq!(all.numbers(), [5, 9, 0x20], "what no commit covers yet stays");
        let path = all.path(9);
        let mut bytes = fs::read(&path).unwrap();
        for cut in [0, 3, bytes.len() - 1] {
            fs::write(&path, &bytes[..cut]).unwrap();
            assert_eq!(all.newest(9).map(|f| f.wal_seq), Some(5), "cut at {cut}");
        }
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(all.newest(9).map(|f| f.wal_seq), Some(5), "one bit");
        assert_eq!(nodes(dir.path()), [NodeId(1)]);
    }
}
