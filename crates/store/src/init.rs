//! A new store: its folders, its node id and its keys; and reading them back.
//!
//! Owns: `node` and `keys/`. The root key's secret half is handed to the caller once and never written (FORMAT §5).

use std::{fmt::Write as _, fs, io, path::Path};

use ed25519_dalek::SigningKey;
use event::{NodeId, identity::IdentityKey};
use sha2::{Digest as _, Sha256};

use crate::{
    StoreError,
    folder::{Folder, PLAIN, SECRET, io_error, make_folder, read_if_there, sync_folder, write_durably},
};

/// What may lie in a folder in which `init` was cut off; anything else is somebody else's folder.
const OURS: &[&str] = &["node", "node.tmp", "wal", "lake", "state", "keys", "quarantine", "lock", "lost+found"];

/// A new store, told once.
#[derive(Clone)]
pub struct Init {
    /// The node's id.
    pub node: NodeId,
    /// Fingerprint of the root key: `ed25519:` and 32 hex digits of the SHA-256 of its public half.
    pub root_fingerprint: String,
    /// The root key's secret half in hex. Stored nowhere: whoever restores or re-keys this store needs it.
    pub root_secret: String,
}

impl std::fmt::Debug for Init {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Init({}, {}, ..)", self.node, self.root_fingerprint)
    }
}

/// The key behind hashed marks in stored lines (FORMAT §6).
#[derive(Clone)]
pub struct RedactKey {
    /// Its name in the marks: `[a-z0-9]{8}`.
    pub id: String,
    /// Itself.
    pub key: [u8; 32],
}

impl std::fmt::Debug for RedactKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedactKey({}, ..)", self.id)
    }
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| io_error("asking the system for random bytes", Path::new("/dev/urandom"))(io::Error::other(e.to_string())))?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (i, b) in bytes.iter_mut().enumerate() {
        *b = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Makes a store in a missing or empty folder. One that was cut off in the middle is finished.
pub fn init(dir: &Path) -> Result<Init, StoreError> {
    let folder = Folder::new(dir);
    if folder.is_store() {
        return Err(StoreError::Limit(format!("making a store in {}: there is one already; nothing was changed", dir.display())));
    }
    // Whoever may read the folder reads all evidence.
    make_folder(dir, 0o700)?;
    refuse_strangers(&folder)?;
    for (path, mode) in
        [(folder.wal(), 0o755), (folder.lake(), 0o755), (folder.detect(), 0o755), (folder.quarantine(), 0o755), (folder.keys(), 0o700)]
    {
        make_folder(&path, mode)?;
    }
    let root = SigningKey::from_bytes(&random()?);
    let public = root.verifying_key().to_bytes();
    let keys = folder.keys();
    write_durably(&keys.join("identity"), &random::<32>()?, SECRET)?;
    write_durably(&keys.join("redact"), format!("{} {}\n", hex(&random::<4>()?), hex(&random::<32>()?)).as_bytes(), SECRET)?;
    write_durably(&keys.join("root.pub"), format!("{}\n", hex(&public)).as_bytes(), PLAIN)?;
    sync_folder(&dir.join("state"))?;
    let node = NodeId(u32::from_le_bytes(random()?));
    write_durably(&folder.node(), format!("{node}\n").as_bytes(), PLAIN)?;
    if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        sync_folder(parent)?;
    }
    Ok(Init { node, root_fingerprint: fingerprint(&public), root_secret: hex(&root.to_bytes()) })
}

fn fingerprint(public: &[u8; 32]) -> String {
    format!("ed25519:{}", hex(&Sha256::digest(public)[..16]))
}

