//! Episodes against a plain definition: whatever the order of arrival, the same stretches come out.

use event::{Evidence, Micros, clock::SECOND, limits::EVIDENCE_MAX};
use proptest::prelude::*;

use super::{Group, Hit, Trace};
use crate::rules::{Condition, Need, SharedAddress, Window};

const SPAN: i64 = 20;

fn window(condition: Condition, gap: i64) -> Window {
    let span = if condition == Condition::Single { 0 } else { SPAN * SECOND };
    Window { condition, span, gap: gap * SECOND, key: Vec::new(), partial_key: false, shared: SharedAddress::Keep }
}

/// (seconds, base, value)
type Plain = (i64, u16, u64);

fn hit((at, base, value): Plain, order: u64) -> Hit {
    let evidence = vec![Evidence::Stored { log: "l".to_owned(), seq: order }];
    let trace = Some(Box::new(Trace { evidence, shown: Vec::new() }));
    Hit { at: at * SECOND, order, base, value, amount: i64::try_from(value).unwrap(), acts: 1, member: false, trace }
}

/// First and last second and count of every episode, by time.
fn played(window: &Window, hits: &[Plain]) -> Vec<(i64, i64, u64)> {
    let mut group = Group::default();
    for (i, h) in hits.iter().enumerate() {
        group.add(window, hit(*h, i as u64 + 1));
    }
    let mut found: Vec<(i64, i64, u64)> = group.episodes.iter().map(|e| (e.first / SECOND, e.last / SECOND, e.count)).collect();
    found.sort_unstable();
    found
}

/// Where a true window that ends with the hit `end` begins.
fn begin(window: &Window, sorted: &[Plain], end: usize) -> Option<i64> {
    let (at, base, _) = sorted[end];
    let last = sorted.iter().rposition(|h| h.0 == at).unwrap();
    let inside: Vec<&Plain> = sorted[..=last].iter().filter(|h| h.0 >= at - SPAN).collect();
    let first = inside.first().map(|h| h.0);
    let holds = match &window.condition {
        Condition::Single => return Some(at),
        Condition::Absent(_) => false,
        Condition::Events(n) => inside.len() as u64 >= *n,
        Condition::Distinct(n, _) => inside.iter().map(|h| h.2).collect::<std::collections::BTreeSet<_>>().len() as u64 >= *n,
        Condition::Sum(n, _) => inside.iter().map(|h| h.2 as i64).sum::<i64>() >= *n,
        Condition::Temporal(need) => need.holds(&|b| inside.iter().any(|h| h.1 == b)),
        Condition::Ordered(bases) => {
            let mut next = 0;
            // Greedy: the earliest of each base after the one before. One hit is one base, so equal times are in order.
            let mut from = at - SPAN;
            while next < *bases {
                let found = inside.iter().filter(|h| h.1 == next && h.0 >= from).map(|h| h.0).min()?;
                (from, next) = (found, next + 1);
            }
            if base + 1 != *bases {
                return None;
            }
            return inside.iter().find(|h| h.1 == 0).map(|h| h.0);
        }
    };
    if holds { first } else { None }
}

fn defined(window: &Window, hits: &[Plain]) -> Vec<(i64, i64, u64)> {
    let mut sorted = hits.to_vec();
    sorted.sort_by_key(|h| h.0);
    let mut found = Vec::new();
    let mut from = 0;
    while from < sorted.len() {
        let mut to = from;
        while to + 1 < sorted.len() && (sorted[to + 1].0 - sorted[to].0) * SECOND <= window.gap {
            to += 1;
        }
        let first = (from..=to).filter_map(|end| begin(window, &sorted, end)).min();
        if let Some(first) = first {
            let count = sorted[from..=to].iter().filter(|h| h.0 >= first).count();
            found.push((first, sorted[to].0, count as u64));
        }
        from = to + 1;
    }
    found
}

