//! Time: microseconds UTC everywhere, and the one trait through which a part learns what time it is.
//!
//! Must never call the system clock outside [`SystemClock`]: a lane that replays an incident has its own "now" (DESIGN §2.13).

use std::fmt::Write as _;

/// Microseconds since 1970-01-01T00:00:00Z. Negative before 1970. The unit of every time in events, frames and columns.
pub type Micros = i64;

/// One second in [`Micros`].
pub const SECOND: Micros = 1_000_000;
/// One minute in [`Micros`].
pub const MINUTE: Micros = 60 * SECOND;
/// One hour in [`Micros`].
pub const HOUR: Micros = 60 * MINUTE;
/// One day in [`Micros`].
pub const DAY: Micros = 24 * HOUR;

/// Where a part gets "now" from.
pub trait Clock: Send + Sync {
    /// The current time in microseconds UTC.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(d) => Micros::try_from(d.as_micros()).unwrap_or(Micros::MAX),
            Err(e) => -Micros::try_from(e.duration().as_micros()).unwrap_or(Micros::MAX),
        }
    }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// A clock that stands at `at`.
    pub fn new(at: Micros) -> Self {
        Self(std::sync::atomic::AtomicI64::new(at))
    }
    /// Moves the clock to `at`, forward or back.
    pub fn set(&self, at: Micros) {
        self.0.store(at, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// Days since 1970-01-01 of a civil date (proleptic Gregorian; Howard Hinnant's algorithm). Months 1-12, days 1-31, not validated.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// The civil date (year, month, day) of a number of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Appends `at` as RFC 3339 UTC with the digits it needs (`2026-11-21T21:17:09.495Z`, `...09.495123Z`, never fewer than 3).
pub fn push_rfc3339(out: &mut String, at: Micros) {
    let (days, rest) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (y, m, d) = civil_from_days(days);
    let (s, us) = (rest / SECOND, rest % SECOND);
    let _ = write!(out, "{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    let _ = if us % 1000 == 0 { write!(out, ".{:03}Z", us / 1000) } else { write!(out, ".{us:06}Z") };
}

/// `at` as RFC 3339 UTC text.
pub fn rfc3339(at: Micros) -> String {
    let mut s = String::with_capacity(27);
    push_rfc3339(&mut s, at);
    s
}

/// Serde: a time is RFC 3339 text in JSON and [`Micros`] in memory.
pub mod rfc3339_serde {
    use super::Micros;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes RFC 3339 UTC.
    pub fn serialize<S: Serializer>(at: &Micros, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::rfc3339(*at))
    }
    /// Reads any RFC 3339 text with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Micros, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        let at: jiff::Timestamp = text.parse().map_err(|e| D::Error::custom(format!("reading the time {text:?}: {e}")))?;
        Ok(at.as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_round_trip() {
        for days in [-719_468, -1, 0, 59, 60, 20_778, 47_482] {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
    }

    #[test]
    fn rfc3339_shows_what_it_needs() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_296_000_123_456), "2026-11-21T21:20:00.123456Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999Z");
    }
}
