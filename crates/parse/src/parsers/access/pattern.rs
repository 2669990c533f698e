//! A formatter string as a matcher. Owns: literals, holes, and the walk over a row, linear in its length.
//!
//! Nearly every row goes the usual way (`quick.rs`), which is the general one's first try at every hole. The general way:
//! a hole of a fixed kind is tried at the next places of the literal behind it. A hole of the client's text ends at the first place from which all fixed
//! holes up to the next free one fit; so a text that holds the formatter's words is found by what it leaves over.

use std::{borrow::Cow, ops::Range};

use super::{
    quick,
    value::{Kind, PLACEHOLDERS},
};
use crate::{near, time::Stamp};

/// Holes of one formatter; a string with more is refused.
const HOLES_MAX: usize = 40;

/// Places at which values are tried to end, in one row, beside one for each byte of it.
const TRIES_MIN: usize = 4096;

/// Nearly every literal is at most this long.
const HEAD_BYTES: usize = 16;

/// A literal of at least this many bytes, with a letter in it, is the formatter's own word.
const WORD_BYTES_MIN: usize = 5;

/// A placeholder.
#[derive(Debug, Clone)]
pub(super) struct Hole {
    /// Without its `$`.
    pub(super) name: Cow<'static, str>,
    /// What its value can be.
    pub(super) kind: Kind,
}

#[derive(Debug)]
struct Step {
    hole: Hole,
    /// What follows the value; of the last step it ends the row.
    literal: String,
    /// Whether a usual value ends where the literal begins: it cannot hold the literal's first byte.
    sharp: bool,
    /// Whether the literal holds a colon.
    colon: bool,
    /// Its first bytes as a number, and which of that number's bits are its own: compared at once.
    head: (u128, u128),
}

impl Step {
    fn new(hole: Hole, literal: &str) -> Self {
        let sharp = literal.as_bytes().first().is_some_and(|first| !quick::may_hold(hole.kind, *first));
        let (mut bytes, mut mask) = ([0; HEAD_BYTES], [0; HEAD_BYTES]);
        for (i, b) in literal.bytes().take(HEAD_BYTES).enumerate() {
            (bytes[i], mask[i]) = (b, 0xff);
        }
        let head = (u128::from_le_bytes(bytes), u128::from_le_bytes(mask));
        Self { hole, literal: literal.to_owned(), sharp, colon: literal.contains(':'), head }
    }
    /// Whether the literal stands at `at`.
    fn stands(&self, b: &[u8], at: usize) -> bool {
        let Some(rest) = b.get(at..) else { return false };
        match rest.first_chunk::<HEAD_BYTES>() {
            Some(head) if self.literal.len() <= HEAD_BYTES => u128::from_le_bytes(*head) & self.head.1 == self.head.0,
            _ => rest.starts_with(self.literal()),
        }
    }
    fn literal(&self) -> &[u8] {
        self.literal.as_bytes()
    }
    /// The next place of the literal. Values are short and literals begin with what values seldom hold, so this beats a searcher for long texts.
    fn find(&self, b: &[u8], mut from: usize) -> Option<usize> {
        let Some(first) = self.literal().first() else { return Some(from) };
        loop {
            let at = near::find(b, from, *first)?;
            if self.stands(b, at) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// How a row fits a formatter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// From end to end.
    Whole,
    /// It fits as far as it goes, and ends too early.
    Ended,
    /// It begins like a row, and departs.
    Broken,
    /// It is no row of this formatter.
    Other,
}

/// Where the values of a row stand. (A record is far shorter than 4 GiB.)
#[derive(Debug)]
pub(super) struct Taken {
    ranges: [(u32, u32); HOLES_MAX],
    /// Holes that fitted so far.
    len: usize,
    /// The time of a hole that was read on the way.
    pub(super) stamp: Option<(usize, Stamp)>,
    tries: usize,
    /// How many holes fitted at best since somebody set this back.
    deepest: usize,
}

impl Default for Taken {
    fn default() -> Self {
        Self { ranges: [(0, 0); HOLES_MAX], len: 0, stamp: None, tries: 0, deepest: 0 }
    }
}

impl Taken {
    fn push(&mut self, value: Range<usize>) {
        if let Some(slot) = self.ranges.get_mut(self.len) {
            *slot = (value.start as u32, value.end as u32);
            self.len += 1;
            self.deepest = self.deepest.max(self.len);
        }
    }
    /// The value of a hole.
    pub(super) fn text<'r>(&self, text: &'r str, hole: usize) -> Option<&'r str> {
        self.ranges[..self.len.min(HOLES_MAX)].get(hole).and_then(|(start, end)| text.get(*start as usize..*end as usize))
    }
}

