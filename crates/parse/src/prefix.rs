//! What stands before a log line because something carried it: container runtimes, kubectl, compose, Loki. Owns: those prefixes. Never reads the line itself.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memmem};

use crate::{
    parsers::quoted,
    time::{self, Stamp},
};

/// Which parts of a record are the product's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Byte ranges in the record, in order; joined they are the product's own record.
    pub ranges: Vec<Range<usize>>,
}

/// What carried a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// Nothing: the line stands as the product wrote it.
    #[default]
    None,
    /// `2026-03-02T10:00:00.1Z stdout F `: a container runtime's file.
    Cri,
    /// `{"log":"..\n","stream":"stdout","time":".."}`: Docker's file; the line is escaped.
    Docker,
    /// `[pod/name/container] `: kubectl --prefix.
    Pod,
    /// A time in front: kubectl --timestamps, an export of Loki, a CI system.
    Time,
    /// `name  | `: docker compose, tables.
    Column,
}

/// One physical line as something carried it. Ranges are bytes of the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line<'l> {
    /// The outermost carrier.
    pub carrier: Carrier,
    /// The product's own line.
    pub content: Range<usize>,
    /// The content is the inside of a JSON string.
    pub escaped: bool,
    /// The content goes on in the next line of the same stream.
    pub partial: bool,
    /// stdout or stderr.
    pub stdio: Option<&'l str>,
    /// Kubernetes namespace.
    pub namespace: Option<&'l str>,
    /// Kubernetes pod.
    pub pod: Option<&'l str>,
    /// Container, or compose's service.
    pub container: Option<&'l str>,
    /// The level, where a shipper moved it out of the line.
    pub level: Option<&'l str>,
    /// When the carrier took the line in.
    pub time: Option<Stamp>,
}

/// Prefixes may stand before one another (kubectl --prefix --timestamps); more than this is no log.
const NESTED_MAX: usize = 3;
/// A name in front of a line is at most this long.
const NAME_BYTES_MAX: usize = 80;

/// The content of one record (with or without its final line end).
pub fn content(record: &[u8]) -> Content {
    let whole = Content { ranges: std::iter::once(0..record.len()).collect() };
    let first_end = memchr(b'\n', record).unwrap_or(record.len());
    let carrier = line(&record[..first_end]).carrier;
    if carrier == Carrier::None {
        return whole;
    }
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < record.len() {
        let end = memchr(b'\n', &record[at..]).map_or(record.len(), |i| at + i);
        let behind = (end + 1).min(record.len());
        let carried = line(&record[at..end]);
        ranges.push(match (carried.carrier == carrier, carried.partial || carried.escaped) {
            (true, true) => at + carried.content.start..at + carried.content.end,
            (true, false) => at + carried.content.start..behind,
            (false, _) => at..behind,
        });
        at = behind;
    }
    Content { ranges }
}

/// Whether a record surely stands as the product wrote it: by its first byte.
pub(crate) fn is_bare(record: &[u8]) -> bool {
    match record.first() {
        Some(b'[') => !record.starts_with(b"[pod/"),
        first => first == Some(&b'#'),
    }
}

/// What the product wrote, of a record whose lines were carried: prefixes off, escapes undone, pieces joined. Also what the first line's prefix tells.
/// The text is borrowed where the record is one line without escapes.
pub fn unwrap(record: &str) -> (Cow<'_, str>, Line<'_>) {
    let first_end = memchr(b'\n', record.as_bytes()).unwrap_or(record.len());
    let first = line(&record.as_bytes()[..first_end]);
    if first.carrier == Carrier::None {
        return (Cow::Borrowed(record), first);
    }
    if first_end == record.len() {
        let text = own(record, &first);
        return (text, first);
    }
    let mut joined = String::with_capacity(record.len());
    for physical in record.split('\n') {
        let carried = line(physical.as_bytes());
        if carried.carrier == first.carrier {
            joined.push_str(&own(physical, &carried));
        } else {
            joined.push_str(physical);
        }
        if !carried.partial {
            joined.push('\n');
        }
    }
    joined.truncate(joined.trim_end_matches(['\n', '\r']).len());
    (Cow::Owned(joined), first)
}

/// The content of one carried line as text, without its line end.
fn own<'l>(text: &'l str, line: &Line<'_>) -> Cow<'l, str> {
    let content = text.get(line.content.clone()).unwrap_or(text);
    if !line.escaped {
        return Cow::Borrowed(content.trim_end_matches('\r'));
    }
    match quoted::unescape(content) {
        Cow::Owned(mut plain) => {
            plain.truncate(plain.trim_end_matches(['\n', '\r']).len());
            Cow::Owned(plain)
        }
        borrowed => borrowed,
    }
}

/// Looks at one physical line (without its line end).
pub fn line(bytes: &[u8]) -> Line<'_> {
    let mut found = Line { content: 0..bytes.len(), ..Line::default() };
    for _ in 0..NESTED_MAX {
        let before = found.content.start;
        if found.escaped || !one(bytes, &mut found) || found.content.start == before {
            break;
        }
    }
    found
}

/// Takes one prefix off. The cheap look at the first byte settles nearly every line.
fn one<'l>(bytes: &'l [u8], found: &mut Line<'l>) -> bool {
    let rest = &bytes[found.content.clone()];
    match rest.first() {
        Some(b'[') => rest.starts_with(b"[pod/") && pod(rest, found),
        Some(b'{') => docker(rest, found),
        Some(b'0'..=b'9') => timed(rest, found) || column(rest, found),
        Some(b' ' | b'|') => table(rest, found),
        Some(c) if c.is_ascii_alphabetic() => column(rest, found),
        _ => false,
    }
}

