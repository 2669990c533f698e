//! The one binary. Reads the command line, hands over to one command, and turns its result into an exit code.
//!
//! Data goes to standard output, talk to standard error. Must never print a secret or a backtrace to a user.

mod cli;
mod exit;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
