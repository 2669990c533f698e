//! `[GIN]` rows of REST servers: gin's own form, with or without colors, and the form that Milvus 2.4 and later give it.
//!
//! Owns: those three forms. Rows carry no account; the path is the client's text and may hold anything.

use std::borrow::Cow;

use event::{Event, Issue, Value};

use super::{Context, Format, LineFormat, quoted};
use crate::time;

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Gin, recognize, parse };

/// What Milvus 2.4 writes behind its time.
const MILVUS: &str = "] [GIN] [";

/// The longest time in front of it: `[2026/11/21 21:18:02.123 +00:00`.
const MILVUS_TIME_BYTES_MAX: usize = 31;

fn recognize(b: &[u8]) -> bool {
    b.starts_with(b"[GIN") || b.starts_with(b"[2") && milvus_at(b).is_some()
}

/// Where Milvus's mark begins.
fn milvus_at(b: &[u8]) -> Option<usize> {
    let head = &b[..b.len().min(MILVUS_TIME_BYTES_MAX + MILVUS.len())];
    memchr::memmem::find(head, MILVUS.as_bytes())
}

fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    if let Some(row) = text.strip_prefix("[GIN] ") {
        classic(row, event, context).is_some()
    } else if let Some(line) = text.strip_prefix("[GIN-debug] ") {
        debug(line, event);
        true
    } else {
        milvus(text, event, context).is_some()
    }
}

fn put<'r>(event: &mut Event<'r>, fields: [(&'static str, Cow<'r, str>); 5]) {
    event.stream = Some(Cow::Borrowed("rest"));
    event.fields.extend(fields.into_iter().map(|(k, v)| (Cow::Borrowed(k), Value::Text(v))));
}

fn is_status(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|c| c.is_ascii_digit())
}

/// `2026/11/21 - 21:28:53 | 401 |      69.998µs |       127.0.0.1 | GET      "/v1/vector/collections"`, an error on the lines behind it.
fn classic<'r>(row: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> Option<()> {
    let stamp = time::scan_gin(row)?;
    let mut parts = row[stamp.len..].splitn(5, '|').skip(1);
    let (status, latency, address) = (plain(parts.next()?), plain(parts.next()?), plain(parts.next()?));
    let request = plain_start(parts.next()?);
    if !is_status(status) {
        return None;
    }
    let method = &request[..request.find([' ', '\u{1b}', '"']).unwrap_or(request.len())];
    let path = plain_start(&request[method.len()..]);
    let (path, error) = match path.strip_prefix('"').and_then(|p| quoted::closing(p.as_bytes(), 0).map(|end| (p, end))) {
        Some((inside, end)) => (quoted::unescape(&inside[..end]), &inside[end + 1..]),
        None => path.split_once('\n').map_or((Cow::Borrowed(path.trim_end()), ""), |(p, e)| (Cow::Borrowed(p.trim_end()), e)),
    };
    stamp.put(event, context.zone);
    event.product = event.product.take().or_else(|| is_milvus(&path).then_some(Cow::Borrowed("milvus")));
    event.error = error.trim().lines().next().map(Cow::Borrowed);
    put(
        event,
        [
            ("status", Cow::Borrowed(status)),
            ("latency", Cow::Borrowed(latency)),
            ("client_ip", Cow::Borrowed(address)),
            ("method", Cow::Borrowed(method)),
            ("path", path),
        ],
    );
    Some(())
}

/// Paths that nobody but Milvus serves.
fn is_milvus(path: &str) -> bool {
    path.starts_with("/v1/vector/") || path.starts_with("/v2/vectordb/")
}

/// Without blanks and the colors of a terminal at the start.
fn plain_start(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(' ');
        let Some((_, behind)) = text.strip_prefix("\u{1b}[").and_then(|t| t.split_once('m')) else { return text };
        text = behind;
    }
}

/// Without them on both sides.
fn plain(text: &str) -> &str {
    let text = plain_start(text);
    text.split('\u{1b}').next().unwrap_or(text).trim_end()
}

/// `[2026/11/21 21:28:53.123 Z] [GIN] [/v2/..] [traceID=..] [code=200] [latency=1ms] [client=ip] [method=GET] [error=]`. The path in front and the
/// error behind may hold brackets of their own, so the rest is found by its own shape.
fn milvus<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> Option<()> {
    let at = milvus_at(text.as_bytes())?;
    let stamp = time::scan(text.strip_prefix('[')?)?;
    let zulu = text[1 + stamp.len..at].trim_start() == "Z";
    if stamp.len + 1 != at && !zulu {
        return None;
    }
    let row = &text[at + MILVUS.len()..];
    let (path, rest) = row.split_once("] [traceID=")?;
    let (trace, rest) = rest.split_once("] [code=")?;
    let (status, rest) = rest.split_once("] [latency=")?;
    let (latency, rest) = rest.split_once("] [client=")?;
    let (address, rest) = rest.split_once("] [method=")?;
    let (method, rest) = rest.split_once("] [error=")?;
    let error = rest.strip_suffix(']').unwrap_or(rest).trim();
    if !is_status(status.trim_start()) || !method.bytes().all(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    time::Stamp { offset: if zulu { Some(0) } else { stamp.offset }, ..stamp }.put(event, context.zone);
    event.product = Some(Cow::Borrowed("milvus"));
    event.component = Some(Cow::Borrowed("proxy"));
    // The path is the client's: with the row's own words in it nobody knows where it ends.
    if error.contains("] [traceID=") {
        event.mark(Issue::Forged);
    }
    event.trace_id = Some(trace).filter(|t| !t.is_empty()).map(Cow::Borrowed);
    event.error = error.lines().next().map(Cow::Borrowed);
    put(
        event,
        [
            ("status", Cow::Borrowed(status.trim_start())),
            ("latency", Cow::Borrowed(latency)),
            ("client_ip", Cow::Borrowed(address)),
            ("method", Cow::Borrowed(method)),
            ("path", Cow::Borrowed(path)),
        ],
    );
    Some(())
}

/// What gin says of itself at a start.
fn debug<'r>(line: &'r str, event: &mut Event<'r>) {
    let (level, message) = match line.strip_prefix("[WARNING] ") {
        Some(message) => ("WARN", message),
        None => line.strip_prefix("[ERROR] ").map_or(("DEBUG", line), |message| ("ERROR", message)),
    };
    event.stream = Some(Cow::Borrowed("server"));
    event.level = Some(Cow::Borrowed(level));
    event.message = message.lines().next().map(Cow::Borrowed);
}

#[cfg(test)]
mod tests;
