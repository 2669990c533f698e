//! `bartizan completions`: for bash, zsh, fish and others.

use super::{Done, Globals};

/// Which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(args: Args, _globals: &Globals) -> anyhow::Result<Done> {
    clap_complete::generate(args.shell, &mut super::command(), "bartizan", &mut std::io::stdout());
    Ok(Done::Ok)
}
