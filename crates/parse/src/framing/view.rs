//! One line as the framer sees it: carriers' prefixes off, its role, and the stream that it belongs to. Owns: nothing that outlives the line.

use std::borrow::Cow;

use memchr::memchr;

use super::kind::{LOOK_BYTES, LineKind, classify};
use crate::{
    parsers::{
        access::{Formatters, begins_row},
        quoted,
    },
    prefix::{self, Carrier},
};

/// A line without its line end and without what carried it.
pub(super) struct View<'l> {
    pub kind: LineKind,
    pub carrier: Carrier,
    /// The stream of its carrier: container, pod, stdout or stderr.
    pub key: u64,
    /// It goes on in the next line of its stream.
    pub partial: bool,
    /// The product's own words; of an escaped line only its beginning is plain.
    own: Cow<'l, [u8]>,
    /// Whether `own` is all of it.
    whole: bool,
    /// Whether the whole line ends with a bracket.
    bracket: bool,
}

/// Looks at a line. `within` is the carrier of the record under way: a table's bar inside a record that nothing carried is text.
pub(super) fn look<'l>(line: &'l [u8], within: Option<Carrier>) -> View<'l> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let carried = prefix::line(line);
    let text = within == Some(Carrier::None) && matches!(carried.carrier, Carrier::Column | Carrier::Time);
    if carried.carrier == Carrier::None || text {
        return view(line, Carrier::None, 0, false);
    }
    let key = [carried.stdio, carried.pod, carried.container, carried.namespace].into_iter().fold(FNV_START, |hash, part| {
        part.unwrap_or_default().bytes().chain([0]).fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
    });
    let content = &line[carried.content.clone()];
    if !carried.escaped {
        return view(content, carried.carrier, key, carried.partial);
    }
    let head = valid(&content[..content.len().min(LOOK_BYTES)]);
    let own = match quoted::unescape(head) {
        Cow::Owned(mut plain) => {
            plain.truncate(plain.trim_end_matches(['\n', '\r']).len());
            Cow::Owned(plain.into_bytes())
        }
        Cow::Borrowed(plain) => Cow::Borrowed(plain.as_bytes()),
    };
    let last = content.strip_suffix(b"\\n").unwrap_or(content);
    View {
        kind: classify(&own),
        carrier: carried.carrier,
        key,
        partial: carried.partial,
        own,
        whole: content.len() <= LOOK_BYTES,
        bracket: last.trim_ascii_end().ends_with(b"]"),
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

fn view(own: &[u8], carrier: Carrier, key: u64, partial: bool) -> View<'_> {
    let bracket = own.trim_ascii_end().ends_with(b"]");
    View { kind: classify(own), carrier, key, partial, own: Cow::Borrowed(own), whole: true, bracket }
}

fn valid(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default(),
    }
}

impl View<'_> {
    pub fn starts_with(&self, text: &[u8]) -> bool {
        self.own.starts_with(text)
    }
    pub fn first(&self) -> Option<u8> {
        self.own.first().copied()
    }
    pub fn ends_with_bracket(&self) -> bool {
        self.bracket
    }
    /// A unified line whose last value opened a string and did not close it.
    pub fn open_string(&self) -> bool {
        if self.bracket || !self.whole || !self.own.starts_with(b"[") {
            return false;
        }
        let b = &self.own;
        let mut at = 0;
        while let Some(quote) = b.get(at..).and_then(|rest| memchr(b'"', rest)).map(|i| at + i) {
            at = quote + 1;
            if quote > 0 && matches!(b[quote - 1], b'[' | b'=') {
                match quoted::closing(b, quote + 1) {
                    Some(close) => at = close + 1,
                    None => return true,
                }
            }
        }
        false
    }
    /// Behind an open string: whether it is closed here, and the line with it.
    pub fn closes_string(&self) -> bool {
        quoted::closing(&self.own, 0).is_some() && self.bracket
    }
    /// A row of Milvus' access log without its end: by its last byte, and where that is a bracket, by its formatter.
    pub fn open_row(&self) -> bool {
        if !begins_row(&self.own) {
            return false;
        }
        if !self.whole {
            return !self.bracket;
        }
        !self.own.ends_with(b"]") || std::str::from_utf8(&self.own).is_ok_and(|row| Formatters::default().is_open(row))
    }
}
