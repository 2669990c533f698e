//! The one binary. Reads the command line, hands over to one command, and turns its result into an exit code.
//!
//! Data goes to standard output, talk to standard error. Must never print a secret or a backtrace to a user.

mod cli;
mod config;
mod content;
mod exit;
mod pipeline;
mod simulate;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
