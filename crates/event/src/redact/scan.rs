//! One pass over one record: the sieve names places, detectors look, hits are kept. Owns: the cursor of string levels and what was found.
//! Never changes a byte; `mod.rs` does.

use std::ops::Range;

use memchr::memchr;

use super::{
    kind::KindId,
    mark, sieve,
    text::{backslashes, level},
};

/// Deeper strings in strings are not told apart.
const LEVELS_MAX: usize = 6;

/// A secret: where its characters stand, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub range: Range<usize>,
    pub kind: KindId,
    /// A bare number of JSON at this string level: its mark needs quotes of its own there.
    pub bare: Option<usize>,
}

impl Hit {
    /// A hit whose mark stands as the secret stood.
    pub fn new(range: Range<usize>, kind: KindId) -> Self {
        Self { range, kind, bare: None }
    }
}

/// How deep in strings a place is, counted by double quotes and the backslashes before them: 1 in `[sql="..."]`, 2 in an SQL string in double quotes
/// there, one more behind a container runtime's JSON.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Depth {
    pos: usize,
    /// Open strings.
    pub level: usize,
    /// Where the text of each begins.
    starts: [usize; LEVELS_MAX],
}

impl Depth {
    /// A cursor at the start of bytes that stand in `level` strings already.
    pub fn inside(level: usize) -> Self {
        Self { level: level.min(LEVELS_MAX), ..Self::default() }
    }
    /// Moves on to `to`; never back.
    pub fn advance(&mut self, b: &[u8], to: usize) {
        while self.pos < to {
            let Some(n) = memchr(b'"', &b[self.pos..to]) else {
                self.pos = to;
                return;
            };
            let at = self.pos + n;
            let quote = level(backslashes(b, at).min(n));
            self.pos = at + 1;
            if self.level > quote {
                self.level = quote;
            } else if quote < LEVELS_MAX && !quotes_a_statement(b, at, quote) {
                self.level = quote + 1;
                self.starts[quote] = at + 1;
            }
        }
    }
    /// Moves on over a literal, whose quotes open nothing.
    pub fn skip(&mut self, to: usize) {
        self.pos = self.pos.max(to);
    }
    /// Where the text of the innermost string begins; 0 outside of strings.
    pub fn start(&self) -> usize {
        self.level.checked_sub(1).map_or(0, |l| self.starts[l])
    }
    /// The same of the string around it.
    pub fn outer_start(&self) -> usize {
        self.level.checked_sub(2).map_or(0, |l| self.starts[l])
    }
}

/// `near "..`: the parser's error puts a statement between quotes without escaping it once more, so its text is no deeper.
fn quotes_a_statement(b: &[u8], at: usize, quote: usize) -> bool {
    b[..at].strip_suffix(&[b'\\'; 1 << LEVELS_MAX][..(1 << quote) - 1]).is_some_and(|head| head.ends_with(b"near "))
}

/// The pass.
pub(super) struct Scan<'b> {
    /// The record.
    pub b: &'b [u8],
    /// What was found, in order of finding.
    pub hits: Vec<Hit>,
    /// The furthest end of a hit.
    pub last_end: usize,
    /// String level at the place looked at.
    pub depth: Depth,
    /// End of the key looked at last: several needles stand in one key.
    pub key_end: usize,
    /// How far the rows of an INSERT were looked at.
    pub rows_end: usize,
    /// The secrets in them: an error may repeat one.
    pub rows: Vec<(Range<usize>, KindId)>,
    /// Accounts in them: a mailbox there stays.
    pub accounts: Vec<Range<usize>>,
    /// Placeholders in the place of secrets, until their arguments come.
    pub params: Vec<super::detect::params::Param>,
    /// Account statements seen so far.
    pub verbs: super::detect::email::Verbs,
    /// Whether the text may hold what looks like a mark.
    pub marked: bool,
}

impl<'b> Scan<'b> {
    /// A pass over `b`, which begins inside `level` strings.
    pub fn new(b: &'b [u8], level: usize) -> Self {
        Self {
            b,
            hits: Vec::new(),
            last_end: 0,
            depth: Depth::inside(level),
            key_end: 0,
            rows_end: 0,
            rows: Vec::new(),
            accounts: Vec::new(),
            params: Vec::new(),
            verbs: Default::default(),
            marked: false,
        }
    }
    /// Looks at everything.
    pub fn run(&mut self) {
        sieve::each(self.b, |at, found| {
            let mut done = at + 1;
            for detect in found {
                if let Some(n) = detect(self, at) {
                    done = done.max(n);
                }
            }
            // What is stepped over may hold a mark.
            self.marked |= done > at + 1;
            done
        });
    }
    /// The string level at `at`, which is at or behind the place looked at.
    pub fn depth_at(&mut self, here: usize, at: usize) -> Depth {
        self.depth.advance(self.b, here);
        let mut depth = self.depth;
        depth.advance(self.b, at);
        depth
    }
    /// Keeps a hit, unless nothing is left to mask there; gives the end.
    pub fn hit(&mut self, range: Range<usize>, kind: KindId) -> Option<usize> {
        let end = range.end;
        self.last_end = self.last_end.max(end);
        let range = super::detect::tokens::jwt_secret(self.b, range);
        if !range.is_empty() && !mark::is_mark(&self.b[range.clone()]) {
            self.hits.push(Hit::new(range, kind));
        }
        Some(end)
    }
}
