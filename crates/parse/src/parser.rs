//! From a record to an event: prefix, format, product, then the normalizer. Owns: the memory of one source. Deterministic given the definition and the records' order.

use std::{borrow::Cow, fmt::Write as _};

use event::{Event, Issue, RecordFlags, SourceDefinition, redact};

use crate::{
    Format, framing, normalize,
    parsers::{Context, FORMATS, access::Formatters, json},
    product,
    time::Zone,
};

/// Parses the records of one source, in order.
#[derive(Debug, Clone)]
pub struct Parser {
    definition: SourceDefinition,
    access: Formatters,
    zone: Zone,
    /// The product of the lines so far: the vote's, then what a decisive line said last.
    product: Option<&'static str>,
}

impl Parser {
    /// A parser for a source.
    pub fn new(definition: &SourceDefinition) -> Self {
        let told = definition.component.as_deref().and_then(product::known);
        let voted = definition.voted.as_deref().and_then(product::known);
        let family = definition.component.as_deref().filter(|c| matches!(*c, "tidb" | "milvus")).and_then(product::known);
        Self {
            access: Formatters::compile(&definition.access_formats),
            zone: definition.time_zone.as_deref().and_then(Zone::parse).unwrap_or_default(),
            product: voted.or(told).or(family),
            definition: definition.clone(),
        }
    }

    /// The event of one record (its final line end may be there or not). Fills everything but position, observed and agent time, act.
    pub fn parse<'r>(&mut self, record: &'r [u8], flags: RecordFlags) -> Event<'r> {
        let body = framing::body(record);
        let mut event = match simdutf8::basic::from_utf8(body) {
            Ok(text) => self.parse_text(text),
            Err(_) => {
                let shown = escaped(body);
                let mut event = self.parse_text(&shown).into_owned();
                event.raw_bytes = Some(Cow::Borrowed(body));
                event.mark(Issue::NotUtf8);
                event
            }
        };
        for (flag, issue) in [(RecordFlags::PIECE, Issue::Piece), (RecordFlags::SPLIT, Issue::Split)] {
            if flags.has(flag) {
                event.mark(issue);
            }
        }
        for issue in redact::marks_in(body) {
            event.mark(issue);
        }
        event
    }

    fn parse_text<'r>(&mut self, text: &'r str) -> Event<'r> {
        let mut event = Event { raw: Cow::Borrowed(text), ..Event::default() };
        let format = self.format(text, &mut event);
        if let Some(decided) = product::of_line(&event, format) {
            self.product = Some(decided);
        }
        if event.product.is_none() {
            event.product = self.product.map(Cow::Borrowed);
        }
        event.instance = event.instance.take().or_else(|| self.definition.instance.clone().map(Cow::Owned));
        normalize::normalize(&mut event, format);
        event
    }

    /// Parses the text by the first format that takes it.
    fn format<'r>(&self, text: &'r str, event: &mut Event<'r>) -> Format {
        let context = Context { definition: &self.definition, access: &self.access, zone: &self.zone, product: self.product };
        for format in FORMATS {
            if (format.recognize)(text.as_bytes()) && (format.parse)(text, event, &context) {
                return format.format;
            }
        }
        if json::parse_any(text, event, &context) {
            return Format::Json;
        }
        event.mark(Issue::Unparsed);
        Format::Plain
    }
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
