//! `bartizan completions`: for bash, zsh, fish and others.

use std::io::Write as _;

use super::{Done, Globals};

/// Which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(args: Args, _globals: &Globals) -> anyhow::Result<Done> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "bartizan", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Done::Ok)
}
