//! `cargo xtask bench parse|import`: how fast, beside a yardstick in the same run. Prints machine, profile, data and peer; asserts nothing.
//!
//! parse: parse, normalize and redact on one core (profile bench), beside a bare scan for line ends and `zstd -3` on the same bytes.
//! import: `bartizan import` as a whole process, its CPU seconds beside those of `zstd -3 -T1` on the same files.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Seconds of ordinary work a story has around its acts; with [`RATE`] some 60 MB of text in all.
const QUIET_S: &str = "20";
const RATE: &str = "2000";
/// Recorded runs, where the shared folder lies beside the checkout: component and path.
const RECORDED: &[(&str, &str)] = &[
    ("tidb", "tidb/server-9.0-text/tidb.log"),
    ("tidb", "tidb/server-9.0-text/tidb-slow.log"),
    ("tidb", "tidb/server-9.0-text/tidb-general.log"),
    ("pd", "tidb/server-9.0-text/pd.log"),
    ("tiproxy", "tidb/tiproxy-text/tiproxy.log"),
    ("milvus", "milvus/server-2.3.5-text-default-cache/milvus-stdout.log"),
    ("milvus", "milvus/server-2.3.5-text/access.log"),
];

/// Runs one benchmark; `--bin PATH` names the `bartizan` to measure and to make data with, `--profile quick` builds with less patience.
pub fn run(args: &[String]) -> Result<(), String> {
    let root = crate::root()?;
    let value = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).cloned();
    let profile = value("--profile").unwrap_or_else(|| "bench".to_owned());
    say_machine(&profile);
    match args.first().map(String::as_str) {
        Some("parse") => parse(&root, &profile, value("--bin").as_deref()),
        Some("import") => import(&root, &profile, value("--bin")),
        _ => Err("usage: cargo xtask bench parse|import [--bin PATH] [--profile NAME]".to_owned()),
    }
}

fn say_machine(profile: &str) {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("unknown", |m| m.trim_start_matches([' ', '\t', ':']));
    let cores = cpu.lines().filter(|l| l.starts_with("processor")).count();
    println!("machine: {model}, {cores} cores; profile {profile}; load {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}

fn checked(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("starting {command:?}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

/// Where a profile's programs lie: cargo puts those of `bench` beside those of `release`, and those of `dev` into `debug`.
fn built(root: &Path, profile: &str) -> PathBuf {
    let folder = match profile {
        "bench" => "release",
        "dev" | "test" => "debug",
        other => other,
    };
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join(folder)
}

/// A story of real shape, made up anew: (component, file).
fn story(bin: &str, out: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    checked(Command::new(bin).args(["--quiet", "simulate", "--rate", RATE, "--quiet-for", QUIET_S, "--out"]).arg(out))?;
    let mut files = Vec::new();
    for folder in fs::read_dir(out).map_err(|e| format!("reading {}: {e}", out.display()))?.flatten().filter(|e| e.path().is_dir()) {
        let name = folder.file_name().to_string_lossy().into_owned();
        let component = name.split('-').next().unwrap_or_default().to_owned();
        let logs = fs::read_dir(folder.path()).map_err(|e| e.to_string())?.flatten().map(|e| e.path());
        files.extend(logs.map(|path| (component.clone(), path)));
    }
    files.sort();
    Ok(files)
}

fn recorded(root: &Path) -> Vec<(String, PathBuf)> {
    let shared = env::var_os("BARTIZAN_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let files = RECORDED.iter().map(|(component, path)| ((*component).to_owned(), shared.join("corpus").join(path)));
    let there: Vec<_> = files.filter(|(_, path)| path.exists()).collect();
    if there.is_empty() {
        println!("SKIPPED recorded logs: no ../shared beside this checkout");
    }
    there
}

fn temporary() -> Result<PathBuf, String> {
    let folder = env::temp_dir().join(format!("bartizan-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|e| format!("making {}: {e}", folder.display()))?;
    Ok(folder)
}

fn parse(root: &Path, profile: &str, bin: Option<&str>) -> Result<(), String> {
    checked(Command::new("cargo").current_dir(root).args(["build", "--quiet", "--profile", profile, "-p", "parse", "--example", "speed"]))?;
    let folder = temporary()?;
    let mut files = recorded(root);
    match bin {
        Some(bin) => files.extend(story(bin, &folder.join("story"))?),
        None => println!("SKIPPED generated logs: name a built bartizan with --bin"),
    }
    let speed = built(root, profile).join("examples/speed");
    let arguments = files.iter().map(|(component, path)| format!("{component}={}", path.display()));
    let ran = checked(Command::new(speed).args(arguments));
    fs::remove_dir_all(&folder).map_err(|e| format!("removing {}: {e}", folder.display()))?;
    ran
}

fn import(root: &Path, profile: &str, bin: Option<String>) -> Result<(), String> {
    let bin = match bin {
        Some(bin) => bin,
        None => {
            checked(Command::new("cargo").current_dir(root).args(["build", "--quiet", "--profile", profile, "-p", "app"]))?;
            built(root, profile).join("bartizan").to_string_lossy().into_owned()
        }
    };
    let folder = temporary()?;
    let files = story(&bin, &folder.join("story"))?;
    let bytes: u64 = files.iter().filter_map(|(_, p)| fs::metadata(p).ok()).map(|m| m.len()).sum();
    let paths = || files.iter().map(|(_, p)| p);
    let before = cpu_of_children();
    let started = Instant::now();
    checked(Command::new(&bin).args(["--quiet", "import", "--cluster", "bench", "--data"]).arg(folder.join("data")).args(paths()))?;
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_of_children() - before);
    let before = cpu_of_children();
    checked(Command::new("zstd").args(["-3", "-T1", "-q", "-f", "--output-dir-flat"]).arg(&folder).args(paths()))?;
    let zstd = cpu_of_children() - before;
    let packed: u64 = files
        .iter()
        .filter_map(|(_, p)| fs::metadata(folder.join(format!("{}.zst", p.file_name()?.to_string_lossy()))).ok())
        .map(|m| m.len())
        .sum();
    let mb = bytes as f64 / 1e6;
    println!(
        "import: {mb:.1} MB in {wall:.2} s, {cpu:.2} CPU s: {:.1} MB per CPU second; detection with the shipped rules and the seal included",
        mb / cpu
    );
    println!("zstd -3 -T1: {zstd:.2} CPU s: {:.1} MB per CPU second; import is {:.3} of it", mb / zstd, zstd / cpu);
    println!("on disk: {:.1} MB, zstd -3 of the text {:.1} MB", size(&folder.join("data/lake")) as f64 / 1e6, packed as f64 / 1e6);
    fs::remove_dir_all(&folder).map_err(|e| format!("removing {}: {e}", folder.display()))
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return fs::metadata(path).map_or(0, |m| m.len()) };
    entries.flatten().map(|e| size(&e.path())).sum()
}

/// User and system seconds of all children that have ended (proc(5), fields 16 and 17 of stat, in ticks of 1/100 s).
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> = behind.split_whitespace().skip(13).take(2).filter_map(|t| t.parse().ok()).collect();
    ticks.iter().sum::<f64>() / 100.0
}
