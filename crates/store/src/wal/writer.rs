//! Appending groups of frames to the newest segment.
//!
//! Owns: the open segment and the list of those that still lie there. Must never write into a segment of an earlier run, and never again after a
//! write or a sync failed.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use event::{Micros, frame::HEADER_BYTES};
use rustix::fs::{FallocateFlags, fallocate};

use super::segment::{Facts, Segment};
use crate::{
    StoreError,
    folder::{io_error, sync_folder},
};

/// An open segment. A seam, so that tests can let a sync fail.
pub trait Paper: Send {
    /// Writes all of `bytes` at an offset.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// Makes segments. A seam, so that tests can let the disk be full.
pub trait Mill: Send {
    /// Makes a file that must not exist, of `size` bytes of zeros, its name durable.
    fn make(&mut self, path: &Path, size: u64) -> io::Result<Box<dyn Paper>>;
}

/// The real disk.
#[derive(Debug, Default)]
pub struct Disk;

impl Mill for Disk {
    fn make(&mut self, path: &Path, size: u64) -> io::Result<Box<dyn Paper>> {
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(path)?;
        let made = preallocate(&file, size).and_then(|()| file.sync_all()).and_then(|()| {
            let folder = path.parent().unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        });
        if let Err(e) = made {
            // Nothing was written into it: without its name the next try may use it again.
            let _ = fs::remove_file(path);
            return Err(e);
        }
        Ok(Box::new(file))
    }
}

/// Takes the room now, so that a full disk shows here and not inside a group. Where the file system cannot, the length alone is set.
fn preallocate(file: &File, size: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        Err(e) if e == rustix::io::Errno::OPNOTSUPP || e == rustix::io::Errno::NOSYS => file.set_len(size),
        other => other.map_err(io::Error::from),
    }
}

impl Paper for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }
    fn sync(&mut self) -> io::Result<()> {
        rustix::fs::fdatasync(&*self).map_err(io::Error::from)
    }
}

/// The open segment.
struct Open {
    paper: Box<dyn Paper>,
    size: u64,
    at: u64,
}

/// The writer of one run.
pub struct Writer {
    wal: PathBuf,
    run: u64,
    segment_bytes: u64,
    mill: Box<dyn Mill>,
    open: Option<Open>,
    /// All that lie there, the open one last.
    segments: Vec<Facts>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer(run {}, {} segments)", self.run, self.segments.len())
    }
}

impl Writer {
    /// A writer behind the segments of earlier runs.
    pub fn new(wal: &Path, run: u64, segment_bytes: u64, mill: Box<dyn Mill>, earlier: Vec<Facts>) -> Self {
        Self { wal: wal.to_owned(), run, segment_bytes, mill, open: None, segments: earlier }
    }
    /// Its run.
    pub fn run(&self) -> u64 {
        self.run
    }
    /// Whether `bytes` and the frame that ends a segment fit into the open one.
    pub fn fits(&self, bytes: usize) -> bool {
        self.open.as_ref().is_some_and(|o| o.at + (bytes + HEADER_BYTES) as u64 <= o.size)
    }
    /// Whether a segment is open that must be ended before the next is made.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
    /// The open segment has its last frame.
    pub fn close_segment(&mut self) {
        self.open = None;
    }
    /// Makes the segment whose first frame is `first`, with room for `bytes`. On an error nothing has changed.
    pub fn make_segment(&mut self, first: u64, bytes: usize, now: Micros) -> Result<(), StoreError> {
        let segment = Segment::at(&self.wal, first, self.run);
        let size = self.segment_bytes.max((bytes + HEADER_BYTES).next_multiple_of(4096) as u64);
        let paper = self.mill.make(&segment.path, size).map_err(io_error("making", &segment.path))?;
        self.open = Some(Open { paper, size, at: 0 });
        self.segments.push(Facts { segment, good_end: None, observed: now, bytes: size });
        Ok(())
    }
    /// Appends whole frames to the open segment and returns when they are on the disk. After an error nothing may be written any more.
    pub fn append(&mut self, bytes: &[u8], now: Micros) -> Result<(), StoreError> {
        let (Some(open), Some(facts)) = (&mut self.open, self.segments.last_mut()) else {
            return Err(StoreError::Stopped("no segment is open".to_owned()));
        };
        let path = &facts.segment.path;
        open.paper.write_at(open.at, bytes).map_err(io_error("writing to", path))?;
        open.paper.sync().map_err(io_error("syncing", path))?;
        open.at += bytes.len() as u64;
        facts.observed = now;
        Ok(())
    }
    /// The first frame of the first segment that must stay: those ahead of it hold only frames up to `below` and are older than `before`.
    pub fn oldest(&self, below: u64, before: Micros) -> u64 {
        let mut oldest = self.segments.first().map_or(1, |s| s.segment.first);
        for pair in self.segments.windows(2) {
            if pair[1].segment.first > below + 1 || pair[0].observed > before {
                break;
            }
            oldest = pair[1].segment.first;
        }
        oldest
    }
    /// Unlinks the segments ahead of `oldest`, which a durable frame must have named before. Gives how many went.
    pub fn remove_below(&mut self, oldest: u64) -> Result<usize, StoreError> {
        let gone = self.segments.windows(2).take_while(|pair| pair[1].segment.first <= oldest).count();
        for facts in self.segments.drain(..gone) {
            let path = &facts.segment.path;
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io_error("removing", path)(e)),
                _ => {}
            }
        }
        if gone > 0 {
            sync_folder(&self.wal)?;
        }
        Ok(gone)
    }
    /// The first frame of the oldest segment.
    pub fn first(&self) -> u64 {
        self.segments.first().map_or(u64::MAX, |s| s.segment.first)
    }
    /// Bytes on disk of all segments.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.bytes).sum()
    }
}
