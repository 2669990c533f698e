//! The frame: the unit in which records reach the disk, byte for byte as FORMAT §2 says.
//!
//! Owns: encoding and decoding of one frame. Pure: no file is opened here and no clock is read. Decoding trusts nothing: every length is
//! checked before it is used, and whatever is not a whole, unbroken frame is a [`Bad`], never a panic.

use std::fmt;

use crate::{
    Generation, LogName, Micros, RecordFlags, SourceId,
    limits::{FRAME_BODY_BYTES_MAX, MARKS_MAX},
};

/// Every frame begins with this many bytes.
pub const HEADER_BYTES: usize = 256;
/// The first bytes of a frame. A preallocated tail is zeros and has no magic.
pub const MAGIC: [u8; 4] = *b"BzW1";
/// The version of the layout.
pub const VERSION: u8 = 1;
/// Frames are padded with zeros to a multiple of this.
pub const ALIGN: usize = 8;
/// Flag: the body behind the table of logs and marks is zstd.
pub const FLAG_ZSTD: u8 = 1;
/// Flag: the snapshot goes on in the next frame.
pub const FLAG_MORE: u8 = 2;
/// Bytes of a record in the columns ahead of the stored bytes: two lengths, the index of its log, its flags.
const RECORD_COLUMNS: usize = 4 + 4 + 1 + 1;

/// What a frame holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Records of one source.
    #[default]
    Records = 1,
    /// The state of the store as JSON Lines.
    Snapshot = 2,
    /// What went into the lake, as JSON Lines.
    Seal = 3,
    /// Nothing follows in this segment.
    End = 4,
    /// Everything ahead of it is synced.
    Durable = 5,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Records, Self::Snapshot, Self::Seal, Self::End, Self::Durable].into_iter().find(|k| *k as u8 == byte)
    }
}

/// The 256 bytes ahead of a body, decoded. Counts and lengths of the body are derived by the encoder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// What the body holds.
    pub kind: Kind,
    /// [`FLAG_ZSTD`], [`FLAG_MORE`].
    pub flags: u8,
    /// Which start of a writer made the frame.
    pub run: u64,
    /// Number of the frame, from 1, +1 a frame.
    pub wal_seq: u64,
    /// The highest `wal_seq` known synced when the frame was built.
    pub durable: u64,
    /// The source; zeros for our own records.
    pub source: SourceId,
    /// The generation; zeros for our own records, which have no byte range.
    pub generation: Generation,
    /// Where the first record begins in the generation.
    pub byte_start: u64,
    /// Behind the last record.
    pub byte_end: u64,
    /// SHA-256 chaining value at `byte_end`, masked ([`crate::identity`]).
    pub state: [u8; 32],
    /// mark(`byte_end`).
    pub mark: [u8; 16],
    /// tail(`byte_end`).
    pub tail: [u8; 16],
    /// The agent that shipped it; zeros for this node.
    pub agent: [u8; 16],
    /// When this node took it in.
    pub observed_time: Micros,
    /// When the agent read it; 0 where no agent was.
    pub agent_time: Micros,
    /// Key of a sender that repeats; zeros for none.
    pub idempotency_key: [u8; 16],
    /// Salt of the frame: the salts of its logs come from it (FORMAT §5).
    pub salt: [u8; 16],
    /// Version of the source's definition.
    pub definition_version: u32,
    /// Version of the redaction that made the stored bytes.
    pub redactor_version: u16,
}

/// Where a log goes on in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSeq {
    /// The log.
    pub log: LogName,
    /// Number of the frame's first record in it.
    pub seq: u64,
}

/// A record on its way into a frame.
#[derive(Debug, Clone, Copy)]
pub struct RecordIn<'a> {
    /// Bytes of the source that it covers, line end included.
    pub original_len: u32,
    /// Index into the frame's logs.
    pub log: u8,
    /// What is odd about its bytes.
    pub flags: RecordFlags,
    /// The redacted record without its final line end.
    pub stored: &'a [u8],
}

