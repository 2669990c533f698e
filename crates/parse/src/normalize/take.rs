//! Moving values out of `fields` into columns, and the small readers that several normalizers share. Never guesses: what does not read is null.

use std::{borrow::Cow, net::IpAddr};

use event::{Event, Text, Value, action::Activity, event::Status};

/// Removes the first value of a key from `fields` and gives it as text. An empty value and null are no value, but leave `fields` too.
pub fn take<'a>(event: &mut Event<'a>, key: &str) -> Option<Text<'a>> {
    let at = event.fields.iter().position(|(k, _)| k == key)?;
    let text = match event.fields.remove(at).1 {
        Value::Text(t) | Value::Number(t) | Value::Json(t) => t,
        Value::Bool(b) => Cow::Borrowed(if b { "true" } else { "false" }),
        Value::Null => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The first of several keys that has a value: one fact goes by several names in different versions.
pub fn take_any<'a>(event: &mut Event<'a>, keys: &[&str]) -> Option<Text<'a>> {
    keys.iter().find_map(|key| take(event, key))
}

/// Names what happened.
pub fn act(event: &mut Event<'_>, activity: &'static Activity, status: Status) {
    event.activity = Some(activity);
    event.status = Some(status);
}

/// Sets `fields.<key>` to a text of ours.
pub fn put<'a>(event: &mut Event<'a>, key: &'static str, value: impl Into<Text<'a>>) {
    event.fields.push((Cow::Borrowed(key), Value::Text(value.into())));
}

/// Sets `fields.reason` (the registry stands in docs/specs/events.md).
pub fn reason(event: &mut Event<'_>, why: &'static str) {
    put(event, "reason", why);
}

/// `10.0.0.9:5123`, `[::1]:57056`, `::1`, `10.0.0.9`: an address without its port, and the port. None where it is no address.
pub fn address(text: &str) -> Option<(&str, Option<i32>)> {
    let is_ip = |t: &str| t.parse::<IpAddr>().is_ok();
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, tail) = rest.split_once(']')?;
        let port = tail.strip_prefix(':').and_then(port);
        return (is_ip(ip) && (tail.is_empty() || port.is_some())).then_some((ip, port));
    }
    if is_ip(text) {
        return Some((text, None));
    }
    let (ip, tail) = text.rsplit_once(':')?;
    let port = port(tail)?;
    is_ip(ip).then_some((ip, Some(port)))
}

fn port(text: &str) -> Option<i32> {
    text.parse::<u16>().ok().map(i32::from)
}

/// A part of a text that may be borrowed from the record, kept borrowed where it is.
pub fn part<'a>(whole: &Text<'a>, pick: impl Fn(&str) -> Option<&str>) -> Option<Text<'a>> {
    match whole {
        Cow::Borrowed(t) => {
            let found = pick(t)?;
            let start = (found.as_ptr() as usize).checked_sub(t.as_ptr() as usize)?;
            t.get(start..start + found.len()).map(Cow::Borrowed)
        }
        Cow::Owned(t) => pick(t).map(|p| Cow::Owned(p.to_owned())),
    }
}

/// The first sentence of an error text: one line, without what a stack adds.
pub fn first_line<'a>(text: &Text<'a>) -> Option<Text<'a>> {
    part(text, |t| {
        let end = t.find(['\n', '\r']).unwrap_or(t.len());
        let line = t[..end].trim();
        (!line.is_empty()).then_some(line)
    })
}

/// A duration as Go prints it (`1h2m3.5s`, `149.546µs`, `0s`) in microseconds, rounded down.
pub fn go_duration_us(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total_ns: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().position(|b| !b.is_ascii_digit() && b != b'.')?;
        let (number, tail) = rest.split_at(digits);
        let (unit_ns, tail) = unit(tail)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut ns = whole.parse::<i64>().ok()?.checked_mul(unit_ns)?;
        let mut scale = unit_ns;
        for digit in fraction.bytes() {
            if !digit.is_ascii_digit() {
                return None;
            }
            scale /= 10;
            ns = ns.checked_add(i64::from(digit - b'0').checked_mul(scale)?)?;
        }
        total_ns = total_ns.checked_add(ns)?;
        rest = tail;
    }
    Some(total_ns / 1000)
}

fn unit(text: &str) -> Option<(i64, &str)> {
    const UNITS: &[(&str, i64)] = &[
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    UNITS.iter().find_map(|(name, ns)| Some((*ns, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, want) in [
            ("10.0.0.9:5123", Some(("10.0.0.9", Some(5123)))),
            ("10.0.0.9", Some(("10.0.0.9", None))),
            ("[::1]:57056", Some(("::1", Some(57056)))),
            ("[fe80::1]", Some(("fe80::1", None))),
            ("::1", Some(("::1", None))),
            ("db-0.db:4000", None),
            ("10.0.0.9:70000", None),
            ("[::1", None),
            ("", None),
            (":", None),
        ] {
            assert_eq!(address(text), want, "{text}");
        }
    }

    #[test]
    fn go_durations() {
        for (text, want) in [
            ("1.303213ms", Some(1303)),
            ("149.546\u{b5}s", Some(149)),
            ("149.546\u{3bc}s", Some(149)),
            ("52.617415442s", Some(52_617_415)),
            ("1m2.5s", Some(62_500_000)),
            ("2h0m1s", Some(7_201_000_000)),
            ("900ns", Some(0)),
            ("0s", Some(0)),
            ("1d", None),
            ("ms", None),
            ("1.2.3s", None),
            ("-1s", None),
            ("99999999999999h", None),
            ("", None),
            ("12", None),
        ] {
            assert_eq!(go_duration_us(text), want, "{text}");
        }
    }

    #[test]
    fn a_value_moves_once_and_empty_is_none() {
        let text = |t: &'static str| Value::Text(Cow::Borrowed(t));
        let mut e = Event {
            fields: vec![("db".into(), text("")), ("user".into(), text("a")), ("user".into(), text("b")), ("n".into(), Value::Null)],
            ..Event::default()
        };
        assert_eq!(take(&mut e, "db"), None);
        assert_eq!(take(&mut e, "n"), None);
        assert_eq!(take_any(&mut e, &["name", "user"]).as_deref(), Some("a"));
        assert_eq!(e.fields, vec![("user".into(), text("b"))]);
    }

    #[test]
    fn a_part_stays_borrowed() {
        let whole = Cow::Borrowed("first\nsecond");
        assert!(matches!(first_line(&whole), Some(Cow::Borrowed("first"))));
        assert!(matches!(first_line(&Cow::Owned("first\nsecond".to_owned())), Some(Cow::Owned(t)) if t == "first"));
        assert_eq!(first_line(&Cow::Borrowed("\n")), None);
    }
}
