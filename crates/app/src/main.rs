//! The one binary. Reads the command line, hands over to one command, and turns its result into an exit code.
//!
//! Data goes to standard output, talk to standard error. Must never print a secret or a backtrace to a user.

#![deny(clippy::print_stderr, clippy::print_stdout)]

/// Talk, on standard error. One that is gone (a closed terminal, a full disk) is no reason to stop: `eprintln!` would end the program.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($text)*);
    }};
}

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
