//! What a file is: a known generation, the beginning of one, or a new one (FORMAT §1). By content; its name decides nothing.

use std::path::Path;

use event::{
    Generation, Redactor, SourceId,
    identity::{IdentityKey, Known, Mark, Probe, Prober, Tracker, Verdict},
};
use parse::End;

use crate::{
    CollectError, Ship,
    feed::Feed,
    open::{open, open_at, read_full},
};

/// Files are read in pieces of this size.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;
/// The product is voted for by the first bytes of a file.
pub const VOTE_BYTES: usize = 64 << 10;

/// What a file turned out to be.
#[derive(Debug)]
pub enum Identity {
    /// Read it from byte 0 as this new generation.
    New(Box<Tracker>),
    /// Only what lies behind the tracker's position is new.
    Known(Known, Box<Tracker>),
    /// It adds nothing.
    Contained(Known),
}

/// What one reading of a file told.
#[derive(Debug)]
pub struct Reading {
    /// The first bytes, at most [`VOTE_BYTES`].
    pub first: Vec<u8>,
    /// Marks and candidates.
    pub probe: Probe,
    /// Why its compressed data ended early.
    pub damage: Option<String>,
}

/// Reads a file once. With `whole` it reads to the end even if nothing known can match (the marks are wanted), else it stops there.
pub fn read(path: &Path, key: &IdentityKey, known: Vec<Known>, whole: bool, tell: &mut dyn FnMut(u64)) -> Result<Reading, CollectError> {
    let mut reader = open(path).map_err(CollectError::io("opening", path))?;
    let mut prober = Prober::new(key.clone(), known);
    let mut first = Vec::new();
    let mut buf = vec![0; CHUNK_BYTES];
    loop {
        let n = read_full(&mut reader, &mut buf).map_err(CollectError::io("reading", path))?;
        if first.len() < VOTE_BYTES {
            first.extend_from_slice(&buf[..n.min(VOTE_BYTES - first.len())]);
        }
        prober.update(&buf[..n]);
        tell(n as u64);
        if n < buf.len() || (!whole && prober.settled()) {
            return Ok(Reading { first, probe: prober.finish(), damage: reader.damage().map(str::to_owned) });
        }
    }
}

/// Whether a file may still grow: of one that may, the last record can be incomplete and says nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Imported or closed: what is there is all there is.
    Ended,
    /// Live; it is looked at again when it has grown.
    Open,
}

/// Decides. `source`: where the file's path was read from before, if it was.
pub fn identify(
    path: &Path,
    probe: &Probe,
    growth: Growth,
    source: Option<SourceId>,
    ship: &dyn Ship,
    redactor: &Redactor,
) -> Result<Identity, CollectError> {
    let key = &ship.identity_key();
    for verdict in probe.verdicts(key, source) {
        match verdict {
            Verdict::Known(known, _) if known.end == probe.length => return Ok(Identity::Contained(known)),
            Verdict::Known(known, tracker) => return Ok(Identity::Known(known, tracker)),
            Verdict::Shorter(known, from) => {
                if begins_like(path, &known, (from, probe.length), growth, ship, redactor)? {
                    return Ok(Identity::Contained(known));
                }
            }
            Verdict::New => break,
        }
    }
    Ok(Identity::New(Box::new(Tracker::new(key.clone(), new_generation()?))))
}

/// Rule (b): framed and redacted by the same redactor, the bytes behind the last agreeing mark are the stored records.
fn begins_like(
    path: &Path,
    known: &Known,
    (from, length): (u64, u64),
    growth: Growth,
    ship: &dyn Ship,
    redactor: &Redactor,
) -> Result<bool, CollectError> {
    if known.redactor_version != event::redact::REDACTOR_VERSION {
        return Ok(false);
    }
    let stored = ship.records_behind(known.generation, from);
    let mut stored = stored.into_iter();
    let Some(first) = stored.as_slice().first() else { return Ok(from == length) };
    let last = if growth == Growth::Ended { End::Closed } else { End::Open };
    let mut at = first.0;
    let mut reader = open_at(path, at).map_err(CollectError::io("reading", path))?;
    let mut feed = Feed::new();
    let mut buf = vec![0; CHUNK_BYTES];
    loop {
        let n = read_full(&mut reader, &mut buf).map_err(CollectError::io("reading", path))?;
        let ended = n < buf.len();
        feed.push(&buf[..n]);
        feed.scan(if ended { last } else { End::Open }, redactor);
        let count = feed.ready(ended);
        for record in feed.records(count, redactor) {
            let end = at + u64::from(record.original_len);
            match stored.next() {
                Some((start, stop, bytes)) if (start, stop) == (at, end) && bytes == record.stored.as_bytes() => at = end,
                _ => return Ok(false),
            }
        }
        feed.consume(count);
        if ended {
            return Ok(at == length || growth == Growth::Open);
        }
    }
}

/// A name for a new generation.
fn new_generation() -> Result<Generation, CollectError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|e| CollectError::Random(e.to_string()))?;
    Ok(Generation(id))
}

/// Which of several files are beginnings of others among them: for each, the index of a longer (or equal, earlier) one that holds it whole.
/// Short ones (below the agreement that counts) hold nothing of each other.
pub fn held_by_another(paths: &[&Path], probes: &[Probe], key: &IdentityKey) -> Result<Vec<Option<usize>>, CollectError> {
    let mark_at = |i: usize, n: u64| -> Option<Mark> { probes[i].marks.iter().find(|(at, _)| *at == n).map(|(_, m)| *m) };
    let mut order: Vec<usize> = (0..paths.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(probes[*i].length), *i));
    let mut held = vec![None; paths.len()];
    for (rank, &long) in order.iter().enumerate() {
        let first = |i: usize| mark_at(i, event::identity::FIRST_MARK);
        let shorter: Vec<usize> = order[rank + 1..]
            .iter()
            .copied()
            .filter(|&i| held[i].is_none() && probes[i].length >= event::identity::AGREEMENT_BYTES_MIN)
            .filter(|&i| first(i).is_none() || first(i) == first(long))
            .collect();
        if held[long].is_some() || shorter.is_empty() {
            continue;
        }
        let wanted =
            |i: &usize| Known { end: probes[*i].length, mark: mark_at(*i, probes[*i].length).unwrap_or_default(), ..Known::default() };
        let again = read(paths[long], key, shorter.iter().map(wanted).collect(), true, &mut |_| {})?;
        for i in shorter {
            let own = mark_at(i, probes[i].length);
            if own.is_some() && again.probe.marks.iter().any(|(n, m)| *n == probes[i].length && Some(*m) == own) {
                held[i] = Some(long);
            }
        }
    }
    Ok(held)
}
