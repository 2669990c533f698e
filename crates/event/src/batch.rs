//! Records of one source on their way to the store: what a source ships, in process or over the wire (FORMAT §4). No class, seq or salt yet.

use crate::{Generation, Micros, RecordFlags, Redacted, SourceId, identity::Stamp};

/// One record behind the gate.
#[derive(Debug, Clone)]
pub struct BatchRecord<'a> {
    /// Bytes of the source that it covers, line end included. The first piece of a split record counts those of all its pieces.
    pub original_len: u32,
    /// What is odd about its bytes.
    pub flags: RecordFlags,
    /// The redacted record without its final line end.
    pub stored: Redacted<'a>,
}

/// A contiguous range of one generation: at most `limits::FRAME_SOURCE_BYTES_MAX` source bytes, or one record.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// The database cluster.
    pub cluster: String,
    /// The source.
    pub source: SourceId,
    /// Version of the source's definition.
    pub definition_version: u32,
    /// The generation.
    pub generation: Generation,
    /// Where the first record begins. It must be the known end of the generation.
    pub byte_start: u64,
    /// Identity of the generation at the end of the last record, and the standing marks passed.
    pub stamp: Stamp,
    /// When an agent read it; 0 where no agent was.
    pub agent_time: Micros,
    /// Version of the redaction that made the stored bytes.
    pub redactor_version: u16,
    /// Key of a sender that repeats; zeros for none.
    pub idempotency_key: [u8; 16],
    /// The records, in order.
    pub records: Vec<BatchRecord<'a>>,
}
