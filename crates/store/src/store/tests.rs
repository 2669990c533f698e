#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::sync::{Arc, atomic::Ordering};

use event::{Generation, Snapshot, clock::ManualClock};
use serde_json::json;

use super::*;
use crate::rig::{Counting, Faults, Reading, Watching, copy, definition, open, open_with, options};

fn raws(watching: &Watching) -> Vec<String> {
    watching.shown().into_iter().filter(|s| !s.name.contains(".self:")).map(|s| s.raw).collect()
}

#[test]
fn what_was_acknowledged_is_seen_now_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("data");
    let (store, watching) = open(&root);
    let init = store.init().unwrap().clone();
    assert_eq!(init.node, store.node());
    let mut file = Reading::new(&store, "/var/log/tidb.log", 1);
    let first = file.send(&store, &["one", "login of root"]).unwrap();
    let second = file.send(&store, &["two"]).unwrap();
    let (first, second) = (first.wait().unwrap(), second.wait().unwrap());
    assert_eq!((first.stored, second.stored), (18, 22));
    assert!(second.wal_seq > first.wal_seq);
    assert!(store.catch_up());
    let seen = watching.shown();
    let node = store.node();
    let names: Vec<_> = seen.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        names,
        [
            format!("{node}.bartizan.self:0"),
            format!("{node}.prod.server:0"),
            format!("{node}.prod.security:0"),
            format!("{node}.prod.server:1")
        ]
    );
    assert!(seen.iter().all(|s| !s.replay));
    let known = store.known("prod");
    assert_eq!(known.len(), 1);
    assert!(store.known("other").is_empty());
    drop(store);

    let (store, again) = open(&root);
    assert!(store.init().is_none());
    assert_eq!(store.node(), node);
    assert_eq!(store.run(), 2);
    let mut shown = again.shown();
    assert!(shown.iter().all(|s| s.replay));
    shown.iter_mut().for_each(|s| s.replay = false);
    assert_eq!(shown, seen, "the same names, texts and derived values");
    assert_eq!(store.known("prod"), known);
    let mut file = Reading { tracker: file.tracker, ..Reading::new(&store, "/var/log/tidb.log", 9) };
    assert_eq!(file.version, 1, "the definition is known");
    assert_eq!(file.send(&store, &["three"]).unwrap().wait().unwrap().stored, 28);
    assert!(store.catch_up());
    assert_eq!(again.shown().last().unwrap().name, format!("{node}.prod.server:2"));
}

#[test]
fn positions_decide_what_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (store, watching) = open(dir.path());
    let mut file = Reading::new(&store, "a", 1);
    let fresh = file.tracker.clone();
    file.send(&store, &["one"]).unwrap().wait().unwrap();
    let behind_one = file.tracker.clone();
    file.send(&store, &["two"]).unwrap().wait().unwrap();
    file.tracker = fresh.clone();
    let repeated = file.send(&store, &["one"]).unwrap().wait().unwrap();
    assert_eq!((repeated.wal_seq, repeated.stored), (None, 8), "wholly below: acknowledged and dropped");
    file.tracker = behind_one;
    file.tracker.advance(b"x");
    assert_eq!(file.send(&store, &["o", "three"]).unwrap().wait(), Err(SubmitError::Position { stored: 8 }), "overlapping");
    file.tracker.advance(b"a gap");
    assert_eq!(file.send(&store, &["four"]).unwrap().wait(), Err(SubmitError::Position { stored: 8 }), "a gap");
    store.catch_up();
    assert_eq!(raws(&watching), ["one", "two"]);
    let mut other = Reading { tracker: Tracker::new(store.identity_key().unwrap(), Generation([2; 16])), ..file };
    other.version = 7;
    assert_eq!(store.submit(&batch_of(&other), &[LogClass::Server]).unwrap_err(), SubmitError::Undefined(other.source), "no such version");
    (other.version, other.source) = (1, SourceId([9; 16]));
    assert_eq!(store.submit(&batch_of(&other), &[LogClass::Server]).unwrap_err(), SubmitError::Undefined(SourceId([9; 16])));
}

use event::{BatchRecord, RecordFlags, Redactor, identity::Tracker};

fn batch_of(file: &Reading) -> Batch<'static> {
    let mut tracker = file.tracker.clone();
    let byte_start = tracker.position();
    Batch {
        cluster: file.cluster.clone(),
        source: file.source,
        definition_version: file.version,
        generation: tracker.generation(),
        byte_start,
        stamp: tracker.advance(b"line\n"),
        agent_time: 0,
        redactor_version: 1,
        idempotency_key: [0; 16],
        records: vec![BatchRecord { original_len: 5, flags: RecordFlags::default(), stored: Redactor::default().redact(b"line") }],
    }
}

