//! `bartizan simulate`: logs of a made-up cluster in their real formats, with the truth beside them.

use std::path::PathBuf;

use anyhow::Context as _;
use event::{Clock as _, clock::SystemClock};

use super::{Done, Globals};
use crate::{
    exit::{Exit, ExitExt as _},
    simulate::{self, ACTS, AtOnce, RATE, Story},
};

/// Lines a second: more than any cluster writes.
pub const RATE_MAX: i64 = 1_000_000;
/// A day.
const QUIET_S_MAX: i64 = 86_400;

/// What to make up.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes a folder per instance, and beside them steps.jsonl (what was done when, and which bytes it wrote), acts.json (which steps make one act) and records.json (records per stream).")]
pub struct Args {
    /// A new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Acts to play, in order
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = ACTS.iter().map(|a| a.name.to_owned()).collect::<Vec<_>>())]
    acts: Vec<String>,
    /// Lines of ordinary work a second
    #[arg(long, value_name = "N", default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=RATE_MAX))]
    rate: u32,
    /// The same seed tells the same story
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Seconds of ordinary work before, between and after the acts
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=QUIET_S_MAX))]
    quiet_for: u32,
    /// Write in real time instead of at once
    #[arg(long)]
    live: bool,
}

/// Tells the story.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    for act in &args.acts {
        let known = ACTS.iter().any(|a| a.name == act);
        let names = || ACTS.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
        known.then_some(()).with_context(|| format!("simulating: there is no act {act:?}; use {}", names())).exit(Exit::Usage)?;
    }
    if args.out.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(anyhow::anyhow!("simulating into {}: there is something in it; name a new folder", args.out.display())).exit(Exit::Refused);
    }
    let start = SystemClock.now();
    let story = Story { out: args.out.clone(), acts: args.acts, rate: args.rate, seed: args.seed, quiet_s: args.quiet_for, start };
    let told = if args.live {
        let never = std::sync::atomic::AtomicBool::new(false);
        simulate::tell(&story, &mut simulate::Live { stop: &never })
    } else {
        simulate::tell(&story, &mut AtOnce)
    };
    told.with_context(|| format!("simulating into {}: name a folder that no story was told into", args.out.display())).exit(Exit::Io)?;
    if !globals.quiet {
        say!("{} acts told into {}", story.acts.len(), args.out.display());
    }
    Ok(Done::Ok)
}
