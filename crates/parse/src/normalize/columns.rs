//! How a value moves from `fields` into its column. Owns: accounts, addresses, ids, durations, lists as the databases print them.
//!
//! Never fails: what does not fit its column stays in `fields`.

use std::{borrow::Cow, net::IpAddr};

use event::{Activity, Event, Issue, Status, Text, Value};
use memchr::{memchr, memrchr};

use crate::address;

/// Names what happened.
pub fn act(event: &mut Event<'_>, activity: &'static Activity, status: Status) {
    event.activity = Some(activity);
    event.status = Some(status);
}

/// Fills a column that is still empty.
pub fn put<T>(column: &mut Option<T>, value: Option<T>) {
    if column.is_none() {
        *column = value;
    }
}

/// A part of a text: borrowed where the text is.
pub fn part<'a>(whole: &Text<'a>, part: &str) -> Text<'a> {
    if let Cow::Borrowed(text) = whole {
        let at = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        if let Some(same) = at.checked_add(part.len()).and_then(|end| text.get(at..end)) {
            return Cow::Borrowed(same);
        }
    }
    Cow::Owned(part.to_owned())
}

/// Lower case, without a copy where it is so already.
pub fn lower(text: Text<'_>) -> Text<'_> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}

/// The text of a value; none where it is empty.
pub fn text_of(value: Value<'_>) -> Option<Text<'_>> {
    match value {
        Value::Text(t) | Value::Number(t) | Value::Json(t) => Some(t).filter(|t| !t.is_empty()),
        Value::Bool(b) => Some(Cow::Borrowed(if b { "true" } else { "false" })),
        Value::Null => None,
    }
}

/// Takes the first value of a key out of `fields`.
pub fn take_value<'a>(event: &mut Event<'a>, key: &str) -> Option<Value<'a>> {
    let at = event.fields.iter().position(|(k, _)| k == key)?;
    Some(event.fields.remove(at).1)
}

/// The same as text; none where it is empty.
pub fn take<'a>(event: &mut Event<'a>, key: &str) -> Option<Text<'a>> {
    take_value(event, key).and_then(text_of)
}

/// The first of several spellings of a key that the line has.
pub fn take_any<'a>(event: &mut Event<'a>, keys: &[&str]) -> Option<Text<'a>> {
    keys.iter().find_map(|key| take(event, key))
}

/// Adds a key of ours; where the line has the same key, ours comes first, so that it is the one that rules see.
pub fn set_field<'a>(event: &mut Event<'a>, key: &'static str, value: Text<'a>) {
    let entry = (Cow::Borrowed(key), Value::Text(value));
    match event.fields.iter().position(|(k, _)| k == key) {
        Some(at) => event.fields.insert(at, entry),
        None => event.fields.push(entry),
    }
}

/// `fields.reason`.
pub fn set_reason(event: &mut Event<'_>, reason: &'static str) {
    set_field(event, "reason", Cow::Borrowed(reason));
}

/// Gives a key of `fields` another name.
pub fn rename(event: &mut Event<'_>, from: &str, to: &'static str) {
    if let Some((key, _)) = event.fields.iter_mut().find(|(k, _)| k == from) {
        *key = Cow::Borrowed(to);
    }
}

/// What an id's text is to its column.
enum Id {
    Fits(i64),
    TooBig,
    None,
}

fn id(text: &str) -> Id {
    match text.parse::<u64>() {
        Ok(0) | Err(_) => Id::None,
        Ok(n) => i64::try_from(n).map_or(Id::TooBig, Id::Fits),
    }
}

/// An id for a column whose key is at hand; none where it stays in `fields`, with a mark where only its size keeps it out.
pub fn id_or_mark(event: &mut Event<'_>, value: &Value<'_>) -> Option<i64> {
    match id(value.as_text()) {
        Id::Fits(n) => Some(n),
        Id::TooBig => {
            event.mark(Issue::IdOutOfRange);
            None
        }
        Id::None => None,
    }
}

/// Where a short text stands in another: what the standard library's search prepares for costs more than these lines are long.
pub fn find(text: &str, what: &str) -> Option<usize> {
    let (bytes, what) = (text.as_bytes(), what.as_bytes());
    let first = *what.first()?;
    if bytes.len() < what.len() {
        return None;
    }
    let mut from = 0;
    while let Some(n) = memchr(first, bytes.get(from..)?) {
        let at = from + n;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// `str::split_once` by [`find`].
pub fn split<'t>(text: &'t str, what: &str) -> Option<(&'t str, &'t str)> {
    find(text, what).map(|at| (&text[..at], &text[at + what.len()..]))
}

/// Offers every field to `keep`, which moves what it knows into columns; what it does not keep leaves `fields`.
pub fn sweep<'a>(event: &mut Event<'a>, mut keep: impl FnMut(&mut Event<'a>, &str, &mut Value<'a>) -> bool) {
    let mut fields = std::mem::take(&mut event.fields);
    fields.retain_mut(|(key, value)| keep(event, key, value));
    // What `keep` itself added stands behind the line's own.
    fields.append(&mut event.fields);
    event.fields = fields;
}

