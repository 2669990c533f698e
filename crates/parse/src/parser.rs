//! From a record to an event: prefix, format, product, then the normalizer. Owns: the memory of one source. Deterministic given the definition and the records' order.

use std::{borrow::Cow, fmt::Write as _};

use event::{
    Event, Issue, RecordFlags, SourceDefinition, Text, json,
    limits::{MULTILINE_LINES_MAX, RECORD_BYTES_MAX},
    redact,
};
use memchr::memchr_iter;

use crate::{
    Format, framing, intern, normalize,
    parsers::{
        Context,
        access::{Formatters, Watch},
        first_format, level,
    },
    prefix::{self, Carrier, Line},
    product,
    time::{self, Zone},
};

mod memory;

pub use memory::Memory;

/// Parses the records of one source, in order.
#[derive(Debug, Clone)]
pub struct Parser {
    definition: SourceDefinition,
    access: Formatters,
    /// The operator's zone, else that of the lines so far.
    zone: Zone,
    zone_told: bool,
    /// The zone of the last line that named one, as it wrote it.
    zone_text: [u8; 6],
    /// The product of the lines so far: the vote's, then what a decisive line said last.
    product: Option<&'static str>,
    /// The version that the product told last.
    version: Option<Text<'static>>,
    /// What every event of the source says: its process, its machine, the operator's labels as JSON text.
    instance: Option<Text<'static>>,
    host: Option<Text<'static>>,
    labels: Option<Text<'static>>,
    /// Pieces of records that have not ended, by container stream.
    pieces: Vec<(String, String)>,
    /// Whether the next record is the rest of an access row's value.
    watch: Watch,
}

/// Container streams whose pieces are kept at a time.
const PIECED_STREAMS_MAX: usize = 8;

impl Parser {
    /// A parser for a source.
    pub fn new(definition: &SourceDefinition) -> Self {
        let voted = definition.voted.as_deref().and_then(product::known);
        let told = definition.component.as_deref().and_then(product::known);
        let zone = definition.time_zone.as_deref().and_then(Zone::parse);
        Self {
            access: Formatters::compile(&definition.access_formats),
            zone_told: zone.is_some(),
            zone: zone.unwrap_or_default(),
            zone_text: [0; 6],
            product: voted.or(told),
            version: None,
            instance: definition.instance.as_deref().map(intern::text),
            host: definition.host.as_deref().map(intern::text),
            labels: labels(definition, None).as_deref().map(intern::text),
            pieces: Vec::new(),
            watch: Watch::default(),
            definition: definition.clone(),
        }
    }

