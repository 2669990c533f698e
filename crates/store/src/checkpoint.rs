//! `state/detect/<wal_seq>`: what the observer and the deriver must know to go on behind a frame, with a check sum, two kept (FORMAT §7).

use std::{
    fs,
    path::{Path, PathBuf},
};

use event::Snapshot;
use serde_json::{Value, json};

use crate::{
    StoreError,
    folder::{PLAIN, io_error, read_if_there, write_durably},
};

/// This many are kept: a segment goes when its frames are older than all of them.
pub const KEPT: usize = 2;

/// A snapshot behind frame `wal_seq`, as it was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The frame.
    pub wal_seq: u64,
    /// The observer's word.
    pub observer: Snapshot,
    /// The deriver's.
    pub derive: Snapshot,
}

/// The same, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The frame.
    pub wal_seq: u64,
    /// The observer's word.
    pub observer: Value,
    /// The deriver's.
    pub derive: Value,
}

fn path(folder: &Path, wal_seq: u64) -> PathBuf {
    folder.join(format!("{wal_seq:016x}"))
}

/// The numbers of those that lie there, rising.
pub fn list(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let entries = fs::read_dir(folder).map_err(io_error("reading the folder", folder))?;
    let number = |name: &str| (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok()).flatten();
    let mut found: Vec<u64> = entries.flatten().filter_map(|e| number(e.file_name().to_str()?)).collect();
    found.sort_unstable();
    Ok(found)
}

impl Taken {
    /// Writes it and unlinks those that are too many.
    pub fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let body = format!("{{\"observer\":{},\"derive\":{}}}", self.observer.get(), self.derive.get());
        let head = json!({"wal_seq": self.wal_seq, "crc": crc32c::crc32c(body.as_bytes())});
        write_durably(&path(folder, self.wal_seq), format!("{head}\n{body}\n").as_bytes(), PLAIN)?;
        let all = list(folder)?;
        for old in &all[..all.len().saturating_sub(KEPT)] {
            let path = path(folder, *old);
            fs::remove_file(&path).map_err(io_error("removing", &path))?;
        }
        Ok(())
    }
}

impl Checkpoint {
    fn read(folder: &Path, wal_seq: u64) -> Option<Self> {
        let bytes = read_if_there(&path(folder, wal_seq)).ok()??;
        let (head, body) = bytes.split_at(bytes.iter().position(|b| *b == b'\n')?);
        let body = body.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
        let head: Value = serde_json::from_slice(head).ok()?;
        if head["crc"] != crc32c::crc32c(body) || head["wal_seq"] != wal_seq {
            return None;
        }
        let mut body: Value = serde_json::from_slice(body).ok()?;
        Some(Self { wal_seq, observer: body["observer"].take(), derive: body["derive"].take() })
    }

    /// The newest that can be read. A broken one is passed over, and said so.
    pub fn newest(folder: &Path) -> Result<Option<Self>, StoreError> {
        for wal_seq in list(folder)?.into_iter().rev() {
            match Self::read(folder, wal_seq) {
                Some(found) => return Ok(Some(found)),
                None => {
                    tracing::warn!(path = %path(folder, wal_seq).display(), "a detection snapshot cannot be read: the one before it is used")
                }
            }
        }
        Ok(None)
    }
}

/// The older of the last two: frames behind it may be needed again. 0 while there are fewer.
pub fn floor(folder: &Path) -> Result<u64, StoreError> {
    let all = list(folder)?;
    Ok(if all.len() < KEPT { 0 } else { all[all.len() - KEPT] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(wal_seq: u64) -> Checkpoint {
        Checkpoint { wal_seq, observer: json!({"windows": [wal_seq]}), derive: json!(null) }
    }

    fn taken(wal_seq: u64) -> Taken {
        let read = checkpoint(wal_seq);
        Taken { wal_seq, observer: event::derive::snapshot(&read.observer), derive: event::derive::snapshot(&read.derive) }
    }

    #[test]
    fn the_last_two_are_kept_and_a_broken_one_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Checkpoint::newest(dir.path()).unwrap(), None);
        for n in [5, 80, 300] {
            assert_eq!(floor(dir.path()).unwrap(), if n == 300 { 5 } else { 0 });
            taken(n).write(dir.path()).unwrap();
        }
        assert_eq!(list(dir.path()).unwrap(), [80, 300]);
        assert_eq!(floor(dir.path()).unwrap(), 80);
        assert_eq!(Checkpoint::newest(dir.path()).unwrap(), Some(checkpoint(300)));
        let newest = path(dir.path(), 300);
        let whole = fs::read(&newest).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&newest, &bytes).unwrap();
            assert_eq!(Checkpoint::newest(dir.path()).unwrap(), Some(checkpoint(80)), "byte {at}");
            fs::write(&newest, &whole[..at]).unwrap();
            assert_eq!(Checkpoint::newest(dir.path()).unwrap(), Some(checkpoint(80)), "cut at {at}");
        }
    }
}
