//! The columns of the lake in their order (FORMAT §3), as Arrow and as Delta see them.
//!
//! Append only: a column is never renamed, moved, retyped or removed. Only signed integers and microseconds, because other engines cut or refuse
//! the rest.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use event::field::ColumnType::{self, Binary, Int, Long, Text, TextList, Time};

/// The columns of a file.
pub(super) const COLUMNS: &[(&str, ColumnType)] = &[
    ("log", Text),
    ("seq", Long),
    ("source", Text),
    ("generation", Text),
    ("byte_start", Long),
    ("byte_end", Long),
    ("salt", Binary),
    ("record_salt", Binary),
    ("act_id", Text),
    ("inferred", TextList),
    ("time", Time),
    ("observed_time", Time),
    ("agent_time", Time),
    ("product", Text),
    ("component", Text),
    ("version", Text),
    ("instance", Text),
    ("host", Text),
    ("namespace", Text),
    ("pod", Text),
    ("container", Text),
    ("labels", Text),
    ("stream", Text),
    ("level", Text),
    ("class_uid", Int),
    ("activity_id", Int),
    ("action", Text),
    ("status", Text),
    ("user", Text),
    ("target_user", Text),
    ("role", Text),
    ("privilege", Text),
    ("auth_method", Text),
    ("client", Text),
    ("src_ip", Text),
    ("src_port", Int),
    ("src_host", Text),
    ("dst_ip", Text),
    ("dst_port", Int),
    ("database", Text),
    ("object", Text),
    ("statement", Text),
    ("digest", Text),
    ("conn_id", Long),
    ("trace_id", Text),
    ("txn_ts", Long),
    ("duration_us", Long),
    ("rows", Long),
    ("bytes", Long),
    ("error_code", Text),
    ("error", Text),
    ("message", Text),
    ("caller", Text),
    ("fields", Text),
    ("issues", TextList),
    ("raw", Text),
    ("raw_bytes", Binary),
    ("raw_template", Long),
    ("raw_vars", Binary),
    ("erased_hash", Binary),
];

/// The partition columns, behind the columns of the files: `cluster`, `class`, `day`.
pub(super) const PARTITIONS: [&str; 3] = ["cluster", "class", "day"];

/// The Arrow type of a column.
pub(super) fn data_type(kind: ColumnType) -> DataType {
    match kind {
        Text => DataType::Utf8,
        Int => DataType::Int32,
        Long => DataType::Int64,
        Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        TextList => DataType::List(list_item()),
        Binary => DataType::Binary,
    }
}

/// The item of a list, named as Delta's own writers name it.
pub(super) fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

/// The schema of a file.
pub(super) fn files() -> SchemaRef {
    static FILES: LazyLock<SchemaRef> = LazyLock::new(|| {
        let fields: Fields = COLUMNS.iter().map(|(name, kind)| Field::new(*name, data_type(*kind), true)).collect();
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&FILES)
}

/// The schema of the table: the columns of the files and the partition columns.
pub(super) fn table() -> SchemaRef {
    static TABLE: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields: Vec<Arc<Field>> = files().fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(PARTITIONS[0], DataType::Utf8, true)));
        fields.push(Arc::new(Field::new(PARTITIONS[1], DataType::Utf8, true)));
        fields.push(Arc::new(Field::new(PARTITIONS[2], DataType::Date32, true)));
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_an_event_is_there_with_its_type() {
        for column in event::field::Column::ALL {
            let found = COLUMNS.iter().find(|(name, _)| *name == column.name());
            assert_eq!(found.map(|(_, kind)| *kind), Some(column.column_type()), "{}", column.name());
        }
    }
}
