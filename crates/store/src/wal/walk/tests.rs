#![allow(clippy::unwrap_used, clippy::expect_used)]
use event::{
    Generation, LogClass, LogName, NodeId,
    frame::{Assigned, FLAG_MORE, RecordIn, encode_plain, encode_records},
};
use tempfile::TempDir;

use super::*;

/// A log of frames under construction.
struct Log {
    dir: TempDir,
    segments: Vec<Segment>,
    seq: u64,
    /// Where the frames of the last segment begin.
    starts: Vec<usize>,
}

impl Log {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), segments: Vec::new(), seq: 0, starts: Vec::new() }
    }
    fn segment(&mut self, run: u64) -> &mut Self {
        let segment = Segment::at(self.dir.path(), self.seq + 1, run);
        fs::write(&segment.path, b"").unwrap();
        self.segments.push(segment);
        self.starts.clear();
        self
    }
    fn last(&self) -> &Segment {
        self.segments.last().unwrap()
    }
    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.last().path).unwrap()
    }
    fn set(&self, bytes: &[u8]) {
        fs::write(&self.last().path, bytes).unwrap();
    }
    fn append(&mut self, frame: &[u8]) {
        let mut bytes = self.bytes();
        self.starts.push(bytes.len());
        bytes.extend_from_slice(frame);
        self.set(&bytes);
    }
    /// Groups of frames with records: each number is how many frames are in the group.
    fn groups(&mut self, groups: &[usize]) -> &mut Self {
        for frames in groups {
            let durable = self.seq;
            for _ in 0..*frames {
                let text = format!("line of frame {}", self.seq + 1).repeat(9);
                self.frame(durable, text.as_bytes());
            }
        }
        self
    }
    fn frame(&mut self, durable: u64, text: &[u8]) {
        self.seq += 1;
        let log = LogName { node: NodeId(1), cluster: "prod".into(), class: LogClass::Server };
        let header = Header { generation: Generation([1; 16]), byte_end: text.len() as u64, ..Header::default() };
        let record = RecordIn { original_len: text.len() as u32, log: 0, flags: Default::default(), stored: text };
        let mut frame = encode_records(&header, &[log], &[], &[record]).unwrap();
        let given = Assigned { run: self.last().run, wal_seq: self.seq, durable, observed_time: self.seq as i64, salt: [0; 16] };
        let bytes = frame.assign(&given, [self.seq]).to_vec();
        self.append(&bytes);
    }
    fn plain(&mut self, kind: Kind) -> &mut Self {
        let durable = self.seq;
        self.seq += 1;
        let mut frame = encode_plain(&Header { kind, flags: FLAG_MORE, ..Header::default() }, b"").unwrap();
        let given = Assigned { run: self.last().run, wal_seq: self.seq, durable, observed_time: 0, salt: [0; 16] };
        let bytes = frame.assign(&given, []).to_vec();
        self.append(&bytes);
        self
    }
    fn zeros(&mut self) -> &mut Self {
        let mut bytes = self.bytes();
        bytes.resize(bytes.len() + 8192, 0);
        self.set(&bytes);
        self
    }
    fn walk(&self, after: u64, sealed: u64) -> Result<(Vec<u64>, Walked), StoreError> {
        self.walk_as(after, sealed, false)
    }
    fn walk_as(&self, after: u64, sealed: u64, beside_writer: bool) -> Result<(Vec<u64>, Walked), StoreError> {
        let mut seen = Vec::new();
        let walk = Walk { segments: &self.segments, after, sealed, beside_writer };
        let walked = walk.frames(&mut |f| {
            seen.push(f.header.wal_seq);
            Ok(())
        })?;
        Ok((seen, walked))
    }
}

fn is_damaged<T: std::fmt::Debug>(found: &Result<T, StoreError>) -> bool {
    matches!(found, Err(StoreError::Damaged { .. }))
}

