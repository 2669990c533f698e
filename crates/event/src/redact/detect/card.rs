//! Numbers of payment cards: issuer prefix, the length that belongs to it, Luhn, and a place where a value may stand. Owns: that judgement.
//! Timestamps, connection ids and row keys of a real TiDB log pass a bare Luhn check one time in ten; none of them may be masked.

use super::email;
use crate::redact::{
    kind::CARD,
    scan::Scan,
    text::{at, before, key_before, run, run_back, skip_space_back},
};

/// Digits of the longest card number.
const DIGITS_MAX: usize = 19;
/// Words that say "card" are looked for this far before.
const WORD_BYTES_MAX: usize = 64;
/// Words of SQL are looked for this far before.
const SQL_BYTES_MAX: usize = 256;

/// A number written on a card.
struct Number {
    end: usize,
    digits: usize,
    grouped: bool,
    head: u32,
}

/// Behind what may stand before a number.
pub(in crate::redact) fn detect(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let start = here + 1;
    let number = match read(b, start) {
        Ok(n) => n,
        Err(end) => return Some(end),
    };
    let tail = at(b, number.end);
    if matches!(tail, Some(c) if c.is_ascii_alphanumeric() || matches!(c, b'_' | b'%' | b'@' | b'/'))
        || fraction(b, number.end)
        || !issued(&number)
    {
        return Some(number.end);
    }
    let level = scan.depth_at(here, start).level;
    if plausible(b, start, level, &number) { scan.hit(start..number.end, CARD) } else { Some(number.end) }
}

/// `2039` of an escaped marker.
pub(in crate::redact) fn escaped(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let digit = at(scan.b, here + 4).is_some_and(|c| c.is_ascii_digit());
    if digit && before(scan.b, here) == Some(b'u') { detect(scan, here + 3) } else { None }
}

/// Whether the value of a key that says so is the number of a card and nothing else.
pub(in crate::redact) fn is_number(text: &[u8]) -> bool {
    read(text, 0).is_ok_and(|n| n.end == text.len() && issued(&n))
}

fn fraction(b: &[u8], end: usize) -> bool {
    matches!(at(b, end), Some(b'.' | b'-' | b':')) && at(b, end + 1).is_some_and(|c| c.is_ascii_alphanumeric())
}

/// The digits from `start`, in one run or in groups with one separator; the end of the digits where it cannot be a card.
fn read(b: &[u8], start: usize) -> Result<Number, usize> {
    let mut digits = [0u8; DIGITS_MAX];
    let (mut n, mut p, mut separator, mut groups, mut group) = (0, start, None, [0usize; 6], 0usize);
    while let Some(c) = at(b, p) {
        if c.is_ascii_digit() {
            if n == DIGITS_MAX {
                return Err(run(b, p, b.len(), |c| c.is_ascii_digit()));
            }
            digits[n] = c - b'0';
            n += 1;
            groups[group] += 1;
        } else if matches!(c, b' ' | b'-')
            && group < 5
            && groups[group] >= 4
            && separator.is_none_or(|s| s == c)
            && at(b, p + 1).is_some_and(|d| d.is_ascii_digit())
        {
            separator = Some(c);
            group += 1;
        } else {
            break;
        }
        p += 1;
    }
    let grouped = group > 0;
    let shape = !grouped || matches!(groups[..=group], [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3] | [4, 4, 5] | [4, 5, 6]);
    if n < 13 || !shape || !luhn(&digits[..n]) {
        return Err(p);
    }
    let head = digits[..6].iter().fold(0, |a, d| a * 10 + u32::from(*d));
    Ok(Number { end: p, digits: n, grouped, head })
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(*d) << (i % 2);
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the issuer gives out numbers of this length.
fn issued(n: &Number) -> bool {
    let digits = n.digits;
    match n.head {
        400_000..=499_999 => matches!(digits, 13 | 16 | 19),
        510_000..=559_999 | 222_100..=272_099 => digits == 16,
        340_000..=349_999 | 370_000..=379_999 => digits == 15,
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => matches!(digits, 14 | 16),
        352_800..=358_999 => (16..=19).contains(&digits),
        601_100..=601_199 | 644_000..=659_999 => (16..=19).contains(&digits),
        620_000..=629_999 => (16..=19).contains(&digits),
        500_000..=509_999 | 560_000..=589_999 | 630_000..=639_999 | 670_000..=679_999 => digits == 16,
        _ => false,
    }
}

/// Whether a value stands here, and not an id.
fn plausible(b: &[u8], start: usize, level: usize, n: &Number) -> bool {
    let near = b[start.saturating_sub(WORD_BYTES_MAX)..start].to_ascii_lowercase();
    let said = [&b"card"[..], b"pan", b"visa", b"amex", b"credit", b"ccn", b"cc_n", b"mastercard"].iter().any(|w| says(&near, w));
    let key = bound_key(b, start);
    if said {
        return !key.is_some_and(is_id);
    }
    if n.grouped {
        return !key.is_some_and(is_id);
    }
    if !matches!(n.digits, 13..=16) || key.is_some_and(is_id) {
        return false;
    }
    let quote = before(b, start);
    let compared = quote == Some(b'"') && matches!(&b[..start - 1].trim_ascii_end(), [.., b'=' | b'!', b'=']);
    let literal = matches!(quote, Some(b'\'' | 0xb9 | b'9')) || (quote == Some(b'"') && level > 1) || compared;
    let whole = matches!(at(b, n.end), Some(b'\'' | b'"' | b'\\' | 0xe2));
    if literal && whole {
        return true;
    }
    let operand = matches!(before(b, skip_space_back(b, start)), Some(b'=' | b'(' | b',' | b'<' | b'>')) && quote != Some(b'=');
    matches!(n.digits, 15 | 16) && (operand || literal || email::in_literal(b, start, level)) && sql(b, start)
}

/// A whole word, or a part of one that a separator or a capital begins.
fn says(near: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(near, word).any(|i| word.len() > 3 || i == 0 || !near[i - 1].is_ascii_alphanumeric())
}

/// The key or column that the number is compared with or bound to.
fn bound_key(b: &[u8], start: usize) -> Option<&[u8]> {
    let quoted = run_back(b, start, 8, |c| matches!(c, b'"' | b'\'' | b'\\'));
    let p = skip_space_back(b, quoted);
    let operator = run_back(b, p, 2, |c| matches!(c, b'=' | b':' | b'<' | b'>' | b'!'));
    if operator == p {
        return None;
    }
    let key = &b[key_before(b, skip_space_back(b, operator))];
    (!key.is_empty()).then_some(key)
}

/// A key of identities, positions and times.
fn is_id(key: &[u8]) -> bool {
    let key = key.to_ascii_lowercase();
    let ends = [
        &b"id"[..],
        b"ts",
        b"tso",
        b"time",
        b"timestamp",
        b"conn",
        b"version",
        b"seq",
        b"index",
        b"offset",
        b"key",
        b"trace",
        b"term",
        b"size",
        b"bytes",
    ];
    ends.iter().any(|e| key.ends_with(e))
}

/// Whether words of SQL stand before.
fn sql(b: &[u8], start: usize) -> bool {
    let head = b[start.saturating_sub(SQL_BYTES_MAX)..start].to_ascii_lowercase();
    [&b"select "[..], b"insert ", b"update ", b"values", b"where ", b"replace ", b"delete ", b" set "]
        .iter()
        .any(|w| memchr::memmem::find(&head, w).is_some())
}