impl<'l> Line<'l> {
    fn take(&mut self, carrier: Carrier, bytes: usize) -> bool {
        if self.carrier == Carrier::None {
            self.carrier = carrier;
        }
        self.content.start += bytes;
        true
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|t| !t.is_empty())
}

/// `[pod/name/container] `
fn pod<'l>(rest: &'l [u8], found: &mut Line<'l>) -> bool {
    let Some(close) = memmem::find(&rest[..rest.len().min(300)], b"] ") else { return false };
    let mut parts = rest[5..close].splitn(2, |c| *c == b'/');
    found.pod = parts.next().and_then(text);
    found.container = parts.next().and_then(text);
    found.take(Carrier::Pod, close + 2)
}

/// A time in front of a line: CRI, kubectl --timestamps, Loki.
fn timed<'l>(rest: &'l [u8], found: &mut Line<'l>) -> bool {
    let Some(stamp) = time::scan_bytes(rest) else {
        // `276 [2026/..`: grep's line number.
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        return digits <= 9 && rest.get(digits) == Some(&b' ') && is_head(&rest[digits + 1..]) && found.take(Carrier::Column, digits + 1);
    };
    let behind = &rest[stamp.len..];
    let zoned = rest[10] == b'T' && stamp.offset.is_some();
    let carries = match behind.first() {
        Some(b' ') => zoned || is_head(&behind[1..]),
        Some(b'\t') => zoned || is_head(&behind[1..]),
        _ => false,
    };
    if !carries || found.time.is_some() {
        return false;
    }
    found.time = Some(stamp);
    let stdio = behind.get(1..8).filter(|w| zoned && matches!(*w, b"stdout " | b"stderr "));
    let Some((stdio, tag)) = stdio.zip(behind.get(8).filter(|_| matches!(behind.get(9), None | Some(b' ')))) else {
        return found.take(Carrier::Time, stamp.len + 1);
    };
    found.stdio = text(&stdio[..6]);
    found.partial = *tag == b'P';
    found.take(Carrier::Cri, (stamp.len + 10).min(rest.len()))
}

/// `name  | `: compose's services; also a person's table before something that is surely a log line.
fn column<'l>(rest: &'l [u8], found: &mut Line<'l>) -> bool {
    let Some(bar) = memmem::find(&rest[..rest.len().min(NAME_BYTES_MAX)], b"| ") else { return false };
    let name = rest[..bar].trim_ascii_end();
    let is_service = name.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.')) && bar > name.len();
    if !is_service && !is_head(&rest[bar + 2..]) {
        return false;
    }
    if is_service {
        found.container = text(name);
    }
    found.take(Carrier::Column, bar + 2)
}

/// `  |   | [2026/..`: a table's empty cells.
fn table(rest: &[u8], found: &mut Line<'_>) -> bool {
    let cells = rest.iter().take(NAME_BYTES_MAX).take_while(|c| matches!(c, b' ' | b'|')).count();
    rest[..cells].contains(&b'|') && is_head(&rest[cells..]) && found.take(Carrier::Column, cells)
}

/// Whether a record of a known format surely begins here.
pub(crate) fn is_head(rest: &[u8]) -> bool {
    match rest.first() {
        Some(b'[') => {
            rest.get(1..5).is_some_and(|w| w.starts_with(b"20") || matches!(w, b"INFO" | b"WARN" | b"ERRO" | b"DEBU" | b"FATA" | b"GIN]"))
        }
        Some(b'{') => rest.starts_with(b"{\""),
        Some(b'#') => rest.starts_with(b"# Time: "),
        Some(b'I' | b'W' | b'E' | b'F') => rest.get(1..9).is_some_and(|d| d.iter().all(u8::is_ascii_digit)),
        _ => false,
    }
}

/// `{"log":"..` of Docker, or an object of a shipper that keeps the line under `log` and says where it ran.
fn docker<'l>(rest: &'l [u8], found: &mut Line<'l>) -> bool {
    let own_words = [&b"{\"level\""[..], b"{\"time\"", b"{\"ts\""].iter().any(|own| rest.starts_with(own));
    if own_words || rest.last() != Some(&b'}') {
        return false;
    }
    let Some(key) = memmem::find(rest, b"\"log\":\"") else { return false };
    let begin = key + 7;
    let Some(close) = quoted::closing(rest, begin) else { return false };
    // Around the line only plain keys: an object with a message of its own is no carrier.
    let around = [&rest[..key], &rest[close..]];
    if around.iter().any(|part| memmem::find(part, b"\"message\"").is_some() || memmem::find(part, b"\"msg\"").is_some()) {
        return false;
    }
    let value = |name: &str| around.iter().find_map(|part| string_value(part, name));
    found.stdio = value("stream").and_then(text);
    found.namespace = value("namespace").and_then(text);
    found.pod = value("pod").and_then(text);
    found.container = value("container").and_then(text);
    found.level = value("level").and_then(text);
    found.time = value("time").and_then(time::scan_bytes);
    // Docker ends every whole line with its line end.
    found.partial = key == 1 && found.stdio.is_some() && !rest[..close].ends_with(b"\\n");
    found.escaped = true;
    let start = found.content.start;
    found.take(Carrier::Docker, 0);
    found.content = start + begin..start + close;
    true
}

/// The text of `"name":"text"` where it has no escapes.
fn string_value<'l>(part: &'l [u8], name: &str) -> Option<&'l [u8]> {
    let key = format!("\"{name}\":\"");
    let begin = memmem::find(part, key.as_bytes())? + key.len();
    let end = begin + memchr(b'"', &part[begin..])?;
    Some(&part[begin..end])
}

#[cfg(test)]
mod tests;
