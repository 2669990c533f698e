//! What changed, told by inotify. Owns: one watch per folder. A lost or missing notice is no loss: everything is looked at again from time to time.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What happened since the last look.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Files that were written to.
    pub written: HashSet<PathBuf>,
    /// Files came, went or were renamed: look at the folders again.
    pub folders: bool,
    /// Notices were lost: look at everything.
    pub all: bool,
}

/// Watches folders.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: Inotify,
    folders: HashMap<WatchDescriptor, PathBuf>,
    watched: HashSet<PathBuf>,
    buffer: Vec<u8>,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { inotify: Inotify::init()?, folders: HashMap::new(), watched: HashSet::new(), buffer: vec![0; 64 << 10] })
    }

    /// Watches a folder, once. A folder that is not there yet is tried again at the next look.
    pub(super) fn folder(&mut self, folder: &Path) {
        if self.watched.contains(folder) {
            return;
        }
        let mask =
            WatchMask::MODIFY | WatchMask::CREATE | WatchMask::MOVE | WatchMask::DELETE | WatchMask::ONLYDIR | WatchMask::DELETE_SELF;
        if let Ok(descriptor) = self.inotify.watches().add(folder, mask) {
            self.folders.insert(descriptor, folder.to_owned());
            self.watched.insert(folder.to_owned());
        }
    }

    /// Waits for a change, at most `timeout`.
    pub(super) fn wait(&mut self, timeout: Duration) -> Changes {
        let mut changes = Changes::default();
        let limit = Timespec::try_from(timeout).ok();
        let ready = poll(&mut [PollFd::new(&self.inotify, PollFlags::IN)], limit.as_ref());
        if !matches!(ready, Ok(n) if n > 0) {
            return changes;
        }
        let Ok(events) = self.inotify.read_events(&mut self.buffer) else {
            changes.all = true;
            return changes;
        };
        let mut gone = Vec::new();
        for event in events {
            if event.mask.contains(EventMask::Q_OVERFLOW) {
                changes.all = true;
            } else if event.mask.contains(EventMask::IGNORED) {
                gone.push(event.wd);
                changes.folders = true;
            } else if event.mask.contains(EventMask::MODIFY) {
                let folder = self.folders.get(&event.wd);
                changes.written.extend(folder.zip(event.name).map(|(folder, name)| folder.join(name)));
            } else {
                changes.folders = true;
            }
        }
        for descriptor in gone {
            if let Some(folder) = self.folders.remove(&descriptor) {
                self.watched.remove(&folder);
            }
        }
        changes
    }
}
