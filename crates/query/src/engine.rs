//! The engine: a snapshot of a store, SQL and searches over it, within limits.
//!
//! An engine is cheap to make and shows one moment: make a new one for a newer moment, and hand on [`Footers`] so that files already known
//! need not be opened again. Answers stream; dropping one stops its work.

use std::{sync::Arc, time::Duration};

use datafusion::{
    arrow::{
        array::{AsArray as _, BooleanArray, RecordBatch, StringArray},
        compute::filter_record_batch,
        datatypes::SchemaRef,
    },
    catalog::TableProvider,
    execution::{
        SendableRecordBatchStream,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        runtime_env::RuntimeEnvBuilder,
    },
    logical_expr::LogicalPlan,
    prelude::{SessionConfig, SessionContext},
};
use futures::StreamExt as _;
use tokio::time::Instant;

use crate::{
    DataFile, Footers, QueryError, error, functions, guard,
    provider::{Lake, as_views, table_schema},
    rows::{self, Row},
    search::Search,
    views,
};

/// How much one question may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Wall-clock time; none waits for ever.
    pub time: Option<Duration>,
    /// Bytes of memory for sorting, grouping and joining.
    pub memory: usize,
    /// Rows of the answer; it ends there and says so.
    pub rows: usize,
}

impl Limits {
    /// For questions over a wire, where others wait too.
    pub const SERVER: Self = Self { time: Some(Duration::from_secs(10)), memory: 512 << 20, rows: 10_000 };
    /// For a person's own command.
    pub const COMMAND: Self = Self { time: None, memory: 2 << 30, rows: usize::MAX };
}

/// One moment of a store: the lake's files, and the rows behind them.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The columns of the files, without the partition columns.
    pub columns: SchemaRef,
    /// The files.
    pub files: Vec<DataFile>,
    /// Rows still in the WAL: `columns` and the partition columns behind them.
    pub fresh: Vec<RecordBatch>,
}

/// Answers questions about one moment of a store.
pub struct Engine {
    ctx: SessionContext,
    /// `events` and `self` together: what a search for class:self reads.
    all: Arc<dyn TableProvider>,
    events: Arc<dyn TableProvider>,
    names: Vec<String>,
    limits: Limits,
}

impl Engine {
    /// An engine over a snapshot.
    pub fn new(snapshot: &Snapshot, footers: &Arc<Footers>, limits: Limits) -> Result<Self, QueryError> {
        let failed = |e: datafusion::error::DataFusionError| QueryError::Run(format!("starting the query engine: {e}"));
        let ctx = session(limits).map_err(failed)?;
        functions::register(&ctx);
        let columns = as_views(&snapshot.columns);
        let table = table_schema(&columns);
        let lake = |own: &[bool]| -> Result<Arc<dyn TableProvider>, QueryError> {
            let files: Vec<DataFile> = snapshot.files.iter().filter(|f| own.contains(&(f.class == OWN_CLASS))).cloned().collect();
            let rows = snapshot.fresh.iter().filter_map(|b| of_class(b, own).transpose()).collect::<Result<Vec<_>, _>>().map_err(failed)?;
            Ok(Arc::new(Lake::new(table.clone(), &files, rows, Arc::clone(footers))))
        };
        let (events, own, all) = (lake(&[false])?, lake(&[true])?, lake(&[false, true])?);
        let mut names: Vec<String> = events.schema().fields().iter().map(|f| f.name().clone()).collect();
        names.extend([views::EVENTS, views::OWN, "acts", "events_once", "act", "lines", "first_time", "last_time"].map(str::to_owned));
        ctx.register_table(views::EVENTS, Arc::clone(&events)).map_err(failed)?;
        ctx.register_table(views::OWN, own).map_err(failed)?;
        Ok(Self { ctx, all, events, names, limits })
    }

    /// Adds the views. They are planned only for statements that name them: planning `acts` costs more than most questions.
    async fn add_views(&self, sql: &str) -> Result<(), QueryError> {
        let lower = sql.to_ascii_lowercase();
        let shows = lower.contains("show") || lower.contains("information_schema");
        for (name, text) in [("acts", views::acts()), ("events_once", views::EVENTS_ONCE.to_owned())] {
            if (shows || lower.contains(name)) && !self.ctx.table_exist(name).unwrap_or(true) {
                let made = self.ctx.sql(&format!("CREATE VIEW {name} AS {text}")).await;
                made.map_err(|e| QueryError::Run(format!("making the view {name}: {e}")))?;
            }
        }
        Ok(())
    }

    /// Answers one SQL statement.
    pub async fn sql(&self, sql: &str) -> Result<Answer, QueryError> {
        self.add_views(sql).await?;
        let plan = guard::plan(&self.ctx.state(), sql, &self.names).await?;
        self.run(plan, self.limits.rows, |e| error::planning(sql, &e, &self.names)).await
    }