    /// The event of one record (its final line end may be there or not). Fills everything but position, observed and agent time, act.
    pub fn parse<'r>(&mut self, record: &'r [u8], flags: RecordFlags) -> Event<'r> {
        // An event is a kilobyte: it is filled in its place, not handed from one function to the next.
        let mut event = Event::default();
        self.fill(framing::body(record), flags, &mut event);
        event
    }

    fn fill<'r>(&mut self, body: &'r [u8], flags: RecordFlags, event: &mut Event<'r>) {
        match simdutf8::basic::from_utf8(body) {
            Ok(text) => {
                let own = &text[text.len() - framing::past_hole(body).len()..];
                self.parse_text(own, flags, event);
                if own.len() < text.len() {
                    event.raw = Cow::Borrowed(text);
                }
            }
            Err(_) => {
                let shown = escaped(body);
                let mut of_shown = Event::default();
                self.parse_text(&shown, flags, &mut of_shown);
                *event = of_shown.into_owned();
                event.raw_bytes = Some(Cow::Borrowed(body));
                event.mark(Issue::NotUtf8);
            }
        }
        if flags != RecordFlags::default() {
            for (flag, issue) in [(RecordFlags::PIECE, Issue::Piece), (RecordFlags::SPLIT, Issue::Split), (RecordFlags::CUT, Issue::Cut)] {
                if flags.has(flag) {
                    event.mark(issue);
                }
            }
        }
        if body.len() + 1 >= MULTILINE_LINES_MAX && memchr_iter(b'\n', body).count() + 1 >= MULTILINE_LINES_MAX {
            event.mark(Issue::TooManyLines);
        }
        for issue in redact::marks_in(body) {
            event.mark(issue);
        }
    }

    /// `raw` is the text; what the columns are made of is the product's own words in it.
    fn parse_text<'r>(&mut self, text: &'r str, flags: RecordFlags, event: &mut Event<'r>) {
        if prefix::is_bare(text.as_bytes()) {
            return self.parse_own(text, event);
        }
        let (own, line) = prefix::unwrap(text);
        if line.carrier == Carrier::None {
            return self.parse_own(text, event);
        }
        match self.joined(&own, text, &line, flags) {
            Joined::Waits => {
                event.product = self.product.map(Cow::Borrowed);
                event.stream = Some(Cow::Borrowed("server"));
            }
            Joined::Whole => match own {
                Cow::Borrowed(own) => self.parse_own(own, event),
                Cow::Owned(own) => *event = self.parse_joined(&own),
            },
            Joined::Last(whole) => *event = self.parse_joined(&whole),
        }
        event.raw = Cow::Borrowed(text);
        self.carried(event, &line);
    }

    /// What the prefix tells.
    fn carried<'r>(&self, event: &mut Event<'r>, line: &Line<'r>) {
        if event.time.is_none()
            && let Some(stamp) = line.time
        {
            stamp.put(event, &self.zone);
        }
        if event.level.is_none() {
            event.level = line.level.and_then(level).map(Cow::Borrowed);
        }
        event.namespace = line.namespace.map(Cow::Borrowed);
        event.pod = line.pod.map(Cow::Borrowed);
        event.container = line.container.map(Cow::Borrowed);
        if let Some(pod) = line.pod {
            event.instance = Some(Cow::Borrowed(pod));
        }
        if line.stdio.is_some() {
            event.labels = labels(&self.definition, line.stdio).map(Cow::Owned);
        }
    }

    /// Joins the pieces of a record that another stream interrupted.
    fn joined(&mut self, own: &str, record: &str, line: &Line<'_>, flags: RecordFlags) -> Joined {
        if !flags.has(RecordFlags::PIECE) {
            return Joined::Whole;
        }
        let stream = line.stdio.unwrap_or("");
        let known = self.pieces.iter().position(|(name, _)| name == stream);
        let last_line = record.rsplit('\n').next().unwrap_or(record);
        if prefix::line(last_line.as_bytes()).partial {
            match known {
                Some(i) if self.pieces[i].1.len() + own.len() <= RECORD_BYTES_MAX => self.pieces[i].1.push_str(own),
                Some(_) => return Joined::Whole,
                None if self.pieces.len() < PIECED_STREAMS_MAX => self.pieces.push((stream.to_owned(), own.to_owned())),
                None => return Joined::Whole,
            }
            return Joined::Waits;
        }
        let Some(i) = known else { return Joined::Whole };
        let (_, mut whole) = self.pieces.swap_remove(i);
        whole.push_str(own);
        Joined::Last(whole)
    }

    /// The event of the product's own words.
    fn parse_own<'r>(&mut self, text: &'r str, event: &mut Event<'r>) {
        event.raw = Cow::Borrowed(text);
        let context = Context { definition: &self.definition, access: &self.access, zone: &self.zone, product: self.product };
        let format = first_format(text, event, &context);
        self.watch.see(event, format);
        self.learn(text, event, format);
        if event.stream.is_none() {
            event.stream = Some(Cow::Borrowed("server"));
        }
        if event.instance.is_none() {
            event.instance.clone_from(&self.instance);
        }
        if event.host.is_none() {
            event.host.clone_from(&self.host);
        }
        event.labels.clone_from(&self.labels);
        normalize::normalize(event, format);
    }

    /// The event of words that do not outlive it.
    fn parse_joined(&mut self, text: &str) -> Event<'static> {
        let mut event = Event::default();
        self.parse_own(text, &mut event);
        event.into_owned()
    }

    /// Product, version and zone: from the line, else from the lines before it.
    fn learn(&mut self, text: &str, event: &mut Event<'_>, format: Format) {
        let signal = product::of_line(event, format, self.product.is_some());
        let before = self.product;
        match signal {
            Some(signal) if signal.decisive || self.product.is_none() => self.product = Some(product::refine(signal.product, before)),
            _ => {}
        }
        if self.product != before && before.is_some() {
            self.version = None;
        }
        event.product = event.product.take().or(self.product.map(Cow::Borrowed));
        if event.version.is_none() {
            event.version = told_version(event).map(|v| Cow::Owned(v.to_owned()));
        }
        match &event.version {
            Some(version) if self.version.as_ref() != Some(version) => self.version = Some(intern::text(version)),
            Some(_) => {}
            None => event.version.clone_from(&self.version),
        }
        // `[2026/03/02 10:00:00.120 +08:00]`: the offset stands at 25.
        if !self.zone_told
            && format == Format::Unified
            && let Some(zone) = text.as_bytes().get(25..31)
            && zone != self.zone_text
            && let Some(offset) = text.get(1..).and_then(time::scan).and_then(|stamp| stamp.offset)
        {
            self.zone = Zone::Near(offset);
            self.zone_text.copy_from_slice(zone);
        }
    }
}

/// What became of a record that may be a piece.
enum Joined {
    /// It is no piece, or stands alone.
    Whole,
    /// More pieces follow.
    Waits,
    /// It is the last one: the joined text.
    Last(String),
}

/// The version that a start names.
fn told_version<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let message = event.message.as_deref()?;
    let version = match message.as_bytes().first()? {
        b'W' if message.starts_with("Welcome to ") => event.field_text("Release Version")?,
        b'P' if message == "PD" => event.field_text("release-version")?,
        b'R' => message.strip_prefix("Release Version:")?.trim(),
        b's' if message == "starting an etcd server" => event.field_text("etcd-version")?,
        _ => return None,
    };
    (!version.is_empty()).then_some(version)
}

/// The operator's labels, and which of the container's streams it was, as JSON text.
fn labels(definition: &SourceDefinition, stdio: Option<&str>) -> Option<String> {
    if definition.labels.is_empty() && stdio.is_none() {
        return None;
    }
    let mut out = String::from("{");
    let told = definition.labels.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    for (key, value) in told.chain(stdio.map(|name| ("stdio", name))) {
        if out.len() > 1 {
            out.push(',');
        }
        json::push_string(&mut out, key);
        out.push(':');
        json::push_string(&mut out, value);
    }
    out.push('}');
    Some(out)
}

/// Bytes that are not UTF-8, with `\xNN` in the place of those that are not.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