/// A record of a decoded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRecord<'a> {
    /// Index into the frame's logs.
    pub log: usize,
    /// Number in that log.
    pub seq: u64,
    /// Where it begins in its generation.
    pub byte_start: u64,
    /// Behind its last byte.
    pub byte_end: u64,
    /// What is odd about its bytes.
    pub flags: RecordFlags,
    /// The stored bytes.
    pub stored: &'a [u8],
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its header.
    pub header: Header,
    /// The logs that it goes on, at most 255.
    pub logs: Vec<FirstSeq>,
    /// Marks of the generation that the frame passed: (bytes, mark).
    pub marks: Vec<(u64, [u8; 16])>,
    /// How many records it holds.
    pub records: usize,
    /// The body behind logs and marks, unpacked: columns and bytes of records, or JSON Lines.
    pub plain: Vec<u8>,
}

/// Why bytes are not a frame. The caller decides whether that is a torn tail or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// No magic: the end of what was written, or damage.
    NoMagic,
    /// The bytes end inside the frame.
    Short,
    /// The check sum does not fit.
    Crc,
    /// The check sum fits and the content does not: another version, or a writer with an error.
    Layout(&'static str),
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMagic => f.write_str("no frame begins here"),
            Self::Short => f.write_str("the frame is cut off"),
            Self::Crc => f.write_str("the frame's check sum does not fit its bytes"),
            Self::Layout(what) => write!(f, "the frame's {what} cannot be read"),
        }
    }
}

/// What could not be put into a frame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The body is longer than a decoder accepts.
    #[error("building a frame: its body has {0} bytes, at most {FRAME_BODY_BYTES_MAX} fit; send fewer records")]
    TooLong(usize),
    /// More logs, marks or records than their counters hold.
    #[error("building a frame: too many {0}; send fewer")]
    TooMany(&'static str),
    /// A log name longer than 255 bytes.
    #[error("building a frame: the log name {0} is too long")]
    Name(String),
    /// zstd refused.
    #[error("building a frame: zstd could not pack it")]
    Pack,
}

/// A frame as bytes, still without what only the committer knows: its numbers, salt and time.
#[derive(Debug, Clone)]
pub struct Encoded {
    bytes: Vec<u8>,
    body: usize,
    /// Each log, where its first seq stands, and how many records go into it.
    logs: Vec<(LogName, usize, u64)>,
}