#[test]
fn batches_that_contradict_themselves_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let file = Reading::new(&store, "a", 1);
    type Spoil = fn(&mut Batch<'static>);
    let cases: [(&str, Spoil, &[LogClass]); 6] = [
        ("no record", |b| b.records.clear(), &[]),
        ("a class too many", |_| (), &[LogClass::Server; 2]),
        ("our own class", |_| (), &[LogClass::Own]),
        ("another end", |b| b.stamp.byte_end += 1, &[LogClass::Server]),
        ("no generation", |b| b.generation = Generation::default(), &[LogClass::Server]),
        ("another cluster", |b| b.cluster = "other".into(), &[LogClass::Server]),
    ];
    for (what, spoil, classes) in cases {
        let mut batch = batch_of(&file);
        spoil(&mut batch);
        let refused = store.submit(&batch, classes).unwrap_err();
        assert!(matches!(refused, SubmitError::Invalid(_) | SubmitError::Undefined(_)), "{what}: {refused}");
    }
    assert!(matches!(store.define(&definition("Prod", "a")), Err(SubmitError::Invalid(_))));
    assert!(matches!(store.define(&definition("bartizan", "a")), Err(SubmitError::Invalid(_))));
    for n in 1..event::limits::CLUSTERS_MAX {
        store.define(&definition(&format!("c{n}"), "a")).unwrap();
    }
    assert_eq!(store.define(&definition("one-more", "a")), Err(SubmitError::Clusters("one-more".into())));
}

#[test]
fn a_repeated_key_is_acknowledged_and_dropped_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, watching) = open(dir.path());
    let mut file = Reading::new(&store, "otlp", 1);
    let mut batch = batch_of(&file);
    batch.idempotency_key = [7; 16];
    assert!(store.submit(&batch, &[LogClass::Server]).unwrap().wait().unwrap().wal_seq.is_some());
    file.tracker.advance(b"line\n");
    let mut again = batch_of(&file);
    again.idempotency_key = [7; 16];
    assert_eq!(store.submit(&again, &[LogClass::Server]).unwrap().wait().unwrap().wal_seq, None);
    store.catch_up();
    assert_eq!(raws(&watching), ["line"]);
    drop(store);
    let (store, _) = open(dir.path());
    let ack = store.submit(&again, &[LogClass::Server]).unwrap().wait().unwrap();
    assert_eq!((ack.wal_seq, ack.stored), (None, 5));
    assert_eq!(store.stats().repeated, 1);
}

#[test]
fn definitions_have_versions() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut d = definition("prod", "a");
    let (id, one) = store.define(&d).unwrap();
    assert_eq!(store.define(&d).unwrap(), (id, one), "nothing new");
    d.instance = Some("tidb-0".into());
    let (same, two) = store.define(&d).unwrap();
    assert_eq!((same, two), (id, one + 1));
    assert_ne!(store.define(&definition("prod", "b")).unwrap().0, id);
    assert_ne!(store.define(&definition("test", "a")).unwrap().0, id);
    drop(store);
    let (store, _) = open(dir.path());
    assert_eq!(store.define(&d).unwrap(), (id, two));
}

#[test]
fn a_failed_sync_stops_the_store_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let (store, watching) = open_with(dir.path(), Options { mill: Box::new(faults.clone()), ..options() }).unwrap();
    let mut file = Reading::new(&store, "a", 1);
    file.send(&store, &["safe"]).unwrap().wait().unwrap();
    let before = file.tracker.clone();
    store.catch_up();
    faults.syncs_left.store(0, Ordering::SeqCst);
    let lost = file.send(&store, &["lost"]).and_then(Ticket::wait);
    assert!(matches!(&lost, Err(SubmitError::Stopped(why)) if why.contains("the disk is gone")), "{lost:?}");
    faults.syncs_left.store(u64::MAX, Ordering::SeqCst);
    file.tracker = before;
    let later = file.send(&store, &["later"]).and_then(Ticket::wait);
    assert!(matches!(&later, Err(SubmitError::Stopped(why)) if why.contains("the disk is gone")), "{later:?}");
    assert_eq!(faults.failed.load(Ordering::SeqCst), 1, "the fault fired, and no second sync was tried");
    assert_eq!(raws(&watching), ["safe"], "what is not safe is shown to nobody");
    assert!(store.stopped().is_some());
    assert!(!store.append_own("finding", json!({})));
    assert!(store.close().is_err());
    let (_, again) = open(dir.path());
    assert_eq!(raws(&again)[0], "safe");
}

