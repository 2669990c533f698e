//! From Arrow to JSON: times as RFC 3339 UTC, integers beyond 2^53 as text, nulls kept (DESIGN §4, §5).

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _, RecordBatch},
        datatypes::{
            DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef, TimeUnit, UInt8Type, UInt16Type,
            UInt32Type, UInt64Type,
        },
        util::display::{ArrayFormatter, FormatOptions},
    },
    common::cast::{
        as_date32_array, as_timestamp_microsecond_array, as_timestamp_millisecond_array, as_timestamp_nanosecond_array,
        as_timestamp_second_array,
    },
};
use event::clock;
use serde_json::{Map, Value};

use crate::QueryError;

/// A row: column names to values, in the order of the columns.
pub type Row = Map<String, Value>;

/// Integers up to this are exact in JavaScript.
const SAFE_INTEGER_MAX: u64 = 1 << 53;

/// The columns' names as JSON keys: a name that comes twice gets a number, so no value is lost.
pub(crate) fn names(schema: &SchemaRef) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut n = 2;
        while out.contains(&name) {
            name = format!("{}_{n}", field.name());
            n += 1;
        }
        out.push(name);
    }
    out
}

/// The rows of a batch.
pub(crate) fn rows(batch: &RecordBatch, names: &[String]) -> Result<Vec<Row>, QueryError> {
    let mut rows = vec![Row::with_capacity(names.len()); batch.num_rows()];
    for (column, name) in batch.columns().iter().zip(names) {
        for (i, row) in rows.iter_mut().enumerate() {
            row.insert(name.clone(), value(column, i)?);
        }
    }
    Ok(rows)
}

/// A value as JSON.
fn value(array: &ArrayRef, i: usize) -> Result<Value, QueryError> {
    macro_rules! number {
        ($kind:ty) => {
            Value::from(array.as_primitive::<$kind>().value(i))
        };
    }
    if array.is_null(i) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(i).into(),
        DataType::Utf8 => array.as_string::<i32>().value(i).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(i).into(),
        DataType::Utf8View => array.as_string_view().value(i).into(),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => integer(array.as_primitive::<Int64Type>().value(i)),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => unsigned(array.as_primitive::<UInt64Type>().value(i)),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Timestamp(unit, _) => time(array, i, *unit)?,
        DataType::Date32 => {
            let (year, month, day) = clock::civil_from_days(i64::from(as_date32_array(array).map_err(broken)?.value(i)));
            format!("{year:04}-{month:02}-{day:02}").into()
        }
        DataType::Binary => hex(array.as_binary::<i32>().value(i)).into(),
        DataType::LargeBinary => hex(array.as_binary::<i64>().value(i)).into(),
        DataType::BinaryView => hex(array.as_binary_view().value(i)).into(),
        DataType::List(_) => list(&array.as_list::<i32>().value(i))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(i))?,
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let pairs = fields.iter().zip(parts.columns()).map(|(f, c)| Ok((f.name().clone(), value(c, i)?)));
            Value::Object(pairs.collect::<Result<Map<_, _>, QueryError>>()?)
        }
        _ => {
            let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).map_err(broken)?;
            formatter.value(i).to_string().into()
        }
    })
}

fn list(items: &ArrayRef) -> Result<Value, QueryError> {
    Ok(Value::Array((0..items.len()).map(|i| value(items, i)).collect::<Result<_, _>>()?))
}

fn integer(n: i64) -> Value {
    if n.unsigned_abs() > SAFE_INTEGER_MAX { n.to_string().into() } else { n.into() }
}

fn unsigned(n: u64) -> Value {
    if n > SAFE_INTEGER_MAX { n.to_string().into() } else { n.into() }
}

fn time(array: &ArrayRef, i: usize, unit: TimeUnit) -> Result<Value, QueryError> {
    let at = match unit {
        TimeUnit::Second => as_timestamp_second_array(array).map_err(broken)?.value(i).saturating_mul(clock::SECOND),
        TimeUnit::Millisecond => as_timestamp_millisecond_array(array).map_err(broken)?.value(i).saturating_mul(1000),
        TimeUnit::Microsecond => as_timestamp_microsecond_array(array).map_err(broken)?.value(i),
        TimeUnit::Nanosecond => as_timestamp_nanosecond_array(array).map_err(broken)?.value(i).div_euclid(1000),
    };
    Ok(clock::rfc3339(at).into())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn broken(e: impl std::fmt::Display) -> QueryError {
    QueryError::Run(format!("turning an answer into JSON: {e}"))
}
