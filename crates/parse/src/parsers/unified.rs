//! The unified log format in its Go, Rust and C++ dialects (tidb.md §1, milvus.md §2): `[time] [LEVEL] [caller] [message] [key=value]..`.
//!
//! Owns: the bracket grammar, and what real writers make of it (a logger's bracket, unquoted messages, empty brackets, fields without brackets, lines cut
//! short). One pass, memchr, nothing copied but values with escapes. The older forms without brackets are in `legacy.rs`.

use std::borrow::Cow;

use event::{Event, Issue, Text, Value};
use memchr::{memchr, memmem};

use super::{Context, FIELDS_MAX, Format, LineFormat, Seen, level, quoted};
use crate::{near, time};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Unified, recognize: |b| b.first() == Some(&b'['), parse };

/// Room for the fields of nearly every line: one allocation.
const FIELDS_USUAL: usize = 12;

/// What stands before the message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Head<'r> {
    stamp: Option<time::Stamp>,
    bad_time: bool,
    level: Option<&'static str>,
    logger: Option<&'r str>,
    caller: Option<&'r str>,
    /// Where the message or the first field begins.
    pub(super) rest: usize,
}

impl<'r> Head<'r> {
    /// Fills time, level, caller and the logger.
    pub(super) fn put(&self, event: &mut Event<'r>, zone: &time::Zone) {
        if let Some(stamp) = self.stamp {
            stamp.put(event, zone);
        }
        if self.bad_time {
            event.mark(Issue::BadTime);
        }
        event.level = self.level.map(Cow::Borrowed);
        event.caller = self.caller.map(Cow::Borrowed);
        if let Some(logger) = self.logger {
            event.fields.push((Cow::Borrowed("logger"), Value::Text(Cow::Borrowed(logger))));
        }
    }
}

fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some(head) = head(text) else { return false };
    let rest = &text[head.rest..];
    // The audit formats have no message and begin with an id.
    if rest.starts_with("[ID=") {
        return false;
    }
    event.stream = Some(Cow::Borrowed("server"));
    head.put(event, context.zone);
    event.fields.reserve(FIELDS_USUAL);
    items(rest, head.logger.is_some(), event);
    true
}

/// The text between the brackets at `at`, and behind them. Only for brackets that hold no string.
fn bracket(text: &str, at: usize) -> Option<(&str, usize)> {
    let b = text.as_bytes();
    if b.get(at) != Some(&b'[') {
        return None;
    }
    let close = near::find(b, at + 1, b']')?;
    Some((&text[at + 1..close], close + 1))
}

fn skip_spaces(b: &[u8], mut at: usize) -> usize {
    while b.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// Where the bracket of the usual time ends: `[2026/11/21 21:17:09.495 +00:00]`.
const USUAL_TIME: std::ops::Range<usize> = 1..31;

/// What stands before the message or the first field, none where this is no line of the format.
pub(super) fn head(text: &str) -> Option<Head<'_>> {
    let b = text.as_bytes();
    let mut head = Head::default();
    let mut at = 0;
    let usual = if b.get(USUAL_TIME.end) == Some(&b']') { text.get(USUAL_TIME).and_then(time::scan_usual) } else { None };
    if usual.is_some() {
        head.stamp = usual;
        at = skip_spaces(b, USUAL_TIME.end + 1);
    } else if b.get(1).is_some_and(u8::is_ascii_digit) {
        let (inside, behind) = bracket(text, 0)?;
        head.stamp = time::scan(inside).filter(|s| s.len == inside.len());
        head.bad_time = head.stamp.is_none();
        at = skip_spaces(b, behind);
    }
    if let Some(known) = usual_level(&b[at..]) {
        head.level = Some(known);
        at = skip_spaces(b, at + USUAL_LEVEL_BYTES);
    } else if let Some((name, behind)) = bracket(text, at)
        && let Some(known) = level(name)
    {
        head.level = Some(known);
        at = skip_spaces(b, behind);
    }
    (head.logger, head.caller, head.rest) = origin(text, at);
    let sure = match (head.stamp.is_some(), head.level.is_some()) {
        (true, true) => true,
        (true, false) | (false, true) => head.caller.is_some(),
        // Neither time nor level: something else cut them off (a log shipper), and only a file name tells.
        (false, false) => head.caller.is_some_and(is_source_file) && !head.bad_time && b.get(head.rest) == Some(&b'['),
    };
    sure.then_some(head)
}

/// Bytes of the bracket of the levels that nearly all lines have.
const USUAL_LEVEL_BYTES: usize = 6;

fn usual_level(rest: &[u8]) -> Option<&'static str> {
    match rest.first_chunk::<USUAL_LEVEL_BYTES>()? {
        b"[INFO]" => Some("INFO"),
        b"[WARN]" => Some("WARN"),
        _ => None,
    }
}

