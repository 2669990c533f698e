//! The Delta table: making, loading, committing, checkpoints. The only file that speaks to the Delta library.
//!
//! The library is asynchronous and the rest of the store is not: every call runs to its end on a thread and a small runtime of its own, so
//! callers may stand anywhere. Commits go straight to the log store, which costs the same however long the table is.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use deltalake_core::{
    DeltaTable, DeltaTableBuilder, DeltaTableError, checkpoints,
    kernel::{
        Action, Add, StructField, StructType, Transaction,
        engine::arrow_conversion::TryIntoKernel as _,
        transaction::{CommitData, TransactionError},
    },
    logstore::{CommitOrBytes, LogStoreRef},
    protocol::{DeltaOperation, SaveMode},
};
use event::{LogClass, NodeId};
use url::Url;

use super::{LakeFile, durable::Durable, names, schema, snapshot};
use crate::StoreError;

/// The format that `commitInfo.bartizan` and `Add.tags` name.
pub(super) const FORMAT: u32 = 1;
/// How `raw` is kept in a file: the stored bytes as they are.
pub(super) const RAW_PLAIN: &str = "plain";

/// What the table's properties are. Clean-up of the log is ours, because what is unlinked must be recorded before.
const CONFIGURATION: [(&str, &str); 3] = [
    ("delta.enableExpiredLogCleanup", "false"),
    ("delta.dataSkippingStatsColumns", "seq,time,observed_time"),
    ("delta.checkpointInterval", "100"),
];

/// A connection to the table's log.
pub(super) struct Table {
    folder: PathBuf,
    store: Durable,
    log: LogStoreRef,
}

/// The table at a version.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) version: u64,
    pub(super) files: Vec<LakeFile>,
    /// The `wal_seq` up to which each node's frames are in the table.
    pub(super) sealed: BTreeMap<NodeId, u64>,
}

/// What became of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Committed {
    /// It is in the table.
    Yes,
    /// Another writer took the version.
    Taken,
}

/// Who commits, and how far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author {
    pub(super) node: NodeId,
    pub(super) run: u64,
    pub(super) wal_seq: u64,
}

impl Author {
    fn app(node: NodeId) -> String {
        format!("bartizan/{node}")
    }
}

impl Table {
    /// A table in a folder that exists. Drafts of durable writes go to `drafts`.
    pub(super) fn new(folder: &Path, drafts: PathBuf) -> Result<Self, StoreError> {
        let doing = "opening";
        let store = Durable::new(folder, drafts).map_err(|e| failed(folder, doing, &e))?;
        let log = builder(&store).and_then(|b| b.build_storage()).map_err(|e| failed(folder, doing, &e))?;
        Ok(Self { folder: folder.to_owned(), store, log })
    }

    /// Makes the table: version 0.
    pub(super) fn create(&self) -> Result<(), StoreError> {
        self.wait("making", async {
            let kernel: StructType = schema::table().as_ref().try_into_kernel()?;
            let columns: Vec<StructField> = kernel.fields().cloned().collect();
            let create = builder(&self.store)?.build()?.create().with_columns(columns).with_partition_columns(schema::PARTITIONS);
            create.with_configuration(CONFIGURATION.map(|(k, v)| (k, Some(v)))).with_table_name("events").await.map(drop)
        })
    }

    /// Reads the newest version.
    pub(super) fn load(&self) -> Result<State, StoreError> {
        let (table, txns) = self.loaded()?;
        let snapshot = table.snapshot().map_err(|e| self.failed("reading", &e))?;
        let files = snapshot.log_data().into_iter().map(|view| {
            #[expect(deprecated, reason = "the library shows tags nowhere else")]
            let add = view.add_action();
            LakeFile::of(&self.folder, &view.path(), &add).map_err(|why| self.failed("reading", &why))
        });
        Ok(State { version: snapshot.version(), files: files.collect::<Result<_, _>>()?, sealed: txns })
    }

    fn loaded(&self) -> Result<(DeltaTable, BTreeMap<NodeId, u64>), StoreError> {
        self.wait("reading", async {
            let mut table = builder(&self.store)?.build()?;
            table.load().await?;
            let snapshot = table.snapshot()?;
            let mut nodes: BTreeSet<NodeId> = snapshot::nodes(&self.folder).into_iter().collect();
            nodes.extend(snapshot.log_data().iter().filter_map(|v| names::FileName::parse(&v.path())).map(|n| n.log.node));
            let mut txns = BTreeMap::new();
            for node in nodes {
                let version = snapshot.transaction_version(self.log.as_ref(), Author::app(node)).await?;
                if let Some(version) = version.and_then(|v| u64::try_from(v).ok()) {
                    txns.insert(node, version);
                }
            }
            Ok::<_, DeltaTableError>((table, txns))
        })
    }

