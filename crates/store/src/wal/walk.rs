//! Reading segments in order, and the verdict on bytes that are no frame: a torn tail, a hole below what is sealed, or damage (FORMAT §2).
//!
//! Owns: that verdict. Changes nothing on disk. A segment is read whole (64 MiB at most, but for a frame that is longer).

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use event::{
    Micros,
    frame::{self, ALIGN, Bad, Frame, HEADER_BYTES, Header, Kind, MAGIC},
};

use super::segment::{Facts, Segment};
use crate::{StoreError, folder::io_error};

/// Looking for good frames behind a bad one, this many bytes are check-summed at most: text in a torn frame may look like many frames.
const SEARCH_BYTES_MAX: usize = 256 << 20;

/// What to walk over, and how strictly.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'w> {
    /// The segments, in order.
    pub segments: &'w [Segment],
    /// Frames up to this number are not shown; segments that hold only such are not read.
    pub after: u64,
    /// Frames up to this number are in the lake: a bad one among them is a hole and not the end.
    pub sealed: u64,
    /// A writer may be at work: what is good counts, and nothing is called damaged.
    pub beside_writer: bool,
}

/// Bad frames below what is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The segment.
    pub path: PathBuf,
    /// First number missing.
    pub from: u64,
    /// Last number missing.
    pub to: u64,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Walked {
    /// Number of the last good frame; one below the first segment's first where there is none.
    pub last: u64,
    /// Every segment.
    pub facts: Vec<Facts>,
    /// Bytes of frames that were never acknowledged, and dropped.
    pub torn_bytes: u64,
    /// What is missing below what is sealed.
    pub holes: Vec<Hole>,
    /// Beside a writer: what a start would call damaged. It may also be a frame that was being written while others were read.
    pub doubt: Option<String>,
}

/// Gets each good frame.
pub type Visit<'v> = &'v mut dyn FnMut(&Frame) -> Result<(), StoreError>;

impl Walk<'_> {
    /// Shows every good frame behind `after`, in order, each number once.
    pub fn frames(&self, visit: Visit<'_>) -> Result<Walked, StoreError> {
        let mut walked = Walked { last: self.segments.first().map_or(0, |s| s.first - 1), ..Walked::default() };
        for (i, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(i + 1);
            match next {
                Some(next) if next.first <= self.after + 1 => {
                    walked.facts.push(unread(segment)?);
                    walked.last = next.first - 1;
                }
                _ => self.segment(segment, next, visit, &mut walked)?,
            }
            if walked.doubt.is_some() {
                break; // what follows a gap would be shown as if nothing were missing
            }
        }
        Ok(walked)
    }

    fn segment(&self, segment: &Segment, next: Option<&Segment>, visit: Visit<'_>, walked: &mut Walked) -> Result<(), StoreError> {
        let path = &segment.path;
        let bytes = fs::read(path).map_err(io_error("reading", path))?;
        let (mut at, mut observed) = (0, None);
        loop {
            let want = walked.last + 1;
            match take(&bytes[at..], segment.run, want, self.after) {
                Ok((header, frame, len)) => {
                    if let Some(frame) = frame {
                        visit(&frame)?;
                    }
                    observed = Some(header.observed_time);
                    walked.last = want;
                    at += len;
                    if header.kind == Kind::End {
                        break;
                    }
                }
                Err(bad) => match self.judge(segment, next, &bytes[at..], want, bad)? {
                    Verdict::Ends { torn } => {
                        walked.torn_bytes += torn;
                        break;
                    }
                    Verdict::Doubtful(why) => {
                        walked.doubt = Some(why.to_string());
                        return Ok(());
                    }
                    Verdict::GoesOn { skip, to } => {
                        walked.holes.push(Hole { path: path.clone(), from: want, to });
                        walked.last = to;
                        match skip {
                            Some(skip) => at += skip,
                            None => break,
                        }
                    }
                },
            }
        }
        let observed = match observed {
            Some(at) => at,
            None => unread(segment)?.observed,
        };
        walked.facts.push(Facts { segment: segment.clone(), good_end: Some(at as u64), observed, bytes: bytes.len() as u64 });
        self.chain(segment, next, walked.last + 1)
    }

    /// Whether the next segment begins where this one ends.
    fn chain(&self, segment: &Segment, next: Option<&Segment>, want: u64) -> Result<(), StoreError> {
        match next {
            Some(next) if next.first != want && !self.beside_writer => {
                Err(damaged(&segment.path, format!("frame {want} should follow and the next segment begins with {}", next.first)))
            }
            _ => Ok(()),
        }
    }

    fn judge(&self, segment: &Segment, next: Option<&Segment>, rest: &[u8], want: u64, bad: Bad) -> Result<Verdict, StoreError> {
        let torn = rest.iter().rposition(|b| *b != 0).map_or(0, |at| at as u64 + 1);
        // The next run began with this very number: what lies here was never acknowledged.
        if next.is_some_and(|n| n.first == want) || (torn == 0 && next.is_none() && want > self.sealed) {
            return Ok(Verdict::Ends { torn });
        }
        if want <= self.sealed {
            return match self.hole(segment, next, rest, want) {
                Err(why) if self.beside_writer => Ok(Verdict::Doubtful(why)),
                verdict => verdict,
            };
        }
        match self.behind_sealed(segment, next, rest, want, bad) {
            Err(why) if self.beside_writer => Ok(Verdict::Doubtful(why)),
            Err(why) => Err(why),
            Ok(()) => Ok(Verdict::Ends { torn }),
        }
    }

    /// Whether a bad frame that is not in the lake may be the end: nothing behind it says that it was safe.
    fn behind_sealed(&self, segment: &Segment, next: Option<&Segment>, rest: &[u8], want: u64, bad: Bad) -> Result<(), StoreError> {
        if matches!(bad, Bad::Layout(what) if what != "length") {
            return Err(damaged(&segment.path, format!("frame {want}: {bad}, though its check sum fits (a newer version wrote it?)")));
        }
        if let Some(next) = next {
            return Err(damaged(&segment.path, format!("frame {want}: {bad}, and the next segment begins with {}", next.first)));
        }
        let covered = |h: &Header| h.durable >= want;
        match search(rest, segment.run, want, covered) {
            Found::Nothing => Ok(()),
            Found::At(..) => Err(damaged(&segment.path, format!("frame {want}: {bad}, and later ones say that it was safe"))),
            Found::TooMuch => Err(damaged(&segment.path, format!("frame {want}: {bad}, and what follows looks like too many frames"))),
        }
    }

    /// A bad frame whose records are in the lake: the walk goes on behind it.
    fn hole(&self, segment: &Segment, next: Option<&Segment>, rest: &[u8], want: u64) -> Result<Verdict, StoreError> {
        if let Found::At(skip, found) = search(rest, segment.run, want + 1, |_| true)
            && found <= self.sealed + 1
        {
            return Ok(Verdict::GoesOn { skip: Some(skip), to: found - 1 });
        }
        match next {
            Some(next) if next.first <= self.sealed + 1 => Ok(Verdict::GoesOn { skip: None, to: next.first - 1 }),
            _ => Err(StoreError::Damaged {
                path: segment.path.clone(),
                what: format!("the log of frames ends before {want}, and the lake holds them up to {}", self.sealed),
                next: "it is older than the lake, or cut: put wal/ back as it was, or restore lake and wal from one backup".to_owned(),
            }),
        }
    }
}

