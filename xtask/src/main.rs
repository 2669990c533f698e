//! The project's own chores: `cargo xtask tidy` checks the tree as a test, `cargo xtask bench` measures.
//!
//! Must never be needed to build or run Bartizan.

mod bench;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

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

/// The checkout that cargo runs this from: several checkouts may share one build folder, so where this was compiled says nothing.
fn root() -> Result<PathBuf, String> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from).join("..");
    here.canonicalize().map_err(|e| format!("finding the project's root {}: {e}", here.display()))
}

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
