//! Lines that begin with a bare time: TiDB's and TiKV's 2.x forms, TiProxy's console encoder, Go's standard logger (tidb.md §1.1, §8.13).

use std::borrow::Cow;

use event::{Event, Text, Value};

use super::{Context, Format, LineFormat, json, level, put_field, unified};
use crate::time;

/// TiProxy's console encoder: `time<TAB>LEVEL<TAB>logger<TAB>caller<TAB>message<TAB>{fields}`.
pub const CONSOLE: LineFormat = LineFormat { format: Format::Unified, recognize, parse: console };
/// 2.x: `2017/08/14 17:13:22 server.go:219: [info] message`; Go's standard logger: `2026/11/21 21:14:19 message`.
pub const OLD: LineFormat = LineFormat { format: Format::Unified, recognize, parse: old };

fn recognize(b: &[u8]) -> bool {
    b.first().is_some_and(u8::is_ascii_digit) && matches!(b.get(4), Some(b'/' | b'-'))
}

fn console<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some(stamp) = time::scan(text) else { return false };
    let mut cells = text[stamp.len..].split('\t');
    if cells.next() != Some("") {
        return false;
    }
    let Some(known) = cells.next().and_then(level) else { return false };
    let cells: Vec<&str> = cells.collect();
    // The logger is missing where it has no name.
    let Some(place) = cells.iter().take(2).position(|c| unified::is_caller(c)) else { return false };
    stamp.put(event, context.zone);
    event.level = Some(Cow::Borrowed(known));
    event.stream = Some(Cow::Borrowed("server"));
    if place == 1 {
        put_field(event, Cow::Borrowed("logger"), Value::Text(Cow::Borrowed(cells[0])));
    }
    event.caller = Some(Cow::Borrowed(cells[place]));
    event.message = cells.get(place + 1).filter(|m| !m.is_empty()).map(|m| Cow::Borrowed(*m));
    if let Some(fields) = cells.get(place + 2) {
        json::fields(fields, event);
    }
    true
}

/// Whether what stands behind a bare time is a 2.x header: `server.go:219: [info] ` or `client.rs:115 - INFO  - `.
pub(crate) fn is_old_header(behind: &[u8]) -> bool {
    let text = match std::str::from_utf8(&behind[..behind.len().min(100)]) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&behind[..e.valid_up_to()]).unwrap_or_default(),
    };
    old_header(text).is_some()
}

/// Caller, level and what follows.
fn old_header(behind: &str) -> Option<(&str, &'static str, &str)> {
    let behind = behind.strip_prefix(' ')?;
    let (caller, rest) = behind.split_once(' ')?;
    if let Some(caller) = caller.strip_suffix(':') {
        let (name, rest) = rest.strip_prefix('[')?.split_once(']')?;
        return unified::is_caller(caller).then_some((caller, level(name)?, rest));
    }
    let (name, rest) = rest.strip_prefix("- ")?.split_once(" - ")?;
    unified::is_caller(caller).then_some((caller, level(name.trim())?, rest))
}

fn old<'r>(text: &'r str, event: &mut Event<'r>, context: &Context<'_>) -> bool {
    let Some(stamp) = time::scan(text) else { return false };
    let behind = &text[stamp.len..];
    let message = if let Some((caller, known, rest)) = old_header(behind) {
        event.caller = Some(Cow::Borrowed(caller));
        event.level = Some(Cow::Borrowed(known));
        rest.strip_prefix(' ').unwrap_or(rest)
    } else if text.as_bytes().get(4) == Some(&b'/') && behind.starts_with(' ') {
        // Go's standard logger knows no level.
        &behind[1..]
    } else {
        return false;
    };
    stamp.put(event, context.zone);
    event.stream = Some(Cow::Borrowed("server"));
    event.message = Some(first_line(message)).filter(|m| !m.is_empty());
    true
}