#[test]
fn a_full_disk_refuses_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let small = Options { mill: Box::new(faults.clone()), segment_bytes: 8192, ..options() };
    let (store, watching) = open_with(dir.path(), small).unwrap();
    let mut file = Reading::new(&store, "a", 1);
    let line = "x".repeat(2000);
    let mut sent = 0;
    faults.full.store(true, Ordering::SeqCst);
    let refused = loop {
        let before = file.tracker.clone();
        match file.send(&store, &[&line]).and_then(Ticket::wait) {
            Ok(_) => sent += 1,
            Err(e) => {
                file.tracker = before;
                break e;
            }
        }
    };
    assert!(matches!(refused, SubmitError::Paused(_)), "{refused}");
    assert!(sent < 5);
    store.append_own("gap", json!({"why": "the disk is full"}));
    faults.full.store(false, Ordering::SeqCst);
    file.send(&store, &[&line]).unwrap().wait().unwrap();
    store.catch_up();
    assert_eq!(raws(&watching).len(), sent + 1);
    store.pause("less than 5% of the disk is free");
    let paused = file.send(&store, &["z"]).map(|_| ());
    assert_eq!(paused, Err(SubmitError::Paused("less than 5% of the disk is free".into())));
    assert!(store.stats().paused.is_some());
    store.resume();
    drop(store);
    let (_, again) = open(dir.path());
    assert_eq!(raws(&again).len(), sent + 1);
}

#[test]
fn only_one_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let second = open_with(dir.path(), options()).map(|_| ());
    assert!(matches!(&second, Err(StoreError::Locked { holder, .. }) if holder.contains(&std::process::id().to_string())), "{second:?}");
    drop(store);
    open(dir.path());
}

#[test]
fn what_was_said_is_not_said_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, watching) = open(dir.path());
    let mut file = Reading::new(&store, "a", 1);
    file.send(&store, &["attack 1"]).unwrap().wait().unwrap();
    store.catch_up();
    store.checkpoint().unwrap();
    file.send(&store, &["attack 2", "quiet"]).unwrap().wait().unwrap();
    store.catch_up();
    store.catch_up();
    let said = watching.memory.lock().unwrap().said.clone();
    assert_eq!(said.len(), 2);
    // The second finding is durable when the own counter says so; a checkpoint waits for it.
    store.checkpoint().unwrap();
    file.send(&store, &["attack 3"]).unwrap().wait().unwrap();
    store.catch_up();
    while store.queue.own_counts().1 < 3 {
        std::thread::yield_now();
    }
    drop(store);
    let (store, again) = open(dir.path());
    let memory = again.memory.lock().unwrap();
    assert!(memory.restored.is_some());
    assert_eq!(memory.said, [json!({"id": format!("{}.prod.security:2", store.node())})], "only what came behind the snapshot");
    let replayed: Vec<_> = memory.shown.iter().filter(|s| !s.name.contains("self")).map(|s| s.raw.as_str()).collect();
    assert_eq!(replayed, ["attack 3"], "the observer goes on behind its snapshot");
    drop(memory);
    let total = again.memory.lock().unwrap().total;
    assert_eq!(total, 1 + 4 + 3, "a source, four lines, three findings");
    assert!(store.append_own("access", json!({"q": "select 1"})));
}

#[test]
fn a_clock_that_steps_back_is_followed_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(1_000_000_000));
    let (store, watching) = open_with(dir.path(), Options { clock: clock.clone(), ..options() }).unwrap();
    let mut file = Reading::new(&store, "a", 1);
    let observed = |store: &Store| hold(&store.state).observed;
    file.send(&store, &["one"]).unwrap().wait().unwrap();
    assert_eq!(observed(&store), 1_000_000_000);
    clock.set(1_000_000_000 - 900_000);
    file.send(&store, &["two"]).unwrap().wait().unwrap();
    assert_eq!(observed(&store), 1_000_000_000, "a small step: time stands still");
    clock.set(1_000_000_000 - 5_000_000);
    file.send(&store, &["three"]).unwrap().wait().unwrap();
    assert_eq!(observed(&store), 995_000_000);
    store.catch_up();
    let clocks: Vec<_> = watching.shown().into_iter().filter(|s| s.raw.contains("\"clock\"")).collect();
    assert_eq!(clocks.len(), 1);
    assert!(clocks[0].raw.contains("1970-01-01T00:16:40.000Z"), "{}", clocks[0].raw);
}