/// A compiled formatter.
#[derive(Debug)]
pub(super) struct Pattern {
    lead: String,
    steps: Vec<Step>,
    /// The literals that a value should not hold.
    words: Vec<usize>,
    /// The shortest of them, and whether all hold an opening bracket (then a value without one holds none of them).
    shortest: usize,
    brackets: bool,
    /// The holes of the client's text.
    free: Vec<usize>,
    /// Holes that hold a time, the one when the row was written first.
    times: Vec<usize>,
    /// Holes whose values are looked at by name.
    named: Named,
    /// Holes that must fit before a row that departs is a row at all: up to the first word.
    proof: Option<usize>,
}

/// The holes of some placeholders, where a formatter has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) method: Option<usize>,
    pub(super) status: Option<usize>,
    pub(super) trace: Option<usize>,
    pub(super) user: Option<usize>,
}

/// Why a walk stopped.
enum Stop {
    Ended,
    Broken,
}

impl Pattern {
    /// None where the string has no hole, too many, or two without anything between them.
    pub(super) fn compile(format: &str) -> Option<Self> {
        let (mut lead, mut steps) = (None, Vec::<Step>::new());
        let (mut rest, mut hole) = (format, None);
        loop {
            let (literal, next) = next_hole(rest);
            match hole.take() {
                None => lead = Some(literal.to_owned()),
                Some(_) if literal.is_empty() && next.is_some() => return None,
                Some(hole) => steps.push(Step::new(hole, literal)),
            }
            let Some((found, behind)) = next else { break };
            (hole, rest) = (Some(found), behind);
        }
        if steps.is_empty() || steps.len() > HOLES_MAX {
            return None;
        }
        let words: Vec<usize> = (0..steps.len()).filter(|i| is_word(steps[*i].literal())).collect();
        let lead = lead.unwrap_or_default();
        let proof = if is_word(lead.as_bytes()) { Some(0) } else { words.first().map(|w| w + 1) };
        let shortest = words.iter().map(|w| steps[*w].literal.len()).min().unwrap_or(usize::MAX);
        let brackets = words.iter().all(|w| steps[*w].literal.contains('['));
        let free = (0..steps.len()).filter(|i| steps[*i].hole.kind.is_free()).collect();
        let named = |name: &str| steps.iter().position(|s| s.hole.name == name);
        let times = ["time_now", "time_end", "time_start"].into_iter().filter_map(named).collect();
        let named =
            Named { method: named("method_name"), status: named("method_status"), trace: named("trace_id"), user: named("user_name") };
        Some(Self { lead, steps, words, shortest, brackets, free, times, named, proof })
    }

    /// The formatter's last word, where it has one that begins a bracket.
    pub(super) fn last_word(&self) -> Option<&str> {
        self.words.last().map(|w| self.steps[*w].literal.as_str()).filter(|word| word.starts_with("] ["))
    }

    /// The holes in order.
    pub(super) fn holes(&self) -> impl ExactSizeIterator<Item = &Hole> {
        self.steps.iter().map(|s| &s.hole)
    }

    /// Holes that hold a time, the one when the row was written first.
    pub(super) fn times(&self) -> &[usize] {
        &self.times
    }

    /// The holes of some placeholders.
    pub(super) fn named(&self) -> &Named {
        &self.named
    }

    /// Fits a row.
    pub(super) fn run(&self, text: &str, taken: &mut Taken) -> Outcome {
        (taken.len, taken.stamp) = (0, None);
        let Some(behind) = text.strip_prefix(self.lead.as_str()) else { return Outcome::Other };
        if self.quick(text, text.len() - behind.len(), taken) {
            return Outcome::Whole;
        }
        self.general(text, text.len() - behind.len(), taken)
    }