/// A folder with other things in it is not made a store, and a store that lost its id is not made anew over its records.
pub(crate) fn refuse_strangers(folder: &Folder) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder.root()).map_err(io_error("reading the folder", folder.root()))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !OURS.iter().any(|o| name == **o) {
            let dir = folder.root().display();
            return Err(StoreError::Limit(format!(
                "making a store in {dir}: the folder holds {}, which is none of a store; give an empty folder",
                Path::new(&name).display()
            )));
        }
    }
    let has_frames = fs::read_dir(folder.wal()).is_ok_and(|mut d| d.next().is_some());
    if has_frames {
        return Err(StoreError::Damaged {
            path: folder.node(),
            what: "the file with the node's id is missing, but there are frames".to_owned(),
            next: "put it back from a backup (it holds the 8 hex digits that all file names in lake/events begin with)".to_owned(),
        });
    }
    Ok(())
}

/// The node's id.
pub fn node(folder: &Folder) -> Result<NodeId, StoreError> {
    let path = folder.node();
    let bytes = read_if_there(&path)?.ok_or_else(|| StoreError::None(folder.root().to_owned()))?;
    std::str::from_utf8(&bytes).ok().and_then(|t| NodeId::parse(t.trim_end())).ok_or_else(|| StoreError::Damaged {
        path,
        what: "it does not hold 8 hex digits".to_owned(),
        next: "put it back from a backup".to_owned(),
    })
}

fn missing_key(path: &Path) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        what: "the key is missing or cut".to_owned(),
        next: "put keys/ back from a backup: without it files that are known would be stored again".to_owned(),
    }
}

/// The key behind all marks of content.
pub fn identity_key(folder: &Folder) -> Result<IdentityKey, StoreError> {
    let path = folder.keys().join("identity");
    let bytes = read_if_there(&path)?.and_then(|b| <[u8; 32]>::try_from(b).ok());
    bytes.map(IdentityKey::new).ok_or_else(|| missing_key(&path))
}

/// The key behind hashed marks.
pub fn redact_key(folder: &Folder) -> Result<RedactKey, StoreError> {
    let path = folder.keys().join("redact");
    let text = read_if_there(&path)?.and_then(|b| String::from_utf8(b).ok()).unwrap_or_default();
    let key = text.trim_end().split_once(' ').and_then(|(id, key)| Some(RedactKey { id: id.to_owned(), key: unhex(key)? }));
    key.ok_or_else(|| missing_key(&path))
}

/// The root key's fingerprint, from its public half.
pub fn root_fingerprint(folder: &Folder) -> Result<String, StoreError> {
    let path = folder.keys().join("root.pub");
    let text = read_if_there(&path)?.and_then(|b| String::from_utf8(b).ok()).unwrap_or_default();
    unhex::<32>(text.trim_end()).map(|public| fingerprint(&public)).ok_or_else(|| missing_key(&path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_new_store_has_its_keys_and_keeps_no_root_secret() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("data");
        let made = init(&root).unwrap();
        let folder = Folder::new(&root);
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(node(&folder).unwrap(), made.node);
        assert_eq!(root_fingerprint(&folder).unwrap(), made.root_fingerprint);
        assert_eq!(redact_key(&folder).unwrap().id.len(), 8);
        identity_key(&folder).unwrap();
        assert_eq!(fs::metadata(folder.keys()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(folder.keys().join("identity")).unwrap().permissions().mode() & 0o777, 0o600);
        for entry in fs::read_dir(folder.keys()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            let secret = made.root_secret.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|w| w == secret));
        }
        assert!(!format!("{made:?}").contains(&made.root_secret));
        assert!(matches!(init(&root), Err(StoreError::Limit(_))), "a second init changes nothing");
    }

    #[test]
    fn a_foreign_folder_is_left_alone_and_a_cut_off_init_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "mine").unwrap();
        assert!(matches!(init(dir.path()), Err(StoreError::Limit(_))));
        let dir = tempfile::tempdir().unwrap();
        init(dir.path()).unwrap();
        fs::remove_file(dir.path().join("node")).unwrap();
        init(dir.path()).unwrap();
        fs::remove_file(dir.path().join("node")).unwrap();
        fs::write(dir.path().join("wal/0000000000000001-0000000000000001.wal"), "").unwrap();
        assert!(matches!(init(dir.path()), Err(StoreError::Damaged { .. })));
    }
}
