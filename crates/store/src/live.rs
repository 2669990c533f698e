//! What queries see of a running store: the files of the lake, the rows being sealed and the rows behind them, at one moment under one lock.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use arrow::array::RecordBatch;

use crate::{
    hold,
    lake::{Fresh, LakeFile},
};

/// Fresh rows may grow to this many stored bytes while a seal is at work; then the tail waits for it, and so do the sources.
pub const FRESH_BYTES_MAX: u64 = 384 << 20;

/// One moment.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// The files of the lake.
    pub files: Arc<Vec<LakeFile>>,
    /// The rows that are in none of them.
    pub rows: Vec<RecordBatch>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Rows behind the last border.
    pub fresh: Fresh,
    /// How many.
    pub rows: u64,
    /// Rows on their way into the lake.
    pub sealing: Vec<RecordBatch>,
    /// A seal is at work.
    pub busy: bool,
    pub files: Arc<Vec<LakeFile>>,
    /// Frames up to here are in the lake.
    pub sealed: u64,
    /// Frames up to here are among the rows.
    pub seen: u64,
    /// The last try to seal failed, and why.
    pub failing: Option<String>,
    /// The store is being closed: nothing waits for better times.
    pub closing: bool,
    /// The tail has ended.
    pub ended: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Live {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Live {
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        hold(&self.inner)
    }
    pub fn moment(&self) -> Moment {
        let mut inner = self.lock();
        let mut rows = inner.sealing.clone();
        rows.extend(inner.fresh.batches());
        Moment { files: inner.files.clone(), rows }
    }
    /// Changes something that others wait for.
    pub fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.notify_all();
        done
    }
    /// Waits until it is so, or for `at_most`. Tells whether it is so.
    pub fn wait(&self, at_most: Option<Duration>, so: impl Fn(&Inner) -> bool) -> bool {
        let until = at_most.map(|d| Instant::now() + d);
        let mut inner = self.lock();
        loop {
            if so(&inner) {
                return true;
            }
            inner = match until.map(|u| u.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return false,
                Some(left) => self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}
