//! `bartizan parse`: log files in, one redacted event a record out. Owns: the options and the counts; how a line is read is `parse`'s.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, stdin},
    path::PathBuf,
};

use clap::builder::PossibleValuesParser;
use event::{Event, Issue, Micros, Redactor, clock::rfc3339, json::push_event};
use parse::Format as LineFormat;

use super::{Done, Format, Globals, Output, records, source_args::SourceArgs};
use crate::exit::{Exit, ExitExt as _};

/// What is parsed, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Log files, plain, .gz or .zst; - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The one format that the files have; auto looks at each line
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = PossibleValuesParser::new(format_names()))]
    format: String,
    #[command(flatten)]
    source: SourceArgs,
    /// Print counts on standard error at the end
    #[arg(long)]
    stats: bool,
}

fn format_names() -> Vec<&'static str> {
    std::iter::once("auto").chain(LineFormat::NAMES.iter().map(|(name, _)| *name)).collect()
}

/// Columns of a table and of CSV; JSON shows all that are known.
const COLUMNS: [&str; 10] = ["time", "product", "stream", "level", "action", "status", "user", "src_ip", "object", "message"];

/// Prints events.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let mut files = args.files;
    if files.is_empty() {
        if stdin().is_terminal() {
            return Err(anyhow::anyhow!("name the log files to parse, or pipe one in")).exit(Exit::Usage);
        }
        files.push(PathBuf::from("-"));
    }
    let mut told = args.source.definition()?;
    told.format = LineFormat::named(&args.format).map(|_| args.format.clone());
    let redactor = Redactor::default();
    let format = globals.format();
    let wide = matches!(format, Format::Table | Format::Csv);
    let columns = if wide { COLUMNS.map(str::to_owned).to_vec() } else { Vec::new() };
    let mut printer = Printer { output: Output::new(format, columns), line: String::new(), counts: args.stats.then(Counts::default) };
    let damaged = records::each(&files, &told, &redactor, &mut printer)?;
    printer.output.finish()?;
    if let Some(counts) = printer.counts {
        say!("{}", counts.text().trim_end());
    }
    records::all_read("parsing", &damaged, "what stands before the damage is printed; get a whole copy for the rest")?;
    Ok(Done::Ok)
}

/// Prints, and counts if asked to.
struct Printer {
    output: Output,
    line: String,
    counts: Option<Counts>,
}

impl records::Sink for Printer {
    fn event(&mut self, event: &Event<'_>, _place: records::Place<'_>) -> anyhow::Result<()> {
        if let Some(counts) = &mut self.counts {
            counts.add(event);
        }
        self.line.clear();
        push_event(&mut self.line, event);
        self.output.line(&self.line)
    }
    fn pause(&mut self) -> anyhow::Result<()> {
        self.output.flush()
    }
}

/// What `--stats` shows.
#[derive(Debug, Default)]
struct Counts {
    records: u64,
    bytes: u64,
    /// product/stream
    streams: BTreeMap<(String, String), u64>,
    actions: BTreeMap<&'static str, u64>,
    issues: BTreeMap<String, u64>,
    first: Option<Micros>,
    last: Option<Micros>,
}

impl Counts {
    fn add(&mut self, event: &Event<'_>) {
        self.records += 1;
        self.bytes += event.byte_end - event.byte_start;
        let name = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
        *self.streams.entry((name(event.product.as_deref()), name(event.stream.as_deref()))).or_default() += 1;
        if let Some(action) = event.action() {
            *self.actions.entry(action).or_default() += 1;
        }
        for issue in &event.issues {
            *self.issues.entry(issue.to_string()).or_default() += 1;
        }
        if !event.issues.iter().any(Issue::untrusted_time)
            && let Some(time) = event.time
        {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
    }

    fn text(&self) -> String {
        let mut rows = vec![("records".to_owned(), self.records.to_string()), ("bytes".to_owned(), self.bytes.to_string())];
        rows.extend(self.first.map(|at| ("first time".to_owned(), rfc3339(at))));
        rows.extend(self.last.map(|at| ("last time".to_owned(), rfc3339(at))));
        rows.extend(self.streams.iter().map(|((product, stream), n)| (format!("stream {product}/{stream}"), n.to_string())));
        rows.extend(self.actions.iter().map(|(action, n)| (format!("action {action}"), n.to_string())));
        rows.extend(self.issues.iter().map(|(issue, n)| (format!("issue {issue}"), n.to_string())));
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_shown_by_name() {
        let mut counts = Counts::default();
        for time in [Some(2_000_000), Some(1_000_000), None] {
            let mut event = Event { time, product: Some("tidb".into()), stream: Some("server".into()), byte_end: 10, ..Event::default() };
            if time.is_none() {
                event.mark(Issue::Unparsed);
            }
            counts.add(&event);
        }
        let text = counts.text();
        for row in ["records             3", "bytes               30", "first time          1970-01-01T00:00:01.000Z", "stream tidb/server  3", "issue unparsed      1"] {
            assert!(text.contains(row), "{row:?} in {text}");
        }
    }
}