/// A value taken out of its place; none where it is empty.
pub fn taken<'a>(value: &mut Value<'a>) -> Option<Text<'a>> {
    text_of(std::mem::replace(value, Value::Null))
}

/// Moves an id into its column. Zero stands for none; one above 2^63 stays in `fields` with a mark.
pub fn move_id<'a>(event: &mut Event<'a>, key: &str, column: for<'e> fn(&'e mut Event<'a>) -> &'e mut Option<i64>) {
    let Some(at) = event.fields.iter().position(|(k, _)| k == key) else { return };
    match id(event.fields[at].1.as_text()) {
        Id::Fits(n) => {
            event.fields.remove(at);
            put(column(event), Some(n));
        }
        Id::TooBig => event.mark(Issue::IdOutOfRange),
        Id::None => {}
    }
}

/// A connection's id that stands inside another text.
pub fn set_conn(event: &mut Event<'_>, text: &str) {
    match id(text) {
        Id::Fits(n) => put(&mut event.conn_id, Some(n)),
        Id::TooBig => {
            event.mark(Issue::IdOutOfRange);
            set_field(event, "conn", Cow::Owned(text.to_owned()));
        }
        Id::None => {}
    }
}

/// The keys under which a connection's id is printed.
pub fn move_conn<'a>(event: &mut Event<'a>, key: &str) {
    move_id(event, key, |e| &mut e.conn_id);
}

/// A transaction's start timestamp.
pub fn move_txn<'a>(event: &mut Event<'a>, key: &str) {
    move_id(event, key, |e| &mut e.txn_ts);
}

/// Moves a count into its column.
pub fn move_count<'a>(event: &mut Event<'a>, key: &str, column: for<'e> fn(&'e mut Event<'a>) -> &'e mut Option<i64>) {
    let Some(at) = event.fields.iter().position(|(k, _)| k == key) else { return };
    if let Ok(n) = event.fields[at].1.as_text().parse() {
        event.fields.remove(at);
        put(column(event), Some(n));
    }
}

/// Splits `address:port`, `[v6]:port`, a bare address, `name:port`; a gRPC peer may have `ipv4:` or `ipv6:` before it.
pub fn split_address(text: &str) -> (&str, Option<i32>) {
    let text = text.strip_prefix("ipv4:").or_else(|| text.strip_prefix("ipv6:")).unwrap_or(text);
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|p| p.parse::<u16>().ok()).map(i32::from));
    }
    match memrchr(b':', text.as_bytes()).map(|at| (&text[..at], &text[at + 1..])) {
        Some((host, port)) if memchr(b':', host.as_bytes()).is_none() => match port.parse::<u16>() {
            Ok(port) => (host, Some(i32::from(port))),
            Err(_) => (text, None),
        },
        _ => (text, None),
    }
}

/// Whether a text is an address; a zone (`fe80::1%eth0`) may follow it.
pub fn is_address(text: &str) -> bool {
    // Cheap first: a name or a pattern never gets to the real parser.
    let may = text.bytes().next().is_some_and(|b| b.is_ascii_hexdigit() || b == b':');
    address::is_v4(text) || may && text.split_once('%').map_or(text, |(address, _)| address).parse::<IpAddr>().is_ok()
}

/// The client's host: an address or a name; nothing where it is a pattern, a socket's path or empty.
pub fn set_source<'a>(event: &mut Event<'a>, whole: &Text<'a>, host: &str) {
    if is_address(host) {
        put(&mut event.src_ip, Some(part(whole, host)));
    } else if !host.is_empty() && !host.bytes().any(|b| matches!(b, b'%' | b'/' | b'@' | b'\\' | b'*' | b' ')) {
        put(&mut event.src_host, Some(part(whole, host)));
    }
}

/// The client's `address:port`.
pub fn set_client<'a>(event: &mut Event<'a>, whole: &Text<'a>, address: &str) {
    if let Some((ip, port)) = address::v4_port(address) {
        put(&mut event.src_ip, Some(part(whole, ip)));
        put(&mut event.src_port, Some(i32::from(port)));
        return;
    }
    let (host, port) = split_address(address);
    set_source(event, whole, host);
    put(&mut event.src_port, port);
}

/// Takes a key that holds the client's `address:port`.
pub fn take_client(event: &mut Event<'_>, key: &str) {
    if let Some(text) = take(event, key) {
        set_client(event, &text, &text);
    }
}

