//! Every limit that more than one crate must agree on (FORMAT §1, §2). A limit that only one crate knows stands in that crate.

/// A record is at most this many bytes of source and of stored bytes; a longer one is split (flag 2).
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// A frame holds at most this many bytes of source, or one record.
pub const FRAME_SOURCE_BYTES_MAX: usize = 1 << 20;
/// A frame's body; a decoder refuses more.
pub const FRAME_BODY_BYTES_MAX: usize = 17 << 20;
/// A commit group is at most this many bytes, or one frame.
pub const GROUP_BYTES_MAX: usize = 4 << 20;
/// WAL segments are made at this size.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Clusters on a node.
pub const CLUSTERS_MAX: usize = 64;
/// A record whose format has no visible end is closed after this long without a byte.
pub const RECORD_IDLE_US: i64 = 300_000;
/// Pieces (CRI) hold their source back for at most this long.
pub const PIECE_HOLD_US: i64 = 1_000_000;
/// The key of an act lives for this long.
pub const ACT_LIFE_US: i64 = 60 * 1_000_000;
/// A finding keeps at most this many pieces of evidence, the first and the last always among them.
pub const EVIDENCE_MAX: usize = 50;
/// How far behind the highest time of its own source an event is late (DESIGN §2.13).
pub const LATE_US: i64 = 5 * 60 * 1_000_000;
/// Live, a time further ahead of its arrival than this is `clock_suspect`.
pub const CLOCK_AHEAD_US: i64 = 2 * 60 * 1_000_000;
/// Marks kept of one generation (FORMAT §1).
pub const MARKS_MAX: usize = 24;
/// A panic's stack, or another record without its own end, is cut into a new record after this many lines.
pub const MULTILINE_LINES_MAX: usize = 10_000;
