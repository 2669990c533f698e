//! The gate: it never panics, keeps every line end that no secret holds, and what it wrote is read back.
#![no_main]

use event::{
    Redactor,
    redact::{Piece, marks_in},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let redactor = Redactor::default();
    let stored = redactor.redact(data);
    assert!(stored.as_bytes() == data || !marks_in(stored.as_bytes()).is_empty(), "what was changed says so");
    let lines = |b: &[u8]| b.iter().filter(|c| **c == b'\n').count();
    assert!(lines(stored.as_bytes()) <= lines(data));

    // In pieces, as a container runtime cuts a line: nothing may be lost but secrets.
    let at = data.first().map_or(0, |n| usize::from(*n).min(data.len()));
    let pieces = [&data[..at], &data[at..]].map(|bytes| Piece { bytes, content: std::iter::once(0..bytes.len()).collect() });
    let gated = redactor.redact_pieces(&pieces);
    assert_eq!(gated.len(), 2);
    for (piece, gated) in pieces.iter().zip(&gated) {
        assert!(gated.as_bytes() == piece.bytes || !marks_in(gated.as_bytes()).is_empty());
    }
});
