//! TiDB's audit logs: the Enterprise extension (text and JSON), the older plugin, TiDB Cloud (tidb.md §1.7).
//!
//! Owns: telling the two families apart, because their status codes are opposite. Their grammars are those of `unified.rs` and `json.rs`; keys stay as
//! written.

use std::borrow::Cow;

use event::{Event, Issue};
use memchr::memmem;

use super::{Context, Format, LineFormat, json, unified};
use crate::time;

/// The Enterprise extension, also TiDB Cloud Essential.
pub const EXTENSION: LineFormat = LineFormat { format: Format::AuditExtension, recognize: recognize_extension, parse: parse_extension };
/// The older plugin, also TiDB Cloud Dedicated.
pub const PLUGIN: LineFormat = LineFormat { format: Format::AuditPlugin, recognize: begins_line, parse: parse_plugin };

/// The id stands behind time, level and caller, within this many bytes.
const ID_WITHIN: usize = 100;

fn begins_line(b: &[u8]) -> bool {
    b.starts_with(b"[2") && memmem::find(&b[..b.len().min(ID_WITHIN)], b" [ID=").is_some()
}

fn recognize_extension(b: &[u8]) -> bool {
    b.starts_with(b"{\"") || begins_line(b)
}

fn parse_extension<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    if text.starts_with('{') { object(text, event, context) } else { line(text, &["EVENT="], event, context) }
}

fn parse_plugin<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    line(text, &["TIMESTAMP=", "EVENT_CLASS="], event, context)
}

/// `[time] [INFO] [ID=..] [EVENT=..]`: the key behind the id tells the family.
fn line<'r>(text: &'r str, second: &[&str], event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some(head) = unified::head(text) else { return false };
    let rest = &text[head.rest..];
    let behind_id = rest.strip_prefix("[ID=").and_then(|r| r.split_once("] [")).map(|(_, behind)| behind);
    if !behind_id.is_some_and(|b| second.iter().any(|key| b.starts_with(key))) {
        return false;
    }
    head.put(event, context.zone);
    unified::items(rest, false, event);
    placed(event);
    true
}

fn placed(event: &mut Event<'_>) {
    event.stream = Some(Cow::Borrowed("audit"));
    event.product = Some(Cow::Borrowed("tidb"));
}

/// `{"TIME":"2026/01/08 19:44:27.746 +08:00","ID":"..","EVENT":["CONNECTION","CONNECT"],..}`.
fn object<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let has = |key: &str| memmem::find(text.as_bytes(), key.as_bytes()).is_some();
    if !has("\"EVENT\":") || !has("\"TIME\":") || !has("\"ID\":") || !json::parse_any(text, event, context) {
        return false;
    }
    if let Some(at) = event.fields.iter().position(|(k, _)| k == "TIME") {
        let (_, value) = event.fields.remove(at);
        match time::scan(value.as_text()).filter(|s| s.len == value.as_text().len()) {
            Some(stamp) => stamp.put(event, context.zone),
            None => event.mark(Issue::BadTime),
        }
    }
    placed(event);
    true
}

#[cfg(test)]
mod tests;
