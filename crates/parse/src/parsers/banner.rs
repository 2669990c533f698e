//! Banners that a process prints at its start: one event each.

use std::borrow::Cow;

use event::{Event, Value};

use super::{Context, FIELDS_MAX, Format, LineFormat, put_field};
use crate::{
    framing::kind::{LineKind, classify},
    time,
};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Banner, recognize, parse };

/// Lines around a banner that stand alone.
const ALONE: &[&[u8]] = &[b"open pid file: ", b"lock pid file: ", b"---Milvus "];

fn recognize(b: &[u8]) -> bool {
    if ALONE.iter().any(|words| b.starts_with(words)) {
        return true;
    }
    let first = b.split(|c| *c == b'\n').find(|line| !line.trim_ascii().is_empty());
    first.is_some_and(|line| matches!(classify(line), LineKind::Banner | LineKind::BannerLine))
}

/// `Key: value` lines become fields, the first other line of words is the message.
fn parse<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    event.stream = Some(Cow::Borrowed("server"));
    for line in text.lines().map(str::trim).filter(|line| line.bytes().any(|c| c.is_ascii_alphanumeric())) {
        let Some((key, value)) = line.split_once(": ").filter(|(key, _)| key.len() < 40) else {
            event.message.get_or_insert(Cow::Borrowed(line));
            continue;
        };
        let value = value.trim();
        match key {
            "Version" | "Release Version" if event.version.is_none() => event.version = Some(Cow::Borrowed(value)),
            "Log file created at" => {
                event.message.get_or_insert(Cow::Borrowed("Log file created"));
                match time::scan(value) {
                    Some(stamp) => stamp.put(event, context.zone),
                    None => put_field(event, Cow::Borrowed(key), Value::Text(Cow::Borrowed(value))),
                }
            }
            "Running on machine" => event.host = Some(Cow::Borrowed(value)),
            _ if event.fields.len() < FIELDS_MAX => put_field(event, Cow::Borrowed(key), Value::Text(Cow::Borrowed(value))),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use event::{SourceDefinition, clock::rfc3339};

    use super::{super::access::Formatters, *};
    use crate::time::Zone;

    #[test]
    fn banners() {
        let (definition, access, zone) = (SourceDefinition::default(), Formatters::default(), Zone::Fixed(0));
        let context = Context { definition: &definition, access: &access, zone: &zone, product: None };
        let parsed = |text: &'static str| {
            let mut event = Event::default();
            assert!(recognize(text.as_bytes()) && parse(text, &mut event, &context), "{text}");
            event
        };
        let e = parsed(
            "\n  __/ / \\ \\ __\n /_/ /_/ /_/\n\nWelcome to use Milvus!\nVersion:   v2.3.5-lite\nGitCommit: 9ace\n\nTotalMem: 25276510208",
        );
        assert_eq!((e.message.as_deref(), e.version.as_deref()), (Some("Welcome to use Milvus!"), Some("v2.3.5-lite")));
        assert_eq!((e.field_text("GitCommit"), e.field_text("TotalMem")), (Some("9ace"), Some("25276510208")));
        let e = parsed("Log file created at: 2026/11/21 21:14:20\nRunning on machine: vm\nLog line format: [IWEF]yyyymmdd");
        assert_eq!(
            (e.message.as_deref(), e.host.as_deref(), e.time.map(rfc3339).as_deref()),
            (Some("Log file created"), Some("vm"), Some("2026-11-21T21:14:20.000Z"))
        );
        let e = parsed("---Milvus Proxy successfully initialized and ready to serve!---");
        assert_eq!(e.message.as_deref(), Some("---Milvus Proxy successfully initialized and ready to serve!---"));
        assert!(!recognize(b"hello") && !recognize(b""));
    }
}
