//! The matcher against labelled events: the shared conformance set where it is at hand, and cases of our own.

use std::{io::Read as _, path::PathBuf};

use rsigma_parser::parse_sigma_yaml;
use serde_json::{Value, json};

use super::{Matcher, MatcherBuilder, Scratch, json::JsonRecord, json::any_name};

/// The folder of the shared corpora, if it is there.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var("BARTIZAN_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let file = PathBuf::from(root).join(path);
    if file.exists() {
        return Some(file);
    }
    println!("SKIPPED {path}: not found");
    None
}

/// A case: a rule and events with the answer.
struct Case {
    name: String,
    yaml: String,
    events: Vec<(Value, bool)>,
}

fn cases(text: &str) -> Vec<Case> {
    let read = |line: &str| {
        let v: Value = serde_json::from_str(line).unwrap();
        let event = |e: &Value| (e[1].clone(), e[2].as_bool().unwrap());
        Case {
            name: v["file"].as_str().unwrap().to_owned(),
            yaml: v["yaml"].as_str().unwrap().to_owned(),
            events: v["events"].as_array().unwrap().iter().map(event).collect(),
        }
    };
    text.lines().filter(|l| !l.trim().is_empty()).map(read).collect()
}

/// Adds a rule; `None` where it is refused.
fn add(builder: &mut MatcherBuilder, yaml: &str) -> Result<u32, String> {
    let parsed = parse_sigma_yaml(yaml).map_err(|e| e.to_string())?;
    match (parsed.errors.first(), parsed.rules.first()) {
        (None, Some(rule)) => builder.add(None, &[&rule.detection]),
        (error, _) => Err(format!("{error:?}")),
    }
}

/// Runs all cases in one matcher. Wrong answers by case; a refused rule answers nothing.
fn wrong(cases: &[Case]) -> Vec<String> {
    let mut builder = MatcherBuilder::new(any_name);
    let numbers: Vec<Result<u32, String>> = cases.iter().map(|c| add(&mut builder, &c.yaml)).collect();
    let matcher: Matcher = builder.build().unwrap();
    let (mut scratch, mut alone, mut out, mut wrong) = (Scratch::default(), Scratch::default(), Vec::new(), Vec::new());
    for (case, number) in cases.iter().zip(numbers) {
        let number = match number {
            Ok(number) => number,
            Err(e) if case.events.iter().any(|(_, fits)| *fits) => {
                wrong.push(format!("{}: refused: {e}", case.name));
                continue;
            }
            Err(_) => continue,
        };
        for (event, fits) in &case.events {
            let record = JsonRecord(event);
            matcher.matches(&record, false, &mut scratch, &mut out);
            assert_eq!(out.contains(&number), matcher.fits(number, &record, &mut alone), "{}: the index disagrees on {event}", case.name);
            if out.contains(&number) != *fits {
                wrong.push(format!("{}: {event} should be {fits}", case.name));
            }
        }
    }
    wrong
}

#[test]
fn real_rules_match_what_they_should() {
    let Some(file) = shared("conformance/sigma/cases.jsonl.gz") else { return };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    let cases = cases(&text);
    let events: usize = cases.iter().map(|c| c.events.len()).sum();
    let wrong = wrong(&cases);
    wrong.iter().take(20).for_each(|w| println!("{w}"));
    println!("{} of {events} events of {} rules right", events - wrong.len(), cases.len());
    assert!(wrong.len() * 1000 <= events, "{} of {events} wrong", wrong.len());
}

/// Outside the specification: look-around in regular expressions, upper-case operators.
const OUTSIDE: &[&str] = &["hand:re lookahead", "hand:upper case ops"];

#[test]
fn every_small_case_is_right() {
    let Some(file) = shared("conformance/sigma/micro-cases.jsonl") else { return };
    let cases = cases(&std::fs::read_to_string(file).unwrap());
    let wrong: Vec<String> = wrong(&cases).into_iter().filter(|w| !OUTSIDE.iter().any(|o| w.starts_with(o))).collect();
    println!("{} cases, wrong: {wrong:#?}", cases.len());
    assert!(wrong.is_empty());
}

#[test]
fn our_own_cases() {
    let text = json!({"q": "SELECT * FROM shop.orders WHERE a = 1 OR 1 = 1 -- x", "n": 12_345_678_901_234_567_i64, "ip": "10.1.2.3", "t": "2026-03-01T22:10:00Z"});
    for (detection, fits) in [
        ("{q|contains|all: [select, ' or 1 = 1 ']}", true),
        ("{q|contains: ['union', 'sleep(', 'benchmark(', 'into outfile', 'load_file', '-- x', 'char(']}", true),
        ("{q|contains: ['union', 'sleep(', 'benchmark(', 'into outfile', 'load_file', '-- y', 'char(']}", false),
        ("{q|re|i: \"or\\\\s+1\\\\s*=\\\\s*1\"}", true),
        ("{n|gt: 12345678901234566}", true),
        ("{n|gt: 12345678901234567}", false),
        ("{n: 12345678901234567}", true),
        ("{ip|cidr: [192.168.0.0/16, 10.0.0.0/8]}", true),
        ("{t|hour|gte: 22}", true),
        ("{t|hour: [8, 9]}", false),
        ("{missing|neq: x}", false),
        ("{ip|neq: [10.1.2.3, x]}", false),
        ("{q|startswith|cased: Select}", false),
        ("{q: '*orders*or*'}", true),
        ("{q|fieldref|contains: ip}", false),
        ("{ip: [a, b, c, d, e, f, 10.1.2.3]}", true),
    ] {
        let mut builder = MatcherBuilder::new(any_name);
        let yaml = format!("title: x\ndetection:\n  s: {detection}\n  condition: s\n");
        let number = add(&mut builder, &yaml).unwrap_or_else(|e| panic!("{detection}: {e}"));
        let (matcher, mut out) = (builder.build().unwrap(), Vec::new());
        matcher.matches(&JsonRecord(&text), false, &mut Scratch::default(), &mut out);
        assert_eq!(out == [number], fits, "{detection}");
    }
}
