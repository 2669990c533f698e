//! From the bytes of one generation to records behind the gate. Owns: the buffer between reading and shipping, and pieces that wait for each other.
//!
//! Must never hand out a byte that did not pass the redactor, and never drop or reorder one: records leave in byte order.

use std::{collections::HashMap, ops::Range};

use event::{
    BatchRecord, RecordFlags, Redacted, Redactor,
    limits::{FRAME_SOURCE_BYTES_MAX, RECORD_BYTES_MAX},
    redact::Piece,
};
use parse::{End, Framer, Join, Span, framing, prefix};

/// A piece whose other half does not come holds back at most this many records; then all are shipped as they are.
const HELD_RECORDS_MAX: usize = 10_000;
/// A part of a split record is redacted with so much of its neighbors: a secret at the seam is masked in both.
const SEAM_BYTES: usize = 4 << 10;

/// One record in the buffer.
#[derive(Debug, Clone)]
struct Found {
    range: Range<usize>,
    flags: RecordFlags,
    piece: Option<Join>,
}

/// Bytes in, whole records out.
#[derive(Debug, Default)]
pub struct Feed {
    framer: Framer,
    buf: Vec<u8>,
    /// Records found in `buf`, from its beginning without a gap.
    found: Vec<Found>,
    /// Where the framer goes on.
    scanned: usize,
    /// The end of a split record's part that has left, while the record goes on.
    seam: Vec<u8>,
}

