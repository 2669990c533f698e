//! Where a record ends. Owns: record boundaries and the splitting of what is too long. Never copies the buffer, never looks at a column.

use event::{RecordFlags, limits::RECORD_BYTES_MAX};
use memchr::memchr;

/// What is known about the bytes behind the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More bytes may follow at any time.
    Open,
    /// Nothing has come for `limits::RECORD_IDLE_US`: a multi-line record is closed, a line without its end is not.
    Idle,
    /// The file is closed or imported: what is there is all there is.
    Closed,
}

/// A piece of a record that others may interrupt (CRI `P` .. `F`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// Pieces with the same key belong together (container stream).
    pub key: u64,
    /// Whether this piece ends the record.
    pub last: bool,
}

/// One record at the start of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Bytes of the record, its line end included. Never 0.
    pub len: usize,
    /// What is odd about its bytes.
    pub flags: RecordFlags,
    /// It ended without a line end, because the file did.
    pub cut: bool,
    /// Set where others may stand between this piece and the next.
    pub piece: Option<Join>,
}

/// The record without its final line ends: what is redacted, stored and shown.
pub fn body(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    &record[..end]
}

/// Finds record boundaries in one source. The spans of one generation cover it without gap or overlap.
#[derive(Debug, Clone, Default)]
pub struct Framer {}

impl Framer {
    /// A framer at the start of a generation, or at a known record boundary.
    pub fn new() -> Self {
        Self::default()
    }

    /// The record at the start of `buf`, or none where more bytes are needed. The next call begins behind the span.
    pub fn next(&mut self, buf: &[u8], end: End) -> Option<Span> {
        let span = |len, flags, cut| Some(Span { len, flags, cut, piece: None });
        match memchr(b'\n', &buf[..buf.len().min(RECORD_BYTES_MAX)]) {
            Some(at) => span(at + 1, RecordFlags::default(), false),
            None if buf.len() >= RECORD_BYTES_MAX => span(RECORD_BYTES_MAX, RecordFlags(RecordFlags::SPLIT), false),
            None if end == End::Closed && !buf.is_empty() => span(buf.len(), RecordFlags::default(), true),
            None => None,
        }
    }
}
