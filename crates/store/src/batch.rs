//! From a batch to a frame, on the thread of whoever submits it; and stored records found again among rows.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use event::{
    Batch, Generation, LogClass, LogName, NodeId,
    frame::{Encoded, Header, RecordIn, encode_records},
    limits::{FRAME_SOURCE_BYTES_MAX, RECORD_BYTES_MAX},
};

use crate::commit::queue::SubmitError;

/// A frame without its numbers.
pub(crate) struct Shape {
    pub frame: Encoded,
    pub header: Header,
}

/// Builds the frame of a batch, whose contradictions are refused here.
pub(crate) fn shape(node: NodeId, batch: &Batch<'_>, classes: &[LogClass]) -> Result<Shape, SubmitError> {
    let invalid = |what: &str| Err(SubmitError::Invalid(what.to_owned()));
    let byte_end = batch.byte_start + batch.records.iter().map(|r| u64::from(r.original_len)).sum::<u64>();
    if batch.records.is_empty() || batch.records.len() != classes.len() {
        return invalid("it needs at least one record, and one class a record");
    }
    if classes.contains(&LogClass::Own) || batch.generation == Generation::default() {
        return invalid("records of our own do not come from a source");
    }
    if byte_end != batch.stamp.byte_end {
        return invalid("its records do not end where its stamp says");
    }
    if batch.records.len() > 1 && byte_end - batch.byte_start > FRAME_SOURCE_BYTES_MAX as u64 {
        return invalid("it covers more than 1 MiB of its source: send fewer records");
    }
    if batch.records.iter().any(|r| r.stored.as_bytes().len() > RECORD_BYTES_MAX) {
        return invalid("one of its records is longer than 16 MiB: split it");
    }
    let mut logs: Vec<LogName> = Vec::new();
    let mut index = [None; LogClass::ALL.len()];
    let records = batch.records.iter().zip(classes).map(|(r, class)| {
        let log = *index[*class as usize].get_or_insert_with(|| {
            logs.push(LogName { node, cluster: batch.cluster.clone(), class: *class });
            // At most as many as there are classes.
            (logs.len() - 1) as u8
        });
        RecordIn { original_len: r.original_len, log, flags: r.flags, stored: r.stored.as_bytes() }
    });
    let records: Vec<RecordIn<'_>> = records.collect();
    let stamp = &batch.stamp;
    let header = Header {
        source: batch.source,
        generation: batch.generation,
        byte_start: batch.byte_start,
        byte_end,
        state: stamp.state,
        mark: stamp.mark,
        tail: stamp.tail,
        agent_time: batch.agent_time,
        idempotency_key: batch.idempotency_key,
        definition_version: batch.definition_version,
        redactor_version: batch.redactor_version,
        ..Header::default()
    };
    let frame = encode_records(&header, &logs, &stamp.marks, &records).map_err(|e| SubmitError::Invalid(e.to_string()))?;
    Ok(Shape { frame, header })
}

/// The records of a generation among rows that end behind `from`: byte_start, byte_end, stored bytes.
pub(crate) fn records_behind(rows: &[RecordBatch], generation: Generation, from: u64) -> Vec<(u64, u64, Vec<u8>)> {
    let (mut found, generation) = (Vec::new(), generation.to_string());
    for batch in rows {
        let column = |name| batch.column_by_name(name);
        let (Some(generations), Some(starts), Some(ends), Some(raw), Some(raw_bytes)) =
            (column("generation"), column("byte_start"), column("byte_end"), column("raw"), column("raw_bytes"))
        else {
            continue;
        };
        let (Some(generations), Some(starts), Some(ends), Some(raw), Some(raw_bytes)) = (
            generations.as_string_opt::<i32>(),
            starts.as_primitive_opt::<Int64Type>(),
            ends.as_primitive_opt::<Int64Type>(),
            raw.as_string_opt::<i32>(),
            raw_bytes.as_binary_opt::<i32>(),
        ) else {
            continue;
        };
        for i in 0..batch.num_rows() {
            let (start, end) = (starts.value(i) as u64, ends.value(i) as u64);
            if !generations.is_null(i) && generations.value(i) == generation && end > from {
                let stored = if raw_bytes.is_null(i) { raw.value(i).as_bytes() } else { raw_bytes.value(i) };
                found.push((start, end, stored.to_vec()));
            }
        }
    }
    found
}
