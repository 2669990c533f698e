//! `bartizan version`: the version, for people and for bug reports.

use std::io::Write as _;

use super::{Done, Globals};

/// No arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints one line.
pub fn run(_args: Args, _globals: &Globals) -> anyhow::Result<Done> {
    writeln!(std::io::stdout(), "bartizan {}", env!("CARGO_PKG_VERSION"))?;
    Ok(Done::Ok)
}
