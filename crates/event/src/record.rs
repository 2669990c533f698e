//! A record as it travels from a source to the store: where it stood, and what is odd about its bytes.

use crate::{Generation, Micros, SourceId};

/// The flags of a stored record (FORMAT §2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordFlags(pub u8);

impl RecordFlags {
    /// A piece of a record that others interrupt, or what came for a record already closed by time.
    pub const PIECE: u8 = 1;
    /// A part of a record longer than 16 MiB; the first part counts the source bytes of all.
    pub const SPLIT: u8 = 2;
    /// The stored bytes are not UTF-8.
    pub const NOT_UTF8: u8 = 4;
    /// The record ends without a line end, because its file did.
    pub const CUT: u8 = 8;

    /// Whether a flag is set.
    pub const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
    /// With one more flag.
    #[must_use]
    pub const fn with(self, flag: u8) -> Self {
        Self(self.0 | flag)
    }
}

/// Where a record stood in its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordMeta {
    /// The source.
    pub source: SourceId,
    /// The file, as its writer made it.
    pub generation: Generation,
    /// First byte, counted in decompressed bytes of the generation.
    pub byte_start: u64,
    /// Behind its last byte, line end included.
    pub byte_end: u64,
    /// When this node took it in.
    pub observed_time: Option<Micros>,
    /// When an agent read it.
    pub agent_time: Option<Micros>,
    /// What is odd about its bytes.
    pub flags: RecordFlags,
}
