//! One correlation, a handful of events, what is found: the shapes that engines get wrong.

use super::{Login, correlation, failed, login, passed, play, rules, short};

type Found = &'static [(i64, i64, u64)];

fn check(what: &str, body: &str, logins: &[Login], wanted: Found) {
    let found: Vec<(i64, i64, u64)> =
        short(&play(&correlation(body), logins)).into_iter().map(|(_, _, first, last, n)| (first, last, n)).collect();
    assert_eq!(found, wanted, "{what}");
}

fn at(ip: &'static str, at: i64, user: &'static str) -> Login {
    login(at, false, user, ip)
}

#[test]
fn counts() {
    let ada = |t| failed(t, "ada");
    let count = super::COUNT;
    for (what, logins, wanted) in [
        ("each group for itself", vec![ada(0), failed(1, "bob"), ada(2), ada(3)], &[(0, 3, 3)][..]),
        ("the window slides", vec![ada(0), ada(30), ada(61), ada(62)], &[(30, 62, 3)]),
        ("both ends belong to it", vec![ada(0), ada(30), ada(60)], &[(0, 60, 3)]),
        ("and no more", vec![ada(0), ada(30), ada(61)], &[]),
        ("order of arrival does not matter", vec![ada(50), ada(10), ada(30)], &[(10, 50, 3)]),
        ("a late event outside the window completes nothing", vec![ada(100), ada(101), ada(10)], &[]),
        ("nor does it throw out newer ones", vec![ada(100), ada(10), ada(101), ada(102)], &[(100, 102, 3)]),
        ("without an account it is nobody's", vec![failed(0, ""), ada(1), ada(2), ada(3)], &[(1, 3, 3)]),
        ("what follows soon belongs to it", vec![ada(0), ada(1), ada(2), ada(62), ada(122)], &[(0, 122, 5)]),
        ("what follows later does not", vec![ada(0), ada(1), ada(2), ada(63)], &[(0, 2, 3)]),
    ] {
        check(what, count, &logins, wanted);
    }
    let by = |condition: &str, key: &str| format!("type: event_count, rules: [fail], {key}timespan: 60s, condition: {condition}");
    check("a range", &by("{gt: 1, lte: 2}", "group-by: [user], "), &[ada(0), ada(1)], &[(0, 1, 2)]);
    check("an exact number", &by("{eq: 2}", "group-by: [user], "), &[ada(0), ada(1)], &[(0, 1, 2)]);
    check("two columns", &by("{gte: 2}", "group-by: [user, src_ip], "), &[at("a", 0, "x"), at("b", 1, "x"), at("a", 2, "x")], &[(0, 2, 2)]);
    check("no column", &by("{gte: 2}", ""), &[ada(0), failed(1, "bob")], &[(0, 1, 2)]);
    check(
        "two rules",
        "type: event_count, rules: [fail, pass], group-by: [user], timespan: 60s, condition: {gte: 2}",
        &[ada(0), passed(1, "ada")],
        &[(0, 1, 2)],
    );
    let longer = rules(&format!("{}---\ntitle: c\nid: c\nepisode: 10m\ncorrelation: {{{count}}}\n", super::BASES));
    assert_eq!(short(&play(&longer, &[ada(0), ada(1), ada(2), ada(300)])), [("c".into(), "ada".into(), 0, 300, 4)], "a longer episode");
}

#[test]
fn values() {
    let body = "type: value_count, rules: [fail], group-by: [src_ip], timespan: 60s, condition: {field: user, gte: 3}";
    check("different accounts", body, &[failed(0, "a"), failed(1, "a"), failed(2, "b"), failed(3, "c")], &[(0, 3, 4)]);
    check("the same ones", body, &[failed(0, "a"), failed(1, "b"), failed(2, "a"), failed(3, "b")], &[]);
    check("too slow", body, &[failed(0, "a"), failed(31, "b"), failed(61, "c")], &[]);
    check("late", body, &[failed(0, "a"), failed(60, "c"), failed(30, "b")], &[(0, 60, 3)]);
    let sum = "type: value_sum, rules: [fail], group-by: [user], timespan: 60s, condition: {field: src_ip, gt: 100}";
    check("sums", sum, &[at("60", 0, "x"), at("60", 1, "y"), at("50", 2, "x"), at("none", 3, "x")], &[(0, 2, 2)]);
}

