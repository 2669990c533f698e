//! The search language (docs/howto/search.md): words, phrases, `field:value`, `-`, OR, parentheses, `since:` and `until:`.
//!
//! Owns: the text, its syntax tree, and whether an event in memory matches. `plan.rs` gives the same tree to the SQL engine; both ask
//! `pattern.rs` what a word and a value are, so the live tail and a search over the store agree.

mod field;
mod lexer;
mod parser;
pub(crate) mod plan;
mod time;

use event::{Event, Micros, RecordName};

pub use field::Place;
use field::Seen;

use crate::{
    QueryError,
    pattern::{Value, Word},
};

/// A search holds at most this many words and fields: a limit against a hostile query, far above what a person types.
pub const TERMS_MAX: usize = 256;
/// Parentheses and negations nest at most this deep.
pub const DEPTH_MAX: usize = 32;

/// What somebody is looking for.
#[derive(Debug, Clone)]
pub struct Search {
    pub(crate) tree: Node,
    /// Only records from this time on (their own time, else their arrival).
    pub since: Option<Micros>,
    /// Only records before this time.
    pub until: Option<Micros>,
    /// Our own records (class `self`) were asked for by name.
    pub(crate) own: bool,
    /// What was understood otherwise than it may have been meant, for the person who asked.
    pub notes: Vec<String>,
}

/// One part of a search.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Every part matches; with no parts, everything does.
    All(Vec<Node>),
    /// At least one part matches.
    Any(Vec<Node>),
    /// The part does not match; a value that is unknown does not match either, so its negation does.
    Not(Box<Node>),
    /// The line holds a word or a phrase.
    Word { text: String, quoted: bool, word: Word },
    /// A field passes a test.
    Field(Place, Test),
}

/// What a field's value must be.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Known: `field:*`.
    Known,
    /// Text, one of these.
    Text(Vec<(String, bool, Value)>),
    /// A number from .. to, both included.
    Number(i64, i64),
    /// A time from .. before.
    Time(Micros, Micros),
    /// An address within a network.
    Network(crate::network::Network),
}

impl Search {
    /// Reads a search. `now` is what `since:1h` counts from.
    pub fn parse(text: &str, now: Micros) -> Result<Self, QueryError> {
        parser::parse(text, now)
    }

    /// Narrows the time range further.
    #[must_use]
    pub fn within(mut self, since: Option<Micros>, until: Option<Micros>) -> Self {
        self.since = [self.since, since].into_iter().flatten().max();
        self.until = [self.until, until].into_iter().flatten().min();
        self
    }

    /// Whether an event matches: what the live tail asks. Our own records match only if they were asked for.
    pub fn matches(&self, event: &Event<'_>, name: &RecordName) -> bool {
        if name.log.class == event::LogClass::Own && !self.own {
            return false;
        }
        let at = event.time.or(event.observed_time);
        let after = self.since.is_none_or(|since| at.is_some_and(|at| at >= since));
        let before = self.until.is_none_or(|until| at.is_some_and(|at| at < until));
        after && before && self.tree.matches(event, name)
    }
}

impl Node {
    fn matches(&self, event: &Event<'_>, name: &RecordName) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|p| p.matches(event, name)),
            Self::Any(parts) => parts.iter().any(|p| p.matches(event, name)),
            Self::Not(part) => !part.matches(event, name),
            Self::Word { word, .. } => word.is_in(event.raw.as_bytes()),
            Self::Field(place, test) => test.passes(&place.see(event, name)),
        }
    }
}

impl Test {
    fn passes(&self, seen: &Seen<'_>) -> bool {
        match (self, seen) {
            (_, Seen::Nothing) => false,
            (Self::Known, _) => true,
            (Self::Text(any), Seen::Text(text)) => any.iter().any(|(_, _, v)| v.is(text)),
            (Self::Text(any), Seen::List(list)) => list.iter().any(|item| any.iter().any(|(_, _, v)| v.is(item))),
            (Self::Number(from, to), Seen::Number(n)) => (from..=to).contains(&n),
            (Self::Time(from, to), Seen::Number(n)) => (from..to).contains(&n),
            (Self::Network(net), Seen::Text(text)) => net.holds(text),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
