//! Identity of a file by its content, through a key (FORMAT §1): marks, tails, the running state, and the prober that recognizes a known file.
//!
//! Owns: the arithmetic. Pure: bytes come in, verdicts go out. No hash of source bytes leaves here but through the key: a bare one would let
//! anybody who holds it try out what the redaction masked.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, block_api::compress256};

use crate::{Generation, SourceId, limits::MARKS_MAX};

/// The first 16 bytes of an HMAC-SHA-256.
pub type Mark = [u8; 16];
/// How much of a file's end its tail covers.
pub const TAIL_BYTES: usize = 4096;
/// The first standing mark: below it a file is compared as a whole.
pub const FIRST_MARK: u64 = 4096;
/// Agreement over less than this counts within one source only: short beginnings are alike everywhere.
pub const AGREEMENT_BYTES_MIN: u64 = 1024;
/// SHA-256's initial chaining value (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// SHA-256 works in blocks of this size.
const BLOCK: usize = 64;

/// The next standing mark beyond `n` bytes: 4 KiB, 64 KiB, 1, 2, 4, ... MiB. `None` beyond the last of [`MARKS_MAX`].
pub fn next_mark(n: u64) -> Option<u64> {
    standing_marks().find(|m| *m > n)
}

/// All lengths at which a generation's mark is kept.
pub fn standing_marks() -> impl Iterator<Item = u64> {
    [FIRST_MARK, 65_536].into_iter().chain((20..).map(|p| 1 << p)).take(MARKS_MAX)
}

/// The key behind all marks of a store (`keys/identity`).
#[derive(Clone)]
pub struct IdentityKey([u8; 32]);

impl std::fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityKey(..)")
    }
}

impl IdentityKey {
    /// A key of 32 random bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }
    /// The key itself: for the file that keeps it, and for an agent that enrolls.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // An HMAC key may have any length, so the error cannot occur; the fallback keeps the function total.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        parts.iter().for_each(|p| mac.update(p));
        mac.finalize().into_bytes().into()
    }
    fn mark(&self, digest: &[u8]) -> Mark {
        let mut mark = [0; 16];
        mark.copy_from_slice(&self.mac(&[digest])[..16]);
        mark
    }
    /// mark of all of `bytes`, that is mark(n) of a file that begins with them.
    pub fn mark_of(&self, bytes: &[u8]) -> Mark {
        self.mark(&Sha256::digest(bytes))
    }
    /// tail of a file whose last bytes are `last` (the last [`TAIL_BYTES`], or all of a shorter file; more are cut).
    pub fn tail_of(&self, last: &[u8]) -> Mark {
        self.mark_of(&last[last.len().saturating_sub(TAIL_BYTES)..])
    }
}

/// SHA-256 of what has been read so far, and the last 4 KiB of it.
#[derive(Clone)]
pub struct Running {
    chain: [u32; 8],
    /// The last bytes: at least the unfinished block, at most twice [`TAIL_BYTES`].
    last: Vec<u8>,
    n: u64,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running(at {})", self.n)
    }
}

impl Default for Running {
    fn default() -> Self {
        Self { chain: INITIAL, last: Vec::new(), n: 0 }
    }
}

impl Running {
    /// Bytes read.
    pub fn position(&self) -> u64 {
        self.n
    }
    fn pending(&self) -> &[u8] {
        let open = (self.n % BLOCK as u64) as usize;
        &self.last[self.last.len() - open..]
    }
    /// Goes on over more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let open = (self.n % BLOCK as u64) as usize;
        let mut rest = bytes;
        if open > 0 {
            let (head, behind) = rest.split_at(rest.len().min(BLOCK - open));
            let mut block = [0; BLOCK];
            block[..open].copy_from_slice(self.pending());
            block[open..open + head.len()].copy_from_slice(head);
            if open + head.len() == BLOCK {
                compress256(&mut self.chain, &[block]);
            }
            rest = behind;
        }
        let (blocks, _) = rest.as_chunks::<BLOCK>();
        compress256(&mut self.chain, blocks);
        self.n += bytes.len() as u64;
        self.keep(bytes);
    }
    /// Keeps the last bytes; moves them only when twice as many as needed have come together.
    fn keep(&mut self, bytes: &[u8]) {
        if bytes.len() >= TAIL_BYTES {
            self.last.clear();
            self.last.extend_from_slice(&bytes[bytes.len() - TAIL_BYTES..]);
            return;
        }
        self.last.extend_from_slice(bytes);
        if self.last.len() > 2 * TAIL_BYTES {
            self.last.drain(..self.last.len() - TAIL_BYTES);
        }
    }
    /// SHA-256 of everything read.
    pub fn digest(&self) -> [u8; 32] {
        let mut chain = self.chain;
        let pending = self.pending();
        let mut blocks = [[0; BLOCK]; 2];
        blocks[0][..pending.len()].copy_from_slice(pending);
        blocks[0][pending.len()] = 0x80;
        let used = if pending.len() < BLOCK - 8 { 1 } else { 2 };
        blocks[used - 1][BLOCK - 8..].copy_from_slice(&(self.n * 8).to_be_bytes());
        compress256(&mut chain, &blocks[..used]);
        bytes_of(&chain)
    }
    fn tail(&self) -> &[u8] {
        &self.last[self.last.len().saturating_sub(TAIL_BYTES)..]
    }
}

