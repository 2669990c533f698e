//! The terminal of `serve`: a line with the alert, one with what to do, the first and last lines of evidence. No color codes but the severity's.

use std::fmt::Write as _;

use event::{Severity, clock::rfc3339};

use super::{Kind, Notifier, Outgoing, Settings, SettingsError};
use crate::{Notice, text};

/// The line of the registry.
pub const KIND: Kind = Kind { name: "terminal", keys: &[], build };

/// A line on a terminal has at most this many characters of evidence.
const LINE_CHARS_MAX: usize = 220;

struct Terminal;

fn build(_: &Settings) -> Result<Box<dyn Notifier>, SettingsError> {
    Ok(Box::new(Terminal))
}

/// SGR of a severity; the word stands beside it, color alone says nothing.
const fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;41;97",
        Severity::High => "1;31",
        Severity::Medium => "1;33",
        Severity::Low => "36",
        Severity::Info => "2",
    }
}

impl Notifier for Terminal {
    fn render(&self, notice: &Notice<'_>) -> Outgoing {
        let a = notice.alert;
        let word = a.severity.as_str().to_uppercase();
        let mut out = format!("{}  \u{1b}[{}m{word:^8}\u{1b}[0m  {}\n", rfc3339(a.last_time), color(a.severity), notice.title());
        let cluster = a.cluster.as_deref().map(|c| format!("{}, ", text::visible(c))).unwrap_or_default();
        let _ = writeln!(out, "    {cluster}{}, count {}, alert {}", text::visible(&a.rule), a.count, a.id);
        for line in notice.evidence() {
            let _ = writeln!(out, "    | {}", text::cut(&line, LINE_CHARS_MAX));
        }
        let _ = writeln!(out, "    next: {}", notice.next());
        Outgoing::Terminal(out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::conformance::{hostile_alert, notice, settings};
    use super::*;

    #[test]
    fn only_our_own_escapes_reach_the_terminal() {
        let alert = hostile_alert();
        let Outgoing::Terminal(out) = settings("terminal").build().unwrap().render(&notice(&alert)) else { panic!("not text") };
        assert_eq!(out.matches('\u{1b}').count(), 2, "{out:?}");
        assert!(out.contains("  HIGH  ") && out.contains("next: Lock the account"), "{out}");
    }
}