enum Verdict {
    /// Nothing of this segment counts from here on.
    Ends { torn: u64 },
    /// The same beside a writer, and a start would refuse it.
    Doubtful(StoreError),
    /// Numbers up to `to` are missing; the next frame lies `skip` bytes on, or in the next segment.
    GoesOn { skip: Option<usize>, to: u64 },
}

enum Found {
    Nothing,
    /// Bytes from where the search began, number of the frame.
    At(usize, u64),
    TooMuch,
}

/// The frame with this number at the start of `bytes`; decoded only if it is behind `after`.
fn take(bytes: &[u8], run: u64, want: u64, after: u64) -> Result<(Header, Option<Frame>, usize), Bad> {
    let (header, frame, len) = if want > after {
        let (frame, len) = frame::decode(bytes)?;
        (frame.header.clone(), Some(frame), len)
    } else {
        let (header, len) = frame::peek(bytes)?;
        (header, None, len)
    };
    if header.wal_seq == want && header.run == run { Ok((header, frame, len)) } else { Err(Bad::NoMagic) }
}

/// The first good frame of this run numbered `from` or higher that pleases `wanted`.
fn search(bytes: &[u8], run: u64, from: u64, wanted: impl Fn(&Header) -> bool) -> Found {
    let (mut at, mut summed) = (0, 0);
    while at + HEADER_BYTES <= bytes.len() {
        let rest = &bytes[at..];
        let looks = rest[..4] == MAGIC && rest[16..24] == run.to_le_bytes() && rest[232..HEADER_BYTES].iter().all(|b| *b == 0);
        if !looks {
            at += ALIGN;
            continue;
        }
        let body = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
        summed += body.min(rest.len());
        if summed > SEARCH_BYTES_MAX {
            return Found::TooMuch;
        }
        match frame::peek(rest) {
            Ok((header, len)) if header.run == run && header.wal_seq >= from => {
                if wanted(&header) {
                    return Found::At(at, header.wal_seq);
                }
                at += len;
            }
            _ => at += ALIGN,
        }
    }
    Found::Nothing
}

/// What is known of a segment without reading it.
fn unread(segment: &Segment) -> Result<Facts, StoreError> {
    let meta = fs::metadata(&segment.path).map_err(io_error("reading", &segment.path))?;
    let age = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let observed = age.map_or(0, |d| Micros::try_from(d.as_micros()).unwrap_or(Micros::MAX));
    Ok(Facts { segment: segment.clone(), good_end: None, observed, bytes: meta.len() })
}

fn damaged(path: &Path, what: String) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        what,
        next: "records that were acknowledged and are not in the lake yet stand there: put the file back from a copy or the disk's own mirror; \
               if there is none, keep this folder as it is, start with a new one and import the logs again from their files"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests;