/// The bracket that ends a caller (`[conn.go:678]`) at `at`, where that is what stands there.
fn usual_caller(b: &[u8], at: usize) -> Option<usize> {
    let inside = b.get(at..)?.strip_prefix(b"[")?;
    let file = inside.iter().take_while(|c| CALLER[usize::from(**c)]).count();
    let line = inside.get(file..)?.strip_prefix(b":")?;
    let digits = line.iter().take_while(|c| c.is_ascii_digit()).count();
    (file > 0 && digits > 0 && line.get(digits) == Some(&b']')).then_some(at + 1 + file + 1 + digits)
}

/// Logger, caller, and where the message begins.
fn origin(text: &str, at: usize) -> (Option<&str>, Option<&str>, usize) {
    let b = text.as_bytes();
    if let Some(close) = usual_caller(b, at) {
        return (None, Some(&text[at + 1..close]), skip_spaces(b, close + 1));
    }
    let Some((first, behind)) = bracket(text, at) else { return (None, None, at) };
    if is_caller(first) {
        return (None, Some(first), skip_spaces(b, behind));
    }
    let next = skip_spaces(b, behind);
    if is_logger(first)
        && let Some((second, behind)) = bracket(text, next)
        && is_caller(second)
    {
        return (Some(first), Some(second), skip_spaces(b, behind));
    }
    (None, None, at)
}

/// `conn.go:678`, `proxy/impl.go:5119`, `<unknown>`.
pub(super) fn is_caller(text: &str) -> bool {
    if text == "<unknown>" {
        return true;
    }
    let b = text.as_bytes();
    let mut colon = b.len();
    while colon > 0 && b[colon - 1].is_ascii_digit() {
        colon -= 1;
    }
    colon > 1 && colon < b.len() && b[colon - 1] == b':' && b[..colon - 1].iter().all(|c| CALLER[usize::from(*c)])
}

/// Bytes of a source file's path.
static CALLER: [bool; 256] = {
    let mut table = [false; 256];
    let mut c = 0;
    while c < 256 {
        let byte = c as u8;
        table[c] = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'@' | b'+');
        c += 1;
    }
    table
};

fn is_source_file(caller: &str) -> bool {
    let file = caller.rsplit_once(':').map_or(caller, |(file, _)| file);
    file == "<unknown>" || [".go", ".rs", ".cpp", ".cc", ".h", ".s"].iter().any(|e| file.ends_with(e))
}

fn is_logger(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b'/'))
}

/// One bracket behind the head.
enum Item<'r> {
    Message(Text<'r>),
    Field(Text<'r>, Text<'r>),
}

/// Message and fields. `named`: a logger's bracket stood before the caller, so the message is never quoted and may hold anything (TiProxy).
pub(super) fn items<'r>(text: &'r str, named: bool, event: &mut Event<'r>) {
    let b = text.as_bytes();
    let (mut at, mut seen) = (0, Seen::of(event));
    while at < b.len() {
        if b[at] == b' ' {
            at += 1;
            continue;
        }
        if event.fields.len() >= FIELDS_MAX {
            event.mark(Issue::Unparsed);
            return;
        }
        if b[at] != b'[' {
            at = bare_fields(text, at, &mut seen, event);
            continue;
        }
        let message_place = event.message.is_none() && event.fields.len() <= usize::from(named);
        let Some((item, behind)) = item(text, at, named && message_place) else {
            cut_item(&text[at + 1..], message_place, &mut seen, event);
            return;
        };
        match item {
            Item::Message(message) if message_place => event.message = Some(message).filter(|m| !m.is_empty()),
            // A bracket without a key behind the message (PD's empty error) says nothing.
            Item::Message(message) if message.is_empty() => {}
            Item::Message(message) => seen.put(event, message, Value::Null),
            Item::Field(key, value) => seen.put(event, key, Value::Text(value)),
        }
        at = behind;
    }
}

#[inline]
fn item(text: &str, at: usize, as_message: bool) -> Option<(Item<'_>, usize)> {
    let b = text.as_bytes();
    let inside = at + 1;
    if as_message {
        let end = plain_end(b, inside)?;
        return Some((Item::Message(Cow::Borrowed(&text[inside..end])), end + 1));
    }
    let (key, equals) = if b.get(inside) == Some(&b'"') {
        let (close, escaped) = quoted::closing_escaped(b, inside + 1)?;
        let name = inside_of(text, inside + 1..close, escaped);
        match b.get(close + 1) {
            Some(b'=') => (name, close + 1),
            Some(b']') => return Some((Item::Message(name), close + 2)),
            _ => {
                let end = plain_end(b, inside)?;
                return Some((Item::Message(Cow::Borrowed(&text[inside..end])), end + 1));
            }
        }
    } else {
        let stop = near::find2(b, inside, b'=', b']')?;
        if b[stop] == b']' {
            return Some((Item::Message(Cow::Borrowed(&text[inside..stop])), stop + 1));
        }
        (Cow::Borrowed(&text[inside..stop]), stop)
    };
    let (value, behind) = value(text, equals + 1, &key)?;
    Some((Item::Field(key, value), behind))
}

