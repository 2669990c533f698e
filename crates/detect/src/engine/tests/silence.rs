//! Rules that wait for what does not happen.

use event::{Finding, clock::SECOND};

use super::{Engine, HISTORICAL, Lane, correlation, failed, feed, passed};

const QUIET: &str = "type: event_count, rules: [fail], group-by: [user], timespan: 60s, condition: {lt: 1}";

type Short = (i64, i64, u32, bool);

fn short(out: &[Finding]) -> Vec<Short> {
    out.iter().filter(|f| f.rule == "c").map(|f| (f.first_time / SECOND, f.last_time / SECOND, f.revision, f.withdrawn)).collect()
}

#[test]
fn the_clock_finds_a_silence_and_the_next_event_ends_it() {
    let (mut engine, mut out) = (Engine::new(correlation(QUIET)), Vec::new());
    feed(&mut engine, &failed(0, "ada"), 0, Lane::Live, &mut out);
    feed(&mut engine, &failed(30, "ada"), 1, Lane::Live, &mut out);
    engine.tick(89 * SECOND, &mut out);
    assert_eq!(short(&out), []);
    engine.tick(90 * SECOND, &mut out);
    assert_eq!(short(&out), [(30, 90, 1, false)]);
    engine.tick(900 * SECOND, &mut out);
    assert_eq!(out.len(), 1, "a silence is told once");
    feed(&mut engine, &failed(1_000, "ada"), 2, Lane::Live, &mut out);
    assert_eq!(short(&out)[1..], [(30, 1_000, 2, false)]);
    assert_eq!(out[0].id, out[1].id);
    engine.tick(1_060 * SECOND, &mut out);
    assert_eq!(out.len(), 3, "the next silence is another finding");
    assert_ne!(out[0].id, out[2].id);
}

#[test]
fn a_late_event_refutes_it() {
    let (mut engine, mut out) = (Engine::new(correlation(QUIET)), Vec::new());
    feed(&mut engine, &failed(0, "ada"), 0, Lane::Live, &mut out);
    engine.tick(70 * SECOND, &mut out);
    // It comes through the lane of a source that lags behind.
    feed(&mut engine, &failed(50, "ada"), 1, Lane::Lagging { historical: false }, &mut out);
    assert_eq!(short(&out), [(0, 60, 1, false), (0, 60, 2, true)]);
    engine.tick(109 * SECOND, &mut out);
    assert_eq!(out.len(), 2);
    engine.tick(110 * SECOND, &mut out);
    assert_eq!(out.len(), 3);
}

#[test]
fn a_recorded_silence_is_found_without_a_clock() {
    let (mut engine, mut out) = (Engine::new(correlation(QUIET)), Vec::new());
    for (n, at) in [0, 60, 121, 130].into_iter().enumerate() {
        feed(&mut engine, &failed(at, "ada"), n, HISTORICAL, &mut out);
    }
    engine.flush(&mut out);
    assert_eq!(short(&out), [(60, 121, 1, false)]);
    // Another group's events move the watermark on.
    let (mut engine, mut out) = (Engine::new(correlation(QUIET)), Vec::new());
    feed(&mut engine, &failed(0, "ada"), 0, HISTORICAL, &mut out);
    for n in 1..60 {
        feed(&mut engine, &passed(n * 10, "bob"), n as usize, HISTORICAL, &mut out);
    }
    assert_eq!(short(&out), [(0, 60, 1, false)]);
}

#[test]
fn fewer_than_usual() {
    let body = QUIET.replace("lt: 1", "lt: 3");
    let (mut engine, mut out) = (Engine::new(correlation(&body)), Vec::new());
    for (n, at) in [0, 10, 20, 30, 70].into_iter().enumerate() {
        feed(&mut engine, &failed(at, "ada"), n, Lane::Live, &mut out);
    }
    engine.tick(79 * SECOND, &mut out);
    assert_eq!(short(&out), []);
    engine.tick(80 * SECOND, &mut out);
    assert_eq!(out.len(), 1, "after second 20 only two came within a minute");
    for (n, at) in [85, 86].into_iter().enumerate() {
        feed(&mut engine, &failed(at, "ada"), 10 + n, Lane::Live, &mut out);
    }
    assert_eq!(out.len(), 2, "three within a minute again");
}
