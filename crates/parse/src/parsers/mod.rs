//! The registry of line formats: one file a format, one line in the list. The first format that recognizes a record and parses it wins.

pub mod access;
pub mod audit;
pub mod banner;
pub mod crash;
pub mod gin;
pub mod glog;
pub mod json;
pub mod legacy;
pub mod quoted;
pub mod slow;
#[cfg(test)]
mod trial;
pub mod unified;

use event::{Event, Issue, SourceDefinition, Text, Value};

use crate::time::Zone;

/// The format of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `[time] [LEVEL] [caller] [message] [k=v]..` of Go, Rust and C++, TiProxy's console form and the 2.x forms.
    Unified,
    /// One JSON object: TiDB, PD, TiKV, Milvus, TiProxy, etcd.
    Json,
    /// A block of TiDB's slow log. Keys are in `fields` as written, unless they have a column.
    Slow,
    /// TiDB's Enterprise audit extension, text or JSON: STATUS_CODE 1 is success. Keys are in `fields` as written.
    AuditExtension,
    /// TiDB's older audit plugin, also TiDB Cloud Dedicated: STATUS_CODE 0 is success. Keys are in `fields` as written.
    AuditPlugin,
    /// A row of Milvus's access log. Placeholders are in `fields`, named as Milvus names them without the `$` (`user_name`, `method_name`, ...).
    Access,
    /// A `[GIN]` row. `fields`: status, latency, client_ip, method, path.
    Gin,
    /// C++ glog and easylogging.
    Glog,
    /// A panic, fatal error or dump of goroutines.
    Crash,
    /// A banner at a start.
    Banner,
    /// Text of no known format.
    Plain,
}

impl Format {
    /// The formats that an operator may name, by their spelling.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("unified", Self::Unified),
        ("json", Self::Json),
        ("slow", Self::Slow),
        ("audit", Self::AuditExtension),
        ("audit-plugin", Self::AuditPlugin),
        ("access", Self::Access),
        ("gin", Self::Gin),
        ("glog", Self::Glog),
        ("crash", Self::Crash),
        ("banner", Self::Banner),
        ("plain", Self::Plain),
    ];
    /// Reads a spelling; `auto` and anything else is none.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// What a parser may know beside the record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The source.
    pub definition: &'c SourceDefinition,
    /// The access log's formatters, compiled from the configured strings, else the built-in ones.
    pub access: &'c access::Formatters,
    /// Zone of times without one.
    pub zone: &'c Zone,
    /// The product decided for the source so far.
    pub product: Option<&'c str>,
}

/// One line format.
pub struct LineFormat {
    /// Its name.
    pub format: Format,
    /// A cheap look at the first bytes (behind carriers' prefixes): may say yes to what `parse` refuses, must never say no to what it takes.
    pub recognize: fn(&[u8]) -> bool,
    /// Fills time, level, caller, message, `fields`, stream (server unless the format says otherwise), product and component where the format itself
    /// says so, and marks in `issues`. False where it is not this format after all: the event must then be as it was.
    pub parse: for<'r> fn(&'r str, &mut Event<'r>, &Context<'_>) -> bool,
}

/// All formats, in the order in which they are tried.
pub const FORMATS: &[LineFormat] = &[
    access::CONFIGURED,
    access::FORMAT,
    unified::FORMAT,
    json::FORMAT,
    slow::FORMAT,
    audit::EXTENSION,
    audit::PLUGIN,
    gin::FORMAT,
    glog::FORMAT,
    legacy::CONSOLE,
    legacy::OLD,
    banner::FORMAT,
    crash::FORMAT,
];

/// Parses the text by the first format that takes it; marks `unparsed` where none does.
pub fn first_format<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> Format {
    let only = context.definition.format.as_deref().and_then(Format::named);
    for format in FORMATS.iter().filter(|f| only.is_none_or(|only| only == f.format)) {
        if (format.recognize)(text.as_bytes()) && (format.parse)(text, event, context) {
            return format.format;
        }
    }
    if only.is_none_or(|only| only == Format::Json) && json::parse_any(text, event, context) {
        return Format::Json;
    }
    event.mark(Issue::Unparsed);
    Format::Plain
}

/// A line has at most this many fields in `fields`; more is no log line, and it is marked `unparsed`.
pub const FIELDS_MAX: usize = 512;

/// The canonical spelling of a level, in whatever way a writer spells it. None where it is no level.
pub fn level(text: &str) -> Option<&'static str> {
    const LEVELS: &[(&str, &str)] = &[
        ("INFO", "INFO"),
        ("WARN", "WARN"),
        ("DEBUG", "DEBUG"),
        ("ERROR", "ERROR"),
        ("FATAL", "FATAL"),
        ("DPANIC", "DPANIC"),
        ("PANIC", "PANIC"),
        ("TRACE", "TRACE"),
        ("WARNING", "WARN"),
        ("CRITICAL", "FATAL"),
        ("ERRO", "ERROR"),
        ("CRIT", "FATAL"),
        ("INFORMATION", "INFO"),
        ("NOTICE", "INFO"),
    ];
    // The two that nearly all lines have.
    match text {
        "INFO" => return Some("INFO"),
        "WARN" => return Some("WARN"),
        _ => {}
    }
    LEVELS
        .iter()
        .find(|(name, _)| *name == text)
        .or_else(|| LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)))
        .map(|(_, l)| *l)
}

/// Room for the fields of nearly every line.
const FIELDS_USUAL: usize = 8;

/// Which keys may have been seen in a line: a small filter, so that a line of many different keys is not compared with itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen(u64);

impl Seen {
    /// The keys that an event has.
    pub fn of(event: &Event<'_>) -> Self {
        let mut seen = Self::default();
        for (key, _) in &event.fields {
            seen.maybe(key);
        }
        seen
    }
    /// Whether a key may stand in `fields` already; remembers it.
    fn maybe(&mut self, key: &str) -> bool {
        let b = key.as_bytes();
        let (first, last) = (b.first().copied().unwrap_or(0), b.last().copied().unwrap_or(0));
        let bit = 1u64 << ((usize::from(first) * 5 + usize::from(last) * 17 + b.len() * 3) % 64);
        let before = self.0 & bit != 0;
        self.0 |= bit;
        before
    }
    /// Like [`put_field`], for a parser that puts all fields of a line.
    pub fn put<'r>(&mut self, event: &mut Event<'r>, key: Text<'r>, value: Value<'r>) {
        if event.fields.capacity() == 0 {
            event.fields.reserve(FIELDS_USUAL);
        }
        if self.maybe(&key) {
            put_field(event, key, value);
        } else {
            event.fields.push((key, value));
        }
    }
}

/// Adds a field, and marks the event where the key stands there already.
pub fn put_field<'r>(event: &mut Event<'r>, key: Text<'r>, value: Value<'r>) {
    if event.fields.iter().any(|(k, _)| *k == key) {
        event.mark(Issue::RepeatedKey);
    }
    event.fields.push((key, value));
}
