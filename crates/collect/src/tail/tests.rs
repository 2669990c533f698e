//! Every kind of rotation: for each file of the story, each byte is stored exactly once.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    time::{Duration, Instant},
};

use super::*;
use crate::memory::Memory;
use event::Generation;

struct Story {
    folder: tempfile::TempDir,
    memory: Arc<Memory>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    status: Status,
    young_idle: Duration,
    open_max: usize,
}

fn line(n: usize) -> String {
    format!("[2026/03/02 10:00:{:02}.{:03} +00:00] [INFO] [a.go:1] [hello] [n={n}] [pad={}]\n", n / 1000 % 60, n % 1000, "x".repeat(n % 90))
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(line).collect()
}

impl Story {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = Arc::new(Memory::default());
        let mut story = Self {
            folder,
            memory,
            stop: Arc::default(),
            thread: None,
            status: Status::default(),
            young_idle: YOUNG_IDLE,
            open_max: FILES_MAX,
        };
        story.start();
        story
    }
    fn start(&mut self) {
        let definition = SourceDefinition { cluster: "prod".into(), component: Some("tidb".into()), ..SourceDefinition::default() };
        let pattern = format!("{}/tidb.log*", self.folder.path().display());
        let ship: Arc<dyn Ship> = Arc::clone(&self.memory) as _;
        let mut tail = Tail::new(vec![FileSource { pattern, definition }], ship, Arc::new(Redactor::default())).unwrap();
        tail.young_idle = self.young_idle;
        tail.open_max = self.open_max;
        self.status = tail.status();
        let stop = Arc::new(AtomicBool::new(false));
        self.stop = Arc::clone(&stop);
        self.thread = Some(std::thread::spawn(move || tail.run(&stop).unwrap()));
    }
    fn halt(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn append(&self, name: &str, text: &str) {
        OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }
    /// Waits until the stored text, generation by generation, is what was written.
    fn expect(&self, mut want: Vec<String>) {
        want.sort();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let mut have: Vec<String> = self.memory.texts().into_values().filter(|t| !t.is_empty()).collect();
            have.sort();
            if have == want {
                return;
            }
            let lengths = |v: &[String]| v.iter().map(String::len).collect::<Vec<_>>();
            assert!(Instant::now() < deadline, "stored {:?}, written {:?}", lengths(&have), lengths(&want));
            std::thread::yield_now();
        }
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn a_file_grows() {
    let story = Story::begin();
    story.append("tidb.log", &lines(0..10));
    story.expect(vec![lines(0..10)]);
    story.append("tidb.log", &lines(10..500));
    story.expect(vec![lines(0..500)]);
}

#[test]
fn more_files_than_may_be_open_are_read_and_go_on() {
    let mut story = Story::begin();
    story.halt();
    let part = |n: usize, from: usize| lines(n * 1000 + from..n * 1000 + from + 50);
    for n in 0..20 {
        story.append(&format!("tidb.log.{n}"), &part(n, 0));
    }
    story.open_max = 3;
    story.start();
    story.expect((0..20).map(|n| part(n, 0)).collect());
    for n in 0..20 {
        story.append(&format!("tidb.log.{n}"), &part(n, 50));
    }
    story.expect((0..20).map(|n| part(n, 0) + &part(n, 50)).collect());
}

#[test]
fn a_name_that_is_no_text_is_read_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let story = Story::begin();
    let path = story.folder.path().join(std::ffi::OsStr::from_bytes(b"tidb.log.\xff"));
    fs::write(path, lines(0..100)).unwrap();
    story.expect(vec![lines(0..100)]);
}

#[test]
fn a_line_without_its_end_waits_for_it() {
    let story = Story::begin();
    let whole = line(0);
    let (head, rest) = whole.split_at(30);
    story.append("tidb.log", &(line(1) + head));
    story.expect(vec![line(1)]);
    story.append("tidb.log", rest);
    story.expect(vec![line(1) + &line(0)]);
}

#[test]
fn rotation_by_rename() {
    let story = Story::begin();
    story.append("tidb.log", &lines(0..100));
    story.expect(vec![lines(0..100)]);
    fs::rename(story.path("tidb.log"), story.path("tidb.log.1")).unwrap();
    story.append("tidb.log.1", &lines(100..120)); // the writer has not noticed yet
    story.append("tidb.log", &lines(120..200));
    story.expect(vec![lines(0..120), lines(120..200)]);
}

#[test]
fn rotation_by_copy_and_truncate() {
    let story = Story::begin();
    story.append("tidb.log", &lines(0..100));
    story.expect(vec![lines(0..100)]);
    fs::copy(story.path("tidb.log"), story.path("tidb.log.1")).unwrap();
    fs::write(story.path("tidb.log"), "").unwrap();
    story.append("tidb.log", &lines(200..230));
    story.expect(vec![lines(0..100), lines(200..230)]);
}

