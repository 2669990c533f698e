//! `bartizan demo`: everything on one machine, nothing to configure: a simulated cluster is attacked while the real pipeline watches its logs.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use event::{Clock as _, clock::SystemClock};

use super::{
    Done, Globals,
    serve::{Plan, Prepared, Signals, Watching},
    stores,
};
use crate::{
    config::{Config, Server, Source},
    exit::{Exit, ExitExt as _},
    simulate::{self, ACTS, Live, RATE, Story},
};

/// Seconds of ordinary work before, between and after the acts: the whole story takes less than a minute.
const QUIET_S: u32 = 4;

/// Where to put it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the console answers
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
    listen: std::net::SocketAddr,
    /// Keep everything in this folder; else a temporary one that is removed at the end
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Lines of ordinary work a second
    #[arg(long, value_name = "N", default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=super::simulate::RATE_MAX))]
    rate: u32,
    /// The same seed tells the same story
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A folder that goes with the demo.
struct Stage {
    folder: PathBuf,
    keep: bool,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Plays until Ctrl-C.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    super::logging(globals);
    if !args.listen.ip().is_loopback() {
        let why = anyhow::anyhow!("starting the demo on {}: everybody who reaches it is signed in, so it listens on loopback only", args.listen);
        return Err(why).exit(Exit::Refused);
    }
    let keep = args.keep.is_some();
    let folder = args.keep.unwrap_or_else(|| std::env::temp_dir().join(format!("bartizan-demo-{}", std::process::id())));
    if keep && folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(anyhow::anyhow!("keeping the demo in {}: there is something in it; name a new folder", folder.display())).exit(Exit::Refused);
    }
    let stage = Stage { folder, keep };
    let story = Story {
        out: stage.folder.join("logs"),
        acts: ACTS.iter().map(|a| a.name.to_owned()).collect(),
        rate: args.rate,
        seed: args.seed,
        quiet_s: QUIET_S,
        start: SystemClock.now(),
    };
    std::fs::create_dir_all(&story.out).with_context(|| format!("making the demo's folder {}", story.out.display()))?;
    let config = config(&stage.folder, &story.out, args.listen);
    let folder = stage.folder.clone();
    stores::wait(async move { play(Plan { config, folder, demo: true }, story).await })?;
    say!("bartizan demo: ended{}", if keep { "" } else { ", its files are removed" });
    Ok(Done::Ok)
}

async fn play(plan: Plan, story: Story) -> anyhow::Result<()> {
    let out = story.out.clone();
    let mut signals = Signals::new()?;
    let watching = Watching::start(Prepared::new(plan)?).await?;
    let listen = watching.running().site.listen;
    say!("bartizan demo: a made-up cluster (2 TiDB, 3 PD, 3 TiKV, 1 Milvus) writes its logs into {}", out.display());
    say!("bartizan demo: the console is http://{listen} (everybody on this machine is signed in)");
    say!("bartizan demo: an intruder comes in a few seconds; the story takes less than a minute. Ctrl-C ends it.\n");
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // The clock of the story begins now, not when the folder was made.
    let story = Story { start: SystemClock.now(), ..story };
    let mut teller = tokio::task::spawn_blocking(move || simulate::tell_and_go_on(&story, &mut Live { stop: &asked }));
    // There is no configuration to read again: a terminal that is closed ends the demo too. The story ends by itself only when its logs cannot be written.
    let told = tokio::select! {
        _ = signals.next() => {
            stop.store(true, Ordering::Relaxed);
            (&mut teller).await
        }
        told = &mut teller => told,
    };
    watching.stop().await?;
    told.context("ending the simulated cluster")?.context("writing the simulated logs")
}

fn config(folder: &Path, logs: &Path, listen: std::net::SocketAddr) -> Config {
    let source = |(path, cluster, component): (String, &str, &str)| Source {
        kind: "file".to_owned(),
        path,
        cluster: cluster.to_owned(),
        component: Some(component.to_owned()),
        instance: None,
        time_zone: None,
        db_config: None,
        access_format: Vec::new(),
        labels: std::collections::BTreeMap::new(),
    };
    Config {
        server: Server { data: folder.join("data"), listen, external_url: None },
        source: simulate::patterns(logs).into_iter().map(source).collect(),
        ..Config::default()
    }
}
