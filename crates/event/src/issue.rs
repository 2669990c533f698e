//! What is odd about a record: marks in the column `issues`. One registry; a spelling is never changed.

use std::{borrow::Cow, fmt};

/// One mark of a record. Spelled in snake case; a mask carries its kind (`masked:password`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Issue {
    /// No format was recognized, or the line broke its format: the text is kept, columns are missing.
    Unparsed,
    /// A piece of a record that others interrupt (FORMAT §1, flag 1).
    Piece,
    /// A part of a record longer than 16 MiB (flag 2).
    Split,
    /// The record ends without a line end at the end of a closed or imported file.
    Cut,
    /// The stored bytes are not UTF-8 (flag 4); `raw` shows escapes.
    NotUtf8,
    /// The line repeats keys; the first of `time`, `level`, `caller`, `message` won.
    RepeatedKey,
    /// The row cannot be what it says it is: somebody wrote it through a value (milvus.md §3.5).
    Forged,
    /// The record's time is ahead of its arrival by more than 2 minutes and counts at arrival.
    ClockSuspect,
    /// The line carries no zone; its neighbors' zone or UTC was taken.
    ZoneAssumed,
    /// The line's time could not be read.
    BadTime,
    /// The input held a text that looks like a mark of the redaction; it was doubled.
    MarkInInput,
    /// The later-stored copy of a line that another stream of the instance carries too (DESIGN §2.14).
    Duplicate,
    /// An id above 2^63 stands in `fields` and not in its column.
    IdOutOfRange,
    /// The server that wrote the line cut it (`(len:N)` of a statement).
    Truncated,
    /// A stack or another multi-line record reached its line limit and goes on in the next record.
    TooManyLines,
    /// A value of this kind was masked.
    Masked(Cow<'static, str>),
}

impl Issue {
    /// Reads a spelling; the inverse of `Display`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "unparsed" => Self::Unparsed,
            "piece" => Self::Piece,
            "split" => Self::Split,
            "cut" => Self::Cut,
            "not_utf8" => Self::NotUtf8,
            "repeated_key" => Self::RepeatedKey,
            "forged" => Self::Forged,
            "clock_suspect" => Self::ClockSuspect,
            "zone_assumed" => Self::ZoneAssumed,
            "bad_time" => Self::BadTime,
            "mark_in_input" => Self::MarkInInput,
            "duplicate" => Self::Duplicate,
            "id_out_of_range" => Self::IdOutOfRange,
            "truncated" => Self::Truncated,
            "too_many_lines" => Self::TooManyLines,
            _ => Self::Masked(Cow::Owned(text.strip_prefix("masked:")?.to_owned())),
        })
    }
    /// A marked line never moves a watermark (DESIGN §2.13).
    pub fn untrusted_time(&self) -> bool {
        matches!(self, Self::Unparsed | Self::Forged | Self::ClockSuspect | Self::BadTime)
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unparsed => "unparsed",
            Self::Piece => "piece",
            Self::Split => "split",
            Self::Cut => "cut",
            Self::NotUtf8 => "not_utf8",
            Self::RepeatedKey => "repeated_key",
            Self::Forged => "forged",
            Self::ClockSuspect => "clock_suspect",
            Self::ZoneAssumed => "zone_assumed",
            Self::BadTime => "bad_time",
            Self::MarkInInput => "mark_in_input",
            Self::Duplicate => "duplicate",
            Self::IdOutOfRange => "id_out_of_range",
            Self::Truncated => "truncated",
            Self::TooManyLines => "too_many_lines",
            Self::Masked(kind) => return write!(f, "masked:{kind}"),
        })
    }
}
