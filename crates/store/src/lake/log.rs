//! The commits on disk, read without the Delta library: whether the last one is whole, and who wrote the newest.
//!
//! Must never remove anything: what is broken is moved to the quarantine.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use event::NodeId;

use super::{
    durable,
    names::{OWN_FOLDER, SIDECARS},
};
use crate::StoreError;

/// The commits and checkpoints of a table.
#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    quarantine: PathBuf,
}

/// Who wrote a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrote {
    pub(super) node: NodeId,
    pub(super) run: u64,
}

impl Log {
    pub(super) fn new(table: &Path, data: &Path) -> Self {
        Self { folder: table.join("_delta_log"), quarantine: data.join("quarantine") }
    }

    /// Whether there is any commit or checkpoint.
    pub(super) fn exists(&self) -> bool {
        !self.names("").is_empty()
    }

    /// Moves a torn or empty last commit out of the way. Says what was moved.
    pub(super) fn set_aside_torn(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut moved = Vec::new();
        while let Some(name) = self.names(".json").pop() {
            let path = self.folder.join(&name);
            let bytes = fs::read(&path).map_err(|source| StoreError::Io { doing: "reading", path: path.clone(), source })?;
            if is_whole(&bytes) {
                break;
            }
            moved.push(self.set_aside(&name)?);
        }
        Ok(moved)
    }

    /// Moves the newest checkpoint out of the way: all commits are kept, so the table opens without it.
    pub(super) fn set_aside_checkpoint(&self) -> Result<Option<PathBuf>, StoreError> {
        let Some(newest) = self.names(".parquet").pop() else { return Ok(None) };
        if self.folder.join("_last_checkpoint").exists() {
            self.set_aside("_last_checkpoint")?;
        }
        self.set_aside(&newest).map(Some)
    }

    /// The version of the newest checkpoint.
    pub(super) fn checkpoint(&self) -> u64 {
        self.names(".parquet").pop().and_then(|n| version(&n)).unwrap_or_default()
    }

    /// Who wrote the commits above a version, as far as they say.
    pub(super) fn writers_above(&self, known: u64) -> Vec<Wrote> {
        let newer = self.names(".json").into_iter().filter(|n| version(n).is_some_and(|v| v > known));
        newer.filter_map(|n| wrote(&fs::read(self.folder.join(n)).ok()?)).collect()
    }

    /// Names that begin with a version and end so, ascending.
    fn names(&self, end: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut out: Vec<String> = entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .filter(|n| n.ends_with(end) && version(n).is_some())
            .collect();
        out.sort_unstable();
        out
    }

    fn set_aside(&self, name: &str) -> Result<PathBuf, StoreError> {
        let from = self.folder.join(name);
        let mut to = self.quarantine.join(format!("delta_log-{name}"));
        for n in 2.. {
            if !to.exists() {
                break;
            }
            to = self.quarantine.join(format!("delta_log-{name}-{n}"));
        }
        let moved = durable::make_folders(&self.quarantine)
            .and_then(|()| fs::rename(&from, &to))
            .and_then(|()| durable::sync_folder(&self.quarantine))
            .and_then(|()| durable::sync_folder(&self.folder));
        moved.map_err(|source| StoreError::Io { doing: "moving to the quarantine", path: from, source })?;
        tracing::warn!(file = name, to = %to.display(), "set aside a damaged file of the lake's log");
        Ok(to)
    }
}

/// The version that a name begins with: 20 digits and a dot.
fn version(name: &str) -> Option<u64> {
    let digits = name.split_once('.')?.0;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// Whether a commit is there to its end. Ours say how many lines they have.
fn is_whole(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut lines = 0;
    let mut said = None;
    for line in text.lines() {
        let Ok(action) = serde_json::from_str::<serde_json::Value>(line) else { return false };
        if !action.is_object() {
            return false;
        }
        lines += 1;
        said = said.or_else(|| action["commitInfo"]["bartizan"]["lines"].as_u64());
    }
    lines > 0 && said.is_none_or(|n| n == lines)
}

fn wrote(bytes: &[u8]) -> Option<Wrote> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().find_map(|line| {
        let action: serde_json::Value = serde_json::from_str(line).ok()?;
        let about = &action["commitInfo"]["bartizan"];
        Some(Wrote { node: NodeId::parse(about["node"].as_str()?)?, run: about["run"].as_u64()? })
    })
}

/// Data files below a table, whether it names them or not.
pub(super) fn data_files(table: &Path) -> io::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut folders = vec![table.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if name != "_delta_log" && name != OWN_FOLDER && name != SIDECARS {
                    folders.push(entry.path());
                }
            } else if name.ends_with(".parquet") {
                out.push(entry.path());
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_whole_or_not() {
        let ours = "{\"commitInfo\":{\"bartizan\":{\"node\":\"0000000a\",\"run\":3,\"lines\":3}}}\n{\"add\":{}}\n{\"txn\":{}}\n";
        assert!(is_whole(ours.as_bytes()) && is_whole(ours.trim_end().as_bytes()));
        for cut in 0..ours.len() - 1 {
            assert!(!is_whole(&ours.as_bytes()[..cut]), "cut at {cut}");
        }
        assert!(is_whole(b"{\"commitInfo\":{}}\n{\"add\":{}}"), "of another writer");
        for bad in [&b""[..], b"\n", b"\0\0\0\0", b"1\n", b"\xff"] {
            assert!(!is_whole(bad), "{bad:?}");
        }
        assert_eq!(wrote(ours.as_bytes()), Some(Wrote { node: NodeId(10), run: 3 }));
        assert_eq!(wrote(b"{\"commitInfo\":{}}"), None);
    }
}
