//! Parts of a time (`hour`, `day`, ...), always in UTC: a rule must mean the same on every machine.

use jiff::{Timestamp, tz::TimeZone};

use super::Scalar;

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePart {
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// Day of the month, 1-31.
    Day,
    /// ISO week, 1-53.
    Week,
    /// 1-12.
    Month,
    /// Four digits.
    Year,
}

impl TimePart {
    /// The part of a value: microseconds, or RFC 3339.
    pub fn of(self, value: Scalar<'_>) -> Option<i64> {
        let at = match value {
            Scalar::Int(micros) => Timestamp::from_microsecond(micros).ok()?,
            Scalar::Text(text) => text.parse().ok()?,
            Scalar::Null | Scalar::Float(_) | Scalar::Bool(_) => return None,
        }
        .to_zoned(TimeZone::UTC);
        Some(match self {
            Self::Minute => i64::from(at.minute()),
            Self::Hour => i64::from(at.hour()),
            Self::Day => i64::from(at.day()),
            Self::Week => i64::from(at.date().iso_week_date().week()),
            Self::Month => i64::from(at.month()),
            Self::Year => i64::from(at.year()),
        })
    }
}
