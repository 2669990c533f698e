//! `bartizan serve` from outside: signals.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use assert_cmd::cargo::CommandCargoExt as _;

/// Only a broken program gets there.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Server {
    fn start(config: &Path) -> Self {
        let mut command = Command::cargo_bin("bartizan").unwrap();
        command.args(["serve", "-c"]).arg(config).env("BARTIZAN_LOG", "error").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Reads what it says up to a line with this word.
    fn says(&mut self, word: &str) -> String {
        let mut all = String::new();
        while !all.lines().last().is_some_and(|line| line.contains(word)) {
            assert!(self.said.read_line(&mut all).unwrap() > 0, "it ended before it said {word:?}: {all}");
        }
        all
    }

    fn signal(&self, name: &str) {
        // The shell has `kill` of its own; the program is not everywhere.
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many events the running server has of an instance.
fn stored(data: &Path, instance: &str) -> String {
    let sql = format!("select count(*) as n from events where instance = '{instance}'");
    let out = Command::cargo_bin("bartizan").unwrap().args(["query", "--output", "csv", "--data"]).arg(data).arg(&sql).output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().last().unwrap_or_default().to_owned()
}

fn wait_for(data: &Path, instance: &str, count: &str) {
    let since = Instant::now();
    while stored(data, instance) != count {
        assert!(since.elapsed() < PATIENCE, "{count} events of {instance}, and not {}", stored(data, instance));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A configuration with the named instances as sources, and one line in the file of each that is new.
fn write(folder: &Path, instances: &[&str], more: &str) {
    let mut text = "[server]\ndata = \"data\"\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for name in instances {
        let line = format!("[2026/03/02 10:00:00.120 +00:00] [INFO] [server.go:34] [\"start of {name}\"]\n");
        let path = folder.join(format!("{name}.log"));
        if !path.exists() {
            // A file that is written anew is a new generation: its lines count again.
            fs::write(path, line).unwrap();
        }
        text += &format!("[[source]]\nkind = \"file\"\npath = \"{name}.log\"\ninstance = \"{name}\"\n");
    }
    fs::write(folder.join("bartizan.toml"), text + more).unwrap();
}

#[test]
fn a_hangup_reads_the_configuration_again_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (folder.path().join("bartizan.toml"), folder.path().join("data"));
    write(folder.path(), &["one"], "");
    let mut server = Server::start(&config);
    server.says("/setup#");
    wait_for(&data, "one", "1");

    write(folder.path(), &["one", "two"], "");
    server.signal("HUP");
    assert!(server.says("was read again").contains("2 sources"));
    wait_for(&data, "two", "1");
    assert_eq!(stored(&data, "one"), "1", "nothing is stored twice");

    for (bad, word) in [
        ("[rule]\n", "did you mean `rules`?"),
        ("[[notify]]\nname = \"a\"\nkind = \"slack\"\ntarget = \"env:NOT_SET_ANYWHERE\"\n", "NOT_SET_ANYWHERE"),
    ] {
        write(folder.path(), &["one", "two", "three"], bad);
        server.signal("HUP");
        assert!(server.says("stays as it was").contains(word));
    }
    let mut two = fs::OpenOptions::new().append(true).open(folder.path().join("two.log")).unwrap();
    two.write_all(b"[2026/03/02 10:00:01.120 +00:00] [INFO] [server.go:34] [more]\n").unwrap();
    wait_for(&data, "two", "2");
    assert_eq!(stored(&data, "three"), "0");

    server.signal("TERM");
    let since = Instant::now();
    while server.child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
}
