//! Times as people type them in `since:` and `until:`.

use event::{Micros, clock};

/// How to write a time; shown when one cannot be read.
pub(crate) const TIMES: &str =
    "write 90s, 15m, 1h, 7d or 2w (back from now), today, yesterday, a date (2026-11-21) or a time (2026-11-21T21:17:09Z)";

/// Reads a time. Without a zone it is UTC.
pub(crate) fn read(text: &str, now: Micros) -> Option<Micros> {
    match text {
        "now" => return Some(now),
        "today" => return Some(now - now.rem_euclid(clock::DAY)),
        "yesterday" => return Some(now - now.rem_euclid(clock::DAY) - clock::DAY),
        _ => {}
    }
    if let Some(back) = back(text) {
        return Some(now.saturating_sub(back));
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_microsecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// `1h`, `90m`, `1h30m`: how long.
fn back(text: &str) -> Option<Micros> {
    let mut total: Micros = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: Micros = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| digits + n);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1_000,
            "s" => clock::SECOND,
            "m" | "min" => clock::MINUTE,
            "h" => clock::HOUR,
            "d" => clock::DAY,
            "w" => 7 * clock::DAY,
            _ => return None,
        };
        total = total.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let now = 1_795_296_000_123_456; // 2026-11-21T21:20:00.123456Z
        for (text, expected) in [
            ("1h", Some("2026-11-21T20:20:00.123456Z")),
            ("1h30m", Some("2026-11-21T19:50:00.123456Z")),
            ("7d", Some("2026-11-14T21:20:00.123456Z")),
            ("today", Some("2026-11-21T00:00:00.000Z")),
            ("yesterday", Some("2026-11-20T00:00:00.000Z")),
            ("2026-11-21", Some("2026-11-21T00:00:00.000Z")),
            ("2026-11-21T10:00", Some("2026-11-21T10:00:00.000Z")),
            ("2026-11-21T10:00:00.5+01:00", Some("2026-11-21T09:00:00.500Z")),
            ("2026-11-21T10:00:00Z", Some("2026-11-21T10:00:00.000Z")),
            ("1x", None),
            ("", None),
            ("h", None),
            ("99999999999999999999h", None),
            ("soon", None),
        ] {
            assert_eq!(read(text, now).map(clock::rfc3339).as_deref(), expected, "{text}");
        }
    }
}
