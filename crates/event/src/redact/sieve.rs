//! The sieve that the common line falls through: it names every place where a detector must look. Owns: the needles. May name a place for nothing,
//! must never miss one.
//!
//! A needle is four sets of bytes, one a lane; letters match in either case. One look-up a byte in a table of 2 KiB tells which needles may stand at a
//! place, without a branch until one may. Needles share 16 buckets; they are grouped so that the unions of their lanes are still rare.

use super::{
    detect::{auth, card, email, hash, keys, options, params, pem, sql, tokens, url},
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
/// Needles share so many bits in each lane.
const BUCKETS: usize = 16;
/// Bytes looked at between two branches.
const STEP: usize = 8;

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

/// All needles, grouped by bucket.
const NEEDLES: &[Needle] = &[
    needle(0, [b"p", b"a", b"s", b"s"], keys::detect),
    needle(0, [b"m", b"a", b"i", b"l"], keys::detect),
    needle(0, [b"c", b"a", b"r", b"d"], keys::detect),
    needle(0, [b"p", b"a", b"n", BIND], keys::detect),
    needle(1, [b"s", b"e", b"c", b"r"], keys::detect),
    needle(1, [b"e", b"a", b"r", b"e"], auth::bearer),
    needle(2, [b"o", b"k", b"e", b"n"], keys::detect),
    needle(2, [b"o", b"o", b"k", b"i"], auth::cookie),
    needle(2, [b"h", b"o", b"o", b"k"], url::webhook),
    needle(3, [b"stienrghy_-.", b"k", b"e", b"y"], keys::detect),
    needle(3, [b"i", b" ", b"k", b"e"], keys::two_words),
    needle(4, [b"p", b"w", b"d", ANY], keys::detect),
    needle(4, [b"p", b"w", b"=:\"'` ", ANY], keys::detect),
    needle(4, [b"c", b"c", b"=:\"'_n", ANY], keys::detect),
    needle(4, [b":", b"/", b"/", ANY], url::detect),
    needle(5, [b"_-h", b"s", b"t", b"r"], keys::detect),
    needle(5, [b"g", b"n", b"a", b"t"], url::signature),
    needle(5, [b"?&6;", b"s", b"i", b"g"], url::signature),
    needle(5, [b"n", b"t", b"i", b"f"], sql::identified),
    needle(5, [b"n", b"t", b"o", SPACE], sql::insert),
    needle(5, [b"n", b"t", b"r", b"y"], params::duplicate),
    needle(6, [b"s", b"k", b"-", ALNUM], tokens::detect),
    needle(6, [b"sr", b"k", b"_", b"lt"], tokens::detect),
    needle(7, [b"b", b"y", SPACE, ANY], sql::by),
    needle(7, [b" \"'", b"-", b"pu", ANY], options::detect),
    needle(8, [b"t", b"h", b"o", b"r"], auth::authorization),
    needle(8, [b"-", b"b", b"e", b"g"], pem::begin),
    needle(8, [b"-", b"e", b"n", b"d"], pem::end),
    needle(8, [b"e", b"_", b"p", b"a"], params::execute),
    needle(9, [BEFORE_AT, b"@", HOST, ANY], email::detect),
    needle(10, [EDGE, b"23456", DIGIT, DIGIT], card::detect),
    needle(11, [QUOTE, b"*", HEX, HEX], hash::mysql),
    needle(11, [QUOTE, b"$", b"a1256y", b"$abrxy0123456789"], hash::crypt),
    needle(12, [b"a", b"ks", b"i", b"a"], tokens::detect),
    needle(12, [b"a", b"i", b"z", b"a"], tokens::detect),
    needle(12, [b"a", b"s", b"i", b"c"], auth::basic),
    needle(12, [b"a", b"r", b"g", b"u"], params::arguments),
    needle(12, [b"a", b"u", b"t", b"h"], auth::short),
    needle(13, [b"g", b"h", b"pousr", b"_"], tokens::detect),
    needle(13, [b"g", b"l", b"dr", b"t"], tokens::detect),
    needle(14, [b"e", b"y", b"j", ALNUM], tokens::detect),
    needle(14, [b"x", b"o", b"x", b"abceprsd"], tokens::detect),
    needle(14, [b"h", b"f", b"_", ALNUM], tokens::detect),
    needle(14, [b"s", b"g", b".", ALNUM], tokens::detect),
    needle(15, [b"l", b"p", b"a", b"t"], tokens::gitlab),
    needle(15, [b"l", b"c", b"b", b"t"], tokens::gitlab),
    needle(15, [b"b", b"_", b"p", b"a"], tokens::github_fine),
    needle(15, [b"n", b"p", b"m", b"_"], tokens::detect),
    needle(15, [b"p", b"y", b"p", b"i"], tokens::detect),
    needle(15, [b"y", b"a", b"2", b"9"], tokens::detect),
    needle(15, [b"h", b"v", b"s", b"."], tokens::detect),
    needle(15, [b"x", b"a", b"p", b"p"], tokens::detect),
    needle(15, [b"c", b"m", b"9", b"v"], tokens::detect),
    needle(15, [b"2", b"0", b"3", b"9"], card::escaped),
];

const fn build() -> [u64; 256] {
    let mut table = [0u64; 256];
    let mut i = 0;
    while i < NEEDLES.len() {
        let mut lane = 0;
        while lane < LANES {
            let bit = 1u64 << (BUCKETS * lane + NEEDLES[i].bucket as usize);
            let set = NEEDLES[i].lanes[lane];
            let mut k = 0;
            while k < if set.is_empty() { 256 } else { set.len() } {
                let b = if set.is_empty() { k as u8 } else { set[k] };
                table[b.to_ascii_lowercase() as usize] |= bit;
                table[b.to_ascii_uppercase() as usize] |= bit;
                k += 1;
            }
            lane += 1;
        }
        i += 1;
    }
    table
}

/// For every byte the buckets that allow it, 16 bits a lane.
static TABLE: [u64; 256] = build();

fn lanes(b: u8) -> u64 {
    TABLE[usize::from(b)]
}

/// The next place at or behind `from` where a needle may stand, and the buckets it may be of.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<(usize, u16)> {
    let rest = bytes.get(from..)?;
    // `last` are the lanes of the byte before; a pair has lane n of one byte and lane n-1 of the byte before, a quad all four.
    let (mut last, mut pair1, mut pair2) = (0u64, 0u64, 0u64);
    let mut chunks = rest.chunks_exact(STEP);
    let mut start = from;
    for chunk in &mut chunks {
        let entry = (last, pair1, pair2);
        let mut any = 0u64;
        for b in chunk {
            let now = lanes(*b);
            let pair = now & (last << BUCKETS);
            any |= pair & (pair2 << (2 * BUCKETS));
            (last, pair1, pair2) = (now, pair, pair1);
        }
        if any >> (3 * BUCKETS) != 0 {
            return first(chunk, start, entry);
        }
        start += STEP;
    }
    first(chunks.remainder(), start, (last, pair1, pair2))
}

