#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;

fn key() -> IdentityKey {
    IdentityKey::new([7; 32])
}

/// Bytes that do not repeat within a block.
fn text(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// What the store knows after `bytes` were stored in frames of `step`.
fn known(bytes: &[u8], step: usize, id: u8) -> Known {
    let mut tracker = Tracker::new(key(), Generation([id; 16]));
    let mut k = Known { generation: Generation([id; 16]), source: SourceId([id; 16]), ..Known::default() };
    for chunk in bytes.chunks(step) {
        let s = tracker.advance(chunk);
        (k.end, k.state, k.mark, k.tail) = (s.byte_end, s.state, s.mark, s.tail);
        k.marks.extend(s.marks);
    }
    k
}

fn probe(bytes: &[u8], step: usize, candidates: Vec<Known>) -> Probe {
    let mut p = Prober::new(key(), candidates);
    bytes.chunks(step).for_each(|c| p.update(c));
    p.finish()
}

#[test]
fn the_running_hash_is_sha256_at_every_length() {
    let bytes = text(9000);
    for step in [1, 63, 64, 65, 4095, 4096, 9000] {
        let mut r = Running::default();
        let mut n = 0;
        for chunk in bytes.chunks(step) {
            r.update(chunk);
            n += chunk.len();
            assert_eq!(r.digest(), <[u8; 32]>::from(Sha256::digest(&bytes[..n])), "{n} by {step}");
            assert_eq!(r.tail(), &bytes[n.saturating_sub(TAIL_BYTES)..n]);
        }
    }
}

#[test]
fn a_tracker_goes_on_from_a_frame() {
    let bytes = text(20_000);
    for at in [1, 63, 64, 100, 4096, 5000, 19_999] {
        let k = known(&bytes[..at], 777, 1);
        let head = &bytes[..at.min(4096)];
        let mut on = k.resume(&key(), head, &bytes[at.saturating_sub(TAIL_BYTES)..at]).unwrap();
        let straight = known(&bytes, 777, 1);
        let s = on.advance(&bytes[at..]);
        assert_eq!((s.state, s.mark, s.tail), (straight.state, straight.mark, straight.tail), "from {at}");
        let mut other = bytes[at.saturating_sub(TAIL_BYTES)..at].to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert!(k.resume(&key(), head, &other).is_none());
    }
    assert_ne!(known(&bytes, 777, 1).state, known(&bytes, 777, 2).state, "the state is masked per generation");
}

#[test]
fn marks_stand_at_the_standing_lengths() {
    let k = known(&text(5 << 20), 100_000, 1);
    assert_eq!(k.marks.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [4096, 65_536, 1 << 20, 2 << 20, 4 << 20]);
    assert_eq!(standing_marks().count(), MARKS_MAX);
}

#[test]
fn a_file_is_known_whole_or_grown_and_new_when_it_differs() {
    let bytes = text(200_000);
    let k = known(&bytes[..150_000], 10_000, 1);
    for step in [1000, 4096, 200_000] {
        let p = probe(&bytes[..150_000], step, vec![k.clone()]);
        assert!(matches!(p.verdicts(&key(), None).as_slice(), [Verdict::Known(..)]));
        let p = probe(&bytes, step, vec![k.clone()]);
        let verdicts = p.verdicts(&key(), None);
        let [Verdict::Known(found, tracker)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert_eq!((found.end, tracker.position()), (150_000, 150_000));
        assert_eq!(tracker.clone().advance(&bytes[150_000..]).mark, known(&bytes, 9999, 1).mark);
    }
    for differs_at in [0, 4095, 100_000, 149_999] {
        let mut other = bytes.clone();
        other[differs_at] ^= 1;
        let p = probe(&other, 4096, vec![k.clone()]);
        assert!(matches!(p.verdicts(&key(), None).as_slice(), [Verdict::New]), "{differs_at}");
    }
}

#[test]
fn the_longest_known_generation_wins() {
    let bytes = text(50_000);
    let p = probe(&bytes, 1000, vec![known(&bytes[..10_000], 1000, 1), known(&bytes[..30_000], 1000, 2), known(&bytes[..20_000], 1000, 3)]);
    assert!(matches!(p.verdicts(&key(), None).as_slice(), [Verdict::Known(k, _)] if k.end == 30_000));
}

#[test]
fn a_shorter_file_needs_the_mark_at_4_kib() {
    let bytes = text(100_000);
    let k = known(&bytes, 1000, 1);
    assert!(matches!(
        probe(&bytes[..80_000], 999, vec![k.clone()]).verdicts(&key(), None).as_slice(),
        [Verdict::Shorter(_, 65_536), Verdict::New]
    ));
    assert!(matches!(
        probe(&bytes[..4096], 999, vec![k.clone()]).verdicts(&key(), None).as_slice(),
        [Verdict::Shorter(_, 4096), Verdict::New]
    ));
    assert!(matches!(probe(&bytes[..4095], 999, vec![k]).verdicts(&key(), None).as_slice(), [Verdict::New]));
}

#[test]
fn less_than_1_kib_counts_within_one_source_only() {
    let bytes = text(3000);
    let k = known(&bytes[..1000], 100, 1);
    let p = probe(&bytes, 100, vec![k.clone()]);
    assert!(matches!(p.verdicts(&key(), None).as_slice(), [Verdict::New]));
    assert!(matches!(p.verdicts(&key(), Some(SourceId([2; 16]))).as_slice(), [Verdict::New]));
    assert!(matches!(p.verdicts(&key(), Some(k.source)).as_slice(), [Verdict::Known(..)]));
}
