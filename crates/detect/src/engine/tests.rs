//! Whole runs: events in, findings out.

use std::{borrow::Cow, sync::Arc};

use event::{Event, Evidence, Finding, Issue, Micros, Status, action, clock::SECOND};
use proptest::prelude::*;

use super::{Engine, Lane, Origin, RuleSet};
use crate::testing::last_revisions;

mod scenarios;
mod silence;

const HISTORICAL: Lane = Lane::Lagging { historical: true };

/// A login: second, outcome, account, address.
#[derive(Debug, Clone, PartialEq)]
struct Login {
    at: i64,
    ok: bool,
    user: &'static str,
    ip: &'static str,
    act: Option<&'static str>,
    issue: Option<Issue>,
}

fn login(at: i64, ok: bool, user: &'static str, ip: &'static str) -> Login {
    Login { at, ok, user, ip, act: None, issue: None }
}
fn failed(at: i64, user: &'static str) -> Login {
    login(at, false, user, "10.0.0.1")
}
fn passed(at: i64, user: &'static str) -> Login {
    login(at, true, user, "10.0.0.1")
}

impl Login {
    fn event(&self) -> Event<'static> {
        let text = |t: &'static str| (!t.is_empty()).then_some(Cow::Borrowed(t));
        Event {
            product: Some(Cow::Borrowed("tidb")),
            stream: Some(Cow::Borrowed("server")),
            instance: Some(Cow::Borrowed("db-1")),
            time: Some(self.at * SECOND),
            activity: Some(&action::LOGON),
            status: Some(if self.ok { Status::Success } else { Status::Failure }),
            user: text(self.user),
            src_ip: text(self.ip),
            act_id: self.act.map(str::to_owned),
            issues: self.issue.clone().into_iter().collect(),
            ..Event::default()
        }
    }
}

const BASES: &str = "
title: Failed login
name: fail
id: fail
logsource: {family: tidb}
detection: {s: {action: authentication.logon, status: failure}, condition: s}
---
title: Login
name: pass
id: pass
logsource: {family: tidb}
detection: {s: {action: authentication.logon, status: success}, condition: s}
";

fn rules(text: &str) -> Arc<RuleSet> {
    Arc::new(RuleSet::load([("t.yml", text)]).unwrap_or_else(|p| panic!("{p:?}")))
}

fn correlation(body: &str) -> Arc<RuleSet> {
    rules(&format!("{BASES}---\ntitle: '{{user}} at {{src_ip}}'\nid: c\ncorrelation: {{{body}}}\n"))
}

/// Feeds one event under a name.
fn feed(engine: &mut Engine, l: &Login, n: usize, lane: Lane, out: &mut Vec<Finding>) {
    let name = format!("f:{n}");
    let evidence = || Evidence::File { file: "f".to_owned(), offset: n as u64, raw: format!("{l:?}") };
    let origin = Origin { cluster: "c", source: 1, lane, name: &name, evidence: &evidence };
    engine.event(&l.event(), &origin, l.at * SECOND, out);
}

fn play(set: &Arc<RuleSet>, logins: &[Login]) -> Vec<Finding> {
    let (mut engine, mut out) = (Engine::new(Arc::clone(set)), Vec::new());
    logins.iter().enumerate().for_each(|(n, l)| feed(&mut engine, l, n, HISTORICAL, &mut out));
    engine.flush(&mut out);
    out
}

/// Rule, subject's user, first and last second, count of what remains.
fn short(findings: &[Finding]) -> Vec<(String, String, i64, i64, u64)> {
    let mut list: Vec<_> = last_revisions(findings.to_vec())
        .iter()
        .map(|f| {
            let who = f.subject.get("user").or(f.subject.get("src_ip")).cloned().unwrap_or_default();
            (f.rule.clone(), who, f.first_time / SECOND, f.last_time / SECOND, f.count)
        })
        .collect();
    list.sort();
    list
}

const COUNT: &str = "type: event_count, rules: [fail], group-by: [user], timespan: 60s, condition: {gte: 3}";