impl Feed {
    /// A feed at the start of a generation, or at a known record end.
    pub fn new() -> Self {
        Self::default()
    }
    /// More bytes of the source.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }
    /// Bytes that are not consumed yet.
    pub fn pending(&self) -> usize {
        self.buf.len()
    }
    /// Finds the records that are complete. With [`End::Closed`] everything is.
    pub fn scan(&mut self, end: End, redactor: &Redactor) {
        while let Some(Span { len, flags, cut, piece }) = self.framer.next(&self.buf[self.scanned..], end) {
            let flags = if cut { flags.with(RecordFlags::CUT) } else { flags };
            let range = self.scanned..self.scanned + len;
            self.scanned = range.end;
            if len > FRAME_SOURCE_BYTES_MAX && piece.is_none() && self.grows_too_long(range.clone(), redactor) {
                self.split(range, flags);
            } else {
                self.found.push(Found { range, flags, piece });
            }
        }
    }
    /// Whether the marks of the gate make a record longer than a stored one may be: a long line full of short secrets.
    fn grows_too_long(&self, range: Range<usize>, redactor: &Redactor) -> bool {
        redactor.redact(framing::body(&self.buf[range])).as_bytes().len() > RECORD_BYTES_MAX
    }
    /// Cuts a record into parts that the gate cannot make too long, between characters.
    fn split(&mut self, range: Range<usize>, flags: RecordFlags) {
        let mut at = range.start;
        while at < range.end {
            let most = range.end.min(at + FRAME_SOURCE_BYTES_MAX);
            let between = |n: &usize| *n == range.end || self.buf[*n] & 0xC0 != 0x80;
            let to = (most.saturating_sub(3).max(at + 1)..=most).rev().find(between).unwrap_or(most);
            let last = if to == range.end { flags.0 } else { flags.0 & !RecordFlags::CUT };
            self.found.push(Found { range: at..to, flags: RecordFlags(last).with(RecordFlags::SPLIT), piece: None });
            at = to;
        }
    }
    /// How many records may leave: those in front of a piece that still waits for its end. `release` lets everything go.
    pub fn ready(&self, release: bool) -> usize {
        if release || self.found.len() > HELD_RECORDS_MAX {
            return self.found.len();
        }
        let mut open: HashMap<u64, usize> = HashMap::new();
        for (i, found) in self.found.iter().enumerate() {
            match found.piece {
                Some(Join { key, last: true }) => drop(open.remove(&key)),
                Some(Join { key, last: false }) => drop(open.entry(key).or_insert(i)),
                None => {}
            }
        }
        let ready = open.into_values().min().unwrap_or(self.found.len());
        // A part that goes on waits for a little of the next.
        match self.found[..ready].last() {
            Some(found) if self.goes_on(found) && self.buf.len() - found.range.end < SEAM_BYTES => ready - 1,
            _ => ready,
        }
    }
    /// A split record's part that is not its last.
    fn goes_on(&self, found: &Found) -> bool {
        found.flags.has(RecordFlags::SPLIT) && !found.flags.has(RecordFlags::CUT) && !self.buf[found.range.clone()].ends_with(b"\n")
    }
    /// Of the first `ready` records, how many fit into one batch: 1 MiB of source, or one record.
    pub fn fitting(&self, ready: usize) -> usize {
        let fits = self.found[..ready].partition_point(|f| f.range.end <= FRAME_SOURCE_BYTES_MAX);
        fits.max(ready.min(1))
    }
    /// The bytes of record `i`, line end included.
    pub fn record(&self, i: usize) -> (&[u8], RecordFlags) {
        let found = &self.found[i];
        (&self.buf[found.range.clone()], found.flags)
    }
    /// The source bytes of the first `count` records.
    pub fn bytes(&self, count: usize) -> &[u8] {
        &self.buf[..self.end_of(count)]
    }
    fn end_of(&self, count: usize) -> usize {
        count.checked_sub(1).map_or(0, |last| self.found[last].range.end)
    }
    /// The first `count` records behind the gate.
    pub fn records(&self, count: usize, redactor: &Redactor) -> Vec<BatchRecord<'_>> {
        let mut joined = self.joined(count, redactor);
        let record = |(i, found): (usize, &Found)| {
            let bytes = &self.buf[found.range.clone()];
            let (stored, piece) = match joined.remove(&i) {
                Some(stored) => (stored, RecordFlags::PIECE),
                None => (self.redacted(i, redactor), 0),
            };
            let utf8 = if std::str::from_utf8(stored.as_bytes()).is_ok() { 0 } else { RecordFlags::NOT_UTF8 };
            let original_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            BatchRecord { original_len, flags: found.flags.with(piece).with(utf8), stored }
        };
        self.found[..count].iter().enumerate().map(record).collect()
    }
    /// A record that is no piece: over its content where lines of it were carried, with its neighbors where it was split.
    fn redacted(&self, i: usize, redactor: &Redactor) -> Redacted<'_> {
        let found = &self.found[i];
        let body = framing::body(&self.buf[found.range.clone()]);
        if found.flags.has(RecordFlags::SPLIT) {
            let before = match i.checked_sub(1).map(|i| &self.found[i]) {
                Some(last) if self.goes_on(last) => &self.buf[last.range.end.saturating_sub(SEAM_BYTES)..last.range.end],
                Some(_) => &[],
                None => &self.seam[..],
            };
            let behind = found.range.end..(found.range.end + SEAM_BYTES).min(self.buf.len());
            let after = if self.goes_on(found) { &self.buf[behind] } else { &[] };
            let pieces = [before, body, after].map(|bytes| Piece { bytes, content: std::iter::once(0..bytes.len()).collect() });
            return redactor.redact_pieces(&pieces).into_iter().nth(1).unwrap_or_else(|| redactor.redact(body));
        }
        if body.contains(&b'\n') {
            let content = prefix::content(body).ranges;
            if content.len() > 1 {
                let whole = [Piece { bytes: body, content }];
                return redactor.redact_pieces(&whole).into_iter().next().unwrap_or_else(|| redactor.redact(body));
            }
        }
        redactor.redact(body)
    }
    /// Pieces that belong together, redacted over their joined content. A record that is whole in one piece is not among them.
    fn joined(&self, count: usize, redactor: &Redactor) -> HashMap<usize, Redacted<'_>> {
        let mut done = HashMap::new();
        let mut open: HashMap<u64, Vec<usize>> = HashMap::new();
        let mut groups = Vec::new();
        for (i, found) in self.found[..count].iter().enumerate() {
            let Some(Join { key, last }) = found.piece else { continue };
            open.entry(key).or_default().push(i);
            if last {
                groups.extend(open.remove(&key));
            }
        }
        groups.extend(open.into_values());
        for group in groups.iter().filter(|g| g.len() > 1) {
            let piece = |i: &usize| {
                let bytes = framing::body(&self.buf[self.found[*i].range.clone()]);
                Piece { bytes, content: prefix::content(bytes).ranges }
            };
            let pieces: Vec<Piece<'_>> = group.iter().map(piece).collect();
            done.extend(group.iter().copied().zip(redactor.redact_pieces(&pieces)));
        }
        done
    }
    /// The first `count` records are on their way.
    pub fn consume(&mut self, count: usize) {
        let end = self.end_of(count);
        if let Some(last) = count.checked_sub(1).map(|last| &self.found[last]) {
            self.seam = if self.goes_on(last) { self.buf[end.saturating_sub(SEAM_BYTES)..end].to_vec() } else { Vec::new() };
        }
        self.found.drain(..count);
        for found in &mut self.found {
            found.range = found.range.start - end..found.range.end - end;
        }
        self.scanned -= end;
        self.buf.drain(..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(feed: &mut Feed, end: End) -> Vec<(u32, Vec<u8>)> {
        feed.scan(end, &Redactor::default());
        let mut out = Vec::new();
        loop {
            let count = feed.fitting(feed.ready(end == End::Closed));
            if count == 0 {
                return out;
            }
            let redactor = Redactor::default();
            out.extend(feed.records(count, &redactor).into_iter().map(|r| (r.original_len, r.stored.as_bytes().to_vec())));
            feed.consume(count);
        }
    }

    #[test]
    fn whatever_the_chunks_the_records_cover_the_bytes() {
        let line = "[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [hello] [k=v]\n";
        let text = line.repeat(40);
        for size in [1, 7, 64, 1000, 100_000] {
            let mut feed = Feed::new();
            let mut records = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                feed.push(chunk);
                records.extend(drain(&mut feed, End::Open));
            }
            records.extend(drain(&mut feed, End::Closed));
            assert_eq!(records.len(), 40, "chunks of {size}");
            assert_eq!(records.iter().map(|r| r.0 as usize).sum::<usize>(), text.len());
            assert_eq!(feed.pending(), 0);
        }
    }

    #[test]
    fn a_batch_is_at_most_a_mebibyte_or_one_record() {
        let mut feed = Feed::new();
        let long = format!("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [{}]\n", "x".repeat(3 << 20));
        feed.push(long.as_bytes());
        feed.push("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [hello]\n".repeat(40_000).as_bytes());
        feed.scan(End::Open, &Redactor::default());
        assert_eq!(feed.fitting(feed.ready(false)), 1);
        feed.consume(1);
        let n = feed.fitting(feed.ready(false));
        assert!(n > 1 && feed.bytes(n).len() <= FRAME_SOURCE_BYTES_MAX);
    }

    #[test]
    fn a_line_that_the_gate_makes_too_long_leaves_in_parts() {
        let unit = "set password='x'; é ";
        let line = format!("[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [\"{}\"]\n", unit.repeat(RECORD_BYTES_MAX / unit.len() - 10));
        let mut feed = Feed::new();
        feed.push(line.as_bytes());
        feed.push(b"[2026/03/02 10:00:01.120 +00:00] [INFO] [a.go:1] [after]\n");
        let records = drain(&mut feed, End::Closed);
        assert!(records.len() > 10 && records.iter().all(|(_, stored)| stored.len() <= RECORD_BYTES_MAX));
        assert_eq!(records.iter().map(|r| r.0 as usize).sum::<usize>(), line.len() + 57);
        assert!(records.iter().all(|(_, stored)| std::str::from_utf8(stored).is_ok_and(|text| !text.contains("'x'"))));
        assert!(records.last().unwrap().1.ends_with(b"[after]"));
    }

    #[test]
    fn a_line_without_its_end_waits() {
        let mut feed = Feed::new();
        feed.push(b"[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [hel");
        assert!(drain(&mut feed, End::Open).is_empty());
        assert!(drain(&mut feed, End::Idle).is_empty());
        assert_eq!(drain(&mut feed, End::Closed).len(), 1);
    }

    #[test]
    fn a_record_that_ends_with_its_file_is_cut() {
        let mut feed = Feed::new();
        feed.push(b"one\ntwo");
        feed.scan(End::Closed, &Redactor::default());
        assert_eq!((feed.record(0).1, feed.record(1).1), (RecordFlags::default(), RecordFlags(RecordFlags::CUT)));
    }

    #[test]
    fn a_split_record_waits_for_its_seam() {
        let mut feed = Feed::new();
        let mut long = vec![b'x'; event::limits::RECORD_BYTES_MAX];
        feed.push(&long);
        assert!(drain(&mut feed, End::Open).is_empty(), "nothing is known of the seam yet");
        feed.push(&long[..SEAM_BYTES]);
        assert_eq!(drain(&mut feed, End::Open).len(), 1);
        assert_eq!(feed.seam.len(), SEAM_BYTES);
        feed.push(b"\n");
        long.truncate(SEAM_BYTES);
        let rest = drain(&mut feed, End::Open);
        assert_eq!((rest.len(), &rest[0].1[..]), (1, &long[..]));
        assert!(feed.seam.is_empty());
    }
}