fn conditions() -> Vec<Window> {
    let all = Need::All(vec![Need::Base(0), Need::Base(1), Need::Base(2)]);
    let some = Need::All(vec![Need::Base(0), Need::AtLeast(1, vec![Need::Base(1), Need::Base(2)])]);
    let list = [
        Condition::Single,
        Condition::Events(1),
        Condition::Events(2),
        Condition::Events(4),
        Condition::Distinct(3, Vec::new()),
        Condition::Temporal(all),
        Condition::Temporal(some),
        Condition::Ordered(2),
        Condition::Ordered(3),
    ];
    list.iter().flat_map(|c| [SPAN, 2 * SPAN].map(|gap| window(c.clone(), gap))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_arrival_does_not_matter(hits in prop::collection::vec((0i64..240, 0u16..3, 1u64..5), 0..24)) {
        for window in conditions() {
            prop_assert_eq!(played(&window, &hits), defined(&window, &hits), "{:?}", window.condition);
            let mut sorted = hits.clone();
            sorted.sort_by_key(|h| h.0);
            prop_assert_eq!(played(&window, &sorted), defined(&window, &hits), "in order: {:?}", window.condition);
        }
    }
}

#[test]
fn sums_grow_within_steps() {
    let window = window(Condition::Sum(100, Vec::new()), SPAN);
    assert_eq!(played(&window, &[(0, 0, 60), (5, 0, 39)]), []);
    assert_eq!(played(&window, &[(0, 0, 60), (30, 0, 60)]), []);
    assert_eq!(played(&window, &[(30, 0, 60), (12, 0, 60)]), [(12, 30, 2)]);
    let many: Vec<Plain> = (0..1000).map(|_| (7, 0, 1)).collect();
    assert_eq!(played(&window, &many), [(7, 7, 1000)]);
}

#[test]
fn a_flood_stays_small_and_keeps_first_and_last() {
    for condition in [Condition::Events(5), Condition::Distinct(3, Vec::new()), Condition::Single] {
        let window = window(condition, SPAN);
        let mut group = Group::default();
        for i in 0..50_000u64 {
            group.add(&window, hit((i as i64 / 100, 0, i % 7), i + 1));
        }
        assert!(group.len() <= 600, "{} hits", group.len());
        let [episode] = group.episodes.as_slice() else { panic!("one episode") };
        assert_eq!((episode.count, episode.first, episode.last), (50_000, 0, 499 * SECOND));
        let seqs: Vec<u64> = episode.evidence.iter().map(|(_, _, e)| if let Evidence::Stored { seq, .. } = e { *seq } else { 0 }).collect();
        assert_eq!((seqs.len(), seqs[0], seqs[EVIDENCE_MAX - 1]), (EVIDENCE_MAX, 1, 50_000));
    }
}

#[test]
fn what_never_comes_true_stays_small() {
    let window = window(Condition::Distinct(3, Vec::new()), SPAN);
    let mut group = Group::default();
    let mut evicted = 0;
    for i in 0..60_000u64 {
        evicted += group.add(&window, hit((i as i64 / 1_000, 0, i % 2), i + 1)).evicted;
    }
    assert!(group.episodes.is_empty());
    assert!(group.len() <= crate::limits::HITS_MAX && evicted > 0);
    let late = group.add(&window, hit((58, 0, 9), 70_000));
    assert!(late.created, "a late third value completes a window");
}

#[test]
fn the_older_id_survives_a_merger() {
    let window = window(Condition::Events(2), SPAN);
    let mut group = Group::default();
    for (i, h) in [(100, 0, 0), (101, 0, 0), (60, 0, 0), (61, 0, 0)].into_iter().enumerate() {
        let added = group.add(&window, hit(h, i as u64 + 1));
        if added.created {
            let at = added.episode.unwrap();
            group.episodes[at].id = format!("born {}", i + 1);
            group.episodes[at].told.revision = 1;
        }
    }
    assert_eq!(group.episodes.len(), 2);
    let added = group.add(&window, hit((81, 0, 0), 9));
    assert_eq!(added.merged.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["born 4"]);
    assert_eq!(
        group.episodes.iter().map(|e| (e.id.as_str(), e.count, e.first, e.last)).collect::<Vec<_>>(),
        [("born 2", 5, 60 * SECOND, 101 * SECOND as Micros)]
    );
}