#[test]
fn lines_of_an_act_count_once_and_copies_never() {
    let set = correlation(COUNT);
    let line = |at, act| Login { act, ..failed(at, "ada") };
    assert_eq!(short(&play(&set, &[line(1, None), line(1, Some("f:0")), line(2, None), line(2, Some("f:2"))])), []);
    let three = [line(1, None), line(1, Some("f:0")), line(2, None), line(3, None), line(3, Some("f:3"))];
    assert_eq!(short(&play(&set, &three)), [("c".into(), "ada".into(), 1, 3, 3)]);
    let copy = |at| Login { issue: Some(Issue::Duplicate), ..failed(at, "ada") };
    assert_eq!(short(&play(&set, &[failed(1, "ada"), copy(1), failed(2, "ada"), copy(2)])), []);
    // The opener lacks the address: the later line of the act counts instead.
    let by_address = correlation("type: event_count, rules: [fail], group-by: [src_ip], timespan: 60s, condition: {gte: 2}");
    let blind = |at| Login { ip: "", ..failed(at, "ada") };
    let seeing = |at, act| Login { act: Some(act), ..failed(at, "ada") };
    assert_eq!(
        short(&play(&by_address, &[blind(1), seeing(1, "f:0"), blind(2), seeing(2, "f:2")])),
        [("c".into(), "10.0.0.1".into(), 1, 2, 2)]
    );
}

#[test]
fn a_later_line_of_an_act_says_who_it_was() {
    let set = rules(&format!("{BASES}subject: [user, src_ip]\n"));
    let blind = |at| login(at, true, "", "");
    let seeing = |at, user, act| Login { act: Some(act), ..passed(at, user) };
    let found = play(&set, &[blind(1), seeing(1, "ada", "f:0"), blind(2), seeing(2, "bob", "f:2"), blind(3), seeing(3, "ada", "f:4")]);
    assert_eq!(short(&found), [("pass".into(), "ada".into(), 1, 3, 2), ("pass".into(), "bob".into(), 2, 2, 1)]);
    assert!(found.iter().filter(|f| f.rule == "pass").all(|f| f.count <= 2));
    assert_eq!((found[0].id == found[1].id, found[1].revision, found[1].evidence.len()), (true, 2, 2));
    let merged = found.iter().find(|f| f.merged_into.is_some()).unwrap();
    assert_eq!(merged.merged_into.as_ref(), Some(&found[0].id), "the third act joined the first when it got its name");
    // Interleaved acts: the first that gets its name leaves, the other keeps the id.
    let found = play(&set, &[blind(1), blind(2), seeing(2, "ada", "f:0"), seeing(2, "bob", "f:1")]);
    assert_eq!(short(&found), [("pass".into(), "ada".into(), 1, 1, 1), ("pass".into(), "bob".into(), 2, 2, 1)]);
    // Acts that never get a name stand together.
    let found = play(&set, &[blind(1), blind(2), blind(3), seeing(2, "ada", "f:1")]);
    assert_eq!(short(&found), [("pass".into(), String::new(), 1, 3, 2), ("pass".into(), "ada".into(), 2, 2, 1)]);
    let nameless = last_revisions(found).into_iter().find(|f| !f.subject.contains_key("user")).unwrap();
    assert_eq!(nameless.evidence.len(), 2);
}

#[test]
fn marked_events_are_seen_only_by_rules_that_ask() {
    let text = format!("{BASES}---\ntitle: Forged\nid: forged\ndetection: {{s: {{issues: forged}}, condition: s}}\n");
    let set = rules(&text);
    let forged = Login { issue: Some(Issue::Forged), ..failed(1, "ada") };
    let found: Vec<String> = play(&set, &[forged]).iter().map(|f| f.rule.clone()).collect();
    assert_eq!(found, ["forged"]);
}