/// Stacks and further lines stay in `raw`.
fn first_line(text: &str) -> Text<'_> {
    Cow::Borrowed(text.lines().next().unwrap_or_default().trim_end())
}

#[cfg(test)]
mod tests {
    use event::{SourceDefinition, clock::rfc3339};

    use super::{super::access::Formatters, *};
    use crate::time::Zone;

    fn parsed<'r>(format: &LineFormat, line: &'r str) -> Option<Event<'r>> {
        let (definition, access, zone) = (SourceDefinition::default(), Formatters::default(), Zone::Fixed(0));
        let context = Context { definition: &definition, access: &access, zone: &zone, product: None };
        let mut event = Event::default();
        let taken = (format.recognize)(line.as_bytes()) && (format.parse)(line, &mut event, &context);
        assert!(taken || event == Event::default(), "{line}");
        taken.then_some(event)
    }

    #[test]
    fn old_forms() {
        for (line, time, level, caller, message) in [
            (
                "2017/08/14 17:13:22 server.go:219: [info] [775] new connection",
                "17:13:22.000",
                Some("INFO"),
                Some("server.go:219"),
                "[775] new connection",
            ),
            (
                "2018/03/16 09:30:28.021 server.rs:154: [ERROR] thread 'x' panicked\nstack backtrace:",
                "09:30:28.021",
                Some("ERROR"),
                Some("server.rs:154"),
                "thread 'x' panicked",
            ),
            ("2016-09-27 02:27:26,259 client.rs:115 - INFO  - up", "02:27:26.259", Some("INFO"), Some("client.rs:115"), "up"),
            (
                "2017/01/29 02:23:38 metrics.go:303: [warning] [EXPENSIVE_QUERY] select 1",
                "02:23:38.000",
                Some("WARN"),
                Some("metrics.go:303"),
                "[EXPENSIVE_QUERY] select 1",
            ),
            ("2026/11/21 21:14:19 maxprocs: Leaving", "21:14:19.000", None, None, "maxprocs: Leaving"),
        ] {
            let e = parsed(&OLD, line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((e.level.as_deref(), e.caller.as_deref(), e.message.as_deref()), (level, caller, Some(message)), "{line}");
            assert_eq!(&rfc3339(e.time.unwrap())[11..23], time);
        }
        for line in
            ["2023-06-08 01:46:31,945 | DEBUG | default | x", "2026-03-02T10:00:00Z", "2026/11/21", "2016-09-27 02:27:26,259 client.rs:115"]
        {
            assert!(parsed(&OLD, line).is_none(), "{line}");
        }
    }

    #[test]
    fn tiproxys_console() {
        let e = parsed(
            &CONSOLE,
            "2026/03/02 10:00:00.584 +00:00\tWARN\tmain.proxy\tclient/c.go:65\tnew connection failed\t{\"connID\": 40, \"cfg\": {\"a\":1}}",
        )
        .unwrap();
        assert_eq!(
            (e.level.as_deref(), e.caller.as_deref(), e.message.as_deref()),
            (Some("WARN"), Some("client/c.go:65"), Some("new connection failed"))
        );
        assert_eq!(
            (e.field_text("logger"), e.field_text("connID"), e.field_text("cfg")),
            (Some("main.proxy"), Some("40"), Some("{\"a\":1}"))
        );
        let e = parsed(&CONSOLE, "2026/03/02 10:00:00.584 +00:00\tINFO\ta.go:1\tstart").unwrap();
        assert_eq!((e.message.as_deref(), e.fields.len()), (Some("start"), 0));
        for line in [
            "2026/03/02 10:00:00.584 +00:00\tx\ty",
            "2026/03/02 10:00:00.584 +00:00 INFO\tx",
            "2026/03/02 10:00:00.584 +00:00\tINFO\tx\ty\tz",
        ] {
            assert!(parsed(&CONSOLE, line).is_none(), "{line}");
        }
    }
}
