//! The sieve that the common line falls through: it names every place where a detector must look. Owns: the needles. May name a place for nothing,
//! must never miss one.
//!
//! A needle is four sets of bytes, one a lane; letters match in either case. The bytes are looked at in pairs: one look-up a byte in a table of 2 KiB, one
//! shift a pair, no branch until a needle may stand there. A needle begins with a pair or between two; for either the pair and the one before it tell
//! which buckets it may be of. Needles share 16 buckets, grouped so that the unions of their lanes are still rare; a bit a needle then tells for sure.

use super::{
    detect::{auth, card, email, hash, keys, options, params, pem, sql, tokens, url},
    mark,
    scan::Scan,
};

/// Looks at one place; gives how far the record is done with, where that is known.
pub(super) type Detector = fn(&mut Scan<'_>, usize) -> Option<usize>;

/// Four bytes that something to look at begins with, or has inside.
struct Needle {
    bucket: u8,
    lanes: [&'static [u8]; LANES],
    detect: Detector,
}

/// Bytes of a needle.
const LANES: usize = 4;
/// Needles share so many bits in each field of a pair.
const BUCKETS: usize = 16;
/// Bytes looked at between two branches: pairs.
const STEP: usize = 16;

/// Any byte.
const ANY: &[u8] = b"";
const DIGIT: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const ALNUM: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// What may stand before a number that is a whole value (0xb9 ends `‹`). Behind a key there is another needle.
const EDGE: &[u8] = b" '\"(,\xb9>|\t";
/// What may stand before a hash.
const QUOTE: &[u8] = b" '\"=(\xb9:[";
/// What may stand between a key and its value.
const BIND: &[u8] = b" =:\"'\\`_";
/// What may stand before an `@` that is of interest: the end of an account's, a mailbox's or a password's text.
const BEFORE_AT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz_.%+-!$&*)#^~?=;<>]}@,:/";
/// What may stand behind it.
const HOST: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz[(";
/// White space, also escaped or a comment.
const SPACE: &[u8] = b" \\\t\n/";

const fn needle(bucket: u8, lanes: [&'static [u8]; LANES], detect: Detector) -> Needle {
    Needle { bucket, lanes, detect }
}

/// All needles. Where several stand at one place their detectors look in this order. The buckets are those of least chance in recorded logs.
const NEEDLES: &[Needle] = &[
    needle(13, [b"p", b"a", b"s", b"s"], keys::detect),
    needle(4, [b"m", b"a", b"i", b"l"], keys::detect),
    needle(3, [b"c", b"a", b"r", b"d"], keys::detect),
    needle(13, [b"p", b"a", b"n", BIND], keys::detect),
    needle(0, [b"s", b"e", b"c", b"r"], keys::detect),
    needle(3, [b"e", b"a", b"r", b"e"], auth::bearer),
    needle(2, [b"o", b"k", b"e", b"n"], keys::detect),
    needle(9, [b"o", b"o", b"k", b"i"], auth::cookie),
    needle(4, [b"h", b"o", b"o", b"k"], url::webhook),
    needle(2, [b"stienrghy_-.", b"k", b"e", b"y"], keys::detect),
    needle(8, [b"i", b" ", b"k", b"e"], keys::two_words),
    needle(10, [b"p", b"w", b"d", ANY], keys::detect),
    needle(10, [b"p", b"w", b"=:\"'` ", ANY], keys::detect),
    needle(12, [b"c", b"c", b"=:\"'_n", ANY], keys::detect),
    needle(12, [b":", b"/", b"/", ANY], url::detect),
    needle(7, [b"_-h", b"s", b"t", b"r"], keys::detect),
    needle(13, [b"g", b"n", b"a", b"t"], url::signature),
    needle(15, [b"?&6;", b"s", b"i", b"g"], url::signature),
    needle(6, [b"n", b"t", b"i", b"f"], sql::identified),
    needle(6, [b"n", b"t", b"o", SPACE], sql::insert),
    needle(11, [b"n", b"t", b"r", b"y"], params::duplicate),
    needle(5, [b"s", b"k", b"-", ALNUM], tokens::detect),
    needle(2, [b"sr", b"k", b"_", b"lt"], tokens::detect),
    needle(10, [b"b", b"y", SPACE, ANY], sql::by),
    needle(0, [b" \"'", b"-", b"pu", ANY], options::detect),
    needle(6, [b"t", b"h", b"o", b"r"], auth::authorization),
    needle(9, [b"-", b"b", b"e", b"g"], pem::begin),
    needle(9, [b"-", b"e", b"n", b"d"], pem::end),
    needle(5, [b"e", b"_", b"p", b"a"], params::execute),
    needle(1, [BEFORE_AT, b"@", HOST, ANY], email::detect),
    needle(4, [EDGE, b"23456", DIGIT, DIGIT], card::detect),
    needle(14, [QUOTE, b"*", HEX, HEX], hash::mysql),
    needle(1, [QUOTE, b"$", b"a1256y", b"$abrxy0123456789"], hash::crypt),
    needle(15, [b"a", b"ks", b"i", b"a"], tokens::detect),
    needle(3, [b"a", b"i", b"z", b"a"], tokens::detect),
    needle(15, [b"a", b"s", b"i", b"c"], auth::basic),
    needle(11, [b"a", b"r", b"g", b"u"], params::arguments),
    needle(8, [b"a", b"u", b"t", b"h"], auth::short),
    needle(10, [b"g", b"h", b"pousr", b"_"], tokens::detect),
    needle(10, [b"g", b"l", b"dr", b"t"], tokens::detect),
    needle(15, [b"e", b"y", b"j", ALNUM], tokens::detect),
    needle(8, [b"x", b"o", b"x", b"abceprsd"], tokens::detect),
    needle(12, [b"h", b"f", b"_", ALNUM], tokens::detect),
    needle(5, [b"s", b"g", b".", ALNUM], tokens::detect),
    needle(7, [b"l", b"p", b"a", b"t"], tokens::gitlab),
    needle(11, [b"l", b"c", b"b", b"t"], tokens::gitlab),
    needle(5, [b"b", b"_", b"p", b"a"], tokens::github_fine),
    needle(6, [b"n", b"p", b"m", b"_"], tokens::detect),
    needle(10, [b"p", b"y", b"p", b"i"], tokens::detect),
    needle(13, [b"y", b"a", b"2", b"9"], tokens::detect),
    needle(12, [b"h", b"v", b"s", b"."], tokens::detect),
    needle(5, [b"x", b"a", b"p", b"p"], tokens::detect),
    needle(3, [b"c", b"m", b"9", b"v"], tokens::detect),
    needle(8, [b"2", b"0", b"3", b"9"], card::escaped),
    needle(14, [b"_", b"_", b"m", b"a"], mark::seen),
];

/// What a byte of a pair can be, a field of buckets each: the first two bytes of a needle, its last two, the byte before one and its first, its middle two.
type Fields = [[Option<usize>; 2]; 4];
const FIELDS: Fields = [[Some(0), Some(1)], [Some(2), Some(3)], [None, Some(0)], [Some(1), Some(2)]];

/// The fields that end what the field before them began in the pair before.
const ENDS: u64 = EVEN | ODD;
/// A needle begins with the pair before.
const EVEN: u64 = 0xffff << BUCKETS;
/// A needle begins with the last byte of the pair before (its last byte is yet to come).
const ODD: u64 = 0xffff << (3 * BUCKETS);

/// The field of a needle's first byte, where no byte is before it.
const LEAD: u64 = 0xffff << (2 * BUCKETS);

const fn holds(set: &[u8], b: u8) -> bool {
    let mut k = 0;
    while k < set.len() {
        if set[k].eq_ignore_ascii_case(&b) {
            return true;
        }
        k += 1;
    }
    set.is_empty()
}

/// The fields that a byte is of as the first or second of a pair.
const fn pairs(second: usize) -> [u64; 256] {
    let mut table = [0u64; 256];
    let mut i = 0;
    while i < NEEDLES.len() {
        let mut field = 0;
        while field < FIELDS.len() {
            let bit = 1u64 << (BUCKETS * field + NEEDLES[i].bucket as usize);
            let mut b = 0;
            while b < table.len() {
                let fits = match FIELDS[field][second] {
                    Some(lane) => holds(NEEDLES[i].lanes[lane], b as u8),
                    None => true,
                };
                table[b] |= if fits { bit } else { 0 };
                b += 1;
            }
            field += 1;
        }
        i += 1;
    }
    table
}

/// The needles that allow a byte in a lane, a bit each.
const fn lane(lane: usize) -> [u64; 256] {
    assert!(NEEDLES.len() <= 64, "a needle is a bit");
    let mut table = [0u64; 256];
    let mut i = 0;
    while i < NEEDLES.len() {
        let mut b = 0;
        while b < table.len() {
            table[b] |= if holds(NEEDLES[i].lanes[lane], b as u8) { 1 << i } else { 0 };
            b += 1;
        }
        i += 1;
    }
    table
}

static FIRST: [u64; 256] = pairs(0);
static SECOND: [u64; 256] = pairs(1);
static EXACT: [[u64; 256]; LANES] = [lane(0), lane(1), lane(2), lane(3)];

/// The needles that stand at one place, as bits of [`NEEDLES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found(u64);

impl Iterator for Found {
    type Item = Detector;
    fn next(&mut self) -> Option<Detector> {
        let needle = NEEDLES.get(self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(needle.detect)
    }
}

fn pair(first: u8, second: u8) -> u64 {
    FIRST[usize::from(first)] & SECOND[usize::from(second)]
}

/// Calls for every place where a needle stands, in order, but not before the place that the last call gave.
pub(super) fn each(bytes: &[u8], call: impl FnMut(usize, Found) -> usize) {
    let mut pass = Pass { bytes, from: 0, call };
    // The first byte is the second of a pair, so that the hour of a line's time (`[2026/11/25 21:`) begins with a pair: then all of it is looked at.
    let Some((first, rest)) = bytes.split_first() else { return };
    let (mut start, mut rest, mut last) = (1, rest, SECOND[usize::from(*first)] & LEAD);
    while let Some((chunk, behind)) = rest.split_first_chunk::<STEP>() {
        let (entry, mut any) = (last, 0u64);
        for two in chunk.as_chunks::<2>().0 {
            let now = pair(two[0], two[1]);
            any |= now & (last << BUCKETS);
            last = now;
        }
        (start, rest) = (start + STEP, behind);
        if any & ENDS != 0 {
            pass.look(chunk, start - STEP, entry);
            if pass.from > start {
                (start, rest, last) = (pass.from, bytes.get(pass.from..).unwrap_or_default(), 0);
            }
        }
    }
    pass.look(rest, start, last);
}

/// The places of one text that have their turn.
struct Pass<'b, F> {
    bytes: &'b [u8],
    /// No place before it counts.
    from: usize,
    call: F,
}

impl<F: FnMut(usize, Found) -> usize> Pass<'_, F> {
    /// Looks again, closely, at pairs of which one may end what may be a needle. `last` is the pair before.
    #[inline(never)]
    fn look(&mut self, pairs: &[u8], start: usize, mut last: u64) {
        for (n, two) in pairs.as_chunks::<2>().0.iter().enumerate() {
            let at = start + 2 * n;
            let now = pair(two[0], two[1]);
            let ends = now & (last << BUCKETS);
            if ends & EVEN != 0 {
                self.place(at.saturating_sub(2));
            }
            if ends & ODD != 0 {
                self.place(at.saturating_sub(1));
            }
            last = now;
        }
    }

    /// Calls where needles really stand.
    fn place(&mut self, at: usize) {
        let Some(window) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<LANES>()) else { return };
        let found = window.iter().zip(&EXACT).fold(!0, |all, (b, lane)| all & lane[usize::from(*b)]);
        if found != 0 && at >= self.from {
            self.from = (self.call)(at, Found(found));
        }
    }
}

#[cfg(test)]
mod tests;
