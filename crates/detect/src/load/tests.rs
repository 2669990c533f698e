//! The examples of the documentation, and what a bad document is told.

use std::sync::Arc;

use crate::{RuleSet, run_tests};

const SPEC: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/specs/rules.md"));

#[test]
fn the_examples_of_the_documentation_pass_their_tests() {
    let examples: Vec<&str> = SPEC.split("```yaml\n").skip(1).filter_map(|b| b.split("```").next()).collect();
    assert!(examples.len() >= 2);
    let set = RuleSet::load(examples.iter().map(|e| ("rules.md", *e)));
    let set = Arc::new(set.unwrap_or_else(|p| panic!("{p:?}")));
    let mut ran = 0;
    for rule in 0..set.len() {
        for outcome in run_tests(&set, rule, &mut |_, _| Vec::new()) {
            assert!(outcome.passed(), "{outcome:?}");
            ran += 1;
        }
    }
    assert!(ran >= 5, "{ran} tests ran");
}

fn problems(text: &str) -> String {
    match RuleSet::load([("x.yml", text)]) {
        Ok(set) => panic!("{} rules without a problem", set.len()),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn rule(detection: &str) -> String {
    format!("title: x\nlogsource: {{product: tidb}}\ndetection:\n{detection}\n")
}

const BASE: &str = "title: b\nname: b\nid: b\nlogsource: {product: tidb}\ndetection:\n  s: {user: a}\n  condition: s\n---\n";

#[test]
fn problems_say_what_to_do() {
    for (detection, told) in [
        ("  sel: {user|startwith: a}\n  condition: sel", "did you mean `startswith`"),
        ("  sel: {user|frobnicate: a}\n  condition: sel", "unknown modifier `frobnicate`: one of all,"),
        ("  sel: {usr: a}\n  condition: sel", "did you mean `user`"),
        ("  sel: {policyInfo: a}\n  condition: sel", "is written `fields.policyInfo`"),
        ("  sel: {user: a}\n  condition: sell", "did you mean `sel`"),
        ("  sel: {user: a}\n  condition: 1 of other_*", "`other_*` names no detection"),
        ("  sel: {user|re: 'a(?!b)'}\n  condition: sel", "look-around"),
        ("  sel: {src_ip|cidr: '10.0.0.0/40'}\n  condition: sel", "no range of addresses"),
        ("  sel: {rows|gt: many}\n  condition: sel", "`many` is no number"),
        ("  sel: {user|expand: '%admins%'}\n  condition: sel", "placeholder"),
        ("  sel: {user: []}\n  condition: sel", "empty list"),
        ("  sel: {user: a}\n", "condition"),
        ("  sel: {user: a}\n  condition: sel and", "Condition parse error"),
        ("  sel: {user: a}\n  condition: sel\nnexd: look", "did you mean `next`"),
        ("  sel: {user: a}\n  condition: sel\nepisode: soon", "no duration"),
        ("  sel: {user: a}\n  condition: sel\ntests: [{name: a}]", "match"),
        ("  sel: {user: [a\n", "YAML"),
    ] {
        let text = rule(detection);
        let found = problems(&text);
        assert!(found.contains(told), "{detection}: {found}");
        assert!(found.starts_with("x.yml:"), "{found}");
    }
    assert!(
        problems("title: x\nlogsource: {category: process_creation}\ndetection:\n  s: {user: a}\n  condition: s").contains("`category`")
    );
    assert!(problems("title: '{usr}'\ndetection:\n  s: {user: a}\n  condition: s").contains("did you mean `user`"));
    assert!(problems(&[BASE, BASE].concat()).contains("taken by x.yml"));
}

#[test]
fn problems_of_correlations() {
    let correlation = |body: &str| format!("{BASE}title: c\ncorrelation:\n{body}");
    for (body, told) in [
        ("  type: event_count\n  rules: [bb]\n  timespan: 1m\n  condition: {gte: 2}", "no rule is named `bb`"),
        ("  type: event_count\n  rules: [b]\n  timespan: 1m\n  condition: {gte: 0}", "threshold"),
        ("  type: event_count\n  rules: [b]\n  timespan: 1m\n  condition: {gte: 100000}", "threshold"),
        ("  type: event_count\n  rules: [b]\n  timespan: 90d\n  condition: {gte: 2}", "out of bounds"),
        ("  type: event_count\n  rules: [b]\n  timespan: soon\n  condition: {gte: 2}", "timespan"),
        ("  type: value_count\n  rules: [b]\n  timespan: 1m\n  condition: {gte: 2}", "needs `field`"),
        ("  type: value_count\n  rules: [b]\n  timespan: 1m\n  condition: {field: usr, gte: 2}", "did you mean `user`"),
        ("  type: event_count\n  rules: [b]\n  group-by: [srcip]\n  timespan: 1m\n  condition: {gte: 2}", "did you mean `src_ip`"),
        ("  type: event_count\n  rules: []\n  timespan: 1m\n  condition: {gte: 2}", "names no rule"),
    ] {
        let found = problems(&correlation(body));
        assert!(found.contains(told), "{body}: {found}");
    }
}

#[test]
fn the_line_is_told() {
    let text = format!("{BASE}title: y\ndetection:\n  s:\n    user: a\n    uesr: b\n  condition: s\n");
    let found = problems(&text);
    assert!(found.starts_with("x.yml:13:"), "{found}");
}

#[test]
fn a_name_means_the_rule_of_the_same_file() {
    let base = |id: &str| BASE.replace("id: b", &format!("id: {id}"));
    let correlation =
        |id: &str| format!("title: c\nid: {id}\ncorrelation: {{type: event_count, rules: [b], timespan: 1m, condition: {{gte: 2}}}}\n");
    let (one, two) = (base("x") + &correlation("c1"), base("y") + &correlation("c2"));
    let set = RuleSet::load([("1.yml", one.as_str()), ("2.yml", two.as_str())]).unwrap();
    let bases: Vec<&[String]> = set.rules().iter().filter(|r| r.id.starts_with('c')).map(|r| r.bases.as_slice()).collect();
    assert_eq!(bases, [&["x".to_owned()][..], &["y".to_owned()][..]]);
    let problems = RuleSet::load([("1.yml", one.as_str()), ("2.yml", two.as_str()), ("3.yml", correlation("c3").as_str())]).unwrap_err();
    assert!(problems[0].what.contains("several rules"), "{problems:?}");
}

#[test]
fn shipped_rules_pass_the_tests_that_need_no_parser() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/rules"));
    let mut files = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(|f| f.unwrap().path()) {
        files.extend(std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()));
    }
    files.sort();
    let texts: Vec<(String, String)> = files.iter().map(|f| (f.display().to_string(), std::fs::read_to_string(f).unwrap())).collect();
    let set = RuleSet::load(texts.iter().map(|(n, t)| (n.as_str(), t.as_str()))).unwrap_or_else(|p| panic!("{p:#?}"));
    let set = Arc::new(set);
    let (mut ran, mut wrong) = (0, Vec::new());
    for (number, rule) in set.rules().iter().enumerate() {
        let outcomes = run_tests(&set, number, &mut |_, _| Vec::new());
        for (outcome, _) in outcomes.into_iter().zip(&rule.tests).filter(|(_, test)| test.lines.is_none()) {
            ran += 1;
            wrong.extend((!outcome.passed()).then_some(outcome));
        }
    }
    println!("{} rules, {ran} tests of events", set.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rules_are_switched_off_by_id() {
    let one = format!("{BASE}title: c\nid: c\ncorrelation: {{type: event_count, rules: [b], timespan: 1m, condition: {{gte: 2}}}}\n");
    let set = || RuleSet::load([("x.yml", one.as_str())]).unwrap();
    let off = set().without(&["c".to_owned()]).unwrap();
    assert!(off.rules()[1].disabled && !off.rules()[1].generate);
    assert!(set().without(&["cc".to_owned()]).is_err());
}
