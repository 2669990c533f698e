//! Lines of libraries inside the databases: C++ glog and easylogging of Milvus's core, and Go's own `log` package.
//!
//! Owns: these three forms. None of them carries a zone. The head of a glog file is a banner.

use std::borrow::Cow;

use event::{Event, Issue, Value};

use super::{Context, Format, LineFormat, level};
use crate::time;

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Glog, recognize, parse };

/// What glog says when it is used before it was told where to write.
const EARLY: &str = "WARNING: Logging before ";

/// Tags with which Milvus's core begins its messages: `[KNOWHERE][SetSimdType][milvus] ..`.
const MILVUS_TAGS: &[&str] = &["KNOWHERE", "SEGCORE", "SERVER", "STORAGE", "WRAPPER"];

fn recognize(b: &[u8]) -> bool {
    match b.first() {
        Some(b'I' | b'W' | b'E' | b'F') => b.get(1).is_some_and(u8::is_ascii_digit) || b.starts_with(EARLY.as_bytes()),
        Some(b'0'..=b'9') => b.get(4).is_some_and(|c| matches!(c, b'-' | b'/')),
        _ => false,
    }
}

fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    match text.as_bytes().first() {
        Some(b'I' | b'W' | b'E' | b'F') if !text.starts_with(EARLY) => glog(text, event, context).is_some(),
        Some(b'0'..=b'9') => dated(text, event, context).is_some(),
        _ => early(text, event),
    }
}

fn put<'r>(event: &mut Event<'r>, level: Option<&'static str>, message: &'r str) {
    let message = message.lines().next().unwrap_or("");
    event.stream = Some(Cow::Borrowed("server"));
    event.level = level.map(Cow::Borrowed);
    event.message = Some(message).filter(|m| !m.is_empty()).map(Cow::Borrowed);
    if let Some(tag) = message.strip_prefix('[').and_then(|m| m.split_once(']')).map(|(tag, _)| tag)
        && MILVUS_TAGS.contains(&tag)
    {
        event.product = Some(Cow::Borrowed("milvus"));
        event.component = event.component.take().or_else(|| Some(Cow::Owned(tag.to_ascii_lowercase())));
    }
}

/// `I20240107 17:16:04.771325    27 ChunkManagers.cpp:102] message`; older writers leave the year out.
fn glog<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> Option<()> {
    let level = match text.as_bytes()[0] {
        b'I' => "INFO",
        b'W' => "WARN",
        b'E' => "ERROR",
        _ => "FATAL",
    };
    let rest = &text[1..];
    let (stamp, len) = match time::scan_glog(rest) {
        Some(stamp) => (Some(stamp), stamp.len),
        None => without_year(rest, context.definition.path.as_deref())?,
    };
    let rest = rest[len..].strip_prefix(' ')?.trim_start_matches(' ');
    let (thread, rest) = rest.split_once(' ')?;
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|c| c.is_ascii_digit());
    let (caller, message) = match rest.split_once(']') {
        Some((caller, message)) => {
            let (_, line) = caller.rsplit_once(':').filter(|(file, _)| !file.is_empty() && !file.contains([' ', '\n']))?;
            (digits(line).then_some(Some(caller))?, message)
        }
        // The process ended while it wrote.
        None if !rest.contains([' ', '\n']) => (None, ""),
        None => return None,
    };
    if !digits(thread) {
        return None;
    }
    match stamp {
        Some(stamp) => stamp.put(event, context.zone),
        None => event.mark(Issue::BadTime),
    }
    if caller.is_none() {
        event.mark(Issue::Truncated);
    }
    event.caller = caller.map(Cow::Borrowed);
    event.fields.push((Cow::Borrowed("thread"), Value::Text(Cow::Borrowed(thread))));
    put(event, Some(level), message.trim_start_matches(' '));
    Some(())
}

/// `1121 21:14:20.123`: the year is that in the file's name (`..log.INFO.20261121-211420.12207`); without it there is no time.
fn without_year(text: &str, path: Option<&str>) -> Option<(Option<time::Stamp>, usize)> {
    // A leap year takes every date that there is.
    let shape = time::scan_glog(&format!("2000{}", text.get(..text.len().min(32)).unwrap_or("")))?;
    let year = path.and_then(|p| {
        let name = p.rsplit('/').next().unwrap_or(p);
        name.split('.').find_map(|part| {
            let (date, time) = part.split_once('-')?;
            let digits = |t: &str, n| t.len() == n && t.bytes().all(|c| c.is_ascii_digit());
            (digits(date, 8) && digits(time, 6)).then(|| &date[..4])
        })
    });
    let stamp = year.and_then(|y| time::scan_glog(&format!("{y}{}", &text[..shape.len - 4])));
    Some((stamp, shape.len - 4))
}

/// Lines that begin with a date: easylogging, in both its forms, and Go's `log`.
fn dated<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> Option<()> {
    let stamp = time::scan(text)?;
    let rest = text[stamp.len..].strip_prefix(' ')?;
    let comma = text.as_bytes().get(19) == Some(&b',');
    let (found, message) = match (comma, rest.strip_prefix("| ")) {
        (true, Some(rest)) => {
            let (name, rest) = rest.split_once(" | ")?;
            let (_logger, message) = rest.split_once(" | ")?;
            (Some(level(name)?), message)
        }
        (true, None) => {
            let (name, rest) = rest.split_once(" [")?;
            let (_logger, message) = rest.split_once("] ")?;
            (Some(level(name)?), message)
        }
        // Go's log knows no level, no fraction but microseconds, and no zone.
        (false, _) if text.as_bytes()[4] == b'/' && stamp.offset.is_none() && matches!(stamp.len, 19 | 26) => (None, rest),
        _ => return None,
    };
    stamp.put(event, context.zone);
    put(event, found, message);
    Some(())
}

fn early<'r>(text: &'r str, event: &mut Event<'r>) -> bool {
    let Some(message) = text.strip_prefix("WARNING: ").filter(|_| text.starts_with(EARLY)) else { return false };
    put(event, Some("WARN"), message);
    true
}

#[cfg(test)]
mod tests;
