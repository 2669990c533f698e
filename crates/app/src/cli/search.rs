//! `bartizan search`: words and fields, without SQL (docs/howto/search.md).

use std::path::PathBuf;

use event::{Clock as _, clock::SystemClock};
use query::{Row, Search};

use super::{Done, Format, Globals, Output, stores};

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
    /// The store's folder
    #[arg(long, value_name = "DIR", default_value = "bartizan-data")]
    data: PathBuf,
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
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
}

/// Prints the newest lines that match, newest first.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let now = SystemClock.now();
    let read = |text: &str| stores::asked(Search::parse(text, now));
    let since = args.since.map(|t| read(&format!("since:{t}"))).transpose()?.and_then(|s| s.since);
    let until = args.until.map(|t| read(&format!("until:{t}"))).transpose()?.and_then(|s| s.until);
    let search = read(&args.words.join(" "))?.within(since, until);
    let engine = stores::engine(&args.data)?;
    let table = globals.format() == Format::Table;
    let columns = if table { TABLE_COLUMNS.map(str::to_owned).to_vec() } else { Vec::new() };
    stores::wait(async {
        // One line more than is shown tells whether there are more.
        let mut answer = stores::asked(engine.search(&search, args.limit.saturating_add(1), None).await)?;
        let columns = if globals.format() == Format::Csv { answer.columns.clone() } else { columns };
        let mut out = Output::new(globals.format(), columns);
        let mut left = args.limit;
        let mut more = false;
        while let Some(rows) = stores::asked(answer.next().await)? {
            more |= rows.len() > left;
            for row in rows.into_iter().take(left) {
                left -= 1;
                out.row(known(row))?;
            }
        }
        out.finish()?;
        if more && !globals.quiet {
            eprintln!("bartizan: these are the newest {} lines, there are more; --limit shows more, since: and until: narrow it", args.limit);
        }
        Ok(Done::Ok)
    })
}

/// A line without the columns that it does not know.
fn known(row: Row) -> Row {
    row.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