#[test]
fn nothing_and_empty_segments_are_no_damage() {
    let mut log = Log::new();
    assert_eq!(log.walk(0, 0).unwrap().1.last, 0);
    log.segment(1).zeros().segment(2).zeros().groups(&[]);
    let (seen, walked) = log.walk(0, 0).unwrap();
    assert_eq!((seen.len(), walked.last, walked.torn_bytes, walked.facts.len()), (0, 0, 0, 2));
    let last = log.last().clone();
    log.set(&[]);
    log.groups(&[1]);
    assert_eq!(log.walk(0, 0).unwrap().0, [1], "{}", last.path.display());
}

#[test]
fn segments_follow_each_other_and_old_ones_are_not_read() {
    let mut log = Log::new();
    log.segment(1)
        .groups(&[2, 1])
        .plain(Kind::End)
        .zeros()
        .segment(1)
        .groups(&[3])
        .zeros()
        .segment(2)
        .groups(&[1])
        .plain(Kind::Durable)
        .zeros();
    let (seen, walked) = log.walk(0, 0).unwrap();
    assert_eq!(seen, (1..=9).collect::<Vec<_>>());
    assert_eq!((walked.last, walked.torn_bytes), (9, 0));
    let (seen, walked) = log.walk(5, 5).unwrap();
    assert_eq!(seen, [6, 7, 8, 9]);
    assert_eq!(walked.facts.iter().map(|f| f.good_end.is_some()).collect::<Vec<_>>(), [false, true, true]);
    let (seen, _) = log.walk(4, 4).unwrap();
    assert_eq!(seen, [5, 6, 7, 8, 9], "a segment that ends with what is known is not read");
}

#[test]
fn a_torn_tail_is_dropped_wherever_it_is_torn() {
    let mut log = Log::new();
    log.segment(1).groups(&[2, 1, 2]);
    let (whole, starts) = (log.bytes(), log.starts.clone());
    let mut cuts = 0;
    for at in starts[3]..whole.len() {
        let kept = if at >= starts[4] { 4 } else { 3 };
        log.set(&whole[..at]);
        let (seen, walked) = log.walk(0, 0).unwrap();
        assert_eq!((seen.len(), walked.last), (kept, kept as u64), "cut at {at}");
        // In a preallocated segment the rest are zeros.
        let mut zeroed = whole.clone();
        zeroed[at..].fill(0);
        log.set(&zeroed);
        let (_, walked) = log.walk(0, 0).unwrap();
        // A frame may end with padding, that is zero already.
        let left = zeroed.iter().zip(&whole).take_while(|(a, b)| a == b).count();
        let kept = starts[1..].iter().chain([&whole.len()]).filter(|end| **end <= left).count();
        assert_eq!(walked.last, kept as u64, "zeros from {at}");
        cuts += 1;
    }
    assert!(cuts > 500);
}

#[test]
fn pages_of_the_last_group_may_reach_the_disk_in_any_order() {
    let mut log = Log::new();
    log.segment(1).groups(&[2, 3]);
    let (whole, starts) = (log.bytes(), log.starts.clone());
    for frame in 2..4 {
        let mut bytes = whole.clone();
        bytes[starts[frame]..starts[frame + 1]].fill(0);
        log.set(&bytes);
        let (seen, walked) = log.walk(0, 0).unwrap();
        assert_eq!(seen.len(), frame, "good frames of the same group behind it were never acknowledged");
        assert!(walked.torn_bytes > 0);
    }
    let mut bytes = whole.clone();
    bytes[starts[2]..starts[3]].fill(0);
    log.set(&bytes);
    log.segment(2).seq = 2;
    let other = Segment::at(log.dir.path(), 3, 2);
    fs::rename(&log.last().path, &other.path).unwrap();
    *log.segments.last_mut().unwrap() = other;
    log.groups(&[1]);
    assert_eq!(log.walk(0, 0).unwrap().1.last, 3, "the next run began with 3: what the run before it left there is dead");
}

