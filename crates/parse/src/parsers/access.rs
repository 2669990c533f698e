//! Milvus's access log, compiled from the configured formatter strings (milvus.md §3).
//!
//! Owns: the built-in formatters of 2.3 to 2.6, which one a row fits, and what a row may not be believed. The values of a row are not escaped and most of
//! them are the client's own text, so a client can write rows:
//! - a row that departs from its formatter, or whose fixed values cannot be what they say, is `forged`, and so is one that holds the formatter's own words
//!   inside a value;
//! - a row that ends too early is `truncated` and gives no fields: nobody knows who wrote its beginning. The record behind it is the rest of a value and
//!   therefore `forged` ([`Watch`]).
//!
//! What this cannot see: a value that ends its own row properly and then writes a second, perfect row.

mod pattern;
mod quick;
mod value;

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use event::{Event, Issue, Value};
use memchr::memrchr;

use self::{
    pattern::{Outcome, Pattern, Taken},
    value::Kind,
};
use super::{Context, Format, LineFormat, quoted};
use crate::time;

/// Rows of configured formatters. These may look like anything, also like a server line, so they are tried on every line before all other formats.
pub const CONFIGURED: LineFormat = LineFormat {
    format: Format::Access,
    recognize: |_| true,
    parse: |text, event, context| parse(text, event, context, &context.access.configured),
};

/// Rows of the built-in formatters.
pub const FORMAT: LineFormat = LineFormat {
    format: Format::Access,
    recognize: begins_row,
    parse: |text, event, context| parse(text, event, context, context.access.built_in),
};

/// Behind the time (`[2026/11/21 21:17:08.075 +00:00`) of every built-in formatter.
const MARK: &[u8] = b"] [ACCESS] <";

/// Where it stands.
const MARK_AT: usize = 31;

/// Whether a line begins like a row of a built-in formatter.
pub fn begins_row(line: &[u8]) -> bool {
    line.get(MARK_AT..).is_some_and(|rest| rest.starts_with(MARK)) && line[0] == b'['
}

/// Bytes whose brackets are counted side by side: their sum fits an `i8`, and they are whole vectors.
const SIDE_BY_SIDE: usize = 112;

/// Whether as many brackets are closed as are opened.
pub(crate) fn closes_all(row: &[u8]) -> bool {
    let opened = |sum: i8, c: &u8| sum.wrapping_add(i8::from(*c == b'[')).wrapping_sub(i8::from(*c == b']'));
    row.chunks(SIDE_BY_SIDE).map(|part| i64::from(part.iter().fold(0, opened))).sum::<i64>() == 0
}

/// A configured string may begin with the methods that it is for: `methods=Query,Search [$time_now] ..`.
const METHODS: &str = "methods=";

/// Every method that has no formatter of its own, 2.3.4 to 2.6.
const BASE: &str = "[$time_now] [ACCESS] <$user_name: $user_addr> $method_name [status: $method_status] [code: $error_code] [sdk: $sdk_version] [msg: $error_msg] [traceID: $trace_id] [timeCost: $time_cost]";
/// Behind it: 2.3.4 to 2.5.
const QUERY: &str = " [database: $database_name] [collection: $collection_name] [partitions: $partition_name] [expr: $method_expr]";
/// Behind that: 2.6.
const QUERY_PARAMS: &str = " [params: $query_params]";
const SEARCH_PARAMS: &str = " [nq: $nq] [params: $search_params]";

/// One formatter.
#[derive(Debug)]
struct Formatter {
    pattern: Pattern,
    /// The methods that it is for; none means any.
    methods: Vec<String>,
}

impl Formatter {
    fn compile(text: &str) -> Option<Self> {
        let (methods, format) = match text.strip_prefix(METHODS).and_then(|t| t.split_once(' ')) {
            Some((methods, format)) => (methods.split(',').map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()).collect(), format),
            None => (Vec::new(), text),
        };
        Pattern::compile(format).map(|pattern| Self { pattern, methods })
    }
    /// Whether the row's method is one that the formatter is for.
    fn fits(&self, text: &str, taken: &Taken) -> bool {
        self.methods.is_empty()
            || self
                .pattern
                .named()
                .method
                .and_then(|hole| taken.text(text, hole))
                .is_none_or(|method| self.methods.iter().any(|m| m == method))
    }
}

