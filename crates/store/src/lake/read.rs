//! Reading records of one generation without the query engine.

use std::{fs::File, path::Path};

use arrow::{
    array::{Array as _, AsArray as _, BooleanArray, RecordBatch},
    datatypes::Int64Type,
    error::ArrowError,
};
use event::Generation;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter},
    },
    file::{metadata::RowGroupMetaData, statistics::Statistics},
};

use super::LakeFile;
use crate::StoreError;

/// A record's first byte in its generation, the place behind its last, and its stored bytes.
pub(super) type Record = (u64, u64, Vec<u8>);

/// The records of a generation that end behind a place, in order of place.
pub(super) fn records_behind(files: &[LakeFile], generation: Generation, from: u64, bytes_max: usize) -> Result<Vec<Record>, StoreError> {
    let wanted = Wanted { generation: generation.to_string(), from: i64::try_from(from).unwrap_or(i64::MAX) };
    let mut out = Vec::new();
    let mut bytes = 0;
    for file in files {
        wanted.of_file(&file.path, |record| {
            bytes += record.2.len();
            out.push(record);
            if bytes > bytes_max {
                Err(format!("the records of generation {generation} behind byte {from} exceed {bytes_max} bytes"))
            } else {
                Ok(())
            }
        })?;
    }
    out.sort_by_key(|r| (r.0, r.1));
    Ok(out)
}

struct Wanted {
    generation: String,
    from: i64,
}

impl Wanted {
    fn of_file(&self, path: &Path, mut take: impl FnMut(Record) -> Result<(), String>) -> Result<(), StoreError> {
        let failed = |why: String| StoreError::Lake { doing: "reading", path: path.to_owned(), why };
        let file = File::open(path).map_err(|source| StoreError::Io { doing: "reading", path: path.to_owned(), source })?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| failed(e.to_string()))?;
        let schema = builder.parquet_schema();
        let leaf = |name: &str| schema.columns().iter().position(|c| c.path().string() == name);
        let (Some(generation), Some(end)) = (leaf("generation"), leaf("byte_end")) else { return Ok(()) };
        let groups: Vec<usize> = (0..builder.metadata().num_row_groups())
            .filter(|g| self.may_be_in(builder.metadata().row_group(*g), generation, end))
            .collect();
        if groups.is_empty() {
            return Ok(());
        }
        let mask = ProjectionMask::columns(schema, ["byte_start", "byte_end", "raw", "raw_bytes"]);
        let tested = ProjectionMask::leaves(schema, [generation, end]);
        let (wanted, from) = (self.generation.clone(), self.from);
        let test = ArrowPredicateFn::new(tested, move |batch| matching(&batch, &wanted, from));
        let reader = builder.with_row_groups(groups).with_projection(mask).with_row_filter(RowFilter::new(vec![Box::new(test)])).build();
        for batch in reader.map_err(|e| failed(e.to_string()))? {
            for record in records(&batch.map_err(|e| failed(e.to_string()))?) {
                take(record).map_err(StoreError::Limit)?;
            }
        }
        Ok(())
    }

    /// Statistics only ever rule a row group out when they say so.
    fn may_be_in(&self, group: &RowGroupMetaData, generation: usize, end: usize) -> bool {
        let within = match group.column(generation).statistics() {
            Some(Statistics::ByteArray(s)) => {
                let wanted = self.generation.as_bytes();
                s.min_opt().is_none_or(|low| low.data() <= wanted) && s.max_opt().is_none_or(|high| high.data() >= wanted)
            }
            _ => true,
        };
        let behind = match group.column(end).statistics() {
            Some(Statistics::Int64(s)) => s.max_opt().is_none_or(|high| *high > self.from),
            _ => true,
        };
        within && behind
    }
}

fn matching(batch: &RecordBatch, generation: &str, from: i64) -> Result<BooleanArray, ArrowError> {
    let missing = || ArrowError::SchemaError("a column that every file has is missing".to_owned());
    let generations = batch.column_by_name("generation").and_then(|c| c.as_string_opt::<i32>()).ok_or_else(missing)?;
    let ends = batch.column_by_name("byte_end").and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(missing)?;
    Ok(generations.iter().zip(ends.iter()).map(|(g, e)| Some(g == Some(generation) && e.is_some_and(|e| e > from))).collect())
}

fn records(batch: &RecordBatch) -> Vec<Record> {
    let longs = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int64Type>());
    let (Some(starts), Some(ends)) = (longs("byte_start"), longs("byte_end")) else { return Vec::new() };
    let raw = batch.column_by_name("raw").and_then(|c| c.as_string_opt::<i32>());
    let exact = batch.column_by_name("raw_bytes").and_then(|c| c.as_binary_opt::<i32>());
    let stored = |i: usize| {
        let exact = exact.filter(|a| a.is_valid(i)).map(|a| a.value(i).to_vec());
        exact.or_else(|| raw.filter(|a| a.is_valid(i)).map(|a| a.value(i).as_bytes().to_vec()))
    };
    let place = |n: i64| u64::try_from(n).unwrap_or_default();
    // An erased record has no bytes any more: nothing can be compared with it.
    let some = (0..batch.num_rows()).filter_map(|i| stored(i).map(|s| (i, s)));
    some.map(|(i, stored)| (place(starts.value(i)), place(ends.value(i)), stored)).collect()
}
