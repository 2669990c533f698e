//! Frames: damaged bytes are refused, and a frame whose check sum fits but whose inside is hostile neither panics nor grows without bound.
#![no_main]

use event::{frame, limits::FRAME_BODY_BYTES_MAX};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = frame::peek(data);
    if let Ok((whole, len)) = frame::decode(data) {
        assert!(len <= data.len());
        let _ = whole.records().count();
    }
    // The same bytes with magic, length and check sum put right: what an attacker who knows the format would send.
    if data.len() < frame::HEADER_BYTES {
        return;
    }
    let mut sealed = data[..data.len() - (data.len() - frame::HEADER_BYTES) % 8].to_vec();
    let body = sealed.len() - frame::HEADER_BYTES;
    sealed[..4].copy_from_slice(b"BzW1");
    sealed[4..8].copy_from_slice(&(body as u32).to_le_bytes());
    let sum = crc32c::crc32c(&sealed[12..]);
    sealed[8..12].copy_from_slice(&sum.to_le_bytes());
    if let Ok((whole, len)) = frame::decode(&sealed) {
        assert_eq!(len, sealed.len());
        let stored: usize = whole.records().map(|r| r.stored.len()).sum();
        assert!(stored <= FRAME_BODY_BYTES_MAX);
        let counted: u64 = whole.counts().iter().sum();
        assert_eq!(counted, whole.records().count() as u64);
    }
});