#[test]
fn acknowledged_frames_that_are_bad_are_damage() {
    let mut log = Log::new();
    log.segment(1).groups(&[1, 1]).plain(Kind::Durable).zeros();
    let (whole, starts) = (log.bytes(), log.starts.clone());
    for at in 0..starts[2] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        log.set(&bytes);
        assert!(is_damaged(&log.walk(0, 0)), "byte {at}");
        let (seen, _) = log.walk_as(0, 0, true).unwrap();
        assert_eq!(seen.len(), usize::from(at >= starts[1]), "beside a writer the good part counts");
    }
    log.set(&whole);
    assert_eq!(log.walk(0, 0).unwrap().1.last, 3);
}

#[test]
fn holes_below_what_is_sealed_are_passed_over() {
    let mut log = Log::new();
    log.segment(1).groups(&[1, 2, 1]).plain(Kind::End);
    let (whole, mut starts) = (log.bytes(), log.starts.clone());
    starts.push(whole.len());
    log.segment(1).groups(&[1, 1]).zeros();
    let first = log.segments[0].path.clone();
    for (bad, after, seen, holes) in [
        (1..2, 0, vec![1, 3, 4, 5, 6, 7], vec![(2, 2)]),
        (0..3, 0, vec![4, 5, 6, 7], vec![(1, 3)]),
        (3..5, 0, vec![1, 2, 3, 6, 7], vec![(4, 5)]),
        (1..2, 3, vec![4, 5, 6, 7], vec![(2, 2)]),
    ] {
        let mut bytes = whole.clone();
        bytes[starts[bad.start]..starts[bad.end]].fill(0xff);
        fs::write(&first, &bytes).unwrap();
        let (got, walked) = log.walk(after, 5).unwrap();
        assert_eq!(got, seen, "{bad:?}");
        assert_eq!(walked.holes.iter().map(|h| (h.from, h.to)).collect::<Vec<_>>(), holes);
        assert!(is_damaged(&log.walk(after, 1)), "{bad:?} with less sealed");
    }
}

#[test]
fn a_log_that_is_cut_below_the_lake_or_lacks_a_segment_is_damage() {
    let mut log = Log::new();
    log.segment(1).groups(&[1, 1]).plain(Kind::End).segment(1).groups(&[2]).plain(Kind::End).segment(1).groups(&[1]);
    assert!(is_damaged(&log.walk(0, 9)), "the lake holds more");
    let middle = log.segments.remove(1);
    assert!(is_damaged(&log.walk(0, 0)), "{} is missing", middle.path.display());
    assert!(log.walk(7, 7).is_ok(), "and nobody needs it");
}

#[test]
fn a_whole_frame_of_another_version_is_no_torn_tail() {
    let mut log = Log::new();
    log.segment(1).groups(&[1, 1]);
    let mut bytes = log.bytes();
    let at = log.starts[1];
    bytes[at + 12] = 2;
    let body = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
    let crc = crc32c::crc32c(&bytes[at + 12..at + HEADER_BYTES + body]);
    bytes[at + 8..at + 12].copy_from_slice(&crc.to_le_bytes());
    log.set(&bytes);
    assert!(is_damaged(&log.walk(0, 0)));
}

#[test]
fn text_that_looks_like_frames_does_not_pass_for_frames_nor_cost_for_ever() {
    let mut log = Log::new();
    log.segment(1).groups(&[1]);
    // What an attacker could have logged: headers without end, of this run, with lengths of megabytes.
    let mut fake = [0; HEADER_BYTES];
    fake[..4].copy_from_slice(&MAGIC);
    fake[4..8].copy_from_slice(&(16u32 << 20).to_le_bytes());
    fake[12] = 1;
    fake[13] = 1;
    fake[16..24].copy_from_slice(&1u64.to_le_bytes());
    fake[24..32].copy_from_slice(&2u64.to_le_bytes());
    fake[32..40].copy_from_slice(&9u64.to_le_bytes());
    let mut bytes = log.bytes();
    for _ in 0..(18 << 20) / HEADER_BYTES {
        bytes.extend_from_slice(&fake);
    }
    log.set(&bytes);
    assert!(is_damaged(&log.walk(0, 0)), "rather damage than hours");
    let short: Vec<u8> = log.bytes()[..40_000].to_vec();
    log.set(&short);
    assert_eq!(log.walk(0, 0).unwrap().1.last, 1);
}
