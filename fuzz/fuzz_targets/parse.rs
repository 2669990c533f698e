//! Records and events: the spans cover the bytes without gap or overlap, and every record becomes one event, whatever it holds.
#![no_main]

use event::{Derive as _, Generation, LogClass, RecordFlags, RecordMeta, Redactor, SourceDefinition};
use libfuzzer_sys::fuzz_target;
use parse::{Deriver, End, Framer, framing::body};

fuzz_target!(|data: &[u8]| {
    // The first byte chooses what is known about the source.
    let Some((choice, data)) = data.split_first() else { return };
    let component = [None, Some("tidb"), Some("milvus"), Some("pd"), Some("tikv"), Some("tiproxy")][usize::from(*choice) % 6];
    let definition = SourceDefinition { cluster: "c".to_owned(), component: component.map(str::to_owned), ..SourceDefinition::default() };
    let (mut framer, mut deriver, redactor) = (Framer::new(), Deriver::default(), Redactor::default());
    let mut at = 0;
    while at < data.len() {
        let Some(span) = framer.next(&data[at..], End::Closed) else { panic!("a closed file has a record as long as it has bytes") };
        assert!(span.len > 0 && at + span.len <= data.len());
        let stored = redactor.redact(body(&data[at..at + span.len]));
        let flags = if std::str::from_utf8(stored.as_bytes()).is_ok() { span.flags } else { span.flags.with(RecordFlags::NOT_UTF8) };
        let meta = RecordMeta {
            generation: Generation([7; 16]),
            byte_start: at as u64,
            byte_end: (at + span.len) as u64,
            flags,
            ..RecordMeta::default()
        };
        let event = deriver.derive(&definition, &meta, LogClass::Server, &at, stored.as_bytes());
        assert_eq!((event.byte_start, event.byte_end), (meta.byte_start, meta.byte_end));
        at += span.len;
    }
    assert_eq!(at, data.len());
});
