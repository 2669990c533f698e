//! Identity by content: however a file is cut into reads, its stamp is the same; after a restart it goes on as if nothing had been; and a prober knows
//! the file again.
#![no_main]

use event::{
    Generation,
    identity::{IdentityKey, Known, Prober, TAIL_BYTES, Tracker, Verdict},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, Vec<u16>)| {
    let (data, cuts) = input;
    let (key, generation) = (IdentityKey::new([1; 32]), Generation([2; 16]));
    let mut whole = Tracker::new(key.clone(), generation);
    let stamp = whole.advance(&data);
    let (mut tracker, mut at, mut marks) = (Tracker::new(key.clone(), generation), 0, Vec::new());
    for cut in cuts {
        let to = (at + usize::from(cut)).min(data.len());
        marks.extend(tracker.advance(&data[at..to]).marks);
        at = to;
        // A restart: the state of the last frame, the tail read again.
        let last = &data[at.saturating_sub(TAIL_BYTES)..at];
        let frame = tracker.stamp();
        tracker = Tracker::resume(key.clone(), generation, at as u64, &frame.state, last).expect("the tail is there");
        assert_eq!(tracker.stamp(), frame);
    }
    marks.extend(tracker.advance(&data[at..]).marks);
    assert_eq!(tracker.stamp(), whole.stamp());
    assert_eq!(marks, stamp.marks);

    let known = Known {
        generation,
        end: data.len() as u64,
        state: stamp.state,
        mark: stamp.mark,
        tail: stamp.tail,
        marks: stamp.marks,
        ..Known::default()
    };
    let mut prober = Prober::new(key.clone(), vec![known.clone()]);
    prober.update(&data);
    let verdicts = prober.finish().verdicts(&key, Some(known.source));
    assert!(data.is_empty() || matches!(&verdicts[..], [Verdict::Known(k, _)] if *k == known));
});
