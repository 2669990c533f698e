//! Times and zones of log lines, scanned by hand. Owns: every time format that a log uses. Never reads a clock.

use event::{
    Event, Issue, Micros,
    clock::{DAY, HOUR, MINUTE, SECOND, days_from_civil},
};

/// The zone of times without one.
#[derive(Debug, Clone, Default)]
pub enum Zone {
    /// Nothing is known: UTC, and the event says `zone_assumed`.
    #[default]
    Assumed,
    /// A fixed offset in seconds east of UTC, told by the operator.
    Fixed(i32),
    /// A named zone with its rules, told by the operator.
    Named(jiff::tz::TimeZone),
    /// The offset that a neighbor of the line wrote, in seconds east of UTC: a guess, and the event says `zone_assumed`.
    Near(i32),
}

impl Zone {
    /// Reads what an operator writes: an IANA name (`Asia/Tokyo`), an offset (`+08:00`, `+0800`), `UTC` or `Z`. None where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text, "Z" | "UTC" | "utc") {
            return Some(Self::Fixed(0));
        }
        if let Some((offset, len)) = offset(text.as_bytes()) {
            return (len == text.len()).then_some(Self::Fixed(offset));
        }
        jiff::tz::TimeZone::get(text).ok().map(Self::Named)
    }
    /// The instant of a wall clock, given as microseconds as if it were UTC, and whether the zone was only assumed. In a gap or fold the rules of
    /// jiff's `compatible` apply.
    pub fn resolve(&self, wall: Micros) -> (Micros, bool) {
        match self {
            Self::Assumed => (wall, true),
            Self::Fixed(offset) => (wall - i64::from(*offset) * SECOND, false),
            Self::Near(offset) => (wall - i64::from(*offset) * SECOND, true),
            Self::Named(zone) => {
                let wall_clock = jiff::Timestamp::from_microsecond(wall).map(|t| jiff::tz::TimeZone::UTC.to_datetime(t));
                let at = wall_clock.and_then(|civil| zone.to_ambiguous_timestamp(civil).compatible());
                at.map_or((wall, true), |t| (t.as_microsecond(), false))
            }
        }
    }
}

/// A time as a line wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The wall clock as microseconds since 1970, as if it were UTC.
    pub wall: Micros,
    /// Seconds east of UTC, where the line says so.
    pub offset: Option<i32>,
    /// Bytes that it took.
    pub len: usize,
}

impl Stamp {
    /// The instant, and whether its zone was only assumed.
    pub fn at(&self, zone: &Zone) -> (Micros, bool) {
        match self.offset {
            Some(offset) => (self.wall - i64::from(offset) * SECOND, false),
            None => zone.resolve(self.wall),
        }
    }
    /// Sets the event's time, and marks an assumed zone.
    pub fn put(&self, event: &mut Event<'_>, zone: &Zone) {
        let (at, assumed) = self.at(zone);
        event.time = Some(at);
        if assumed {
            event.mark(Issue::ZoneAssumed);
        }
    }
}