/// Compiled formatters, tried in order.
#[derive(Debug, Clone)]
pub struct Formatters {
    configured: Arc<[Formatter]>,
    built_in: &'static [Formatter],
}

impl Default for Formatters {
    fn default() -> Self {
        Self::compile(&[])
    }
}

impl Formatters {
    /// Compiles the configured strings, each perhaps with the methods it is for (see [`entry`]). Behind them the defaults of 2.3, 2.4, 2.5 and 2.6 are
    /// tried: a configuration may name one formatter and leave the others, and older rows were written before it.
    pub fn compile(configured: &[String]) -> Self {
        static BUILT_IN: OnceLock<Vec<Formatter>> = OnceLock::new();
        let built_in = BUILT_IN.get_or_init(|| {
            // The longer ones first: a row of theirs may hold what fits the base.
            let (query, search) = (format!("{BASE}{QUERY}{QUERY_PARAMS}"), format!("{BASE}{QUERY}{SEARCH_PARAMS}"));
            let old = format!("{BASE}{QUERY}");
            [
                entry(&query, &["Query", "Delete"]),
                entry(&search, &["HybridSearch", "Search"]),
                entry(&old, &["Query", "Search", "Delete"]),
                entry(BASE, &[]),
            ]
            .iter()
            .filter_map(|e| Formatter::compile(e))
            .collect()
        });
        Self { configured: configured.iter().filter_map(|e| Formatter::compile(e)).collect(), built_in }
    }

    /// Whether a line is a row that ends too early, so that one of its values goes on behind the line end: it breaks off, or a bracket in its last value
    /// is not closed (then it may also be whole).
    pub fn is_open(&self, record: &str) -> bool {
        // Nearly every row closes all that it opens.
        if record.ends_with(']') && closes_all(record.as_bytes()) {
            return false;
        }
        let taken = &mut Taken::default();
        let mut open = false;
        for formatter in self.configured.iter().chain(self.built_in) {
            match formatter.pattern.run(record, taken) {
                Outcome::Whole => return formatter.pattern.last_is_unbalanced(record, taken),
                Outcome::Ended => open = true,
                Outcome::Broken | Outcome::Other => {}
            }
        }
        open
    }
}

/// A formatter and its methods as one string, as `access_formats` of a source holds it.
pub fn entry(format: &str, methods: &[&str]) -> String {
    if methods.is_empty() { format.to_owned() } else { format!("{METHODS}{} {format}", methods.join(",")) }
}

fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>, formatters: &[Formatter]) -> bool {
    if formatters.is_empty() {
        return false;
    }
    let mut taken = Taken::default();
    // The last bracket of a row nearly always tells its formatter; where it does not, all are tried.
    let tail = tail(text);
    for formatter in formatters.iter().filter(|f| f.pattern.last_word().is_none_or(|word| tail.starts_with(word))) {
        if formatter.pattern.run(text, &mut taken) == Outcome::Whole && formatter.fits(text, &taken) {
            whole(text, event, context, &formatter.pattern, &taken);
            return true;
        }
    }
    all_tried(text, event, context, formatters)
}

/// From the last `] [` on.
fn tail(text: &str) -> &str {
    let b = text.as_bytes();
    let mut end = b.len();
    while let Some(at) = memrchr(b'[', &b[..end]) {
        if b[..at].ends_with(b"] ") {
            return &text[at - 2..];
        }
        end = at;
    }
    ""
}

