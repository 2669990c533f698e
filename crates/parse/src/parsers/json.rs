//! One JSON object a line: TiDB, PD, TiKV, Milvus, TiProxy, etcd (tidb.md §8.11, milvus.md §2.2).
//!
//! Owns: a flat scan in one pass. The first of repeated keys wins a column; numbers stay as they were written; nested values stay JSON text, checked,
//! with bounded depth. Never builds a tree.

use std::borrow::Cow;

use event::{Event, Issue, Text, Value};

use super::{Context, FIELDS_MAX, Format, LineFormat, Seen, level, put_field, quoted};
use crate::time::{self, Stamp};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Json, recognize, parse };

fn recognize(b: &[u8]) -> bool {
    b.first() == Some(&b'{') && b.iter().skip(1).find(|c| !c.is_ascii_whitespace()) == Some(&b'"')
}

/// What the well-known keys said; taken over only when the whole object is sound.
#[derive(Default)]
struct Found<'r> {
    time: Option<Value<'r>>,
    level: Option<Text<'r>>,
    caller: Option<Text<'r>>,
    message: Option<Text<'r>>,
    fields: Vec<(Text<'r>, Value<'r>)>,
    repeated: bool,
    too_many: bool,
    /// No key is well known here.
    plain: bool,
}

fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some(found) = object(text) else { return false };
    if found.level.is_none() && found.time.is_none() && found.message.is_none() {
        return false;
    }
    fill(found, event, context);
    true
}

/// A sound object that no format knows (rows of a statement summary): its keys become `fields`.
pub fn parse_any<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some(found) = recognize(text.as_bytes()).then(|| object(text)).flatten() else { return false };
    fill(found, event, context);
    true
}

/// The fields of an object behind a line's message; text that is no object is one field.
pub(super) fn fields<'r>(text: &'r str, event: &mut Event<'r>) {
    match recognize(text.as_bytes()).then(|| object_into(text, Found { plain: true, ..Found::default() })).flatten() {
        Some(found) => found.fields.into_iter().for_each(|(key, value)| put_field(event, key, value)),
        None => put_field(event, Cow::Borrowed("text"), Value::Text(Cow::Borrowed(text))),
    }
}

fn fill<'r>(mut found: Found<'r>, event: &mut Event<'r>, context: &Context<'_>) {
    event.stream = Some(Cow::Borrowed("server"));
    match found.time.as_ref().map(stamp) {
        Some(Some(stamp)) => stamp.put(event, context.zone),
        Some(None) => event.mark(Issue::BadTime),
        None => {}
    }
    if let Some(name) = found.level {
        match level(&name) {
            Some(known) => event.level = Some(Cow::Borrowed(known)),
            None => found.fields.push((Cow::Borrowed("level"), Value::Text(name))),
        }
    }
    event.caller = found.caller.filter(|c| !c.is_empty()).or_else(|| logrus_caller(&mut found.fields));
    event.message = found.message.filter(|m| !m.is_empty());
    let mut seen = Seen::default();
    event.fields.reserve(found.fields.len());
    for (key, value) in found.fields {
        seen.put(event, key, value);
    }
    if found.repeated {
        event.mark(Issue::RepeatedKey);
    }
    if found.too_many {
        event.mark(Issue::Unparsed);
    }
}

/// A time as text, or as seconds since 1970 (zap's own default).
fn stamp(value: &Value<'_>) -> Option<Stamp> {
    match value {
        Value::Text(t) => time::scan(t).filter(|s| s.len == t.len()),
        Value::Number(n) => {
            let (whole, part) = n.split_once('.').unwrap_or((n, ""));
            let seconds: i64 = whole.parse().ok().filter(|s| (0..=32_503_680_000).contains(s))?;
            let mut micros = 0;
            for (i, digit) in part.bytes().take(6).enumerate() {
                micros += i64::from(digit.checked_sub(b'0').filter(|d| *d < 10)?) * 10_i64.pow(5 - u32::try_from(i).ok()?);
            }
            Some(Stamp { wall: seconds * event::clock::SECOND + micros, offset: Some(0), len: n.len() })
        }
        _ => None,
    }
}

/// TiDB 2.x wrote `"file":"adapter.go"` and `"line":274`.
fn logrus_caller<'r>(fields: &mut Vec<(Text<'r>, Value<'r>)>) -> Option<Text<'r>> {
    let file = fields.iter().position(|(k, v)| k == "file" && matches!(v, Value::Text(_)))?;
    let line = fields.iter().position(|(k, v)| k == "line" && matches!(v, Value::Number(_)))?;
    let caller = format!("{}:{}", fields[file].1.as_text(), fields[line].1.as_text());
    fields.remove(file.max(line));
    fields.remove(file.min(line));
    Some(Cow::Owned(caller))
}

