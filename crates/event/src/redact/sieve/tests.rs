//! The sieve beside a plain reference: every needle at every place, one byte after the other.

use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::*;

/// What stands at a place, by the list alone.
fn plain(b: &[u8], at: usize) -> u64 {
    let Some(window) = b.get(at..at + LANES) else { return 0 };
    let stands = |n: &Needle| window.iter().zip(n.lanes).all(|(b, set)| set.is_empty() || set.contains(&b.to_ascii_lowercase()));
    NEEDLES.iter().enumerate().filter(|(_, n)| stands(n)).fold(0, |all, (i, _)| all | 1 << i)
}

/// All calls, each of which steps over as many bytes as the next of `steps` says.
fn calls(b: &[u8], steps: &[usize]) -> Vec<(usize, u64)> {
    let (mut got, mut turn) = (Vec::new(), steps.iter().cycle());
    each(b, |at, found| {
        got.push((at, found.0));
        at + 1 + turn.next().unwrap()
    });
    got
}

fn wanted(b: &[u8], steps: &[usize]) -> Vec<(usize, u64)> {
    let (mut want, mut turn, mut from) = (Vec::new(), steps.iter().cycle(), 0);
    for at in 0..b.len() {
        let found = plain(b, at);
        if at >= from && found != 0 {
            want.push((at, found));
            from = at + 1 + turn.next().unwrap();
        }
    }
    want
}

/// A text of which every needle is a part: the first byte that each lane allows, or the last.
fn needle_text(n: &Needle, last: bool, upper: bool) -> Vec<u8> {
    let byte = |set: &&[u8]| if last { set.last() } else { set.first() }.copied().unwrap_or(b'~');
    n.lanes.iter().map(|set| if upper { byte(set).to_ascii_uppercase() } else { byte(set) }).collect()
}

#[test]
fn every_needle_is_found_at_every_place() {
    for n in NEEDLES {
        for (before, behind) in (0..40).flat_map(|before| [0, 1, 2, 15, 16, 17, 33].map(|behind| (before, behind))) {
            for (last, upper) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut text = vec![b'~'; before];
                text.extend(needle_text(n, last, upper));
                text.resize(text.len() + behind, b'~');
                let (got, want) = (calls(&text, &[0]), wanted(&text, &[0]));
                assert_eq!(got, want, "{}", String::from_utf8_lossy(&text));
                assert!(got.iter().any(|(at, _)| *at == before), "{}", String::from_utf8_lossy(&text));
            }
        }
    }
}

#[test]
fn every_window_of_lower_case_text_is_told() {
    // All pairs of bytes, each between all that a needle's ends may be.
    let mut text = Vec::new();
    for a in 0..=255_u8 {
        for b in 0..=255_u8 {
            text.extend([a, b, NEEDLES[usize::from(b) % NEEDLES.len()].lanes[2].first().copied().unwrap_or(a), b'a' + b % 26]);
        }
    }
    assert_eq!(calls(&text, &[0]), wanted(&text, &[0]));
}

#[test]
fn recorded_logs() {
    let root = std::env::var_os("BARTIZAN_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let files = ["tidb/server-9.0-text/tidb.log", "tidb/server-9.0-text/tidb-slow.log", "milvus/server-2.3.5-text/access.log"];
    for file in files {
        let Ok(data) = fs::read(root.join("corpus").join(file)) else {
            println!("SKIPPED recorded logs: no {file} beside this checkout");
            continue;
        };
        let data = &data[..data.len().min(1 << 20)];
        for steps in [&[0][..], &[3, 0, 70, 1]] {
            assert_eq!(calls(data, steps), wanted(data, steps), "{file}");
        }
        for line in data.split(|b| *b == b'\n') {
            assert_eq!(calls(line, &[0]), wanted(line, &[0]), "{}", String::from_utf8_lossy(line));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), steps in proptest::collection::vec(0_usize..40, 1..5)) {
        prop_assert_eq!(calls(&bytes, &steps), wanted(&bytes, &steps));
    }

    #[test]
    fn any_mix_of_needles(
        parts in proptest::collection::vec((0..NEEDLES.len(), any::<bool>(), any::<bool>(), 0_usize..5, "[ -~]{0,6}"), 0..30),
        steps in proptest::collection::vec(0_usize..40, 1..5),
    ) {
        let mut text = Vec::new();
        for (n, last, upper, cut, between) in parts {
            let needle = needle_text(&NEEDLES[n], last, upper);
            text.extend(&needle[..cut.min(LANES)]);
            text.extend(between.bytes());
        }
        prop_assert_eq!(calls(&text, &steps), wanted(&text, &steps));
    }
}