/// Digits `at..at + n` as a number.
fn digits(b: &[u8], at: usize, n: usize) -> Option<i64> {
    let mut value = 0;
    for &c in b.get(at..at + n)? {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// Days since 1970 of a date that exists.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    (1..=longest).contains(&day).then(|| days_from_civil(year, month, day))
}

/// `HH:MM:SS` at `at`. A leap second counts as the second before.
fn clock(b: &[u8], at: usize) -> Option<Micros> {
    let (h, m, s) = (digits(b, at, 2)?, digits(b, at + 3, 2)?, digits(b, at + 6, 2)?);
    if b[at + 2] != b':' || b[at + 5] != b':' || h > 23 || m > 59 || s > 60 {
        return None;
    }
    Some(h * HOUR + m * MINUTE + s.min(59) * SECOND)
}

/// `.ddd..` or `,ddd..` at `at`: microseconds (further digits are cut), and behind it.
fn fraction(b: &[u8], at: usize) -> (Micros, usize) {
    if !matches!(b.get(at), Some(b'.' | b',')) {
        return (0, at);
    }
    let (mut value, mut unit, mut i) = (0, SECOND / 10, at + 1);
    while let Some(digit) = b.get(i).map(|c| c.wrapping_sub(b'0')).filter(|d| *d < 10) {
        value += i64::from(digit) * unit;
        unit /= 10;
        i += 1;
    }
    if i == at + 1 { (0, at) } else { (value, i) }
}

/// `+HH:MM`, `-HHMM`, `+HH` or `Z` at the start: seconds east of UTC, and its length.
fn offset(b: &[u8]) -> Option<(i32, usize)> {
    let sign = match b.first()? {
        b'Z' => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(b, 1, 2)?;
    let (minutes, len) = if b.get(3) == Some(&b':') { (digits(b, 4, 2)?, 6) } else { digits(b, 3, 2).map_or((0, 3), |m| (m, 5)) };
    if hours > 18 || minutes > 59 {
        return None;
    }
    i32::try_from(sign * (hours * 3600 + minutes * 60)).ok().map(|o| (o, len))
}

/// A date and time at the start of `text`: `2026/11/21 21:17:09.495 +00:00` (Go, Rust, C++), `2021-11-15T18:02:26.991204198+08:00` (RFC 3339, slow
/// log, CRI), `2019-03-18-12:10:19.513961 +0800` (old slow log), `2023-06-08 01:46:31,945` (easylogging), `2017/08/14 17:13:22` (2.x). The zone may
/// be missing, and may stand behind one space.
pub fn scan(text: &str) -> Option<Stamp> {
    scan_bytes(text.as_bytes())
}

/// Bytes of a time that are read at once.
const HALF: usize = 16;

/// What half a time looks like: where its digits stand, and which bytes are fixed.
struct Shape {
    zero: u128,
    digits: u128,
    fixed: u128,
}

impl Shape {
    /// 0 is a digit, `?` anything.
    const fn new(like: &[u8; HALF]) -> Self {
        let (mut digits, mut fixed, mut i) = ([0; HALF], [0; HALF], 0);
        while i < HALF {
            digits[i] = if like[i] == b'0' { 0xff } else { 0 };
            fixed[i] = if like[i] == b'0' || like[i] == b'?' { 0 } else { 0xff };
            i += 1;
        }
        Self { zero: u128::from_le_bytes(*like), digits: u128::from_le_bytes(digits), fixed: u128::from_le_bytes(fixed) }
    }
    /// In every byte the number of two digits that begins there. None where anything is different.
    fn pairs(&self, half: &[u8; HALF]) -> Option<[u8; HALF]> {
        const LOW: u128 = u128::MAX / 0xff;
        // A digit is now its value, a right separator nothing.
        let value = u128::from_le_bytes(*half) ^ self.zero;
        let above_nine = ((value & (LOW * 0x7f)) + LOW * 0x76) | value;
        if value & self.fixed != 0 || above_nine & self.digits & (LOW * 0x80) != 0 {
            return None;
        }
        let value = value & self.digits;
        Some(((value << 3) + (value << 1) + (value >> 8)).to_le_bytes())
    }
}

const DATE: Shape = Shape::new(b"0000/00/00 00:00");
const CLOCK: Shape = Shape::new(b"00:00.000 ?00:00");

/// Days of a year before a month, and of the month, where the year is no leap year.
const MONTHS: [(i64, i64); 13] =
    [(0, 0), (0, 31), (31, 28), (59, 31), (90, 30), (120, 31), (151, 30), (181, 31), (212, 31), (243, 30), (273, 31), (304, 30), (334, 31)];

/// [`days`] of a year in which every fourth is a leap year; none for others.
fn days_near(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..2100).contains(&year) {
        return None;
    }
    let leap = i64::from(year % 4 == 0);
    let (before, longest) = MONTHS.get(usize::try_from(month).ok()?)?;
    let (before, longest) = (before + leap * i64::from(month > 2), longest + leap * i64::from(month == 2));
    (1..=longest).contains(&day).then_some((year - 1970) * 365 + (year - 1969) / 4 + before + day - 1)
}

/// Go's and Rust's own form, `2026/11/21 21:17:09.495 +00:00`, whole: it begins nearly every line, so it has a way of its own. None where anything is
/// different; the general way then decides.
pub fn scan_usual(text: &str) -> Option<Stamp> {
    let b: &[u8; 30] = text.as_bytes().try_into().ok()?;
    let (first, last) = (b.first_chunk()?, b.last_chunk()?);
    let (date, clock) = (DATE.pairs(first)?, CLOCK.pairs(last)?);
    let sign = match b[24] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let date = |at: usize| i64::from(date[at]);
    let clock = |at: usize| i64::from(clock[at]);
    let (h, m, s, milli) = (date(11), date(14), clock(3), clock(6) * 10 + i64::from(b[22] - b'0'));
    let (east_h, east_m) = (clock(11), clock(14));
    if h > 23 || m > 59 || s > 59 || east_h > 18 || east_m > 59 {
        return None;
    }
    let day = days_near(date(0) * 100 + date(2), date(5), date(8))?;
    let wall = day * DAY + h * HOUR + m * MINUTE + s * SECOND + milli * (SECOND / 1000);
    Some(Stamp { wall, offset: i32::try_from(sign * (east_h * 3600 + east_m * 60)).ok(), len: 30 })
}

/// [`scan`] over bytes that need not be UTF-8.
pub fn scan_bytes(b: &[u8]) -> Option<Stamp> {
    let year = digits(b, 0, 4)?;
    let sep = *b.get(4)?;
    if !matches!(sep, b'/' | b'-') || b.get(7) != Some(&sep) || !matches!(b.get(10), Some(b' ' | b'T' | b'-')) {
        return None;
    }
    let date = days(year, digits(b, 5, 2)?, digits(b, 8, 2)?)?;
    let time = clock(b, 11)?;
    let (micros, len) = fraction(b, 19);
    Some(with_offset(b, date * DAY + time + micros, len))
}

fn with_offset(b: &[u8], wall: Micros, len: usize) -> Stamp {
    let at = len + usize::from(b.get(len) == Some(&b' '));
    // A bare `Z` behind a space is a word, not a zone.
    let zone = offset(&b[at..]).filter(|_| at == len || b.get(at) != Some(&b'Z'));
    match zone {
        Some((seconds, zone_len)) => Stamp { wall, offset: Some(seconds), len: at + zone_len },
        None => Stamp { wall, offset: None, len },
    }
}

/// A gin row's time at the start of `text`: `2026/11/21 - 21:28:53`.
pub fn scan_gin(text: &str) -> Option<Stamp> {
    let b = text.as_bytes();
    if b.get(10..13) != Some(b" - ") || b.get(4) != Some(&b'/') || b.get(7) != Some(&b'/') {
        return None;
    }
    let date = days(digits(b, 0, 4)?, digits(b, 5, 2)?, digits(b, 8, 2)?)?;
    let (micros, len) = fraction(b, 21);
    Some(Stamp { wall: date * DAY + clock(b, 13)? + micros, offset: None, len })
}

/// A glog row's time at the start of `text`, behind the level letter: `20240107 17:16:04.771325`. A glog without a year (`0107 17:16:04.7`) gives
/// none: the year is not known.
pub fn scan_glog(text: &str) -> Option<Stamp> {
    let b = text.as_bytes();
    if b.get(8) != Some(&b' ') {
        return None;
    }
    let date = days(digits(b, 0, 4)?, digits(b, 4, 2)?, digits(b, 6, 2)?)?;
    let (micros, len) = fraction(b, 17);
    Some(Stamp { wall: date * DAY + clock(b, 9)? + micros, offset: None, len })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::clock::rfc3339;

    #[test]
    fn near_days_are_days() {
        for year in 1960..2110 {
            for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
                let near = days_near(year, month, day);
                assert_eq!(near, days(year, month, day).filter(|_| (1970..2100).contains(&year)), "{year} {month} {day}");
            }
        }
    }

    #[test]
    fn any_usual_time_is_read_as_the_general_way_reads_it() {
        let right = b"2026/11/21 21:17:09.495 +08:30";
        for at in 0..right.len() {
            for c in 0..=0x7f_u8 {
                let mut text = *right;
                text[at] = c;
                let text = std::str::from_utf8(&text).unwrap();
                let usual = scan_usual(text);
                assert!(usual.is_none() || usual == scan(text), "{text}");
                let milli = (20..23).contains(&at) && c.is_ascii_digit();
                assert!(usual.is_some() || !milli, "{text}");
            }
        }
    }

    #[test]
    fn every_format_that_a_log_writes() {
        for (text, utc, offset, rest) in [
            ("2026/11/21 21:17:09.495 +00:00] x", "2026-11-21T21:17:09.495Z", Some(0), "] x"),
            ("2018/12/15 14:20:11.015 +08:00", "2018-12-15T06:20:11.015Z", Some(28_800), ""),
            ("2021-11-15T18:02:26.991204198+08:00", "2021-11-15T10:02:26.991204Z", Some(28_800), ""),
            ("2019-03-18-12:10:19.513961 +0800", "2019-03-18T04:10:19.513961Z", Some(28_800), ""),
            ("2021-11-02T01:08:34.769194163Z stdout F", "2021-11-02T01:08:34.769194Z", Some(0), " stdout F"),
            ("2023-06-08 01:46:31,945 | DEBUG", "2023-06-08T01:46:31.945Z", None, " | DEBUG"),
            ("2017/08/14 17:13:22 server.go:219", "2017-08-14T17:13:22.000Z", None, " server.go:219"),
            ("2026/03/02 10:00:00.120 Zed", "2026-03-02T10:00:00.120Z", None, " Zed"),
            ("2016/12/31 23:59:60.5 -03:30", "2017-01-01T03:29:59.500Z", Some(-12_600), ""),
            ("2024/02/29 00:00:00", "2024-02-29T00:00:00.000Z", None, ""),
        ] {
            let stamp = scan(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((rfc3339(stamp.at(&Zone::Assumed).0).as_str(), stamp.offset, &text[stamp.len..]), (utc, offset, rest), "{text}");
            let usual = scan_usual(text);
            assert!(usual.is_none() || usual == Some(stamp), "{text}");
        }
        assert_eq!(rfc3339(scan_gin("2026/11/21 - 21:28:53 | 401").unwrap().wall), "2026-11-21T21:28:53.000Z");
        assert_eq!(rfc3339(scan_glog("20240107 17:16:04.771325    27").unwrap().wall), "2024-01-07T17:16:04.771325Z");
    }

    #[test]
    fn no_time_is_made_up() {
        for text in [
            "",
            "2026",
            "2026/13/01 00:00:00",
            "2026/02/29 00:00:00",
            "2026/11/21 24:00:00",
            "2026/11-21 21:00:00",
            "2026/11/21 21:0a:00",
            "2026/11/2",
            "2026/11/2é 21:00:00",
            "2026/11/21_21:00:00",
            "2026/02/29 00:00:00.000 +00:00",
            "2026/11/2x 00:00:00.000 +00:00",
            "2026/11/21 25:00:00.000 +00:00",
        ] {
            assert_eq!((scan(text), scan_usual(text)), (None, None), "{text}");
        }
        assert_eq!(scan_gin("2026/11/21 21:28:53"), None);
        assert_eq!(scan_glog("0107 17:16:04.771325"), None);
    }

    #[test]
    fn a_missing_zone_is_the_operators_or_assumed() {
        let stamp = scan("2026/07/01 12:00:00").unwrap();
        for (zone, utc, assumed) in [
            (Zone::default(), "2026-07-01T12:00:00.000Z", true),
            (Zone::Near(7200), "2026-07-01T10:00:00.000Z", true),
            (Zone::parse("+08:00").unwrap(), "2026-07-01T04:00:00.000Z", false),
            (Zone::parse("Europe/Berlin").unwrap(), "2026-07-01T10:00:00.000Z", false),
            (Zone::parse("UTC").unwrap(), "2026-07-01T12:00:00.000Z", false),
        ] {
            let (at, was_assumed) = stamp.at(&zone);
            assert_eq!((rfc3339(at).as_str(), was_assumed), (utc, assumed), "{zone:?}");
        }
        assert!(Zone::parse("Mars/Olympus").is_none());
        assert!(Zone::parse("+08:00x").is_none());
    }
}