/// `dba@%`: the name and the host part, split at the last `@`; names may hold one.
pub fn split_account(text: &str) -> (&str, Option<&str>) {
    // Quotes are rare, and looking for them is not free.
    let bare = |part: &'_ str| part.as_bytes().first().is_some_and(|b| !matches!(b, b'\'' | b'`' | b'"'));
    match memrchr(b'@', text.as_bytes()) {
        Some(at) => {
            let (name, host) = (&text[..at], &text[at + 1..]);
            let name = if bare(name) { name } else { name.trim_matches(['\'', '`', '"']) };
            let host = if bare(host) { host } else { host.trim_matches(['\'', '`', '"']) };
            (name, Some(host).filter(|h| !h.is_empty()))
        }
        None => (text, None),
    }
}

/// Not empty, as a part of `whole`.
pub fn name_in<'a>(whole: &Text<'a>, name: &str) -> Option<Text<'a>> {
    (!name.is_empty()).then(|| part(whole, name))
}

/// Takes a matched account (`dba@%`): its host is a pattern of the account, not the client.
pub fn take_account(event: &mut Event<'_>, key: &str) {
    let Some(text) = take(event, key) else { return };
    let (name, host) = split_account(&text);
    put(&mut event.user, name_in(&text, name));
    if let Some(host) = host {
        set_field(event, "user_host", part(&text, host));
    }
}

/// A login identity (`dba@10.0.0.9`): its host is the client, where it is no pattern.
pub fn login<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    let (name, host) = split_account(whole);
    put(&mut event.user, name_in(whole, name));
    match host {
        Some(host) if host.contains('%') => set_field(event, "user_host", part(whole, host)),
        Some(host) => set_source(event, whole, host),
        None => {}
    }
}

/// Takes a key that holds a login identity.
pub fn take_login(event: &mut Event<'_>, key: &str) {
    if let Some(text) = take(event, key) {
        login(event, &text);
    }
}

/// Most digits that a number keeps exact in the sums below.
const DIGITS_MAX: usize = 18;

/// Microseconds of a decimal number of `unit` microseconds (scaled by 1000 to nanoseconds), cut, never rounded.
fn scaled(number: &str, nanos: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || whole.len() > DIGITS_MAX {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(DIGITS_MAX)];
    let mut sum = 0_i128;
    if !whole.is_empty() {
        sum = whole.parse::<u64>().ok()? as i128 * nanos;
    }
    if !fraction.is_empty() {
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        sum += fraction.parse::<u64>().ok()? as i128 * nanos / scale;
    }
    Some(sum)
}

/// Microseconds of a number with an exponent or not, in units of `unit_us` microseconds: `0.25`, `1057.834`, `1e-05`.
pub fn micros_of(number: &str, unit_us: i64) -> Option<i64> {
    if number.contains(['e', 'E']) {
        let micros = number.parse::<f64>().ok()? * unit_us as f64;
        // Durations of a log are far below 2^53 microseconds (285 years).
        return (micros.is_finite() && (0.0..9.0e15).contains(&micros)).then_some(micros as i64);
    }
    i64::try_from(scaled(number, i128::from(unit_us) * 1000)? / 1000).ok()
}

/// So many digits on either side of the point fit every sum below.
const PLAIN_DIGITS_MAX: usize = 9;

/// `8.597ms`: digits, perhaps a fraction, one unit. None where it is anything else, which the general way reads.
fn plain_duration(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    let number = |from: usize| {
        let digits = b[from..].iter().take(PLAIN_DIGITS_MAX).take_while(|c| c.is_ascii_digit());
        digits.fold((0_u64, 0), |(n, len), c| (n * 10 + u64::from(c - b'0'), len + 1))
    };
    let (whole, len) = number(0);
    let (fraction, digits) = if b.get(len) == Some(&b'.') { number(len + 1) } else { (0, 0) };
    let unit = if digits > 0 { len + 1 + digits } else { len };
    let nanos = match &b[unit..] {
        _ if len == 0 => return None,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        unit if unit == "µs".as_bytes() => 1_000,
        _ => return None,
    };
    let scale = TENS.get(digits)?;
    i64::try_from((whole * nanos + fraction * nanos / scale) / 1000).ok()
}

const TENS: [u64; PLAIN_DIGITS_MAX + 1] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Microseconds of a duration as Go and Rust print it: `1.5s`, `2m3.5s`, `53.64µs`, `1h0m0s`.
pub fn duration(text: &str) -> Option<i64> {
    if let Some(us) = plain_duration(text) {
        return Some(us);
    }
    let (mut rest, mut nanos) = (text, 0_i128);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        nanos += scaled(
            number,
            match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => return None,
            },
        )?;
        rest = next;
    }
    (!text.is_empty()).then(|| i64::try_from(nanos / 1000).ok()).flatten()
}