/// The text inside quotes.
fn inside_of(text: &str, range: std::ops::Range<usize>, escaped: bool) -> Text<'_> {
    if escaped { quoted::unescape(&text[range]) } else { Cow::Borrowed(&text[range]) }
}

/// The value at `at`, and behind its bracket.
#[inline]
fn value<'r>(text: &'r str, at: usize, key: &str) -> Option<(Text<'r>, usize)> {
    let b = text.as_bytes();
    match b.get(at)? {
        b'"' => {
            let (close, escaped) = quoted::closing_escaped(b, at + 1)?;
            if b.get(close + 1) == Some(&b']') {
                let inside = &text[at + 1..close];
                // A stack has line ends, and they are escaped.
                let value = if escaped { quoted::unescape(quoted::without_stack(key, inside)) } else { Cow::Borrowed(inside) };
                return Some((value, close + 2));
            }
        }
        b'[' => {
            if let Some(end) = nested_end(b, at) {
                return Some((Cow::Borrowed(&text[at..end]), end + 1));
            }
        }
        _ => {}
    }
    let end = plain_end(b, at)?;
    Some((Cow::Borrowed(&text[at..end]), end + 1))
}

/// The bracket that ends an unquoted text: one with nothing, a blank or another bracket behind it.
fn plain_end(b: &[u8], mut from: usize) -> Option<usize> {
    let mut last = None;
    loop {
        let Some(at) = near::find(b, from, b']') else { return last };
        if matches!(b.get(at + 1), None | Some(b' ' | b'[' | b'\n' | b'\r')) {
            return Some(at);
        }
        last = Some(at);
        from = at + 1;
    }
}

/// The end of an unquoted list of lists: the bracket that closes the field around it.
fn nested_end(b: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut i) = (0usize, at);
    loop {
        i += memchr::memchr3(b'[', b']', b'"', b.get(i..)?)?;
        match b[i] {
            b'[' => depth += 1,
            b'"' => i = quoted::closing(b, i + 1)?,
            _ if depth == 0 => return Some(i),
            _ => depth -= 1,
        }
        i += 1;
    }
}

/// A bracket that never closes: the writer cut the line. What is there counts, and is marked.
fn cut_item<'r>(inside: &'r str, message_place: bool, seen: &mut Seen, event: &mut Event<'r>) {
    event.mark(Issue::Truncated);
    let opened = inside.strip_prefix('"');
    let text = opened.unwrap_or(inside);
    let key_end = if opened.is_some() { memmem::find(text.as_bytes(), b"\"=") } else { memchr(b'=', text.as_bytes()) };
    match key_end {
        Some(end) if !message_place => {
            let value = text[end + 1..].trim_start_matches('=');
            let value = value.strip_prefix('"').unwrap_or(value);
            let key = quoted::unescape(&text[..end]);
            let value = quoted::unescape(quoted::without_stack(&key, value));
            seen.put(event, key, Value::Text(value));
        }
        _ if message_place => event.message = Some(quoted::unescape(text)).filter(|m| !m.is_empty()),
        _ => {}
    }
}

/// `connID=28 ` or `scope=X,intent=Y `: fields that somebody wrote without brackets. Text that is no field breaks the format.
fn bare_fields<'r>(text: &'r str, at: usize, seen: &mut Seen, event: &mut Event<'r>) -> usize {
    let b = text.as_bytes();
    let end = memmem::find(&b[at..], b" [").map_or(b.len(), |i| at + i);
    let chunk = text[at..end].trim_end();
    if !chunk.split([' ', ',']).all(|part| part.split_once('=').is_some_and(|(key, _)| !key.is_empty())) {
        event.mark(Issue::Unparsed);
        if event.message.is_none() && event.fields.is_empty() {
            event.message = Some(Cow::Borrowed(chunk));
        }
        return end;
    }
    for (key, value) in chunk.split([' ', ',']).filter_map(|part| part.split_once('=')).take(FIELDS_MAX) {
        seen.put(event, Cow::Borrowed(key), Value::Text(Cow::Borrowed(value)));
    }
    end
}

#[cfg(test)]
mod tests;
