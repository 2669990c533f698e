//! Tables from a log message to what it means: found by a hash of four bytes and one comparison, so that a line that means nothing costs next to nothing.
//!
//! Owns: the shape of such a table. Never knows a product.

use event::{Activity, Event, Status};

use super::columns::{self, put};

/// What a message means. Columns that depend on the line's fields are the business of `more`.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    activity: Option<&'static Activity>,
    status: Status,
    reason: Option<&'static str>,
    object: Option<&'static str>,
    more: fn(&mut Event<'_>),
}

fn nothing(_: &mut Event<'_>) {}

/// A message that names an act.
pub const fn act(activity: &'static Activity, status: Status) -> Row {
    Row { activity: Some(activity), status, reason: None, object: None, more: nothing }
}

/// A message whose act, if any, is found by `more`; also one that only carries columns.
pub const fn look(more: fn(&mut Event<'_>)) -> Row {
    Row { activity: None, status: Status::Unknown, reason: None, object: None, more }
}

impl Row {
    /// `fields.reason`.
    pub const fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }
    /// The object, where the message itself names it.
    pub const fn object(mut self, object: &'static str) -> Self {
        self.object = Some(object);
        self
    }
    /// What else is to be done with the line's fields.
    pub const fn then(mut self, more: fn(&mut Event<'_>)) -> Self {
        self.more = more;
        self
    }
    /// Gives the event what the row says.
    pub fn apply(&self, event: &mut Event<'_>) {
        if let Some(activity) = self.activity {
            columns::act(event, activity, self.status);
        }
        put(&mut event.object, self.object.map(Into::into));
        if let Some(reason) = self.reason {
            columns::set_reason(event, reason);
        }
        (self.more)(event);
    }
}

/// Slots of a table; a power of two, at least twice the rows.
const SLOTS: usize = 256;

/// Exact messages, then beginnings of messages with variable parts.
#[derive(Debug)]
pub struct Messages {
    exact: &'static [(&'static str, Row)],
    slots: [u8; SLOTS],
    prefixes: &'static [(&'static str, Row)],
    first: [bool; 256],
}

const fn slot(text: &[u8]) -> usize {
    let n = text.len();
    if n == 0 {
        return 0;
    }
    let (first, middle, near, last) = (text[0] as usize, text[n / 2] as usize, text[n / 3] as usize, text[n - 1] as usize);
    (n * 37 + first * 5 + middle * 17 + near * 29 + last * 11) & (SLOTS - 1)
}

impl Messages {
    /// Builds the table at compile time.
    pub const fn new(exact: &'static [(&'static str, Row)], prefixes: &'static [(&'static str, Row)]) -> Self {
        assert!(exact.len() < SLOTS / 2, "a table needs free slots");
        let (mut slots, mut first) = ([0; SLOTS], [false; 256]);
        let mut i = 0;
        while i < exact.len() {
            let mut at = slot(exact[i].0.as_bytes());
            while slots[at] != 0 {
                at = (at + 1) & (SLOTS - 1);
            }
            slots[at] = i as u8 + 1;
            i += 1;
        }
        i = 0;
        while i < prefixes.len() {
            first[prefixes[i].0.as_bytes()[0] as usize] = true;
            i += 1;
        }
        Self { exact, slots, prefixes, first }
    }

    /// The row of a message.
    pub fn get(&self, message: &str) -> Option<&'static Row> {
        let mut at = slot(message.as_bytes());
        while let Some(index) = usize::from(self.slots[at]).checked_sub(1) {
            let (text, row) = &self.exact[index];
            if *text == message {
                return Some(row);
            }
            at = (at + 1) & (SLOTS - 1);
        }
        let first = *message.as_bytes().first()?;
        if !self.first[usize::from(first)] {
            return None;
        }
        self.prefixes.iter().find(|(prefix, _)| prefix.as_bytes()[0] == first && message.starts_with(prefix)).map(|(_, row)| row)
    }

    /// Gives the event what its message's row says; false where the table has none.
    pub fn apply(&self, event: &mut Event<'_>, message: fn(&str) -> &str) -> bool {
        let Some(row) = event.message.as_deref().and_then(|m| self.get(message(m))) else { return false };
        row.apply(event);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Messages = Messages::new(
        &[("kill", look(nothing).object("a")), ("kill finished", look(nothing).object("b")), ("lilk", look(nothing).object("c"))],
        &[("Kill failed", look(nothing).object("d"))],
    );

    #[test]
    fn exact_messages_and_beginnings_are_found_and_nothing_else() {
        for (message, object) in [
            ("kill", Some("a")),
            ("kill finished", Some("b")),
            ("lilk", Some("c")),
            ("Kill failed: no such connection", Some("d")),
            ("Kill", None),
            ("kill ", None),
            ("kill initiated", None),
            ("", None),
            ("χill", None),
        ] {
            assert_eq!(TABLE.get(message).and_then(|r| r.object), object, "{message}");
        }
    }
}