    /// The newest `limit` events that match, newest first. `before` goes on where an earlier page ended.
    pub async fn search(&self, search: &Search, limit: usize, before: Option<&Cursor>) -> Result<Answer, QueryError> {
        let table = if search.own { &self.all } else { &self.events };
        let limit = limit.min(self.limits.rows);
        let plan = search.plan(Arc::clone(table), limit, before).map_err(|e| QueryError::Run(format!("planning the search: {e}")))?;
        self.run(plan, limit, |e| error::running(&e, self.limits.memory)).await
    }

    async fn run(
        &self,
        plan: LogicalPlan,
        rows: usize,
        said: impl Fn(datafusion::error::DataFusionError) -> QueryError,
    ) -> Result<Answer, QueryError> {
        let deadline = self.limits.time.map(|t| Instant::now() + t);
        let frame = self.ctx.execute_logical_plan(plan).await.map_err(&said)?;
        let stream = frame.execute_stream().await.map_err(&said)?;
        let columns = rows::names(&stream.schema());
        Ok(Answer { columns, stream, deadline, limits: self.limits, left: rows, truncated: false })
    }
}

/// The class of our own records, as the partition spells it.
const OWN_CLASS: &str = event::LogClass::Own.as_str();

fn session(limits: Limits) -> datafusion::error::Result<SessionContext> {
    let mut config = SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("bartizan", "store");
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.parquet.bloom_filter_on_read = true;
    // A question never writes: what does not fit into memory is refused, not spilled.
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(limits.memory, 1.0)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// The rows of our own class, of the other classes, or all; none if no row is left.
fn of_class(batch: &RecordBatch, own: &[bool]) -> datafusion::error::Result<Option<RecordBatch>> {
    let Some(class) = batch.column_by_name("class").filter(|_| own.len() == 1) else { return Ok(Some(batch.clone())) };
    let class: &StringArray = class.as_string();
    let mask: BooleanArray = class.iter().map(|c| Some(own.contains(&(c == Some(OWN_CLASS))))).collect();
    match mask.true_count() {
        0 => Ok(None),
        all if all == batch.num_rows() => Ok(Some(batch.clone())),
        _ => Ok(Some(filter_record_batch(batch, &mask)?)),
    }
}

/// The rows of an answer, as they come.
pub struct Answer {
    /// The columns' names, in order; each is a key of every row.
    pub columns: Vec<String>,
    stream: SendableRecordBatchStream,
    deadline: Option<Instant>,
    limits: Limits,
    left: usize,
    truncated: bool,
}

impl Answer {
    /// The next rows; none when the answer has ended.
    pub async fn next(&mut self) -> Result<Option<Vec<Row>>, QueryError> {
        loop {
            let batch = match self.deadline {
                Some(at) => tokio::time::timeout_at(at, self.stream.next()).await.map_err(|_| self.too_long())?,
                None => self.stream.next().await,
            };
            let Some(batch) = batch.transpose().map_err(|e| error::running(&e, self.limits.memory))? else { return Ok(None) };
            if batch.num_rows() == 0 {
                continue;
            }
            self.truncated |= batch.num_rows() > self.left;
            let batch = batch.slice(0, batch.num_rows().min(self.left));
            self.left -= batch.num_rows();
            return if batch.num_rows() == 0 { Ok(None) } else { rows::rows(&batch, &self.columns).map(Some) };
        }
    }

    /// All rows at once.
    pub async fn all(mut self) -> Result<Table, QueryError> {
        let mut rows = Vec::new();
        while let Some(mut next) = self.next().await? {
            rows.append(&mut next);
        }
        Ok(Table { columns: self.columns, rows, truncated: self.truncated })
    }

    /// Whether rows were left out because of [`Limits::rows`]. Known when [`Answer::next`] has said none.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    fn too_long(&self) -> QueryError {
        let seconds = self.limits.time.unwrap_or_default().as_secs();
        QueryError::Limit { limit: format!("the time limit of {seconds} s"), advice: "narrow it by time, cluster or class" }
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns' names, in order.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether rows were left out because of [`Limits::rows`].
    pub truncated: bool,
}

/// Where a page of a search ended: the last line's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The line's time, else its arrival.
    pub at: event::Micros,
    /// Its log.
    pub log: String,
    /// Its number.
    pub seq: i64,
}

impl Cursor {
    /// Behind a row of a search.
    pub fn behind(row: &Row) -> Option<Self> {
        let text = |key: &str| row.get(key).and_then(|v| v.as_str());
        let at: jiff::Timestamp = text("time").or_else(|| text("observed_time"))?.parse().ok()?;
        let seq = row.get("seq").and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()))?;
        Some(Self { at: at.as_microsecond(), log: text("log")?.to_owned(), seq })
    }
    /// Reads what [`std::fmt::Display`] wrote: `<microseconds>.<seq>.<log>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, rest) = text.split_once('.')?;
        let (seq, log) = rest.split_once('.')?;
        Some(Self { at: at.parse().ok()?, log: event::LogName::parse(log)?.to_string(), seq: seq.parse().ok()? })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.seq, self.log)
    }
}

#[cfg(test)]
mod tests;
