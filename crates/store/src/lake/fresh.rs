//! Rows that are not sealed yet, as columns: what queries read beside the files, and what a seal writes.
//!
//! Each log is cut into chunks of at most 8,192 rows of one day. A finished chunk never changes and is shared; the last one is copied when
//! somebody asks, once for all who ask before the next row.

use arrow::array::RecordBatch;
use event::{Event, Generation, LogClass, LogName, Micros, SourceId, clock::DAY};

use super::{
    Place,
    chunk::{BYTES_MAX, Columns, ROWS_MAX, Row},
};

/// Rows that are not sealed yet, by log, each log in `seq` order. Queries read them beside the files.
#[derive(Debug, Default)]
pub struct Fresh {
    logs: Vec<LogRows>,
    /// The log of the last row: most rows follow one of their own log.
    last: usize,
    bytes: u64,
    rows: u64,
    oldest_own: Option<Micros>,
    oldest_other: Option<Micros>,
    fields: String,
}

/// A finished run of rows of one log and one day, without a gap in `seq`.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    /// The rows, the partition columns behind the others.
    pub(super) batch: RecordBatch,
    pub(super) span: Span,
}

/// What a run of rows covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    /// Days since 1970-01-01 of the observed time.
    pub(super) day: i32,
    /// Stored bytes.
    pub(super) bytes: u64,
}

/// The rows of one log.
#[derive(Debug)]
pub(super) struct LogRows {
    pub(super) name: LogName,
    text: String,
    source: (SourceId, String),
    generation: (Generation, String),
    pub(super) chunks: Vec<Chunk>,
    open: Option<(Box<Columns>, Span)>,
    /// The open chunk as somebody saw it last.
    seen: Option<RecordBatch>,
    /// Rows that could not be made into columns: a bug, and the next seal says so rather than lose them.
    broken: Option<String>,
}

impl Fresh {
    /// Appends one row. Rows of a log come in `seq` order.
    pub fn push(&mut self, place: &Place<'_>, event: &Event<'_>) {
        let observed = place.meta.observed_time.or(event.observed_time).unwrap_or_default();
        let own = place.name.log.class == LogClass::Own;
        let oldest = if own { &mut self.oldest_own } else { &mut self.oldest_other };
        *oldest = Some(oldest.map_or(observed, |o| o.min(observed)));
        let stored = event.raw_bytes.as_ref().map_or(event.raw.len(), |b| b.len()) as u64;
        self.bytes += stored;
        self.rows += 1;
        self.fields.clear();
        if !event.fields.is_empty() {
            event::json::push_fields(&mut self.fields, &event.fields);
        }
        let fields = (!event.fields.is_empty()).then_some(self.fields.as_str());
        if self.logs.get(self.last).is_none_or(|l| l.name != place.name.log) {
            let known = self.logs.iter().position(|l| l.name == place.name.log);
            self.last = known.unwrap_or_else(|| {
                self.logs.push(LogRows::new(place.name.log.clone()));
                self.logs.len() - 1
            });
        }
        if let Some(log) = self.logs.get_mut(self.last) {
            log.push(place, event, fields, observed, stored);
        }
    }
    /// Stored bytes of the rows.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
    /// Rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }
    /// Observed time of the oldest row of our own class, or of the oldest row of the other classes.
    pub fn oldest(&self, class_is_own: bool) -> Option<Micros> {
        if class_is_own { self.oldest_own } else { self.oldest_other }
    }
    /// The rows as batches with the partition columns behind the file columns. Cheap to ask again: finished chunks are shared.
    pub fn batches(&mut self) -> Vec<RecordBatch> {
        let mut out = Vec::new();
        for log in &mut self.logs {
            out.extend(log.chunks.iter().map(|c| c.batch.clone()));
            out.extend(log.seen());
        }
        out
    }
    /// The finished rows of every log, logs by name; an error if rows could not be made into columns.
    pub(super) fn finished(&mut self) -> Result<Vec<&LogRows>, String> {
        self.logs.iter_mut().for_each(LogRows::finish);
        self.logs.sort_by(|a, b| a.name.cmp(&b.name));
        self.last = 0;
        match self.logs.iter().find_map(|l| l.broken.as_ref()) {
            Some(why) => Err(why.clone()),
            None => Ok(self.logs.iter().filter(|l| !l.chunks.is_empty()).collect()),
        }
    }
}

impl LogRows {
    fn new(name: LogName) -> Self {
        let (source, generation) = (SourceId::default(), Generation::default());
        Self {
            text: name.to_string(),
            name,
            source: (source, source.to_string()),
            generation: (generation, generation.to_string()),
            chunks: Vec::new(),
            open: None,
            seen: None,
            broken: None,
        }
    }

    fn push(&mut self, place: &Place<'_>, event: &Event<'_>, fields: Option<&str>, observed: Micros, stored: u64) {
        if self.source.0 != place.meta.source {
            self.source = (place.meta.source, place.meta.source.to_string());
        }
        if self.generation.0 != place.meta.generation {
            self.generation = (place.meta.generation, place.meta.generation.to_string());
        }
        let day = i32::try_from(observed.div_euclid(DAY)).unwrap_or(i32::MAX);
        let seq = place.name.seq;
        let full = |(columns, span): &(Box<Columns>, Span)| {
            columns.rows() >= ROWS_MAX || span.bytes + stored > BYTES_MAX || span.day != day || span.last_seq.wrapping_add(1) != seq
        };
        if self.open.as_ref().is_some_and(full) {
            self.finish();
        }
        self.seen = None;
        let (columns, span) =
            self.open.get_or_insert_with(|| (Box::new(Columns::new()), Span { first_seq: seq, last_seq: seq, day, bytes: 0 }));
        span.last_seq = seq;
        span.bytes += stored;
        columns.push(&Row { place, event, log: &self.text, source: &self.source.1, generation: &self.generation.1, fields, observed });
    }

    fn finish(&mut self) {
        let Some((mut columns, span)) = self.open.take() else { return };
        let batch = match self.seen.take() {
            Some(batch) => Ok(batch),
            None => columns.batch(&self.name.cluster, self.name.class.as_str(), span.day, false),
        };
        match batch {
            Ok(batch) => self.chunks.push(Chunk { batch, span }),
            Err(e) => self.broken = Some(format!("rows {} to {} of {}: {e}", span.first_seq, span.last_seq, self.text)),
        }
    }

    fn seen(&mut self) -> Option<RecordBatch> {
        let (columns, span) = self.open.as_mut()?;
        if self.seen.is_none() {
            self.seen = columns.batch(&self.name.cluster, self.name.class.as_str(), span.day, true).ok();
        }
        self.seen.clone()
    }
}
