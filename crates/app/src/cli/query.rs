//! `bartizan query`: SQL over a store.

use super::{
    Done, Globals, Output,
    stores::{self, At, Question, Reply},
};

/// What to ask, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = "Tables: events, self (our own records), acts, events_once. SHOW TABLES and DESCRIBE events list what there is.")]
pub struct Args {
    #[command(flatten)]
    at: At,
    /// One SQL statement; it can only read
    sql: String,
}

/// Prints the rows of the answer as they come.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let mut out = None;
    let missing = stores::wait(async {
        stores::ask(&args.at.data, &Question::Sql(&args.sql), |reply| {
            match reply {
                Reply::Columns(columns) => out = Some(Output::new(globals.format(), columns)),
                Reply::Row(row) => out.as_mut().map_or(Ok(()), |out| out.row(row))?,
            }
            Ok(())
        })
        .await
    })?;
    out.map_or(Ok(()), Output::finish)?;
    missing.told()?;
    Ok(Done::Ok)
}