    /// Fits a row by trying.
    fn general(&self, text: &str, at: usize, taken: &mut Taken) -> Outcome {
        (taken.stamp, taken.deepest) = (None, 0);
        taken.len = 0;
        taken.tries = TRIES_MIN + text.len();
        let stop = match self.walk(text, at, taken) {
            Ok(()) => return Outcome::Whole,
            Err(stop) => stop,
        };
        if self.proof.is_none_or(|holes| taken.len < holes) {
            return Outcome::Other;
        }
        match stop {
            Stop::Ended => Outcome::Ended,
            Stop::Broken => Outcome::Broken,
        }
    }

    /// Fits a row whose every value is a usual one and ends at the first place where it may: what the general way tries first.
    fn quick(&self, text: &str, mut at: usize, taken: &mut Taken) -> bool {
        let b = text.as_bytes();
        let Some((_, before)) = self.steps.split_last() else { return false };
        for step in before {
            let kind = step.hole.kind;
            let end = match kind {
                // A quoted value has an end of its own.
                Kind::Quotable if b.get(at) == Some(&b'"') => None,
                Kind::Free | Kind::Quotable => step.find(b, at),
                Kind::Line => {
                    let limit = b.len().min(at + kind.bytes_max() + step.literal().len());
                    step.find(&b[..limit], at).filter(|end| text.get(at..*end).is_some_and(|value| kind.takes(value)))
                }
                Kind::Time if step.sharp => quick::time(text, at).filter(|s| step.stands(b, at + s.len)).map(|stamp| {
                    taken.stamp.get_or_insert((taken.len, stamp));
                    at + stamp.len
                }),
                _ if step.sharp => quick::end(kind, text, at).filter(|end| step.stands(b, *end)),
                _ => None,
            };
            let Some(end) = end else { return false };
            taken.push(at..end);
            at = end + step.literal().len();
        }
        self.last(text, at, taken).is_ok()
    }

    fn walk(&self, text: &str, mut at: usize, taken: &mut Taken) -> Result<(), Stop> {
        while taken.len < self.steps.len() {
            at = if self.steps[taken.len].hole.kind.is_free() { self.free(text, at, taken)? } else { self.fixed(text, at, taken)? };
        }
        if at == text.len() { Ok(()) } else { Err(Stop::Broken) }
    }

    /// The free hole at `at` and the fixed ones behind it; where they end.
    fn free(&self, text: &str, at: usize, taken: &mut Taken) -> Result<usize, Stop> {
        let (b, hole) = (text.as_bytes(), taken.len);
        let step = &self.steps[hole];
        if hole + 1 == self.steps.len() {
            return self.last(text, at, taken);
        }
        let mut from = at;
        // A quoted value ends where its quotes do.
        if step.hole.kind == Kind::Quotable
            && b.get(at) == Some(&b'"')
            && let Some(close) = super::quoted::closing(b, at + 1)
            && b[close + 1..].starts_with(step.literal())
        {
            from = close + 1;
        }
        // Where no end fits, the one that came furthest says why.
        let (mut stop, mut furthest) = (Stop::Ended, 0);
        while let Some(end) = step.find(b, from) {
            taken.deepest = 0;
            taken.push(at..end);
            match self.fixed(text, end + step.literal().len(), taken) {
                Ok(behind) => return Ok(behind),
                Err(s) if taken.deepest > furthest || taken.deepest == furthest && is_word(step.literal()) && matches!(s, Stop::Ended) => {
                    (stop, furthest) = (s, taken.deepest);
                }
                Err(_) => {}
            }
            taken.len = hole;
            from = end + 1;
        }
        Err(stop)
    }