/// A row that its last bracket did not tell, or that fits no formatter from end to end; if it is one at all.
fn all_tried<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>, formatters: &[Formatter]) -> bool {
    let mut taken = Taken::default();
    let (mut ended, mut broken) = (None, None);
    for formatter in formatters {
        let outcome = formatter.pattern.run(text, &mut taken);
        match outcome {
            Outcome::Other => {}
            Outcome::Whole if formatter.fits(text, &taken) => {
                whole(text, event, context, &formatter.pattern, &taken);
                return true;
            }
            Outcome::Ended if formatter.fits(text, &taken) => ended = ended.or(Some(formatter)),
            Outcome::Whole | Outcome::Ended | Outcome::Broken => broken = broken.or(Some(formatter)),
        }
    }
    let Some(formatter) = ended.or(broken) else { return false };
    place(event);
    formatter.pattern.run(text, &mut taken);
    if let Some(stamp) = formatter.pattern.times().iter().filter_map(|i| taken.text(text, *i)).find_map(time::scan) {
        stamp.put(event, context.zone);
    }
    event.mark(if ended.is_some() { Issue::Truncated } else { Issue::Forged });
    true
}

fn place(event: &mut Event<'_>) {
    event.stream = Some(Cow::Borrowed("access"));
    event.product = Some(Cow::Borrowed("milvus"));
    event.component = Some(Cow::Borrowed("proxy"));
}

/// A row that fits its formatter from end to end.
fn whole<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>, pattern: &Pattern, taken: &Taken) {
    place(event);
    let mut time_hole = None;
    for &hole in pattern.times() {
        let known = taken.stamp.filter(|(of, _)| *of == hole).map(|(_, stamp)| stamp);
        if let Some(stamp) = known.or_else(|| taken.text(text, hole).and_then(time::scan)) {
            stamp.put(event, context.zone);
            time_hole = Some(hole);
            break;
        }
    }
    event.fields.reserve(pattern.holes().len());
    for (i, hole) in pattern.holes().enumerate() {
        if Some(i) == time_hole {
            continue;
        }
        let Some(value) = taken.text(text, i) else { continue };
        let value = if hole.kind == Kind::Quotable { unquoted(value) } else { Cow::Borrowed(value) };
        event.fields.push((hole.name.clone(), Value::Text(value)));
    }
    if pattern.holds_own_words(text, taken) || contradicts_itself(text, pattern, taken) {
        event.mark(Issue::Forged);
    }
}

/// Newer versions can write the message and the expression as quoted Go strings.
fn unquoted(value: &str) -> Cow<'_, str> {
    match value.strip_prefix('"').map(|inside| (inside, quoted::closing(inside.as_bytes(), 0))) {
        Some((inside, Some(end))) if end + 1 == inside.len() => quoted::unescape(&inside[..end]),
        _ => Cow::Borrowed(value),
    }
}

/// Values that fit each for itself and not together.
fn contradicts_itself(text: &str, pattern: &Pattern, taken: &Taken) -> bool {
    let value = |hole: Option<usize>| hole.and_then(|hole| taken.text(text, hole));
    let named = pattern.named();
    // 2.3 says OK and always has a trace id of its own; from 2.4 on a success is `Successful`, and a client may name its requests.
    let old_success = value(named.status) == Some("OK");
    let trace = value(named.trace).unwrap_or(value::UNKNOWN);
    // No account's name holds a control character.
    value(named.user).is_some_and(value::holds_control) || old_success && !value::is_own_trace_id(trace)
}

/// Watches over the order of a source's records: behind a row that ended inside a value comes what the value went on with.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The last record was a row that a value tore.
    pub(crate) open: bool,
}

impl Watch {
    /// Looks at the next record of the source, and marks it where it must be the rest of a value. Only one record: where a value of many lines ends
    /// cannot be seen, and a row that is really the server's must not be taken for the client's.
    pub fn see(&mut self, event: &mut Event<'_>, format: Format) {
        if self.open && format != Format::Plain {
            event.mark(Issue::Forged);
        }
        self.open = format == Format::Access && event.is_marked(&Issue::Truncated);
    }
}

#[cfg(test)]
mod tests;
