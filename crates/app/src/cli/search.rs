//! `bartizan search`: words and fields, without SQL (docs/howto/search.md).

use event::{Clock as _, clock::SystemClock};
use query::{Row, Search};

use super::{
    Done, Format, Globals, Output,
    stores::{self, At, Question, Reply},
};

/// The newest so many lines are shown if nothing else is asked for.
const LINES: usize = 1000;
/// What a terminal has room for.
const TABLE_COLUMNS: [&str; 7] = ["time", "cluster", "product", "level", "user", "src_ip", "raw"];

/// What to look for, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bartizan search 'denied user:root since:1h'
  bartizan search '\"drop table\" -src_ip:10.0.0.0/8'
  bartizan search --since 2026-11-21T00:00:00Z 8f2c4b")]
pub struct Args {
    #[command(flatten)]
    at: At,
    /// Show at most so many lines, the newest
    #[arg(long, value_name = "N", default_value_t = LINES)]
    limit: usize,
    /// Only lines from this time on: RFC 3339, or how long ago (1h, 2d)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Words, "phrases", field:value, -not, OR, since:1h
    #[arg(value_name = "WORDS", allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Prints the newest lines that match, newest first.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let now = SystemClock.now();
    let read = |text: &str| stores::asked(Search::parse(text, now));
    let since = args.since.map(|t| read(&format!("since:{t}"))).transpose()?.and_then(|s| s.since);
    let until = args.until.map(|t| read(&format!("until:{t}"))).transpose()?.and_then(|s| s.until);
    let text = args.words.join(" ");
    let notes = read(&text)?.notes;
    let (mut out, mut left, mut more) = (None, args.limit, false);
    // One line more than is shown tells whether there are more.
    let question = Question::Search { text: &text, since, until, limit: args.limit.saturating_add(1) };
    let missing = stores::wait(async {
        stores::ask(&args.at.data, &question, |reply| {
            match reply {
                Reply::Columns(columns) => out = Some(Output::new(globals.format(), shown(globals.format(), columns))),
                Reply::Row(_) if left == 0 => more = true,
                Reply::Row(row) => {
                    left -= 1;
                    out.as_mut().map_or(Ok(()), |out| out.row(known(row)))?;
                }
            }
            Ok(())
        })
        .await
    })?;
    out.map_or(Ok(()), Output::finish)?;
    missing.told()?;
    if left == args.limit && !globals.quiet {
        notes.iter().for_each(|note| say!("bartizan: {note}"));
    }
    if more && !globals.quiet {
        say!("bartizan: these are the newest {} lines, there are more; --limit shows more, since: and until: narrow it", args.limit);
    }
    Ok(Done::Ok)
}

/// The columns of a shape: few on a terminal, all in CSV, whatever a line has in JSON.
fn shown(format: Format, all: Vec<String>) -> Vec<String> {
    match format {
        Format::Table => TABLE_COLUMNS.map(str::to_owned).to_vec(),
        Format::Csv => all,
        Format::Json | Format::Jsonl => Vec::new(),
    }
}

/// A line without the columns that it does not know.
fn known(row: Row) -> Row {
    row.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
