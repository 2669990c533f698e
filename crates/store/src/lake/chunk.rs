//! Some thousand rows of one log on their way into columns.
//!
//! A column costs nothing until a value comes: nulls are counted and appended when they are needed, and a column without values is a slice of
//! one array that all chunks share. Must never hold more than [`ROWS_MAX`] rows.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{
        Array, ArrayBuilder, ArrayRef, BinaryBuilder, Date32Array, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringArray,
        StringBuilder, TimestampMicrosecondBuilder, new_null_array,
    },
    error::ArrowError,
};
use event::{Event, field::ColumnType};

use super::{Place, schema};

/// Rows of a chunk: the rows of a Parquet page and of a block of the token index.
pub(super) const ROWS_MAX: usize = 8192;
/// Stored bytes of a chunk, so that no text column comes near the 2 GiB that its offsets reach.
pub(super) const BYTES_MAX: u64 = 32 << 20;

/// A row with the texts that its log keeps ready.
pub(super) struct Row<'r> {
    pub(super) place: &'r Place<'r>,
    pub(super) event: &'r Event<'r>,
    /// Name of the log.
    pub(super) log: &'r str,
    /// 32 hex digits.
    pub(super) source: &'r str,
    /// 32 hex digits.
    pub(super) generation: &'r str,
    /// `fields` as a JSON object, if there are any.
    pub(super) fields: Option<&'r str>,
    /// When this node took it in.
    pub(super) observed: event::Micros,
}

/// Appends many nulls at once.
trait Pad: ArrayBuilder {
    fn pad(&mut self, nulls: usize);
}

macro_rules! pad {
    ($($builder:ty)+) => { $(impl Pad for $builder {
        fn pad(&mut self, nulls: usize) {
            self.append_nulls(nulls);
        }
    })+ };
}
pad!(StringBuilder BinaryBuilder Int32Builder Int64Builder TimestampMicrosecondBuilder ListBuilder<StringBuilder>);

/// A column under way: a builder that lags behind while only nulls come.
struct Sparse<B>(B);

impl<B: Pad> Sparse<B> {
    /// The builder, filled up to `row`.
    fn at(&mut self, row: usize) -> &mut B {
        let behind = row.saturating_sub(self.0.len());
        if behind > 0 {
            self.0.pad(behind);
        }
        &mut self.0
    }
    fn array(&mut self, kind: ColumnType, rows: usize, keep: bool) -> ArrayRef {
        if self.0.is_empty() {
            return nulls(kind, rows);
        }
        let builder = self.at(rows);
        if keep { builder.finish_cloned() } else { builder.finish() }
    }
}

/// A column of nulls, shared by all chunks.
fn nulls(kind: ColumnType, rows: usize) -> ArrayRef {
    static NULLS: LazyLock<Vec<(ColumnType, ArrayRef)>> = LazyLock::new(|| {
        let kinds = [ColumnType::Text, ColumnType::Int, ColumnType::Long, ColumnType::Time, ColumnType::TextList, ColumnType::Binary];
        kinds.into_iter().map(|k| (k, new_null_array(&schema::data_type(k), ROWS_MAX))).collect()
    });
    match NULLS.iter().find(|(k, _)| *k == kind) {
        Some((_, array)) if rows <= ROWS_MAX => array.slice(0, rows),
        _ => new_null_array(&schema::data_type(kind), rows),
    }
}

/// How a value of a type enters its builder.
macro_rules! kind {
    (builder Text) => { Sparse<StringBuilder> };
    (builder Binary) => { Sparse<BinaryBuilder> };
    (builder Int) => { Sparse<Int32Builder> };
    (builder Long) => { Sparse<Int64Builder> };
    (builder Time) => { Sparse<TimestampMicrosecondBuilder> };
    (builder TextList) => { Sparse<ListBuilder<StringBuilder>> };
    (new Text) => { Sparse(StringBuilder::with_capacity(0, 0)) };
    (new Binary) => { Sparse(BinaryBuilder::with_capacity(0, 0)) };
    (new Int) => { Sparse(Int32Builder::with_capacity(0)) };
    (new Long) => { Sparse(Int64Builder::with_capacity(0)) };
    (new Time) => { Sparse(TimestampMicrosecondBuilder::with_capacity(0).with_timezone("UTC")) };
    (new TextList) => {
        Sparse(ListBuilder::with_capacity(StringBuilder::with_capacity(0, 0), 0).with_field(schema::list_item()))
    };
    (push TextList $builder:expr, $row:expr, $list:expr) => {{
        let list = $list;
        if !list.is_empty() {
            let builder = $builder.at($row);
            list.iter().for_each(|item| push_item(builder.values(), item));
            builder.append(true);
        }
    }};
    (push $other:ident $builder:expr, $row:expr, $value:expr) => {
        if let Some(value) = $value {
            $builder.at($row).append_value(value);
        }
    };
}

fn push_item(items: &mut StringBuilder, item: &dyn std::fmt::Display) {
    use std::fmt::Write as _;
    // Writing into a builder cannot fail.
    let _ = write!(items, "{item}");
    items.append_value("");
}