fn skip_space(b: &[u8], mut at: usize) -> usize {
    while b.get(at).is_some_and(|c| matches!(c, b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The whole object, none where the text is not one.
fn object(text: &str) -> Option<Found<'_>> {
    object_into(text, Found::default())
}

fn object_into<'r>(text: &'r str, mut found: Found<'r>) -> Option<Found<'r>> {
    let b = text.as_bytes();
    let mut at = skip_space(b, 1);
    if b.get(at) == Some(&b'}') {
        return (skip_space(b, at + 1) == b.len()).then_some(found);
    }
    loop {
        if b.get(at) != Some(&b'"') {
            return None;
        }
        let close = quoted::closing(b, at + 1)?;
        let key = &text[at + 1..close];
        at = skip_space(b, close + 1);
        if b.get(at) != Some(&b':') {
            return None;
        }
        let (value, behind) = value(text, skip_space(b, at + 1), key)?;
        found.take(key, value);
        at = skip_space(b, behind);
        match b.get(at)? {
            b',' => at = skip_space(b, at + 1),
            b'}' => return (skip_space(b, at + 1) == b.len()).then_some(found),
            _ => return None,
        }
    }
}

impl<'r> Found<'r> {
    fn take(&mut self, key: &'r str, value: Value<'r>) {
        let text = match key {
            _ if self.plain => return self.field(key, value),
            "time" | "ts" if self.time.is_none() => {
                self.time = Some(value);
                return;
            }
            "level" => &mut self.level,
            "caller" => &mut self.caller,
            "message" | "msg" => &mut self.message,
            _ => return self.field(key, value),
        };
        match value {
            Value::Text(t) if text.is_none() => *text = Some(t),
            value => {
                self.repeated |= text.is_some();
                self.field(key, value);
            }
        }
    }
    fn field(&mut self, key: &'r str, value: Value<'r>) {
        self.repeated |= matches!(key, "time" | "ts");
        if self.fields.len() >= FIELDS_MAX {
            self.too_many = true;
            return;
        }
        self.fields.push((quoted::unescape(key), value));
    }
}

/// The value at `at`, and behind it.
fn value<'r>(text: &'r str, at: usize, key: &str) -> Option<(Value<'r>, usize)> {
    let b = text.as_bytes();
    match b.get(at)? {
        b'"' => {
            let close = quoted::closing(b, at + 1)?;
            Some((Value::Text(quoted::unescape(quoted::without_stack(key, &text[at + 1..close]))), close + 1))
        }
        b'{' | b'[' => {
            let end = nested_end(b, at)?;
            let inside = &text[at..end];
            // The text goes into JSON output as it is, so it must be JSON.
            serde_json::from_str::<serde::de::IgnoredAny>(inside).ok()?;
            let one_line =
                if inside.contains(['\n', '\r']) { Cow::Owned(inside.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(inside) };
            Some((Value::Json(one_line), end))
        }
        b'-' | b'0'..=b'9' => {
            let len = b[at..].iter().take_while(|c| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'+' | b'-')).count();
            let number = &text[at..at + len];
            is_number(number).then_some((Value::Number(Cow::Borrowed(number)), at + len))
        }
        _ => [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
            .into_iter()
            .find(|(word, _)| b[at..].starts_with(word.as_bytes()))
            .map(|(word, value)| (value, at + word.len())),
    }
}

/// Values may be nested this deep; deeper ones are no log line (and readers of our JSON have limits too).
const DEPTH_MAX: usize = 64;

/// Behind the bracket that closes the one at `at`. None where it never closes or is too deep.
fn nested_end(b: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut i) = (0usize, at);
    loop {
        match b.get(i)? {
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return None;
                }
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(i + 1);
                }
            }
            b'"' => i = quoted::closing(b, i + 1)?,
            _ => {}
        }
        i += 1;
    }
}

/// JSON's own grammar of numbers: what we print must be JSON again.
fn is_number(text: &str) -> bool {
    let b = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let run = |at: usize| b[at..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut at = run(0);
    if at == 0 || (at > 1 && b[0] == b'0') {
        return false;
    }
    if b.get(at) == Some(&b'.') {
        let n = run(at + 1);
        if n == 0 {
            return false;
        }
        at += 1 + n;
    }
    if matches!(b.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(b.get(at + 1), Some(b'+' | b'-')));
        let n = run(at);
        if n == 0 {
            return false;
        }
        at += n;
    }
    at == b.len()
}

#[cfg(test)]
mod tests;