    /// Writes one commit with new files as a version. An error leaves it unknown whether the commit is there.
    pub(super) fn commit(&self, version: u64, author: &Author, adds: Vec<Add>) -> Result<Committed, StoreError> {
        let wal_seq = i64::try_from(author.wal_seq).map_err(|e| self.failed("committing to", &e))?;
        let lines = adds.len() + 2; // commitInfo and txn
        let about = serde_json::json!({
            "format": FORMAT, "node": author.node.to_string(), "run": author.run, "wal_seq": author.wal_seq, "lines": lines,
        });
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(schema::PARTITIONS.map(str::to_owned).to_vec()),
            predicate: None,
        };
        let txn = Transaction::new(Author::app(author.node), wal_seq);
        let actions = adds.into_iter().map(Action::Add).collect();
        let data = CommitData::new(actions, operation, HashMap::from([("bartizan".to_owned(), about)]), vec![txn]);
        let mut bytes = data.get_bytes().map_err(|e| self.failed("committing to", &e))?.to_vec();
        bytes.push(b'\n');
        let entry = CommitOrBytes::LogBytes(bytes.into());
        self.wait("committing to", async {
            match self.log.write_commit_entry(version, entry, uuid::Uuid::new_v4()).await {
                Ok(()) => Ok(Committed::Yes),
                Err(TransactionError::VersionAlreadyExists(_)) => Ok(Committed::Taken),
                Err(e) => Err(e),
            }
        })
    }

    /// Writes a checkpoint of the newest version.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let (table, _) = self.loaded()?;
        self.wait("writing a checkpoint of", checkpoints::create_checkpoint(&table, None))
    }

    /// Runs to the end on a thread and a runtime that live as long as this call: the caller may stand in a runtime of its own, where neither
    /// waiting nor dropping another one is allowed.
    fn wait<T: Send, E: std::fmt::Display>(
        &self,
        doing: &'static str,
        future: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, StoreError> {
        let run = || match tokio::runtime::Builder::new_current_thread().build() {
            Ok(runtime) => runtime.block_on(future).map_err(|e| self.failed(doing, &e)),
            Err(e) => Err(self.failed(doing, &e)),
        };
        std::thread::scope(|scope| match scope.spawn(run).join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    fn failed(&self, doing: &'static str, why: &dyn std::fmt::Display) -> StoreError {
        failed(&self.folder, doing, why)
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({})", self.folder.display())
    }
}

fn failed(folder: &Path, doing: &'static str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Lake { doing, path: folder.to_owned(), why: why.to_string() }
}

/// The store is rooted at the table, so no character of the folder's own name meets a URL.
fn builder(store: &Durable) -> Result<DeltaTableBuilder, DeltaTableError> {
    let root = Url::parse("file:///").map_err(|e| DeltaTableError::Generic(e.to_string()))?;
    Ok(DeltaTableBuilder::from_url(root.clone())?.with_storage_backend(std::sync::Arc::new(store.clone()), root))
}

impl LakeFile {
    /// Reads what the log says about a file.
    fn of(folder: &Path, path: &str, add: &Add) -> Result<Self, String> {
        let inside = !path.starts_with('/') && !path.contains("://") && path.split('/').all(|p| p != "..");
        if !inside {
            return Err(format!("it names the file {path}, which lies outside of it"));
        }
        let partition = |name: &str| add.partition_values.get(name).cloned().flatten().unwrap_or_default();
        let (class, day) = (partition("class"), partition("day"));
        let tag = |name: &str| add.tags.as_ref().and_then(|t| t.get(name)).and_then(Option::as_deref);
        if let Some(raw) = tag("raw").filter(|raw| *raw != RAW_PLAIN) {
            return Err(format!("the file {path} keeps lines in the form {raw:?}, which a newer version wrote"));
        }
        let bounds = |low: &str, high: &str| Some((tag(low)?.parse().ok()?, tag(high)?.parse().ok()?));
        let rows = add.stats.as_deref().and_then(|s| serde_json::from_str::<serde_json::Value>(s).ok());
        let rows = rows.as_ref().and_then(|s| s["numRecords"].as_u64());
        let name = names::FileName::parse(path);
        Ok(Self {
            path: folder.join(path),
            size: u64::try_from(add.size).unwrap_or_default(),
            rows: rows.ok_or_else(|| format!("it does not say how many rows {path} holds"))?,
            cluster: partition("cluster"),
            class: LogClass::parse(&class).ok_or_else(|| format!("the file {path} has the unknown class {class:?}"))?,
            day: names::parse_day(&day).ok_or_else(|| format!("the file {path} has the unknown day {day:?}"))?,
            time: bounds("time_min", "time_max"),
            observed_time: bounds("observed_time_min", "observed_time_max"),
            run: name.as_ref().map_or(0, |n| n.run),
            range: name.map(|n| super::Range { log: n.log, first_seq: n.first_seq, last_seq: n.last_seq }),
            sha256: tag("sha256").map(str::to_owned),
        })
    }
}
