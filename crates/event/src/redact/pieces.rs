//! Records in pieces (CRI): secrets are looked for in the joined content, and masked in every piece that holds a part of one. Owns: that mapping.

use std::ops::Range;

use super::{
    Redacted, Redactor, apart,
    scan::{Depth, Hit},
};

/// A record or a piece of one, and which parts of it are content (a CRI prefix is not): a secret may be cut in two by a prefix.
#[derive(Debug, Clone)]
pub struct Piece<'a> {
    /// The bytes of the record without its final line end.
    pub bytes: &'a [u8],
    /// The parts that are joined before secrets are looked for.
    pub content: Vec<Range<usize>>,
}

/// A part of the content: which piece, where in it, and where in the joined text.
struct Part {
    piece: usize,
    at: usize,
    joined: Range<usize>,
}

pub(super) fn redact<'a>(redactor: &Redactor, pieces: &[Piece<'a>]) -> Vec<Redacted<'a>> {
    if let [one] = pieces
        && one.content.len() < 2
    {
        return vec![redactor.redact(one.bytes)];
    }
    let (mut joined, mut parts) = (Vec::new(), Vec::new());
    for (piece, p) in pieces.iter().enumerate() {
        for range in &p.content {
            let Some(text) = p.bytes.get(range.clone()) else { continue };
            parts.push(Part { piece, at: range.start, joined: joined.len()..joined.len() + text.len() });
            joined.extend_from_slice(text);
        }
    }
    let (found, looks) = redactor.find(&joined, level(pieces));
    let mut hits: Vec<Vec<Hit>> = vec![Vec::new(); pieces.len()];
    let mut marks: Vec<Vec<usize>> = vec![Vec::new(); pieces.len()];
    let mut first = 0;
    for h in &found {
        while parts.get(first).is_some_and(|p| p.joined.end <= h.range.start) {
            first += 1;
        }
        for part in parts[first..].iter().take_while(|p| p.joined.start < h.range.end) {
            let (start, end) = (h.range.start.max(part.joined.start), h.range.end.min(part.joined.end));
            let shift = |n: usize| n - part.joined.start + part.at;
            if start < end {
                let whole = (start, end) == (h.range.start, h.range.end);
                hits[part.piece].push(Hit { range: shift(start)..shift(end), kind: h.kind, bare: h.bare.filter(|_| whole) });
            }
        }
    }
    for at in looks {
        if let Some(part) = parts.iter().find(|p| p.joined.contains(&at)) {
            marks[part.piece].push(at - part.joined.start + part.at);
        }
    }
    pieces
        .iter()
        .zip(hits.into_iter().zip(marks))
        .map(|(p, (mut hits, mut marks))| {
            outside(redactor, p, &mut hits, &mut marks);
            Redacted { bytes: redactor.apply(p.bytes, &apart(hits), &marks) }
        })
        .collect()
}

/// How many strings the content begins in: one behind `{"log":"`.
fn level(pieces: &[Piece<'_>]) -> usize {
    let Some(first) = pieces.first() else { return 0 };
    let start = first.content.first().map_or(0, |r| r.start.min(first.bytes.len()));
    let mut depth = Depth::default();
    depth.advance(first.bytes, start);
    depth.level
}

/// What is no content is looked at too, by itself.
fn outside(redactor: &Redactor, p: &Piece<'_>, hits: &mut Vec<Hit>, marks: &mut Vec<usize>) {
    let mut from = 0;
    let end = p.bytes.len()..p.bytes.len();
    for range in p.content.iter().chain(std::iter::once(&end)) {
        let to = range.start.clamp(from, p.bytes.len());
        let (found, looks) = redactor.find(&p.bytes[from..to], 0);
        hits.extend(found.into_iter().map(|h| Hit { range: h.range.start + from..h.range.end + from, ..h }));
        marks.extend(looks.into_iter().map(|m| m + from));
        from = range.end.clamp(to, p.bytes.len());
    }
    marks.sort_unstable();
}
