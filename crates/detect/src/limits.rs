//! Every limit of detection, with its unit. What exceeds one is counted in [`crate::Stats`], never dropped in silence.

use event::{
    Micros,
    clock::{HOUR, MINUTE, SECOND},
};

/// A rule document.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// The longest window of a correlation.
pub const SPAN_MAX: Micros = 31 * 24 * HOUR;
/// The highest threshold of a count.
pub const THRESHOLD_MAX: u64 = 10_000;
/// The most acts whose absence can be waited for.
pub const SILENCE_MAX: u64 = 100;
/// Groups of one rule. The ones that were touched least lately make room.
pub const GROUPS_MAX: usize = if cfg!(test) { 5_000 } else { 50_000 };
/// Hits that one group keeps while its condition is not true. The oldest make room; this is twice the highest threshold, so
/// that a count cannot miss.
pub const HITS_MAX: usize = 20_000;
/// Hits that all groups keep together. Groups without an episode that were touched least lately make room.
pub const HITS_TOTAL_MAX: usize = if cfg!(test) { 50_000 } else { 500_000 };
/// Hits that one group keeps of each base rule of a temporal correlation: the latest.
pub const TEMPORAL_HITS_MAX: usize = 1_000;
/// Base rules of a correlation.
pub const BASES_MAX: usize = 32;
/// Where amounts are added up, acts closer together than the timespan divided by this are one hit.
pub const SUM_STEPS: i64 = 1_024;
/// Hits inside an episode that are kept for late events before it: the earliest, at least so many, and twice the threshold.
pub const EPISODE_HITS_MIN: usize = 256;
/// Different values that an episode counts; more show as this many.
pub const DISTINCT_MAX: usize = 10_000;
/// Different values of a column that an episode keeps for its title.
pub const TITLE_VALUES_MAX: usize = 20;
/// Bytes of a value in a title, a subject or a group's key.
pub const VALUE_BYTES_MAX: usize = 200;
/// Bytes of a line in evidence that carries its text.
pub const EVIDENCE_RAW_MAX: usize = 4 << 10;
/// Acts that are remembered as counted, over all rules.
pub const ACTS_MAX: usize = 200_000;
/// Acts of which a later line may still say who it was.
pub const OPEN_ACTS_MAX: usize = 512;
/// How long events after the last still belong to a finding of a single event, unless the rule says otherwise.
pub const EPISODE_DEFAULT: Micros = 5 * MINUTE;
/// An episode that grew is told again after this long, or when its count has doubled.
pub const UPDATE_EVERY: Micros = 60 * SECOND;
/// A time this far ahead of its source's highest is believed only when [`JUMP_EVENTS`] events agree.
pub const JUMP: Micros = HOUR;
/// See [`JUMP`].
pub const JUMP_EVENTS: u8 = 3;
/// Events between two sweeps of groups that nothing can join any more.
pub const SWEEP_EVERY: u64 = 8_192;
/// Sources that an engine remembers.
pub const SOURCES_MAX: usize = 100_000;
