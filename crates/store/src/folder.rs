//! Where things lie in a data folder (FORMAT §7), and how a small file is written so that a crash leaves the old one or the new one.
//!
//! Owns: paths and durable writes. Knows nothing of what stands in the files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::StoreError;

/// Mode of files that hold secrets.
pub const SECRET: u32 = 0o600;
/// Mode of files that any reader may see.
pub const PLAIN: u32 = 0o644;

/// A data folder.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `root`, which need not exist.
    pub fn new(root: &Path) -> Self {
        Self(root.to_owned())
    }
    /// Itself.
    pub fn root(&self) -> &Path {
        &self.0
    }
    /// The node's id. Written last by `init`: where it stands, there is a store.
    pub fn node(&self) -> PathBuf {
        self.0.join("node")
    }
    /// Segments of the write-ahead log.
    pub fn wal(&self) -> PathBuf {
        self.0.join("wal")
    }
    /// The lake.
    pub fn lake(&self) -> PathBuf {
        self.0.join("lake")
    }
    /// Snapshots of the observer.
    pub fn detect(&self) -> PathBuf {
        self.0.join("state/detect")
    }
    /// Keys, 0700.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }
    /// What was set aside.
    pub fn quarantine(&self) -> PathBuf {
        self.0.join("quarantine")
    }
    /// Held by the one writer.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
    /// Whether `init` came to its end here.
    pub fn is_store(&self) -> bool {
        self.node().is_file()
    }
}

/// Says what was being done when the system refused.
pub fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { doing, path, source }
}

/// Makes the names in a folder durable.
pub fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|f| f.sync_all()).map_err(io_error("syncing the folder", path))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path, mode: u32) -> Result<(), StoreError> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io_error("making the folder", path))
}

/// Writes a whole file: a temporary one beside it, synced, renamed, its folder synced.
pub fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(io_error("writing", path))?;
    sync_folder(folder)
}

/// Reads a whole file; none if there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io_error("reading", path)(e)),
    }
}

/// The system's word on the disk that a folder lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that we may still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// How much room is left where `path` lies.
pub fn space(path: &Path) -> Result<Space, StoreError> {
    let s = rustix::fs::statvfs(path).map_err(|e| io_error("asking for the free space of", path)(e.into()))?;
    Ok(Space { free: s.f_bavail.saturating_mul(s.f_frsize), total: s.f_blocks.saturating_mul(s.f_frsize) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        assert_eq!(read_if_there(&path).unwrap(), None);
        write_durably(&path, b"one", SECRET).unwrap();
        write_durably(&path, b"two", SECRET).unwrap();
        assert_eq!(read_if_there(&path).unwrap(), Some(b"two".to_vec()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn space_is_told() {
        let s = space(Path::new("/")).unwrap();
        assert!(s.total >= s.free && s.total > 0);
    }
}
