//! Writing so that a power cut takes nothing back: content, sync, name, sync of the folder.
//!
//! The object store that the Delta library brings never syncs: a commit cut to nothing by a power cut would open as an empty commit. This one
//! stands under its log. Must never replace a file that was asked to be new.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::{FutureExt as _, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, UploadPart, local::LocalFileSystem, path::Path as ObjectPath,
};

/// Syncs a folder: names made or removed in it stay so.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it, synced.
pub(super) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(above) = folder.parent() else { return Ok(()) };
    make_folders(above)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => sync_folder(above),
    }
}

/// Whether a file may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    /// An error of kind `AlreadyExists` if the name is taken.
    Never,
    /// The old file goes in the same moment.
    Old,
}

/// Writes a whole file by way of `drafts`, a folder on the same file system.
pub(super) fn write<'b>(path: &Path, drafts: &Path, replace: Replace, parts: impl Iterator<Item = &'b [u8]>) -> io::Result<()> {
    static DRAFT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a path without a folder"))?;
    make_folders(folder)?;
    make_folders(drafts)?;
    let draft = drafts.join(format!("{}-{}", std::process::id(), DRAFT.fetch_add(1, Ordering::Relaxed)));
    let written = (|| {
        let mut file = File::create_new(&draft)?;
        parts.into_iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        match replace {
            Replace::Never => fs::hard_link(&draft, path),
            Replace::Old => fs::rename(&draft, path),
        }
    })();
    if written.is_err() || replace == Replace::Never {
        // A draft that stays is removed at the next start.
        let _ = fs::remove_file(&draft);
    }
    written?;
    sync_folder(folder)
}

/// The table's folder as an object store whose writes are durable when they return.
#[derive(Debug, Clone)]
pub(super) struct Durable {
    inner: Arc<LocalFileSystem>,
    drafts: PathBuf,
}

impl fmt::Display for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Durable({})", self.inner)
    }
}

impl Durable {
    /// Over a folder that exists.
    pub(super) fn new(root: &Path, drafts: PathBuf) -> Result<Self> {
        Ok(Self { inner: Arc::new(LocalFileSystem::new_with_prefix(root)?), drafts })
    }

    fn put(&self, location: &ObjectPath, payload: &PutPayload, mode: &PutMode) -> Result<PutResult> {
        let replace = match mode {
            PutMode::Create => Replace::Never,
            PutMode::Overwrite => Replace::Old,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented { operation: "conditional replacement".to_owned(), implementer: self.to_string() });
            }
        };
        let path = self.inner.path_to_filesystem(location)?;
        write(&path, &self.drafts, replace, payload.iter().map(Bytes::as_ref)).map_err(|e| said(&path, e))?;
        Ok(PutResult { e_tag: None, version: None })
    }
}

fn said(path: &Path, e: io::Error) -> Error {
    let path = path.display().to_string();
    match e.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: Box::new(e) },
        _ => Error::Generic { store: "durable", source: format!("writing {path}: {e}").into() },
    }
}

// Writes block the caller's thread: the lake has a thread and a runtime of its own for them.
#[async_trait::async_trait]
impl ObjectStore for Durable {
    async fn put_opts(&self, location: &ObjectPath, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.put(location, &payload, &options.mode)
    }
    async fn put_multipart_opts(&self, location: &ObjectPath, _options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Parts { store: self.clone(), location: location.clone(), parts: Vec::new() }))
    }
    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<ObjectPath>>) -> BoxStream<'static, Result<ObjectPath>> {
        self.inner.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, _from: &ObjectPath, _to: &ObjectPath, _options: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented { operation: "copying".to_owned(), implementer: self.to_string() })
    }
}

/// A large file that comes in parts (a checkpoint of more than 10 MiB): gathered, then written at once.
#[derive(Debug)]
struct Parts {
    store: Durable,
    location: ObjectPath,
    parts: Vec<PutPayload>,
}

#[async_trait::async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.push(data);
        std::future::ready(Ok(())).boxed()
    }
    async fn complete(&mut self) -> Result<PutResult> {
        let whole: PutPayload = self.parts.iter().flat_map(|p| p.iter().cloned()).collect();
        self.store.put(&self.location, &whole, &PutMode::Overwrite)
    }
    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}
