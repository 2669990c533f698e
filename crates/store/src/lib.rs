//! What is kept: the write-ahead log, the lake, and the names that records get (FORMAT §1-§3). The only writer of stored events.
//!
//! Must never acknowledge before a sync returned, never take a number back, never know a log format (it asks [`event::Derive`]).

mod batch;
mod checkpoint;
mod commit;
mod error;
mod folder;
#[cfg(test)]
mod formats;
mod init;
#[cfg(test)]
mod kills;
pub mod lake;
mod live;
mod observe;
mod recover;
mod replay;
#[cfg(test)]
mod rig;
mod seal;
mod state;
mod stats;
mod store;
mod tail;
mod view;
mod wal;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use commit::{
    SEGMENT_LIFE,
    queue::{
        Ack, OWN_BYTES_MAX, OWN_RECORD_BYTES_MAX, OWN_RECORDS_MAX, OwnRecords, QUEUE_BYTES_MAX, QUEUE_FRAMES_MAX, SubmitError, Ticket,
    },
};
pub use error::StoreError;
pub use folder::{Folder, Space, space};
pub use init::{Init, RedactKey, identity_key, init, node, redact_key, root_fingerprint};
pub use live::Moment;
pub use observe::{Observer, Seen};
pub use stats::{Position, Stats};
pub use store::{Options, Store};
pub use tail::SealAt;
pub use view::{View, open_read_only};

/// Takes a lock. A thread that panicked while it held it left whole values behind: every change under a lock of ours is one step.
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
