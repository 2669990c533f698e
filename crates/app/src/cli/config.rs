//! `bartizan config`: check a configuration before it is used, or show what it comes to.

use std::path::PathBuf;

use serde_json::json;

use super::{Done, Globals, Output, serve};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Read and check a configuration, its rules included; exit 78 with what is wrong
    Check {
        /// The configuration
        #[arg(short, long, value_name = "FILE", default_value = "bartizan.toml")]
        config: PathBuf,
    },
    /// Show what a configuration comes to, without secrets
    Show {
        /// The configuration
        #[arg(short, long, value_name = "FILE", default_value = "bartizan.toml")]
        config: PathBuf,
    },
}

/// Reads, checks, says.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    match args.what {
        What::Check { config } => {
            let prepared = serve::read(&config)?;
            let (read, rules) = (prepared.config(), prepared.rules());
            if !globals.quiet {
                say!("{}: fine ({} sources, {} channels, {rules} rules)", config.display(), read.source.len(), read.notify.len());
            }
        }
        What::Show { config } => {
            let prepared = serve::read(&config)?;
            let (read, rules) = (prepared.config(), prepared.rules());
            let mut out = Output::new(globals.format(), vec!["key".into(), "value".into()]);
            let mut say = |key: String, value: String| match json!({"key": key, "value": value}) {
                serde_json::Value::Object(row) => out.row(row),
                _ => Ok(()),
            };
            say("server.data".into(), read.server.data.display().to_string())?;
            say("server.listen".into(), read.server.listen.to_string())?;
            for source in &read.source {
                say("source".into(), format!("{} ({}, {})", source.path, source.cluster, source.component.as_deref().unwrap_or("any product")))?;
            }
            for notify in &read.notify {
                say("notify".into(), format!("{} ({})", notify.name, notify.kind))?;
            }
            say("rules".into(), rules.to_string())?;
            out.finish()?;
        }
    }
    Ok(Done::Ok)
}
