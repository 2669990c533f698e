//! Searches for a byte that is nearly always near: the first bytes are looked at eight at a time, in place; only behind them a search for long texts is
//! called. Owns: that look.

use memchr::{memchr, memchr2};

/// Bytes looked at in place.
const WORD_BYTES: usize = 8;
/// So many words are.
const WORDS: usize = 2;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte that is `c`; above the lowest one also of others.
fn hits(word: u64, c: u8) -> u64 {
    let zero = word ^ (LOW * u64::from(c));
    zero.wrapping_sub(LOW) & !zero & HIGH
}

/// Where the first byte of a word stands that the bits tell.
fn place(hits: u64) -> usize {
    hits.trailing_zeros() as usize / 8
}

fn search(b: &[u8], from: usize, look: impl Fn(u64) -> u64, far: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
    let mut at = from;
    for _ in 0..WORDS {
        let Some(word) = b.get(at..).and_then(|rest| rest.first_chunk::<WORD_BYTES>()) else { break };
        let hits = look(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(at + place(hits));
        }
        at += WORD_BYTES;
    }
    far(b.get(at..)?).map(|n| at + n)
}

/// The first `c` at or behind `from`.
#[inline]
pub(crate) fn find(b: &[u8], from: usize, c: u8) -> Option<usize> {
    search(b, from, |word| hits(word, c), |rest| memchr(c, rest))
}

/// The first of two bytes at or behind `from`.
#[inline]
pub(crate) fn find2(b: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
    search(b, from, |word| hits(word, one) | hits(word, other), |rest| memchr2(one, other, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_one_is_found(b in proptest::collection::vec(prop_oneof![Just(b']'), Just(b'='), Just(b'\\'), Just(b'^'), any::<u8>()], 0..60), from in 0_usize..70) {
            let want = |of: &[u8]| b.iter().enumerate().skip(from).find(|(_, c)| of.contains(c)).map(|(i, _)| i);
            prop_assert_eq!(find(&b, from, b']'), want(b"]"));
            prop_assert_eq!(find2(&b, from, b'=', b']'), want(b"=]"));
            prop_assert_eq!(find2(&b, from, b'"', b'\\'), want(b"\"\\"));
        }

        #[test]
        fn far_ones_too(gap in 0_usize..200, from in 0_usize..20) {
            let mut b = vec![b'a'; gap + from];
            b.extend(b"]]");
            prop_assert_eq!(find(&b, from, b']'), Some(gap + from));
            prop_assert_eq!(find(&b, gap + from + 2, b']'), None);
        }
    }
}
