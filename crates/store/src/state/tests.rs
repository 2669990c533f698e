#![allow(clippy::unwrap_used, clippy::expect_used)]
use event::{LogClass, NodeId, SourceDefinition, SourceId};
use proptest::prelude::*;
use serde_json::json;

use super::{snapshot::derive_of, *};

fn sample() -> State {
    let mut state = State { at: 41, run: 3, oldest: 7, observed: 1_000_000, ..State::default() };
    let definition = SourceDefinition { cluster: "prod".into(), path: Some("/var/log/\"x\".log".into()), ..SourceDefinition::default() };
    for (generation, end, marks) in [(1, 5000, vec![(4096, [9; 16])]), (2, 0, vec![])] {
        let known = Known {
            generation: Generation([generation; 16]),
            source: SourceId([3; 16]),
            definition_version: 2,
            redactor_version: 1,
            end,
            state: [7; 32],
            mark: [5; 16],
            tail: [6; 16],
            marks,
        };
        state.generations.insert(known.generation, known);
    }
    state.sources.set(SourceId([3; 16]), 1, definition.clone());
    state.sources.set(SourceId([3; 16]), 2, SourceDefinition { instance: Some("tidb-0".into()), ..definition });
    state.logs.insert(LogName { node: NodeId(1), cluster: "prod".into(), class: LogClass::Server }, 17);
    state.logs.insert(LogName::own(NodeId(1)), 2);
    state.keys.add([8; 16], 1_000_000);
    state
}

#[test]
fn a_snapshot_comes_back_and_a_broken_one_does_not() {
    let state = sample();
    let mut lines = state.to_lines();
    assert_eq!(derive_of(&lines), None);
    snapshot::push_derive(&mut lines, &event::derive::snapshot(&json!({"acts": [1]})));
    assert_eq!(State::from_lines(&lines), Some(state.clone()));
    assert_eq!(derive_of(&lines), Some(json!({"acts": [1]})));
    let mut longer = lines.clone();
    longer.extend_from_slice(b"{\"later\":\"versions say more\"}\n");
    assert_eq!(State::from_lines(&longer), Some(state));
    for cut in 1..lines.len() - 1 {
        let ends_a_line = lines[cut - 1] == b'\n' || lines[cut] == b'\n';
        assert!(ends_a_line || State::from_lines(&lines[..cut]).is_none(), "cut at {cut}");
    }
    for bad in ["", "{}", "null\n", "{\"last_good\":1,\"run\":1,\"oldest\":1}\n{\"log\":\"x\",\"next\":1}\n"] {
        assert_eq!(State::from_lines(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn sources_are_found_by_their_place_and_versions_by_nearness() {
    let mut sources = sample().sources;
    let id = SourceId([3; 16]);
    let (newest, d) = sources.newest(id).unwrap();
    let d = d.clone();
    assert_eq!((newest, sources.find(&d)), (2, Some((id, Some(2)))));
    assert_eq!(sources.find(&SourceDefinition { voted: Some("tidb".into()), ..d.clone() }), Some((id, None)));
    assert_eq!(sources.find(&SourceDefinition { host: Some("h".into()), ..d.clone() }), None);
    assert_eq!(sources.get(id, 9).unwrap(), &d);
    assert_eq!(sources.get(SourceId([4; 16]), 1), None);
    assert!(sources.has(id, 1, "prod") && !sources.has(id, 3, "prod") && !sources.has(id, 1, "test"));
    for version in 3..200 {
        sources.set(id, version, SourceDefinition { voted: Some(version.to_string()), ..d.clone() });
    }
    assert_eq!(sources.iter().count(), 64);
    assert_eq!(sources.get(id, 1).unwrap().voted.as_deref(), Some("136"), "the oldest kept");
}

proptest! {
    /// Whatever is sent, what is taken covers each file once and without a gap, and what is refused says where to go on.
    #[test]
    fn taken_ranges_cover_a_file_once(sent in proptest::collection::vec((0u8..3, 0u64..40, 0u64..12), 1..80)) {
        let mut state = State::default();
        let mut covered = [0u64; 3];
        for (seq, (file, start, len)) in sent.into_iter().enumerate() {
            let generation = Generation([file + 1; 16]);
            let header = Header { generation, byte_start: start, byte_end: start + len, wal_seq: seq as u64 + 1, ..Header::default() };
            let end = &mut covered[usize::from(file)];
            match state.check(&header) {
                Check::Take => {
                    prop_assert_eq!(*end, start);
                    state.records(&header, [], &[]);
                    *end = start + len;
                }
                Check::Stored(stored) => {
                    prop_assert_eq!(stored, *end);
                    prop_assert!(start + len <= stored);
                }
                Check::Refuse(stored) => {
                    prop_assert_eq!(stored, *end);
                    prop_assert!(start + len > stored && start != stored);
                }
            }
            prop_assert_eq!(state.end(generation), *end);
        }
    }
}
