//! What a notifier gets to render: the alert, why somebody is told now, and the first and last lines of its evidence.

use event::{Alert, Micros, clock::rfc3339};

use crate::{Reason, text};

/// One line of evidence, joined from the store (redacted as it is stored).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `log:seq`, or `file:offset` without a store.
    pub name: String,
    /// When it happened.
    pub time: Option<Micros>,
    /// The stored text.
    pub raw: String,
}

/// A notification before it has a shape.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// What it is about.
    pub alert: &'a Alert,
    /// Why now.
    pub reason: Reason,
    /// The first and the last lines, in order; few.
    pub lines: &'a [Line],
    /// Where the console answers, without a slash at the end; none where there is no console.
    pub console: Option<&'a str>,
}

/// A line of evidence in a message has at most this many characters; the console has all of it.
pub const LINE_CHARS_MAX: usize = 400;
/// A title in a message has at most this many characters.
pub const TITLE_CHARS_MAX: usize = 200;

impl Notice<'_> {
    /// The title, fit for one line.
    pub fn title(&self) -> String {
        text::cut(&text::visible(&self.alert.title), TITLE_CHARS_MAX)
    }
    /// The same for the same alert and revision, on every attempt: receivers drop what they have.
    pub fn idempotency(&self) -> String {
        format!("bartizan-{}-{}", self.alert.id, self.alert.revision)
    }
    /// Where to look at it.
    pub fn link(&self) -> Option<String> {
        self.console.map(|base| format!("{}/alerts/{}", base.trim_end_matches('/'), self.alert.id))
    }
    /// First and last time, and how far apart.
    pub fn when(&self) -> String {
        let a = self.alert;
        if a.first_time == a.last_time {
            return rfc3339(a.first_time);
        }
        format!("{} to {} ({})", rfc3339(a.first_time), rfc3339(a.last_time), text::span(a.last_time - a.first_time))
    }
    /// Label and value of what a message always says, in order. Values are fit for one line, not escaped for a format.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let a = self.alert;
        let mut facts = vec![("Severity", a.severity.to_string()), ("When", self.when()), ("Count", a.count.to_string())];
        if !a.subject.is_empty() {
            let subject: Vec<String> = a.subject.iter().map(|(k, v)| format!("{k} {}", text::cut(&text::visible(v), 80))).collect();
            facts.push(("Subject", subject.join(", ")));
        }
        if let Some(cluster) = &a.cluster {
            facts.push(("Cluster", text::visible(cluster)));
        }
        let rule = text::visible(&a.rule);
        facts.push(("Rule", if a.attack.is_empty() { rule } else { format!("{rule} ({})", a.attack.join(", ")) }));
        if self.reason != Reason::New {
            facts.push(("Told because", self.reason.words().to_owned()));
        }
        facts
    }
    /// The lines, fit for one line each.
    pub fn evidence(&self) -> Vec<String> {
        self.lines.iter().map(|l| text::cut(&text::visible(&l.raw), LINE_CHARS_MAX)).collect()
    }
    /// What to do next.
    pub fn next(&self) -> String {
        text::visible(&self.alert.next)
    }
}