/// Moves a printed duration into `duration_us`; what is no duration stays.
pub fn move_duration(event: &mut Event<'_>, key: &str) {
    let Some(at) = event.fields.iter().position(|(k, _)| k == key) else { return };
    if let Some(us) = duration(event.fields[at].1.as_text()) {
        event.fields.remove(at);
        put(&mut event.duration_us, Some(us));
    }
}

/// The items of a printed list: `[A,B]`, `["A","B"]`, ``[`db`.`t`]``, without brackets and quotes around an item.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.strip_prefix('[').map_or(text, |t| t.strip_suffix(']').unwrap_or(t));
    inner.split([',', ' ']).map(|item| item.trim_matches(['"', '\''])).filter(|item| !item.is_empty())
}

/// The value behind `"key":` in a JSON-like text, without quotes; shallow, for texts of one level.
pub fn json_scalar<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let at = find(text, key)?;
    let rest = text[at + key.len()..].strip_prefix('"').unwrap_or(&text[at + key.len()..]);
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    Some(&rest[..rest.find(['"', ',', '}', '\n']).unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_become_microseconds() {
        for (text, want) in [
            ("1.5s", Some(1_500_000)),
            ("60.004793286s", Some(60_004_793)),
            ("53.64µs", Some(53)),
            ("1m0s", Some(60_000_000)),
            ("1h33m18.078448449s", Some(5_598_078_448)),
            ("0s", Some(0)),
            ("999ns", Some(0)),
            ("", None),
            ("s", None),
            ("5", None),
            ("1.5parsec", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("999999999.999999999s", Some(999_999_999_999_999)),
            ("1234567890.5s", Some(1_234_567_890_500_000)),
            ("0.000001ms", Some(0)),
            ("1.s", Some(1_000_000)),
            (".5s", Some(500_000)),
        ] {
            assert_eq!(duration(text), want, "{text}");
            assert!(plain_duration(text).is_none_or(|us| Some(us) == want), "{text}");
        }
        for (text, want) in [
            ("0.610083964", Some(610_083)),
            ("2", Some(2_000_000)),
            ("1e-05", Some(10)),
            ("x", None),
            ("", None),
            (".", None),
            ("1e400", None),
        ] {
            assert_eq!(micros_of(text, 1_000_000), want, "{text}");
        }
    }

    #[test]
    fn addresses_lose_their_port_and_names_are_no_addresses() {
        for (text, host, port) in [
            ("10.0.0.9:5123", "10.0.0.9", Some(5123)),
            ("[::1]:4000", "::1", Some(4000)),
            ("[fe80::1%eth0]:4000", "fe80::1%eth0", Some(4000)),
            ("2001:db8::7", "2001:db8::7", None),
            ("localhost:61000", "localhost", Some(61000)),
            ("ipv4:127.0.0.1:47584", "127.0.0.1", Some(47584)),
            ("ipv6:[::1]:47584", "::1", Some(47584)),
            ("10.0.0.9:99999", "10.0.0.9:99999", None),
            ("/tmp/tidb.sock", "/tmp/tidb.sock", None),
            ("", "", None),
        ] {
            assert_eq!(split_address(text), (host, port), "{text}");
        }
        for (text, want) in
            [("10.0.0.9", true), ("::1", true), ("fe80::1%eth0", true), ("10.%", false), ("db", false), ("localhost", false), ("", false)]
        {
            assert_eq!(is_address(text), want, "{text}");
        }
    }

    #[test]
    fn ids_beyond_the_column_stay_in_fields() {
        let text = |t: &'static str| Value::Text(Cow::Borrowed(t));
        let mut e = Event { fields: vec![("conn".into(), text("18446744073709551615"))], ..Event::default() };
        move_conn(&mut e, "conn");
        assert_eq!((e.conn_id, e.field_text("conn"), e.is_marked(&Issue::IdOutOfRange)), (None, Some("18446744073709551615"), true));
        let mut e = Event { fields: vec![("conn".into(), text("7398943596793037429")), ("conn".into(), text("0"))], ..Event::default() };
        move_conn(&mut e, "conn");
        move_conn(&mut e, "conn");
        assert_eq!((e.conn_id, e.field_text("conn"), e.issues.len()), (Some(7_398_943_596_793_037_429), Some("0"), 0));
    }

    #[test]
    fn a_key_of_ours_comes_before_the_lines_own() {
        let mut e = Event { fields: vec![("reason".into(), Value::Text("theirs".into()))], ..Event::default() };
        set_reason(&mut e, "timeout");
        assert_eq!((e.field_text("reason"), e.fields.len()), (Some("timeout"), 2));
    }
}