/// The first place whose needle ends in this chunk.
fn first(chunk: &[u8], start: usize, (mut last, mut pair1, mut pair2): (u64, u64, u64)) -> Option<(usize, u16)> {
    for (i, b) in chunk.iter().enumerate() {
        let now = lanes(*b);
        let pair = now & (last << BUCKETS);
        let quad = (pair & (pair2 << (2 * BUCKETS))) >> (3 * BUCKETS);
        if quad != 0 {
            // Lanes fill up from the first byte looked at, so the needle begins inside the text.
            return Some(((start + i + 1).saturating_sub(LANES), quad as u16));
        }
        (last, pair1, pair2) = (now, pair, pair1);
    }
    None
}

/// Where the needles of each bucket begin in [`NEEDLES`], which is grouped by bucket.
const STARTS: [usize; BUCKETS + 1] = {
    let mut starts = [NEEDLES.len(); BUCKETS + 1];
    let mut i = NEEDLES.len();
    while i > 0 {
        i -= 1;
        starts[NEEDLES[i].bucket as usize] = i;
    }
    starts
};

/// Calls for every needle of these buckets that really stands at `at`.
pub(super) fn each(bytes: &[u8], at: usize, mut buckets: u16, mut call: impl FnMut(Detector)) {
    let Some(window) = bytes.get(at..at + LANES) else { return };
    while buckets != 0 {
        let bucket = buckets.trailing_zeros() as usize;
        buckets &= buckets - 1;
        for n in &NEEDLES[STARTS[bucket]..STARTS[bucket + 1]] {
            if window.iter().zip(n.lanes).all(|(b, set)| set.is_empty() || set.contains(&b.to_ascii_lowercase())) {
                call(n.detect);
            }
        }
    }
}