#[test]
fn records_of_our_own_never_wait() {
    let own = OwnRecords::default();
    let big = json!("x".repeat(crate::OWN_RECORD_BYTES_MAX));
    assert!(!own.append("access", big), "too long");
    let half = json!("x".repeat(crate::OWN_RECORD_BYTES_MAX / 2));
    let mut taken = 0;
    while own.append("access", half.clone()) {
        taken += 1;
    }
    assert_eq!(own.0.own_counts(), (taken, 0, 2));
    let dir = tempfile::tempdir().unwrap();
    let (store, watching) = open_with(dir.path(), Options { own, ..options() }).unwrap();
    while store.queue.own_counts().1 < taken {
        std::thread::yield_now();
    }
    store.catch_up();
    assert_eq!(watching.shown().len() as u64, taken);
    assert_eq!(store.stats().own_dropped, 2);
}

/// Holds the tail until it is let go.
struct Gate {
    watching: Watching,
    open: Arc<(Mutex<bool>, std::sync::Condvar)>,
}

impl Observer for Gate {
    fn restore(&mut self, state: Option<&Value>, said: &[Value]) {
        self.watching.restore(state, said);
    }
    fn event(&mut self, seen: &crate::Seen<'_>, event: &event::Event<'_>) {
        let mut open = self.open.0.lock().unwrap();
        while !*open {
            open = self.open.1.wait(open).unwrap();
        }
        drop(open);
        self.watching.event(seen, event);
        if seen.class != LogClass::Own {
            self.watching.own.append("access", json!({"seen": seen.name.to_string()}));
        }
    }
    fn frame(&mut self, wal_seq: u64, replay: bool) {
        self.watching.frame(wal_seq, replay);
    }
    fn idle(&mut self) {
        self.watching.idle();
    }
    fn snapshot(&mut self) -> Snapshot {
        self.watching.snapshot()
    }
}

#[test]
fn an_observer_that_is_slow_holds_sources_back_and_nothing_locks() {
    let dir = tempfile::tempdir().unwrap();
    let own = OwnRecords::default();
    let open = Arc::new((Mutex::new(false), std::sync::Condvar::new()));
    let watching = Watching { own: own.clone(), ..Watching::default() };
    let gate = Gate { watching: watching.clone(), open: open.clone() };
    let store = Store::open(dir.path(), Box::new(Counting::default()), Box::new(gate), Options { own, ..options() }).unwrap();
    const BATCHES: usize = 60;
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut file = Reading::new(&store, "a", 1);
            let line = "x".repeat(1 << 20);
            let tickets: Vec<Ticket> = (0..BATCHES).map(|_| file.send(&store, &[&line[1..]]).unwrap()).collect();
            for ticket in tickets {
                ticket.wait().unwrap();
            }
        });
        // 16 MiB in the queue, groups of 4 MiB on their way: the rest cannot have been taken.
        while store.stats().queue_bytes < (crate::QUEUE_BYTES_MAX - (2 << 20)) as u64 {
            std::thread::yield_now();
        }
        assert!(!sending.is_finished());
        *open.0.lock().unwrap() = true;
        open.1.notify_all();
    });
    while store.queue_own() || !store.catch_up() || store.stats().own < BATCHES as u64 {
        std::thread::yield_now();
    }
    assert_eq!(raws(&watching).len(), BATCHES);
    assert_eq!(store.stats().own_dropped, 0);
}

/// A byte of a frame that was acknowledged changes on the disk, and nobody who reads takes what is left for everything.
#[test]
fn a_reader_says_that_acknowledged_frames_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut file = Reading::new(&store, "/var/log/tidb.log", 1);
    for n in 0..20 {
        let line = format!("needle {n}");
        file.send(&store, &[line.as_str()]).unwrap().wait().unwrap();
    }
    let other = tempfile::tempdir().unwrap();
    copy(dir.path(), other.path());
    let look = |root: &std::path::Path| crate::open_read_only(root, || Box::new(Counting::default())).unwrap();
    assert_eq!(look(other.path()).missing, None);
    let segment = crate::wal::segment::list(&Folder::new(other.path()).wal()).unwrap().pop().unwrap().path;
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.iter().rposition(|b| *b != 0).unwrap() / 2;
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let said = look(other.path()).missing.expect("it says so");
    assert!(said.contains("later ones say that it was safe"), "{said}");
}