#[test]
fn sequences() {
    let any = "type: temporal, rules: [fail, pass], group-by: [user], timespan: 60s";
    check("any order", any, &[passed(0, "a"), failed(1, "b"), failed(2, "a")], &[(0, 2, 2)]);
    check("too far apart", any, &[passed(0, "a"), failed(61, "a")], &[]);
    check("an expression", &format!("{any}, condition: fail and pass"), &[passed(0, "a"), failed(1, "b"), failed(2, "a")], &[(0, 2, 2)]);
    check("either", &format!("{any}, condition: fail or pass"), &[passed(0, "a")], &[(0, 0, 1)]);
    check("a number of them", &format!("{any}, condition: {{gte: 2}}"), &[passed(0, "a"), failed(1, "b"), failed(2, "a")], &[(0, 2, 2)]);
    let ordered = "type: temporal_ordered, rules: [fail, pass], group-by: [user], timespan: 60s";
    check("in order", ordered, &[failed(0, "a"), failed(2, "a"), passed(5, "a")], &[(0, 5, 3)]);
    check("in the wrong order", ordered, &[passed(0, "a"), failed(5, "a")], &[]);
    check("arrived in the wrong order", ordered, &[passed(5, "a"), failed(0, "a")], &[(0, 5, 2)]);
    let aliases = "type: temporal, rules: [fail, pass], group-by: [who], timespan: 60s, aliases: {who: {fail: user, pass: src_ip}}";
    check("aliases", aliases, &[failed(0, "a"), login(1, true, "x", "b"), login(2, true, "x", "a")], &[(0, 2, 2)]);
}

#[test]
fn a_correlation_on_a_correlation() {
    let text = format!(
        "{}---\ntitle: many\nid: many\nname: many\ncorrelation: {{{}}}\n---\ntitle: then\nid: then\ncorrelation: {{type: temporal_ordered, rules: [many, pass], group-by: [user], timespan: 60s}}\n",
        super::BASES,
        super::COUNT
    );
    let run = |logins: &[Login]| short(&play(&rules(&text), logins));
    let many = |t| [failed(t, "a"), failed(t + 1, "a"), failed(t + 2, "a")];
    let found = run(&[&many(0)[..], &[passed(3, "a")]].concat());
    assert_eq!(found, [("then".into(), "a".into(), 2, 3, 2)]);
    assert_eq!(run(&[failed(0, "a"), failed(1, "a"), passed(3, "a")]), []);
    assert_eq!(run(&[&many(0)[..], &[passed(3, "b")]].concat()), []);
    // The success came first by arrival, the failures are late.
    assert_eq!(run(&[&[passed(3, "a")], &many(0)[..]].concat()), [("then".into(), "a".into(), 2, 3, 2)]);
    let findings = play(&rules(&text), &[&many(0)[..], &[passed(3, "a")]].concat());
    assert_eq!(findings[0].evidence.len(), 4, "the failures are evidence too");
}

#[test]
fn circles_and_expressions_that_cannot_be_judged_are_refused() {
    let load = |body: &str| {
        let text = format!("{}---\ntitle: c\nname: c\nid: c\ncorrelation: {{{body}}}\n", super::BASES);
        crate::RuleSet::load([("t.yml", text.as_str())]).map(|s| s.len()).map_err(|p| p[0].what.clone())
    };
    for (body, told) in [
        ("type: event_count, rules: [c], timespan: 60s, condition: {gte: 1}", "stands on itself"),
        ("type: temporal, rules: [fail, pass], timespan: 60s, condition: fail and not pass", "`not` over rules"),
        ("type: temporal, rules: [fail, pass], timespan: 60s, condition: fail and c", "none of `rules`"),
        ("type: event_count, rules: [fail], timespan: 60s, condition: {neq: 1}", "`neq`"),
        ("type: event_count, rules: [fail], timespan: 60s, condition: {gte: 5, lt: 3}", "no number"),
        ("type: value_avg, rules: [fail], timespan: 60s, condition: {field: rows, gte: 5}", "`value_avg`"),
    ] {
        let problem = load(body).unwrap_err();
        assert!(problem.contains(told), "{body}: {problem}");
    }
}