fn bytes_of(chain: &[u32; 8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (at, word) in out.chunks_exact_mut(4).zip(chain) {
        at.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// What a frame says of its generation at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes of the generation so far.
    pub byte_end: u64,
    /// The masked chaining value.
    pub state: [u8; 32],
    /// mark(`byte_end`).
    pub mark: Mark,
    /// tail(`byte_end`).
    pub tail: Mark,
    /// Standing marks passed since the stamp before.
    pub marks: Vec<(u64, Mark)>,
}

/// Follows one generation while it is read, and stamps its frames.
#[derive(Debug, Clone)]
pub struct Tracker {
    key: IdentityKey,
    generation: Generation,
    running: Running,
}

impl Tracker {
    /// A generation from its first byte.
    pub fn new(key: IdentityKey, generation: Generation) -> Self {
        Self { key, generation, running: Running::default() }
    }
    /// Goes on where a prober stood.
    pub fn from_running(key: IdentityKey, generation: Generation, running: Running) -> Self {
        Self { key, generation, running }
    }
    /// Goes on after a restart from what the last frame said: `last` are the last min(`end`, 4096) bytes before `end`, read again.
    /// `None` where there are too few of them.
    pub fn resume(key: IdentityKey, generation: Generation, end: u64, state: &[u8; 32], last: &[u8]) -> Option<Self> {
        let need = usize::try_from(end).unwrap_or(usize::MAX).min(TAIL_BYTES);
        if last.len() < need {
            return None;
        }
        let mask = state_mask(&key, generation, end);
        let mut chain = INITIAL;
        for (word, (s, m)) in chain.iter_mut().zip(state.chunks_exact(4).zip(mask.chunks_exact(4))) {
            *word = u32::from_be_bytes([s[0] ^ m[0], s[1] ^ m[1], s[2] ^ m[2], s[3] ^ m[3]]);
        }
        let last = last[last.len() - need..].to_vec();
        Some(Self { key, generation, running: Running { chain, last, n: end } })
    }
    /// The generation.
    pub fn generation(&self) -> Generation {
        self.generation
    }
    /// Bytes read.
    pub fn position(&self) -> u64 {
        self.running.n
    }
    /// Goes on over the source's bytes (as read, before redaction) and stamps their end.
    pub fn advance(&mut self, bytes: &[u8]) -> Stamp {
        let mut marks = Vec::new();
        let mut rest = bytes;
        while let Some(at) = next_mark(self.running.n).filter(|at| *at <= self.running.n + rest.len() as u64) {
            let (head, behind) = rest.split_at((at - self.running.n) as usize);
            self.running.update(head);
            marks.push((at, self.key.mark(&self.running.digest())));
            rest = behind;
        }
        self.running.update(rest);
        Stamp { marks, ..self.stamp() }
    }
    /// The stamp of where it stands, without standing marks.
    pub fn stamp(&self) -> Stamp {
        let mut state = bytes_of(&self.running.chain);
        let mask = state_mask(&self.key, self.generation, self.running.n);
        state.iter_mut().zip(mask).for_each(|(s, m)| *s ^= m);
        Stamp {
            byte_end: self.running.n,
            state,
            mark: self.key.mark(&self.running.digest()),
            tail: self.key.tail_of(self.running.tail()),
            marks: Vec::new(),
        }
    }
}

fn state_mask(key: &IdentityKey, generation: Generation, n: u64) -> [u8; 32] {
    key.mac(&[&generation.0, &n.to_le_bytes()])
}

/// What is known of a generation: what its frames said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The generation.
    pub generation: Generation,
    /// Its source.
    pub source: SourceId,
    /// Version of the source's definition in its last frame.
    pub definition_version: u32,
    /// Version of the redaction in its last frame.
    pub redactor_version: u16,
    /// Bytes stored.
    pub end: u64,
    /// The masked chaining value at `end`.
    pub state: [u8; 32],
    /// mark(`end`).
    pub mark: Mark,
    /// tail(`end`).
    pub tail: Mark,
    /// Standing marks.
    pub marks: Vec<(u64, Mark)>,
}

impl Known {
    /// Whether a live file goes on from here: `head` is its first 4 KiB (or all that is stored, if less), `last` the last
    /// min(`end`, 4096) bytes before `end`. Gives the tracker that goes on.
    pub fn resume(&self, key: &IdentityKey, head: &[u8], last: &[u8]) -> Option<Tracker> {
        let begins = match self.marks.iter().find(|(n, _)| *n == FIRST_MARK) {
            Some((_, mark)) => head.len() >= FIRST_MARK as usize && key.mark_of(&head[..FIRST_MARK as usize]) == *mark,
            None => usize::try_from(self.end).is_ok_and(|end| head.len() >= end && key.mark_of(&head[..end]) == self.mark),
        };
        if !begins || key.tail_of(last) != self.tail {
            return None;
        }
        Tracker::resume(key.clone(), self.generation, self.end, &self.state, last)
    }
}

/// Reads a file once and remembers its mark wherever a known generation of its cluster ends, and at the standing lengths.
#[derive(Debug, Clone)]
pub struct Prober {
    key: IdentityKey,
    running: Running,
    candidates: Vec<Known>,
    /// The lengths at which somebody wants a mark, rising, those passed gone.
    wanted: std::collections::BTreeSet<u64>,
    marks: Vec<(u64, Mark)>,
    best: Option<(Known, Running)>,
}

impl Prober {
    /// A prober for a file of a cluster whose generations are `candidates`.
    pub fn new(key: IdentityKey, candidates: Vec<Known>) -> Self {
        let wanted = candidates.iter().map(|c| c.end).chain(standing_marks()).filter(|n| *n > 0).collect();
        Self { key, running: Running::default(), candidates, wanted, marks: Vec::new(), best: None }
    }
    /// Goes on over decompressed bytes, in order from the first.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(at) = self.wanted.first().copied().filter(|at| *at <= self.running.n + rest.len() as u64) {
            let (head, behind) = rest.split_at((at - self.running.n) as usize);
            self.running.update(head);
            self.wanted.pop_first();
            self.note(at);
            rest = behind;
        }
        self.running.update(rest);
    }
    /// Takes the mark at `at`: candidates that differ there fall out, one that ends there is found.
    fn note(&mut self, at: u64) {
        let mark = self.key.mark(&self.running.digest());
        self.marks.push((at, mark));
        self.candidates.retain(|c| (c.end != at || c.mark == mark) && c.marks.iter().all(|(n, m)| *n != at || *m == mark));
        if let Some(i) = self.candidates.iter().position(|c| c.end == at) {
            self.best = Some((self.candidates.swap_remove(i), self.running.clone()));
            self.candidates.retain(|c| c.end != at);
        }
    }
    /// Whether nothing that follows can change the verdict: no known generation goes on like this.
    pub fn settled(&self) -> bool {
        self.candidates.is_empty()
    }
    /// The end of the file, or of what is worth reading of it ([`Self::settled`]).
    pub fn finish(mut self) -> Probe {
        let length = self.running.n;
        if length > 0 && self.marks.last().is_none_or(|(n, _)| *n != length) {
            self.note(length);
        }
        let shorter = self.candidates.into_iter().filter(|c| c.end > length).collect();
        Probe { length, marks: self.marks, best: self.best, shorter }
    }
}