/// What the committer gives a frame.
#[derive(Debug, Clone, Copy)]
pub struct Assigned {
    /// The run.
    pub run: u64,
    /// The frame's number.
    pub wal_seq: u64,
    /// Highest number known synced.
    pub durable: u64,
    /// When the group was built.
    pub observed_time: Micros,
    /// Salt of the frame.
    pub salt: [u8; 16],
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

impl Encoded {
    /// The frame's logs and how many of its records go into each, in the order of the frame.
    pub fn logs(&self) -> impl Iterator<Item = (&LogName, u64)> {
        self.logs.iter().map(|(log, _, count)| (log, *count))
    }
    /// Bytes of the frame, padding included.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
    /// Never: a frame has at least its header.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
    /// Gives the frame its numbers and the first seq of each of its logs (in the order of [`Self::logs`]), and seals it with its check sum.
    pub fn assign(&mut self, given: &Assigned, first: impl IntoIterator<Item = u64>) -> &[u8] {
        let b = &mut self.bytes;
        put(b, 16, &given.run.to_le_bytes());
        put(b, 24, &given.wal_seq.to_le_bytes());
        put(b, 32, &given.durable.to_le_bytes());
        put(b, 168, &given.observed_time.to_le_bytes());
        put(b, 200, &given.salt);
        for ((_, at, _), seq) in self.logs.iter().zip(first) {
            put(b, *at, &seq.to_le_bytes());
        }
        let crc = crc32c::crc32c(&b[12..HEADER_BYTES + self.body]);
        put(b, 8, &crc.to_le_bytes());
        &self.bytes
    }
}

/// A body under construction behind a header whose counts are known at the end.
fn finish(
    header: &Header,
    logs: Vec<(LogName, usize, u64)>,
    counts: (usize, usize),
    plain_len: usize,
    mut b: Vec<u8>,
) -> Result<Encoded, EncodeError> {
    let body = b.len() - HEADER_BYTES;
    if body > FRAME_BODY_BYTES_MAX || plain_len > FRAME_BODY_BYTES_MAX {
        return Err(EncodeError::TooLong(body.max(plain_len)));
    }
    let u32_of = |n: usize| u32::try_from(n).map_err(|_| EncodeError::TooLong(n));
    let (records, marks) = counts;
    put(&mut b, 0, &MAGIC);
    put(&mut b, 4, &u32_of(body)?.to_le_bytes());
    b[12] = VERSION;
    b[13] = header.kind as u8;
    b[14] = header.flags;
    b[15] = u8::try_from(logs.len()).map_err(|_| EncodeError::TooMany("logs"))?;
    put(&mut b, 16, &header.run.to_le_bytes());
    put(&mut b, 24, &header.wal_seq.to_le_bytes());
    put(&mut b, 32, &header.durable.to_le_bytes());
    put(&mut b, 40, &header.source.0);
    put(&mut b, 56, &header.generation.0);
    put(&mut b, 72, &header.byte_start.to_le_bytes());
    put(&mut b, 80, &header.byte_end.to_le_bytes());
    put(&mut b, 88, &header.state);
    put(&mut b, 120, &header.mark);
    put(&mut b, 136, &header.tail);
    put(&mut b, 152, &header.agent);
    put(&mut b, 168, &header.observed_time.to_le_bytes());
    put(&mut b, 176, &header.agent_time.to_le_bytes());
    put(&mut b, 184, &header.idempotency_key);
    put(&mut b, 200, &header.salt);
    put(&mut b, 216, &u32_of(records)?.to_le_bytes());
    put(&mut b, 220, &u32_of(plain_len)?.to_le_bytes());
    put(&mut b, 224, &header.definition_version.to_le_bytes());
    put(&mut b, 228, &header.redactor_version.to_le_bytes());
    put(&mut b, 230, &u16::try_from(marks).map_err(|_| EncodeError::TooMany("marks"))?.to_le_bytes());
    b.resize(b.len().next_multiple_of(ALIGN), 0);
    Ok(Encoded { bytes: b, body, logs })
}

/// Appends `plain`, packed if the header says so.
fn pack(b: &mut Vec<u8>, flags: u8, plain: &[u8]) -> Result<(), EncodeError> {
    if flags & FLAG_ZSTD == 0 {
        b.extend_from_slice(plain);
        return Ok(());
    }
    b.extend_from_slice(&zstd::bulk::compress(plain, 1).map_err(|_| EncodeError::Pack)?);
    Ok(())
}

/// Builds a frame of records. `logs` are the logs that the records' `log` points into; none may be unused.
pub fn encode_records(
    header: &Header,
    logs: &[LogName],
    marks: &[(u64, [u8; 16])],
    records: &[RecordIn<'_>],
) -> Result<Encoded, EncodeError> {
    if marks.len() > MARKS_MAX {
        return Err(EncodeError::TooMany("marks"));
    }
    let stored: usize = records.iter().map(|r| r.stored.len()).sum();
    let plain_len = records.len() * RECORD_COLUMNS + stored;
    if plain_len > FRAME_BODY_BYTES_MAX {
        return Err(EncodeError::TooLong(plain_len));
    }
    let mut b = vec![0; HEADER_BYTES];
    b.reserve(plain_len + 256);
    let mut table = Vec::with_capacity(logs.len());
    for (i, log) in logs.iter().enumerate() {
        let name = log.to_string();
        b.push(u8::try_from(name.len()).map_err(|_| EncodeError::Name(name.clone()))?);
        b.extend_from_slice(name.as_bytes());
        let count = records.iter().filter(|r| usize::from(r.log) == i).count() as u64;
        table.push((log.clone(), b.len(), count));
        b.extend_from_slice(&[0; 8]);
    }
    for (n, mark) in marks {
        b.extend_from_slice(&n.to_le_bytes());
        b.extend_from_slice(mark);
    }
    let mut plain = Vec::with_capacity(plain_len);
    records.iter().for_each(|r| plain.extend_from_slice(&r.original_len.to_le_bytes()));
    for r in records {
        plain.extend_from_slice(&u32::try_from(r.stored.len()).map_err(|_| EncodeError::TooLong(r.stored.len()))?.to_le_bytes());
    }
    plain.extend(records.iter().map(|r| r.log));
    plain.extend(records.iter().map(|r| r.flags.0));
    records.iter().for_each(|r| plain.extend_from_slice(r.stored));
    pack(&mut b, header.flags, &plain)?;
    finish(header, table, (records.len(), marks.len()), plain_len, b)
}

/// Builds a frame of JSON Lines (snapshot, seal) or without a body (end, durable mark).
pub fn encode_plain(header: &Header, plain: &[u8]) -> Result<Encoded, EncodeError> {
    let mut b = vec![0; HEADER_BYTES];
    pack(&mut b, header.flags, plain)?;
    finish(header, Vec::new(), (0, 0), plain.len(), b)
}

/// Reads little-endian fields of a slice whose bounds are checked.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Bad> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(Bad::Layout(what))?;
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Bad> {
        self.take(N, what)?.try_into().map_err(|_| Bad::Layout(what))
    }
    fn u64(&mut self, what: &'static str) -> Result<u64, Bad> {
        self.array(what).map(u64::from_le_bytes)
    }
    fn u32(&mut self, what: &'static str) -> Result<u32, Bad> {
        self.array(what).map(u32::from_le_bytes)
    }
}

/// The length of the whole frame at the start of `bytes`, padding included, once it has stood every check; its body's range without padding.
fn check(bytes: &[u8]) -> Result<(usize, usize), Bad> {
    if bytes.len() < 4 || bytes[..4] != MAGIC {
        return Err(Bad::NoMagic);
    }
    if bytes.len() < HEADER_BYTES {
        return Err(Bad::Short);
    }
    let mut r = Reader(&bytes[4..12]);
    let body = r.u32("length")? as usize;
    let crc = r.u32("check sum")?;
    if body > FRAME_BODY_BYTES_MAX {
        return Err(Bad::Layout("length"));
    }
    let end = HEADER_BYTES + body;
    let whole = end.next_multiple_of(ALIGN);
    if bytes.len() < whole {
        return Err(Bad::Short);
    }
    if crc32c::crc32c(&bytes[12..end]) != crc {
        return Err(Bad::Crc);
    }
    if bytes[end..whole].iter().any(|b| *b != 0) {
        return Err(Bad::Layout("padding"));
    }
    if bytes[12] != VERSION {
        return Err(Bad::Layout("version"));
    }
    Ok((end, whole))
}

/// The counts of a header that only the decoder needs.
struct Counts {
    logs: usize,
    records: usize,
    plain_len: usize,
    marks: usize,
}

fn header(bytes: &[u8]) -> Result<(Header, Counts), Bad> {
    let kind = Kind::from_byte(bytes[13]).ok_or(Bad::Layout("kind"))?;
    let (flags, logs) = (bytes[14], usize::from(bytes[15]));
    let mut r = Reader(&bytes[16..HEADER_BYTES]);
    let h = Header {
        kind,
        flags,
        run: r.u64("run")?,
        wal_seq: r.u64("number")?,
        durable: r.u64("durable")?,
        source: SourceId(r.array("source")?),
        generation: Generation(r.array("generation")?),
        byte_start: r.u64("byte_start")?,
        byte_end: r.u64("byte_end")?,
        state: r.array("state")?,
        mark: r.array("mark")?,
        tail: r.array("tail")?,
        agent: r.array("agent")?,
        observed_time: i64::from_le_bytes(r.array("observed time")?),
        agent_time: i64::from_le_bytes(r.array("agent time")?),
        idempotency_key: r.array("idempotency key")?,
        salt: r.array("salt")?,
        ..Header::default()
    };
    let (records, plain_len) = (r.u32("records")? as usize, r.u32("plain length")? as usize);
    let definition_version = r.u32("definition version")?;
    let redactor_version = u16::from_le_bytes(r.array("redactor version")?);
    let marks = usize::from(u16::from_le_bytes(r.array("marks")?));
    if r.0.iter().any(|b| *b != 0) || plain_len > FRAME_BODY_BYTES_MAX || marks > MARKS_MAX || h.byte_end < h.byte_start {
        return Err(Bad::Layout("header"));
    }
    Ok((Header { definition_version, redactor_version, ..h }, Counts { logs, records, plain_len, marks }))
}

/// The header of the frame at the start of `bytes` and the frame's whole length. The check sum is verified, the body is not unpacked.
pub fn peek(bytes: &[u8]) -> Result<(Header, usize), Bad> {
    let (_, whole) = check(bytes)?;
    Ok((header(bytes)?.0, whole))
}

/// Decodes the frame at the start of `bytes`. Also gives its whole length.
pub fn decode(bytes: &[u8]) -> Result<(Frame, usize), Bad> {
    let (end, whole) = check(bytes)?;
    let (header, counts) = header(bytes)?;
    let mut r = Reader(&bytes[HEADER_BYTES..end]);
    let mut logs = Vec::with_capacity(counts.logs);
    for _ in 0..counts.logs {
        let len = usize::from(r.array::<1>("logs")?[0]);
        let name = std::str::from_utf8(r.take(len, "logs")?).map_err(|_| Bad::Layout("logs"))?;
        logs.push(FirstSeq { log: LogName::parse(name).ok_or(Bad::Layout("logs"))?, seq: r.u64("logs")? });
    }
    let mut marks = Vec::with_capacity(counts.marks);
    for _ in 0..counts.marks {
        marks.push((r.u64("marks")?, r.array("marks")?));
    }
    let plain = if header.flags & FLAG_ZSTD == 0 {
        r.0.to_vec()
    } else {
        zstd::bulk::decompress(r.0, counts.plain_len).map_err(|_| Bad::Layout("packed body"))?
    };
    if plain.len() != counts.plain_len {
        return Err(Bad::Layout("plain length"));
    }
    let frame = Frame { header, logs, marks, records: counts.records, plain };
    frame.verify()?;
    Ok((frame, whole))
}

fn le32(bytes: &[u8], i: usize) -> u32 {
    let at = i * 4;
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl Frame {
    /// Whether lengths and log indices fit, so that [`Self::records`] cannot fail.
    fn verify(&self) -> Result<(), Bad> {
        if self.header.kind != Kind::Records {
            return if self.records == 0 { Ok(()) } else { Err(Bad::Layout("records")) };
        }
        let n = self.records;
        let columns = n.checked_mul(RECORD_COLUMNS).filter(|c| *c <= self.plain.len()).ok_or(Bad::Layout("records"))?;
        let lens = &self.plain[4 * n..8 * n];
        let stored: u64 = (0..n).map(|i| u64::from(le32(lens, i))).sum();
        if stored != (self.plain.len() - columns) as u64 || self.plain[8 * n..9 * n].iter().any(|l| usize::from(*l) >= self.logs.len()) {
            return Err(Bad::Layout("records"));
        }
        Ok(())
    }

    /// The records in their order, with their places and numbers.
    pub fn records(&self) -> impl Iterator<Item = StoredRecord<'_>> {
        let n = if self.header.kind == Kind::Records { self.records } else { 0 };
        let mut next: Vec<u64> = self.logs.iter().map(|l| l.seq).collect();
        let (mut at, mut bytes) = (self.header.byte_start, n * RECORD_COLUMNS);
        (0..n).map(move |i| {
            let (original, stored) = (le32(&self.plain, i), le32(&self.plain[4 * n..], i) as usize);
            let log = usize::from(self.plain[8 * n + i]);
            let record = StoredRecord {
                log,
                seq: next[log],
                byte_start: at,
                byte_end: at + u64::from(original),
                flags: RecordFlags(self.plain[9 * n + i]),
                stored: &self.plain[bytes..bytes + stored],
            };
            next[log] += 1;
            at = record.byte_end;
            bytes += stored;
            record
        })
    }
    /// How many records go into each log, in the order of `logs`.
    pub fn counts(&self) -> Vec<u64> {
        let n = if self.header.kind == Kind::Records { self.records } else { 0 };
        let mut counts = vec![0; self.logs.len()];
        self.plain[8 * n..9 * n].iter().for_each(|l| counts[usize::from(*l)] += 1);
        counts
    }
    /// The bytes of source that it covers.
    pub fn source_bytes(&self) -> u64 {
        self.header.byte_end - self.header.byte_start
    }
}

#[cfg(test)]
mod tests;
