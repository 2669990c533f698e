//! The table: Parquet files of the lake's snapshot, and the rows that are still in the WAL.
//!
//! Files are skipped by partition and statistics; filters, limits and TopK bounds are pushed into the Parquet reader by the engine.
//! Must never leave out a row that could match: pruning only ever over-approximates, and the filter runs again above (`Inexact`).

use std::{path::PathBuf, sync::Arc};

use datafusion::{
    arrow::{
        array::{RecordBatch, RecordBatchOptions, new_null_array},
        compute::cast,
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    catalog::{Session, TableProvider},
    common::{ColumnStatistics, DFSchema, Result, ScalarValue, Statistics, pruning::PrunableStatistics, stats::Precision},
    datasource::{
        TableType,
        listing::PartitionedFile,
        memory::MemorySourceConfig,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource},
        source::DataSourceExec,
        table_schema::TableSchema,
    },
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, TableProviderFilterPushDown},
    physical_optimizer::pruning::PruningPredicateBuilder,
    physical_plan::{ExecutionPlan, empty::EmptyExec, union::UnionExec},
};

use crate::footers::{Footers, LakePath};

/// The partition columns, behind the columns of the files (FORMAT §3).
pub(crate) const PARTITIONS: [(&str, DataType); 3] = [("cluster", DataType::Utf8), ("class", DataType::Utf8), ("day", DataType::Date32)];

/// One Parquet file of the lake.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its rows.
    pub rows: u64,
    /// The partition `cluster`.
    pub cluster: String,
    /// The partition `class`.
    pub class: String,
    /// The partition `day`: days since 1970-01-01.
    pub day: i32,
    /// Bounds of columns, for skipping: name, lowest, highest. They must hold every value that is not null.
    pub bounds: Vec<(&'static str, ScalarValue, ScalarValue)>,
}

/// A batch in some of the table's columns and in its types. A column that an older writer did not know is null.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|f| match batch.column_by_name(f.name()) {
        Some(column) => Ok(cast(column, f.data_type())?),
        None => Ok(new_null_array(f.data_type(), batch.num_rows())),
    });
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<Vec<_>>>()?, &rows)?)
}

/// The schema with text as views (cheaper to filter and to sort than copies) and every column nullable.
pub(crate) fn as_views(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| {
        let field = f.as_ref().clone().with_nullable(true);
        if f.data_type() == &DataType::Utf8 && PARTITIONS.iter().all(|(name, _)| name != f.name()) {
            field.with_data_type(DataType::Utf8View)
        } else {
            field
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// The columns of the files with the partition columns behind them.
pub(crate) fn table_schema(columns: &SchemaRef) -> TableSchema {
    let partitions: Vec<_> = PARTITIONS.iter().map(|(name, kind)| Arc::new(Field::new(*name, kind.clone(), true))).collect();
    TableSchema::builder(Arc::clone(columns)).with_table_partition_cols(partitions).build()
}

/// A set of files and rows as one table.
#[derive(Debug)]
pub(crate) struct Lake {
    schema: SchemaRef,
    table: TableSchema,
    files: Vec<Arc<Known>>,
    fresh: Vec<RecordBatch>,
    footers: Arc<Footers>,
}

/// A file with what its statistics are worth.
#[derive(Debug)]
struct Known {
    file: PartitionedFile,
    /// Bounds as exact values, for skipping whole files. Planning must not see them as exact, or it would answer `min(time)` from them.
    prune: Arc<Statistics>,
}

impl Lake {
    /// `fresh` has the columns of the files and the partition columns behind them, as text or as views.
    pub(crate) fn new(table: TableSchema, files: &[DataFile], fresh: Vec<RecordBatch>, footers: Arc<Footers>) -> Self {
        let files = files.iter().map(|f| Arc::new(known(table.file_schema(), f))).collect();
        Self { schema: Arc::clone(table.table_schema()), table, files, fresh, footers }
    }

    /// The files that can hold a matching row.
    fn candidates(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<&Arc<Known>>> {
        let Some(filter) = filters.iter().cloned().reduce(Expr::and) else { return Ok(self.files.iter().collect()) };
        let filter = session.create_physical_expr(filter, &DFSchema::try_from(self.schema.as_ref().clone())?)?;
        let statistics = PrunableStatistics::new(self.files.iter().map(|f| Arc::clone(&f.prune)).collect(), Arc::clone(&self.schema));
        let kept =
            PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema)).try_build(filter).and_then(|p| p.prune(&statistics));
        // A filter that says nothing about bounds keeps every file.
        let kept = kept.unwrap_or_else(|_| vec![true; self.files.len()]);
        Ok(self.files.iter().zip(kept).filter_map(|(f, keep)| keep.then_some(f)).collect())
    }

    fn scan_files(
        &self,
        files: &[&Arc<Known>],
        parts: usize,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut groups = vec![Vec::new(); parts.clamp(1, files.len())];
        for (i, known) in files.iter().enumerate() {
            let slot = i % groups.len();
            groups[slot].push(known.file.clone());
        }
        let source = ParquetSource::new(self.table.clone())
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_enable_page_index(true)
            .with_parquet_file_reader_factory(Arc::clone(&self.footers) as _);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

#[async_trait::async_trait]
impl TableProvider for Lake {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
    fn table_type(&self) -> TableType {
        TableType::Base
    }
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.candidates(session, filters)?;
        tracing::debug!(files = files.len(), of = self.files.len(), fresh = self.fresh.len(), "scanning");
        let limit = limit.filter(|_| filters.is_empty());
        let mut plans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !files.is_empty() {
            plans.push(self.scan_files(&files, session.config().target_partitions(), projection, limit)?);
        }
        if !self.fresh.is_empty() {
            // Only what was asked for is turned into the table's types: most questions need few columns.
            let wanted = projection.map_or_else(|| Ok(Arc::clone(&self.schema)), |p| self.schema.project(p).map(Arc::new))?;
            let rows = self.fresh.iter().map(|b| conform(b, &wanted)).collect::<Result<Vec<_>>>()?;
            plans.push(MemorySourceConfig::try_new_exec(&[rows], wanted, None)?);
        }
        match plans.len() {
            0 => Ok(Arc::new(EmptyExec::new(
                projection.map_or_else(|| Ok(Arc::clone(&self.schema)), |p| self.schema.project(p).map(Arc::new))?,
            ))),
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

fn known(columns: &SchemaRef, file: &DataFile) -> Known {
    let statistics = |exact: bool| {
        let bound = |value: &ScalarValue| if exact { Precision::Exact(value.clone()) } else { Precision::Inexact(value.clone()) };
        let mut of = vec![ColumnStatistics::new_unknown(); columns.fields().len()];
        for (name, low, high) in &file.bounds {
            if let Ok(at) = columns.index_of(name) {
                of[at].min_value = bound(low);
                of[at].max_value = bound(high);
            }
        }
        let rows = usize::try_from(file.rows).unwrap_or(usize::MAX);
        Statistics { num_rows: Precision::Exact(rows), total_byte_size: Precision::Absent, column_statistics: of }
    };
    let partitions = vec![
        ScalarValue::Utf8(Some(file.cluster.clone())),
        ScalarValue::Utf8(Some(file.class.clone())),
        ScalarValue::Date32(Some(file.day)),
    ];
    let base = PartitionedFile::new(file.path.to_string_lossy(), file.size).with_partition_values(partitions);
    let prune = base.clone().with_statistics(Arc::new(statistics(true))).statistics.unwrap_or_default();
    let file = base.with_statistics(Arc::new(statistics(false))).with_extension(LakePath(file.path.clone()));
    Known { file, prune }
}
