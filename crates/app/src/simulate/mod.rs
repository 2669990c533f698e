//! A simulated cluster: two TiDB, three PD, three TiKV and a Milvus that write their logs in their real formats, and what an intruder leaves in them.
//!
//! Owns: the story and the truth about it (`steps.jsonl`, `acts.json`, `records.json`). Everything it writes is made up here; nothing is a recording.
//! Deterministic for a seed. Must never write outside its folder.

mod acts;
mod dice;
mod milvus;
mod pd;
mod scribe;
mod tidb;
mod tikv;

#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use event::{Micros, clock::SECOND};

pub use acts::ACTS;
use dice::Dice;
pub use scribe::Scribe;

/// The TiDB servers, by folder.
pub const TIDB: [&str; 2] = ["tidb-0", "tidb-1"];
/// The PD servers.
pub const PD: [&str; 3] = ["pd-0", "pd-1", "pd-2"];
/// The TiKV stores.
pub const TIKV: [&str; 3] = ["tikv-0", "tikv-1", "tikv-2"];
/// The Milvus.
pub const MILVUS: &str = "milvus-0";
/// Lines of ordinary work a second, unless told.
pub const RATE: u32 = 40;

/// How the story is told.
#[derive(Debug, Clone)]
pub struct Story {
    /// The folder that the instances' folders lie in.
    pub out: PathBuf,
    /// Names of acts, in order; see [`ACTS`].
    pub acts: Vec<String>,
    /// Ordinary lines a second, all files together.
    pub rate: u32,
    /// Same seed, same story.
    pub seed: u64,
    /// Ordinary work before, between and after acts, in seconds.
    pub quiet_s: u32,
    /// Where the simulated clock begins.
    pub start: Micros,
}

/// How simulated time goes by.
pub trait Pace {
    /// Waits until the simulated clock may show `at`. False ends the story.
    fn until(&mut self, at: Micros) -> bool;
}

/// As fast as it can be written.
pub struct AtOnce;

impl Pace for AtOnce {
    fn until(&mut self, _at: Micros) -> bool {
        true
    }
}

/// In real time, until somebody says stop.
pub struct Live<'s> {
    /// Set from outside.
    pub stop: &'s std::sync::atomic::AtomicBool,
}

impl Pace for Live<'_> {
    fn until(&mut self, at: Micros) -> bool {
        use event::Clock as _;
        loop {
            if self.stop.load(std::sync::atomic::Ordering::Relaxed) {
                return false;
            }
            let wait = at - event::clock::SystemClock.now();
            if wait <= 0 {
                return true;
            }
            std::thread::sleep(Duration::from_micros(wait.unsigned_abs()).min(Duration::from_millis(100)));
        }
    }
}

/// The stage: where lines go, what time it is, chance.
pub struct Stage<'p> {
    pub scribe: Scribe,
    pub dice: Dice,
    pub now: Micros,
    pace: &'p mut dyn Pace,
    ended: bool,
}

impl Stage<'_> {
    /// Time goes by. Errors end the story; a pace that ends it is no error.
    pub fn wait_ms(&mut self, ms: i64) -> io::Result<()> {
        self.now += ms * 1000;
        if !self.ended && !self.pace.until(self.now) {
            self.ended = true;
        }
        if self.ended { Err(io::Error::new(io::ErrorKind::Interrupted, "the story was ended")) } else { Ok(()) }
    }
}

/// Tells a story into its folder and writes the truth beside it. A story ended from outside leaves its truth up to there.
pub fn tell(story: &Story, pace: &mut dyn Pace) -> io::Result<()> {
    let scribe = Scribe::open(&story.out)?;
    let mut stage = Stage { scribe, dice: Dice::new(story.seed), now: story.start, pace, ended: false };
    let told = all(story, &mut stage);
    stage.scribe.finish(&story.acts)?;
    match told {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
        told => told,
    }
}

fn all(story: &Story, stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("cluster_starts", "setup", "operator", stage.now)?;
    begin(stage)?;
    quiet(story, stage)?;
    for name in &story.acts {
        let Some(act) = ACTS.iter().find(|a| a.name == name) else { continue };
        (act.play)(stage)?;
        quiet(story, stage)?;
    }
    Ok(())
}

/// Goes on with ordinary work for as long as the pace lets it.
pub fn tell_and_go_on(story: &Story, pace: &mut dyn Pace) -> io::Result<()> {
    let mut stage = Stage { scribe: Scribe::open(&story.out)?, dice: Dice::new(story.seed), now: story.start, pace, ended: false };
    let mut told = all(story, &mut stage);
    while told.is_ok() {
        told = quiet(story, &mut stage);
    }
    stage.scribe.finish(&story.acts)?;
    match told {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
        told => told,
    }
}

/// Banners and first lines.
fn begin(stage: &mut Stage<'_>) -> io::Result<()> {
    for pd in PD {
        pd::banner(stage, pd)?;
    }
    pd::leader(stage, PD[0])?;
    for kv in TIKV {
        tikv::banner(stage, kv)?;
    }
    for db in TIDB {
        tidb::banner(stage, db)?;
    }
    milvus::banner(stage)
}

/// Ordinary work.
fn quiet(story: &Story, stage: &mut Stage<'_>) -> io::Result<()> {
    let end = stage.now + i64::from(story.quiet_s) * SECOND;
    let pause = 1000 / i64::from(story.rate.clamp(1, 100_000));
    stage.scribe.step("ordinary_work", "ordinary", "application", stage.now)?;
    let mut owed = 0;
    while stage.now < end {
        // At high rates several lines share a millisecond.
        owed += i64::from(story.rate);
        let lines = if pause > 0 { 1 } else { owed / 1000 };
        if pause == 0 {
            owed %= 1000;
        }
        for _ in 0..lines {
            ordinary(stage)?;
        }
        stage.wait_ms(pause.max(1))?;
    }
    Ok(())
}

/// One small piece of ordinary work somewhere.
fn ordinary(stage: &mut Stage<'_>) -> io::Result<()> {
    let (db, kv, pd) = (*stage.dice.pick(&TIDB), *stage.dice.pick(&TIKV), *stage.dice.pick(&PD));
    match stage.dice.below(100) {
        0..30 => milvus::work(stage),
        30..50 => tikv::work(stage, kv),
        50..60 => pd::work(stage, pd),
        60..61 => tidb::slow(stage, db, &tidb::app_statement),
        61..63 => tidb::duplicate_key(stage, db),
        _ => tidb::work(stage, db),
    }
}

/// The files of a told story, as patterns for a configuration: (pattern, cluster, component).
pub fn patterns(out: &Path) -> Vec<(String, &'static str, &'static str)> {
    let of = |folder: &str| out.join(folder).join("*.log*").to_string_lossy().into_owned();
    let tidb = TIDB.iter().map(|f| (of(f), "shop", "tidb"));
    let pd = PD.iter().map(|f| (of(f), "shop", "pd"));
    let tikv = TIKV.iter().map(|f| (of(f), "shop", "tikv"));
    tidb.chain(pd).chain(tikv).chain([(of(MILVUS), "vectors", "milvus")]).collect()
}
