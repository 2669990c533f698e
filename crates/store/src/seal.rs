//! The thread that brings rows into the lake, so that nothing else waits for Parquet.
//!
//! Owns: the order of a seal: the lake's commit first, then what queries see, then the seal frame, then segments go (FORMAT §3).

use std::{
    sync::{Arc, Mutex, mpsc::Receiver},
    time::Duration,
};

use crate::{
    commit::queue::{Done, Order, Queue},
    hold,
    lake::{Fresh, Lake},
    live::Live,
};

/// After a seal failed, it is tried again this often.
const RETRY: Duration = Duration::from_secs(10);

/// One seal.
pub(crate) struct Job {
    /// All rows up to `wal_seq`.
    pub fresh: Fresh,
    pub wal_seq: u64,
    /// The snapshot that lies beside it.
    pub state: Vec<u8>,
    pub done: Option<Done>,
}

/// The thread.
pub(crate) struct Sealer {
    pub lake: Arc<Mutex<Lake>>,
    pub live: Arc<Live>,
    pub queue: Arc<Queue>,
}

impl Sealer {
    /// Works until the tail ends. A seal that fails is told once and tried again: its rows stay in the WAL and in sight.
    pub fn run(self, from: &Receiver<Job>) {
        while let Ok(mut job) = from.recv() {
            while let Err(e) = self.seal(&mut job) {
                tracing::error!(error = %e, wal_seq = job.wal_seq, "sealing failed; the rows stay in the log of frames");
                self.live.change(|l| l.failing = Some(e.to_string()));
                if let Some(done) = job.done.take() {
                    drop(done.try_send(Err(e)));
                }
                if self.live.wait(Some(RETRY), |l| l.ended) {
                    return;
                }
            }
        }
    }

    fn seal(&self, job: &mut Job) -> Result<(), crate::StoreError> {
        // The lake stays locked until queries see its new files in place of the rows: nobody may ask it in between.
        let mut lake = hold(&self.lake);
        let table_version = lake.seal(&mut job.fresh, job.wal_seq, &job.state)?;
        let files = Arc::new(lake.files());
        self.live.change(|l| {
            l.files = files;
            l.sealing = Vec::new();
            l.busy = false;
            l.failing = None;
            l.sealed = job.wal_seq;
        });
        drop(lake);
        self.queue.order(Order::Sealed { wal_seq: job.wal_seq, table_version, done: job.done.take() });
        Ok(())
    }
}
