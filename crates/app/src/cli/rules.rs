//! `bartizan rules`: list, check and test them.

use std::{path::PathBuf, sync::Arc};

use detect::{RuleSet, run_tests};
use event::{Derive as _, Event, LogClass, RecordMeta, Redactor, SourceDefinition};
use parse::{Deriver, End, Framer};
use serde_json::{Value, json};

use super::{Done, Format, Globals, Output};
use crate::content;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the rules
    List {
        #[command(flatten)]
        from: From_,
    },
    /// Read them and tell every problem; exit 78 if there is one
    Check {
        #[command(flatten)]
        from: From_,
    },
    /// Run the tests that the rules carry; exit 1 if one fails
    Test {
        #[command(flatten)]
        from: From_,
    },
}

#[derive(Debug, clap::Args)]
struct From_ {
    /// Rules in this folder or file instead of the shipped ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl From_ {
    fn load(&self) -> anyhow::Result<Arc<RuleSet>> {
        let rules = match &self.rules {
            None => content::rules(&[], &[]),
            Some(path) => content::of(path),
        };
        rules.or_else(super::rule_problems)
    }
}

/// Lists, checks or tests.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    match args.what {
        What::List { from } => {
            let rules = from.load()?;
            list(&rules, globals)
        }
        What::Check { from } => {
            let rules = from.load()?;
            if !globals.quiet {
                let bases = rules.len() - rules.finding();
                say!("{} rules, and {bases} that only others stand on: no problems", rules.finding());
            }
            Ok(Done::Ok)
        }
        What::Test { from } => test(&from.load()?, globals),
    }
}

fn list(rules: &RuleSet, globals: &Globals) -> anyhow::Result<Done> {
    let mut columns = vec!["id", "severity", "title"];
    if globals.format() != Format::Table {
        columns.extend(["attack", "needs", "file"]);
    }
    let mut out = Output::new(globals.format(), columns.into_iter().map(str::to_owned).collect());
    for rule in rules.rules().iter().filter(|r| r.generate) {
        let row = json!({"id": rule.id, "severity": rule.severity, "title": rule.title, "attack": rule.attack, "needs": rule.needs, "file": rule.file});
        if let Value::Object(row) = row {
            out.row(row)?;
        }
    }
    out.finish()?;
    Ok(Done::Ok)
}

fn test(rules: &Arc<RuleSet>, globals: &Globals) -> anyhow::Result<Done> {
    let mut out = Output::new(globals.format(), ["rule", "test", "result"].map(str::to_owned).to_vec());
    let (mut passed, mut failed) = (0, 0);
    for rule in 0..rules.len() {
        for outcome in run_tests(rules, rule, &mut events) {
            let fine = outcome.passed();
            passed += usize::from(fine);
            failed += usize::from(!fine);
            let said = outcome.failure.map_or_else(|| "ok".to_owned(), |why| format!("FAILED: {why}"));
            if let (Value::Object(row), true) = (json!({"rule": outcome.rule, "test": outcome.name, "result": said}), !fine || !globals.quiet) {
                out.row(row)?;
            }
        }
    }
    out.finish()?;
    say!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { Done::Ok } else { Done::Findings })
}

/// Raw lines of a test as events, through the same framing, gate and derivation as everywhere.
fn events(component: &str, text: &str) -> Vec<Event<'static>> {
    let voted = parse::vote(text.as_bytes(), Some(component), None).map(str::to_owned);
    let definition = SourceDefinition { cluster: "test".into(), component: Some(component.into()), voted, ..SourceDefinition::default() };
    let (mut deriver, mut framer, redactor) = (Deriver::default(), Framer::new(), Redactor::default());
    let (bytes, mut at, mut out) = (text.as_bytes(), 0, Vec::new());
    while let Some(span) = framer.next(&bytes[at..], End::Closed) {
        let record = &bytes[at..at + span.len];
        let stored = redactor.redact(record.strip_suffix(b"\n").unwrap_or(record));
        let meta = RecordMeta { byte_start: at as u64, byte_end: (at + span.len) as u64, flags: span.flags, ..RecordMeta::default() };
        let name = format!("test:{at}");
        out.push(deriver.derive(&definition, &meta, LogClass::Server, &name, stored.as_bytes()).into_owned());
        at += span.len;
    }
    out
}