macro_rules! columns {
    ($($name:ident $kind:tt |$row:ident| $value:expr;)+) => {
        /// The columns of a chunk under way.
        pub(super) struct Columns {
            rows: usize,
            $($name: kind!(builder $kind),)+
        }
        impl Columns {
            pub(super) fn new() -> Self {
                Self { rows: 0, $($name: kind!(new $kind),)+ }
            }
            /// Appends a row.
            pub(super) fn push(&mut self, row: &Row<'_>) {
                let at = self.rows;
                $({ let $row = row; kind!(push $kind self.$name, at, $value); })+
                self.rows += 1;
            }
            fn arrays(&mut self, keep: bool) -> Vec<ArrayRef> {
                let rows = self.rows;
                vec![$(self.$name.array(ColumnType::$kind, rows, keep),)+]
            }
            #[cfg(test)]
            pub(super) const NAMES: &'static [(&'static str, ColumnType)] = &[$((stringify!($name), ColumnType::$kind),)+];
        }
    };
}

fn long(n: u64) -> Option<i64> {
    Some(i64::try_from(n).unwrap_or(i64::MAX))
}

// In the order of `schema::COLUMNS`, which a test compares. Columns that only other writers fill (compaction, erasure) stay null here.
columns! {
    log Text |r| Some(r.log);
    seq Long |r| long(r.place.name.seq);
    source Text |r| Some(r.source);
    generation Text |r| Some(r.generation);
    byte_start Long |r| long(r.place.meta.byte_start);
    byte_end Long |r| long(r.place.meta.byte_end);
    salt Binary |r| Some(r.place.salt);
    record_salt Binary |_r| None::<&[u8]>;
    act_id Text |r| r.event.act_id.as_deref();
    inferred TextList |r| &r.event.inferred;
    time Time |r| r.event.time;
    observed_time Time |r| Some(r.observed);
    agent_time Time |r| r.place.meta.agent_time.or(r.event.agent_time);
    product Text |r| r.event.product.as_deref();
    component Text |r| r.event.component.as_deref();
    version Text |r| r.event.version.as_deref();
    instance Text |r| r.event.instance.as_deref();
    host Text |r| r.event.host.as_deref();
    namespace Text |r| r.event.namespace.as_deref();
    pod Text |r| r.event.pod.as_deref();
    container Text |r| r.event.container.as_deref();
    labels Text |r| r.event.labels.as_deref();
    stream Text |r| r.event.stream.as_deref();
    level Text |r| r.event.level.as_deref();
    class_uid Int |r| r.event.activity.map(|a| i32::from(a.class.uid()));
    activity_id Int |r| r.event.activity.map(|a| i32::from(a.id));
    action Text |r| r.event.action();
    status Text |r| r.event.status.map(event::Status::as_str);
    user Text |r| r.event.user.as_deref();
    target_user Text |r| r.event.target_user.as_deref();
    role Text |r| r.event.role.as_deref();
    privilege Text |r| r.event.privilege.as_deref();
    auth_method Text |r| r.event.auth_method.as_deref();
    client Text |r| r.event.client.as_deref();
    src_ip Text |r| r.event.src_ip.as_deref();
    src_port Int |r| r.event.src_port;
    src_host Text |r| r.event.src_host.as_deref();
    dst_ip Text |r| r.event.dst_ip.as_deref();
    dst_port Int |r| r.event.dst_port;
    database Text |r| r.event.database.as_deref();
    object Text |r| r.event.object.as_deref();
    statement Text |r| r.event.statement.as_deref();
    digest Text |r| r.event.digest.as_deref();
    conn_id Long |r| r.event.conn_id;
    trace_id Text |r| r.event.trace_id.as_deref();
    txn_ts Long |r| r.event.txn_ts;
    duration_us Long |r| r.event.duration_us;
    rows_ Long |r| r.event.rows;
    bytes Long |r| r.event.bytes;
    error_code Text |r| r.event.error_code.as_deref();
    error Text |r| r.event.error.as_deref();
    message Text |r| r.event.message.as_deref();
    caller Text |r| r.event.caller.as_deref();
    fields Text |r| r.fields;
    issues TextList |r| &r.event.issues;
    raw Text |r| Some(&r.event.raw);
    raw_bytes Binary |r| r.event.raw_bytes.as_deref();
    raw_template Long |_r| None::<i64>;
    raw_vars Binary |_r| None::<&[u8]>;
    erased_hash Binary |_r| None::<&[u8]>;
}

impl Columns {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }
    /// The rows as a batch with the partition columns behind; with `keep`, the chunk goes on.
    pub(super) fn batch(&mut self, cluster: &str, class: &str, day: i32, keep: bool) -> Result<RecordBatch, ArrowError> {
        let mut arrays = self.arrays(keep);
        let rows = self.rows;
        let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows))) };
        arrays.extend([same(cluster), same(class), Arc::new(Date32Array::from_value(day, rows)) as ArrayRef]);
        if !keep {
            self.rows = 0;
        }
        RecordBatch::try_new(schema::table(), arrays)
    }
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Columns({} rows)", self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builders_follow_the_schema() {
        let names: Vec<_> = Columns::NAMES.iter().map(|(name, kind)| (name.trim_end_matches('_'), *kind)).collect();
        assert_eq!(names, schema::COLUMNS);
    }
}