#[test]
fn a_copy_that_is_looked_at_while_it_is_made_adds_nothing() {
    let mut story = Story::begin();
    story.halt();
    story.young_idle = Duration::from_secs(3600);
    story.start();
    let text = lines(0..300);
    story.append("tidb.log", &text);
    story.expect(vec![text.clone()]);
    let copy = story.path("tidb.log.1");
    // Nothing yet, a part of a line, behind the first mark within a line, all of it.
    for length in [0, 30, 4_500, text.len()] {
        fs::write(&copy, &text[..length]).unwrap();
        let looked = |s: &FileStatus| if length < 4_096 { s.state == "young" } else { s.state == "known" && s.position == length as u64 };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !story.status.lock().unwrap().get(&copy).is_some_and(looked) {
            assert!(Instant::now() < deadline, "the copy of {length} bytes is not looked at: {:?}", story.status.lock().unwrap());
            std::thread::yield_now();
        }
    }
    fs::write(story.path("tidb.log"), "").unwrap();
    story.append("tidb.log", &lines(400..420));
    story.expect(vec![text, lines(400..420)]);
}

#[test]
fn a_short_file_that_begins_like_another_and_stays_so_is_stored() {
    let story = Story::begin();
    story.append("tidb.log", &lines(0..50));
    story.expect(vec![lines(0..50)]);
    story.append("tidb.log.other", &lines(0..3));
    story.expect(vec![lines(0..50), lines(0..3)]);
}

#[test]
fn what_only_the_copy_holds_is_read_from_it() {
    let mut story = Story::begin();
    story.append("tidb.log", &lines(0..100));
    story.expect(vec![lines(0..100)]);
    story.halt();
    story.append("tidb.log", &lines(100..130));
    fs::copy(story.path("tidb.log"), story.path("tidb.log.1")).unwrap();
    fs::write(story.path("tidb.log"), lines(300..310)).unwrap();
    story.start();
    story.expect(vec![lines(0..130), lines(300..310)]);
}

#[test]
fn a_restart_goes_on_and_a_compressed_copy_adds_nothing() {
    let mut story = Story::begin();
    story.append("tidb.log", &lines(0..400));
    story.expect(vec![lines(0..400)]);
    story.halt();
    story.append("tidb.log", &lines(400..450));
    fs::rename(story.path("tidb.log"), story.path("tidb.log.1")).unwrap();
    let packed = zstd::bulk::compress(&fs::read(story.path("tidb.log.1")).unwrap(), 1).unwrap();
    fs::write(story.path("tidb.log.1.zst"), packed).unwrap();
    story.append("tidb.log", &lines(450..500));
    story.start();
    story.expect(vec![lines(0..450), lines(450..500)]);
    story.halt();
    story.start();
    story.append("tidb.log", &line(500));
    story.expect(vec![lines(0..450), lines(450..501)]);
}

#[test]
fn a_pause_loses_nothing() {
    let story = Story::begin();
    story.append("tidb.log", &lines(0..50));
    story.expect(vec![lines(0..50)]);
    story.memory.pause(true);
    story.append("tidb.log", &lines(50..900));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !story.status.lock().unwrap().values().any(|s| s.state == "paused") {
        assert!(Instant::now() < deadline, "the pause is not shown");
        std::thread::yield_now();
    }
    story.memory.pause(false);
    story.expect(vec![lines(0..900)]);
}

#[test]
fn a_bad_pattern_is_refused() {
    let ship: Arc<dyn Ship> = Arc::new(Memory::default());
    let source = FileSource { pattern: "/var/log/[".into(), definition: SourceDefinition::default() };
    let said = Tail::new(vec![source], ship, Arc::default()).err().unwrap().to_string();
    assert!(said.contains("/var/log/["), "{said}");
}

#[test]
fn imports_of_the_same_content_add_nothing() {
    let memory = Memory::default();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let definition = SourceDefinition { cluster: "prod".into(), ..SourceDefinition::default() };
        Wanted { path, definition, whole: false }
    };
    let redactor = Redactor::default();
    let run = |files: &[Wanted]| import::import(files, &memory, &redactor, &mut Quiet).unwrap();
    // A copy and a beginning among the files of one import.
    let all = [file("a.log", &lines(0..300)), file("copy.log", &lines(0..300)), file("half.log", &lines(0..150))];
    assert_eq!(run(&all).records, 300);
    assert_eq!(run(&all).records, 0);
    assert_eq!(run(&[file("other name", &lines(0..200))]).records, 0);
    assert_eq!(run(&[file("grown.log", &lines(0..320))]).records, 20);
    let texts: BTreeMap<Generation, String> = memory.texts();
    assert_eq!(texts.into_values().collect::<Vec<_>>(), [lines(0..320)]);
    // A doubled line is seen: a file that differs is a generation of its own.
    assert_eq!(run(&[file("other.log", &(line(0) + &lines(0..300)))]).records, 301);
}