#[test]
fn a_finding_names_its_subject_and_its_lines() {
    let set =
        rules(&format!("{BASES}subject: [user, src_ip]\nnext: 'Ask {{user}}.'\ntags: [attack.t1078, attack.initial-access]\nlevel: low\n"));
    let found = play(&set, &[passed(1, "ada"), passed(100, "ada"), passed(500, "ada"), passed(5, "bob")]);
    assert_eq!(
        short(&found),
        [("pass".into(), "ada".into(), 1, 100, 2), ("pass".into(), "ada".into(), 500, 500, 1), ("pass".into(), "bob".into(), 5, 5, 1)]
    );
    let first = &found[0];
    assert_eq!(first.title, "Login (instance db-1, src_ip 10.0.0.1, user ada)");
    assert_eq!((first.next.as_str(), first.attack.as_slice(), first.severity.as_str()), ("Ask ada.", &["T1078".to_owned()][..], "low"));
    assert!(first.historical && !first.delayed && first.revision == 1 && first.cluster.as_deref() == Some("c"));
    let last = last_revisions(found).remove(0);
    let offsets: Vec<u64> = last.evidence.iter().map(|e| if let Evidence::File { offset, .. } = e { *offset } else { 99 }).collect();
    assert_eq!(offsets, [0, 1]);
}

#[test]
fn a_flood_is_told_a_few_times() {
    let set = correlation(COUNT);
    let flood: Vec<Login> = (0..6_000).map(|i| failed(i / 20, "ada")).collect();
    let found = play(&set, &flood);
    assert!(found.len() < 25, "{} revisions", found.len());
    let last = found.last().unwrap();
    assert_eq!((last.count, last.revision as usize), (6_000, found.len()));
    assert!(found.windows(2).all(|w| w[0].id == w[1].id && w[0].revision + 1 == w[1].revision));
    assert_eq!(last.suppressed, 6_000 - u64::from(last.revision));
}

#[test]
fn episodes_that_grow_together_say_so() {
    let set = correlation("type: event_count, rules: [fail], group-by: [user], timespan: 20s, condition: {gte: 2}");
    let logins = [failed(100, "ada"), failed(101, "ada"), failed(60, "ada"), failed(61, "ada"), failed(81, "ada")];
    let found = play(&set, &logins);
    let (older, newer) = (&found[0].id, &found[1].id);
    assert_ne!(older, newer);
    let merged = found.iter().find(|f| f.merged_into.is_some()).unwrap();
    assert_eq!((&merged.id, merged.merged_into.as_ref(), merged.revision), (newer, Some(older), 2));
    assert_eq!(short(&found), [("c".into(), "ada".into(), 60, 101, 5)]);
    assert_eq!(&last_revisions(found.clone())[0].id, older);
}

