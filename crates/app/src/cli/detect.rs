//! `bartizan detect`: findings from log files, without a store: the files are read side by side by event time, as an import would.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use detect::{Engine, Lane, Origin, testing::last_revisions};
use event::{Evidence, Finding, Redactor};
use serde_json::{Map, Value};

use super::{Done, Format, Globals, Output, records, source_args::SourceArgs};
use crate::{
    content,
    exit::{Exit, ExitExt as _},
};

/// What to look at, and for what.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit 1 if something was found, 0 if nothing was.")]
pub struct Args {
    /// Rules in this folder or file instead of the shipped ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    /// Log files, plain, .gz or .zst
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Columns of a table for people.
const COLUMNS: [&str; 5] = ["severity", "first_time", "count", "rule", "title"];

/// Prints one finding an episode, in the order of their first event.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    super::logging(globals);
    let rules = match &args.rules {
        None => content::rules(&[], &[]),
        Some(path) => content::of(path),
    };
    let rules = rules.or_else(super::rule_problems)?;
    if args.files.iter().any(|path| path.as_os_str() == "-") {
        return Err(anyhow::anyhow!("detect reads files side by side, by the time of their lines: name files, not standard input")).exit(Exit::Usage);
    }
    for path in &args.files {
        drop(collect::open::open(path).with_context(|| format!("reading {}", path.display())).exit(Exit::Io)?);
    }
    let told = args.source.definition()?;
    let (mut engine, mut out, mut sources) = (Engine::new(Arc::clone(&rules)), Vec::new(), HashMap::new());
    let damaged = records::merged(&args.files, &told, &Redactor::default(), |event, place| {
        let source = *sources.entry(place.file.to_owned()).or_insert_with(|| key(place.file));
        let evidence = || Evidence::File { file: place.file.to_owned(), offset: place.offset, raw: event.raw.clone().into_owned() };
        let lane = Lane::Lagging { historical: true };
        let origin = Origin { cluster: &told.cluster, source, lane, name: &place, evidence: &evidence };
        engine.event(event, &origin, event.time.unwrap_or_default(), &mut out);
        Ok(())
    })?;
    engine.flush(&mut out);
    let mut findings = last_revisions(out);
    findings.retain(|f| f.merged_into.is_none() && !f.withdrawn);
    findings.sort_by(|a, b| (a.first_time, &a.rule).cmp(&(b.first_time, &b.rule)));
    print(&findings, globals)?;
    records::all_read("reading", &damaged, "findings are only of what stands before the damage; get a whole copy for the rest")?;
    Ok(if findings.is_empty() { Done::Ok } else { Done::Findings })
}

fn key(file: &str) -> u128 {
    let mut hash = DefaultHasher::new();
    file.hash(&mut hash);
    u128::from(hash.finish())
}

fn print(findings: &[Finding], globals: &Globals) -> anyhow::Result<()> {
    let table = matches!(globals.format(), Format::Table);
    let mut out = Output::new(globals.format(), if table { COLUMNS.map(str::to_owned).to_vec() } else { Vec::new() });
    for finding in findings {
        let row = match serde_json::to_value(finding)? {
            Value::Object(row) => row,
            _ => Map::new(),
        };
        out.row(row)?;
    }
    out.finish()
}