    /// All fixed holes from `at` up to the next free one; where they end. Fills `taken` as far as they fit.
    fn fixed(&self, text: &str, at: usize, taken: &mut Taken) -> Result<usize, Stop> {
        let hole = taken.len;
        let Some(step) = self.steps.get(hole).filter(|s| !s.hole.kind.is_free()) else { return Ok(at) };
        if hole + 1 == self.steps.len() {
            return self.last(text, at, taken);
        }
        let b = text.as_bytes();
        let limit = b.len().min(at + step.hole.kind.bytes_max() + step.literal().len());
        let (mut found, mut from) = (false, at);
        while let Some(end) = step.find(&b[..limit], from) {
            from = end + 1;
            if taken.tries == 0 {
                return Err(Stop::Broken);
            }
            taken.tries -= 1;
            if !text.get(at..end).is_some_and(|value| step.hole.kind.takes(value)) {
                if step.hole.kind == Kind::Time {
                    break;
                }
                continue;
            }
            found = true;
            taken.push(at..end);
            // Only where the next hole does not fit either is this end in doubt.
            match self.fixed(text, end + step.literal().len(), taken) {
                Ok(behind) => return Ok(behind),
                Err(stop) if is_word(step.literal()) => return Err(stop),
                Err(Stop::Ended) => return Err(Stop::Ended),
                Err(Stop::Broken) => taken.len = hole,
            }
        }
        if !found && limit == b.len() && ends_early(&text[at..], step) { Err(Stop::Ended) } else { Err(Stop::Broken) }
    }

    /// The last hole: its literal ends the row.
    fn last(&self, text: &str, at: usize, taken: &mut Taken) -> Result<usize, Stop> {
        let step = &self.steps[taken.len];
        let rest = &text.as_bytes()[at..];
        let Some(value) = rest.strip_suffix(step.literal()) else {
            return Err(if step.hole.kind.is_free() || ends_early(&text[at..], step) { Stop::Ended } else { Stop::Broken });
        };
        if !text.get(at..at + value.len()).is_some_and(|v| step.hole.kind.takes(v)) {
            return Err(Stop::Broken);
        }
        taken.push(at..at + value.len());
        Ok(text.len())
    }

    /// Whether the last value opens more brackets than it closes.
    pub(super) fn last_is_unbalanced(&self, text: &str, taken: &Taken) -> bool {
        let last = self.steps.len() - 1;
        let Some(value) = taken.text(text, last).filter(|_| self.steps[last].hole.kind.is_free()) else { return false };
        let count = |bracket| memchr::memchr_iter(bracket, value.as_bytes()).count();
        count(b'[') > count(b']')
    }

    /// Whether a value holds the formatter's own words: then where it ends is the client's word against the server's.
    pub(super) fn holds_own_words(&self, text: &str, taken: &Taken) -> bool {
        let suspect = |hole: usize| {
            let Some(value) = taken.text(text, hole).filter(|v| v.len() >= self.shortest) else { return false };
            if self.brackets && near::find(value.as_bytes(), 0, b'[').is_none() {
                return false;
            }
            let quoted = self.steps[hole].hole.kind == Kind::Quotable
                && value.len() > 1
                && super::quoted::closing(value.as_bytes(), 1).is_some_and(|end| value.starts_with('"') && end + 1 == value.len());
            // Most words hold a colon, most values do not.
            let colon = memchr::memchr(b':', value.as_bytes()).is_some();
            let held = |word: &Step| (colon || !word.colon) && word.find(value.as_bytes(), 0).is_some();
            !quoted && self.words.iter().any(|w| held(&self.steps[*w]))
        };
        self.free.iter().any(|hole| suspect(*hole))
    }
}

/// Whether a literal is the formatter's own, and not just a separator.
fn is_word(literal: &[u8]) -> bool {
    literal.len() >= WORD_BYTES_MIN && literal.iter().any(u8::is_ascii_alphabetic)
}

/// The text in front of the next placeholder, and the placeholder with what follows it.
fn next_hole(format: &str) -> (&str, Option<(Hole, &str)>) {
    let mut from = 0;
    while let Some(at) = format[from..].find('$').map(|i| from + i) {
        let behind = &format[at + 1..];
        let len = behind.bytes().take_while(|c| c.is_ascii_lowercase() || *c == b'_').count();
        // Milvus takes the longest name that it knows; a name that we do not know is a newer version's.
        let known = PLACEHOLDERS.iter().filter(|(name, _)| behind.starts_with(name)).max_by_key(|(name, _)| name.len());
        let hole = match known {
            Some((name, kind)) => Some((Hole { name: Cow::Borrowed(name), kind: *kind }, name.len())),
            None if len > 0 => Some((Hole { name: Cow::Owned(behind[..len].to_owned()), kind: Kind::Free }, len)),
            None => None,
        };
        if let Some((hole, len)) = hole {
            return (&format[..at], Some((hole, &behind[len..])));
        }
        from = at + 1;
    }
    (format, None)
}