#[test]
fn a_rule_under_a_correlation_is_quiet_unless_asked() {
    let ids = |set: &Arc<RuleSet>| {
        let mut ids: Vec<String> = play(set, &[failed(1, "ada"), failed(2, "ada"), failed(3, "ada")]).into_iter().map(|f| f.rule).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    assert_eq!(ids(&correlation(COUNT)), ["c"]);
    let asked = rules(&format!("{}---\ntitle: c\nid: c\ngenerate: true\ncorrelation: {{{COUNT}}}\n", BASES));
    assert_eq!(ids(&asked), ["c", "fail"]);
    let itself = rules(&format!(
        "{}---\ntitle: c\nid: c\ncorrelation: {{{COUNT}}}\n",
        BASES.replacen("condition: s}", "condition: s}\ngenerate: true", 1)
    ));
    assert_eq!(ids(&itself), ["c", "fail"]);
    let only = Engine::new(correlation(COUNT)).only(0);
    let (mut engine, mut out) = (only, Vec::new());
    feed(&mut engine, &failed(1, "ada"), 0, HISTORICAL, &mut out);
    assert_eq!(out.iter().map(|f| f.rule.as_str()).collect::<Vec<_>>(), ["fail"]);
}

#[test]
fn shared_addresses_split_or_skip() {
    let run = |body: &str, logins: &[Login]| {
        let mut engine = Engine::new(correlation(body)).with_shared_addresses(["10.0.0.0/24"]).unwrap();
        let mut out = Vec::new();
        logins.iter().enumerate().for_each(|(n, l)| feed(&mut engine, l, n, HISTORICAL, &mut out));
        short(&out)
    };
    let by_address = "type: event_count, rules: [fail], group-by: [src_ip], timespan: 60s, condition: {gte: 3}";
    assert_eq!(run(by_address, &[failed(1, "ada"), failed(2, "bob"), failed(3, "cy")]), []);
    assert_eq!(run(by_address, &[failed(1, "ada"), failed(2, "ada"), failed(3, "ada")]), [("c".into(), "ada".into(), 1, 3, 3)]);
    let spraying = "type: value_count, rules: [fail], group-by: [src_ip], timespan: 60s, condition: {field: user, gte: 3}";
    assert_eq!(run(spraying, &[failed(1, "ada"), failed(2, "bob"), failed(3, "cy")]).len(), 1);
    assert!(Engine::new(correlation(COUNT)).with_shared_addresses(["ten"]).is_err());
}

#[test]
fn filters_take_away() {
    let filter = "---\ntitle: f\nfilter:\n  rules: [fail]\n  robots: {user|startswith: 'robot_'}\n  condition: not robots\n";
    let set = rules(&format!("{BASES}{filter}"));
    let found = play(&set, &[failed(1, "robot_1"), failed(2, "ada"), passed(3, "robot_1")]);
    assert_eq!(short(&found), [("fail".into(), "ada".into(), 2, 2, 1), ("pass".into(), "robot_1".into(), 3, 3, 1)]);
    let keeps = format!("{BASES}{}", filter.replace("not robots", "robots"));
    let problems = RuleSet::load([("t.yml", keeps.as_str())]).unwrap_err();
    assert!(problems[0].what.contains("take away"), "{problems:?}");
}

#[test]
fn lanes_do_not_mix() {
    let (mut engine, mut out) = (Engine::new(correlation(COUNT)), Vec::new());
    let delayed = Lane::Lagging { historical: false };
    for (n, (at, lane)) in [(1, Lane::Live), (2, delayed), (3, Lane::Live), (4, delayed), (5, delayed)].into_iter().enumerate() {
        feed(&mut engine, &failed(at, "ada"), n, lane, &mut out);
    }
    assert_eq!(out.iter().map(|f| (f.delayed, f.historical, f.count)).collect::<Vec<_>>(), [(true, false, 3)]);
}

#[test]
fn groups_make_room_for_others() {
    let (mut engine, mut out) =
        (Engine::new(correlation("type: event_count, rules: [fail], group-by: [fields.k], timespan: 1h, condition: {gte: 2}")), Vec::new());
    let max = crate::limits::GROUPS_MAX as u64;
    for n in 0..max + 1_000 {
        let mut event = failed(1, "ada").event();
        event.fields.push((Cow::Borrowed("k"), event::Value::Text(Cow::Owned(n.to_string()))));
        let name = n.to_string();
        let evidence = || Evidence::Stored { log: "l".to_owned(), seq: n };
        engine.event(&event, &Origin { cluster: "c", source: 1, lane: HISTORICAL, name: &name, evidence: &evidence }, 0, &mut out);
    }
    let stats = engine.stats();
    assert!(stats.groups <= max && stats.evicted_groups > 0, "{stats:?}");
    assert_eq!(stats.groups + stats.evicted_groups, max + 1_000);
}

#[test]
fn all_groups_together_stay_small() {
    let set = correlation("type: value_count, rules: [fail], group-by: [fields.k], timespan: 24h, condition: {field: user, gte: 3}");
    let (mut engine, mut out) = (Engine::new(set), Vec::new());
    let max = crate::limits::HITS_TOTAL_MAX as u64;
    for n in 0..max + 2_000 {
        let mut event = failed(i64::try_from(n / 100).unwrap(), "ada").event();
        event.fields.push((Cow::Borrowed("k"), event::Value::Text(Cow::Owned((n % 4_000).to_string()))));
        let evidence = || Evidence::Stored { log: String::new(), seq: n };
        engine.event(&event, &Origin { cluster: "c", source: 1, lane: HISTORICAL, name: &n, evidence: &evidence }, 0, &mut out);
    }
    let stats = engine.stats();
    assert!(stats.hits <= max && stats.evicted_groups > 0, "{stats:?}");
}

/// Several kinds of rules over the same events.
fn many() -> Arc<RuleSet> {
    let named = |id: &str, body: &str| format!("---\ntitle: '{{user}}'\nid: {id}\nname: {id}\ngenerate: true\ncorrelation: {{{body}}}\n");
    let text = [
        BASES.to_owned(),
        named("three", "type: event_count, rules: [fail], group-by: [user], timespan: 60s, condition: {gte: 3}"),
        named("spray", "type: value_count, rules: [fail], group-by: [src_ip], timespan: 90s, condition: {field: user, gte: 3}"),
        named("after", "type: temporal_ordered, rules: [fail, pass], group-by: [user], timespan: 60s"),
        named("chain", "type: temporal_ordered, rules: [three, pass], group-by: [user], timespan: 60s"),
        named("quiet", "type: event_count, rules: [pass], group-by: [user], timespan: 60s, condition: {lt: 1}"),
    ];
    rules(&text.concat())
}

fn logins() -> impl Strategy<Value = Vec<Login>> {
    let one = (0i64..250, any::<bool>(), 0usize..3, 0usize..2);
    let make = |(at, ok, user, ip): (i64, bool, usize, usize)| login(at, ok, ["ada", "bob", "cy"][user], ["10.0.0.1", "10.0.0.2"][ip]);
    prop::collection::vec(one.prop_map(make), 0..30)
}

/// With gaps, and lines of acts.
fn lines() -> impl Strategy<Value = Vec<Login>> {
    let blank = |(mut l, gap, act): (Login, usize, usize)| {
        match gap {
            0 => l.user = "",
            1 => l.ip = "",
            _ => {}
        }
        l.act = ["f:0", "f:1", "f:2", "f:3", "f:4"].get(act).copied();
        l
    };
    (logins(), prop::collection::vec((0usize..4, 0usize..10), 30))
        .prop_map(move |(list, more)| list.into_iter().zip(more).map(|(l, (gap, act))| blank((l, gap, act))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn a_restart_changes_nothing(logins in lines(), cut in 0usize..30, live in any::<bool>()) {
        let lane = if live { Lane::Live } else { HISTORICAL };
        let set = many();
        let run = |restart: Option<usize>| {
            let (mut engine, mut out) = (Engine::new(Arc::clone(&set)), Vec::new());
            for (n, l) in logins.iter().enumerate() {
                if restart == Some(n) {
                    let state = serde_json::from_str(&engine.snapshot().to_string()).unwrap();
                    engine = Engine::new(Arc::clone(&set));
                    engine.restore(&state);
                }
                feed(&mut engine, l, n, lane, &mut out);
                if n % 7 == 3 {
                    engine.tick(l.at * SECOND, &mut out);
                }
            }
            engine.flush(&mut out);
            engine.tick(4_000 * SECOND as Micros, &mut out);
            out
        };
        let (whole, cut) = (run(None), run(Some(cut)));
        let differ = whole.iter().zip(&cut).position(|(a, b)| a != b);
        prop_assert_eq!(differ.map(|i| (&whole[i], &cut[i])), None);
        prop_assert_eq!(whole.len(), cut.len());
    }

    #[test]
    fn arrival_in_another_order_finds_the_same(logins in logins(), seed in any::<u64>()) {
        let set = many();
        let mut shuffled = logins.clone();
        // A shuffle of our own: the order of two events is decided by a hash of the seed.
        shuffled.sort_by_key(|l| crate::report::hash64(&[&format!("{seed}{l:?}")]));
        let without = |found: Vec<Finding>| -> Vec<_> { short(&found).into_iter().filter(|f| !["quiet", "chain"].contains(&f.0.as_str())).collect() };
        prop_assert_eq!(without(play(&set, &logins)), without(play(&set, &shuffled)));
    }
}
