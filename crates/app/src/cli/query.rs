//! `bartizan query`: SQL over a store.

use std::path::PathBuf;

use super::{Done, Globals, Output, stores};

/// What to ask, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = "Tables: events, self (our own records), acts, events_once. SHOW TABLES and DESCRIBE events list what there is.")]
pub struct Args {
    /// The store's folder
    #[arg(long, value_name = "DIR", default_value = "bartizan-data")]
    data: PathBuf,
    /// One SQL statement; it can only read
    sql: String,
}

/// Prints the rows of the answer as they come.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let engine = stores::engine(&args.data)?;
    stores::wait(async {
        let mut answer = stores::asked(engine.sql(&args.sql).await)?;
        let mut out = Output::new(globals.format(), answer.columns.clone());
        while let Some(rows) = stores::asked(answer.next().await)? {
            rows.into_iter().try_for_each(|row| out.row(row))?;
        }
        out.finish()?;
        Ok(Done::Ok)
    })
}