/// Whether the rest of a row can be the beginning of a value and of the literal behind it, cut anywhere.
fn ends_early(rest: &str, step: &Step) -> bool {
    let (b, literal) = (rest.as_bytes(), step.literal());
    let shared = (0..literal.len().min(b.len() + 1)).rev().find(|n| b.ends_with(&literal[..*n])).unwrap_or(0);
    let Some(value) = rest.get(..rest.len() - shared) else { return false };
    let first = literal.first().copied().unwrap_or(b'\n');
    step.hole.kind.begins(value) && !value.as_bytes().contains(&first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMATS: [&str; 3] = [
        "[$time_now] [ACCESS] <$user_name: $user_addr> $method_name [status: $method_status] [code: $error_code] [sdk: $sdk_version] [msg: $error_msg] [traceID: $trace_id] [timeCost: $time_cost]",
        "$time_now,$user_name,$user_addr,$trace_id-$sdk_version",
        "$time_start $method_name $error_code: $error_msg n$nq",
    ];

    /// Pieces of rows, usual and odd.
    const PIECES: [&str; 30] = [
        "[",
        "2026/11/25 21:13:45.942 +00:00",
        "2026/11/25 21:13:45 +00:00",
        "] [ACCESS] <",
        "app",
        "",
        ": ",
        "tcp-10.3.0.40:36053",
        "[::1]:4",
        "> ",
        "Insert",
        "INFO",
        "/v2/x y",
        " [status: ",
        "OK",
        "] [code: ",
        "0",
        "-7",
        "] [sdk: ",
        "Python-2.3.8",
        "] [msg: ",
        "\"a] [b\"",
        "] [traceID: ",
        "40d6824e2ef3fc17879e2e2256feff0c",
        "Unknown",
        "order-17",
        "] [timeCost: ",
        "4.882ms",
        "1m2.5s",
        "]",
    ];

    proptest! {
        /// Rows that are nearly right: each piece of a right one may be another, or missing, or there twice.
        #[test]
        fn the_usual_way_ends_where_the_general_one_does(
            format in 0..FORMATS.len(),
            odd in proptest::collection::vec((0_usize..20, proptest::sample::select(&PIECES[..])), 0..3),
        ) {
            let right: &[&str] = match format {
                0 => &[PIECES[0], PIECES[1], PIECES[3], PIECES[4], PIECES[6], PIECES[7], PIECES[9], PIECES[10], PIECES[13], PIECES[14], PIECES[15],
                    PIECES[16], PIECES[18], PIECES[19], PIECES[20], PIECES[5], PIECES[22], PIECES[23], PIECES[26], PIECES[27], PIECES[29]],
                1 => &[PIECES[1], ",", "app", ",", PIECES[7], ",", PIECES[23], "-", "p"],
                _ => &[PIECES[1], " ", "Insert", " ", "0", ": ", "a n", " n", "7"],
            };
            let mut row: Vec<&str> = right.to_vec();
            for (at, piece) in odd {
                let at = at % row.len();
                row[at] = piece;
            }
            let row = row.concat();
            let pattern = Pattern::compile(FORMATS[format]).unwrap();
            let Some(behind) = row.strip_prefix(pattern.lead.as_str()) else { return Ok(()) };
            let (mut quick, mut general) = (Taken::default(), Taken::default());
            if pattern.quick(&row, row.len() - behind.len(), &mut quick) {
                prop_assert_eq!(pattern.general(&row, row.len() - behind.len(), &mut general), Outcome::Whole);
                prop_assert_eq!(&quick.ranges[..quick.len], &general.ranges[..general.len]);
                if let Some((hole, stamp)) = quick.stamp {
                    prop_assert_eq!(quick.text(&row, hole).and_then(crate::time::scan), Some(stamp));
                }
            }
        }
    }
}