/// What a prober learned of a file.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Bytes read.
    pub length: u64,
    /// The marks taken, the one at `length` among them.
    pub marks: Vec<(u64, Mark)>,
    best: Option<(Known, Running)>,
    shorter: Vec<Known>,
}

/// What a file may be.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Nothing known: a generation of its own, from byte 0.
    New,
    /// A known generation (rule a): only what lies behind `known.end` is new. The tracker stands there.
    Known(Known, Box<Tracker>),
    /// It may be the beginning of a longer known generation (rule b): every standing mark that it reaches agrees, the last of them at these
    /// bytes. It is, if its records that end behind them are the stored ones byte for byte; then it adds nothing.
    Shorter(Known, u64),
}

impl Probe {
    /// The verdicts in the order in which they must be tried; the last is never [`Verdict::Shorter`]. `source`: where the file was read from
    /// before, if it was (FORMAT §1, rules a and b).
    pub fn verdicts(&self, key: &IdentityKey, source: Option<SourceId>) -> Vec<Verdict> {
        let counts = |known: &Known| known.end >= AGREEMENT_BYTES_MIN || source == Some(known.source);
        let found = self.best.as_ref().filter(|(known, _)| counts(known)).map(|(known, running)| {
            Verdict::Known(known.clone(), Box::new(Tracker::from_running(key.clone(), known.generation, running.clone())))
        });
        if matches!(&found, Some(Verdict::Known(known, _)) if known.end == self.length) {
            return found.into_iter().collect();
        }
        let agreed = |known: &Known| known.marks.iter().map(|(n, _)| *n).filter(|n| *n <= self.length).max();
        let shorter = self.shorter.iter().filter_map(|k| agreed(k).map(|from| Verdict::Shorter(k.clone(), from)));
        shorter.chain([found.unwrap_or(Verdict::New)]).collect()
    }
}

#[cfg(test)]
mod tests;
