//! `bartizan init`: a new store: keys, the root key, the one-use setup link.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Done, Globals, Output, stores};

/// Where.
#[derive(Debug, clap::Args)]
#[command(after_help = "The root key is shown once and stored nowhere: write it down. `serve` and `import` make a store by themselves where none is.")]
pub struct Args {
    /// The folder of the new store; it must be empty or missing
    #[arg(long, value_name = "DIR", default_value = "bartizan-data")]
    data: PathBuf,
}

/// Makes the store and says what must be kept.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let made = store::init(&args.data).or_else(stores::refused)?;
    // Also with --quiet: nothing else ever shows it.
    say!("A new store in {}.", args.data.display());
    say!("The root key (write it down now, it is stored nowhere; it signs a restore):\n\n    {}\n", made.root_secret);
    if !globals.quiet {
        say!("`bartizan serve` prints the link in which the first account is made.");
    }
    let mut out = Output::new(globals.format(), Vec::new());
    let row = json!({"data": args.data.display().to_string(), "node": made.node.to_string(), "root_fingerprint": made.root_fingerprint});
    if let Value::Object(row) = row {
        out.row(row)?;
    }
    out.finish()?;
    Ok(Done::Ok)
}
