//! What stands before a log line because something carried it: container runtimes, kubectl, compose, Loki. Owns: those prefixes. Never reads the line itself.

use std::ops::Range;

/// Which parts of a record are the product's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Byte ranges in the record, in order; joined they are the product's own record.
    pub ranges: Vec<Range<usize>>,
}

/// The content of one record (with or without its final line end).
pub fn content(record: &[u8]) -> Content {
    Content { ranges: std::iter::once(0..record.len()).collect() }
}
