//! The project's own chores: `cargo xtask tidy` checks the tree as a test, `cargo xtask bench` measures.
//!
//! Must never be needed to build or run Bartizan.

mod bench;
mod tidy;

use std::process::ExitCode;

/// One chore: its name, what it is for, and what it does with the arguments behind its name.
struct Chore {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), String>,
}

/// All chores. One line each.
const CHORES: &[Chore] = &[
    Chore { name: "bench", about: "measure parse or import beside zstd -3", run: bench::run },
    Chore { name: "tidy", about: "check the tree: directions, caps, fixtures, documents", run: tidy::run },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(chore) = args.first().and_then(|name| CHORES.iter().find(|c| c.name == name.as_str())) else {
        eprintln!("usage: cargo xtask CHORE\n");
        for c in CHORES {
            eprintln!("  {:8} {}", c.name, c.about);
        }
        return ExitCode::from(2);
    };
    match (chore.run)(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
