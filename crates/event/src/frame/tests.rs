#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::{LogClass, NodeId};

fn logs() -> Vec<LogName> {
    [LogClass::Security, LogClass::Server].map(|class| LogName { node: NodeId(7), cluster: "c1".into(), class }).to_vec()
}

fn sample(flags: u8) -> Vec<u8> {
    let header = Header {
        flags,
        source: SourceId([1; 16]),
        generation: Generation([2; 16]),
        byte_start: 100,
        byte_end: 100 + 6 + 1 + 4,
        state: [3; 32],
        mark: [4; 16],
        tail: [5; 16],
        agent: [6; 16],
        agent_time: -7,
        idempotency_key: [8; 16],
        definition_version: 9,
        redactor_version: 10,
        ..Header::default()
    };
    let record = |original_len, log, flags, stored| RecordIn { original_len, log, flags: RecordFlags(flags), stored };
    let records = [record(6, 1, 0, b"hello".as_slice()), record(1, 0, 0, b""), record(4, 1, 4, b"\xff\xfe\r")];
    let mut frame = encode_records(&header, &logs(), &[(4096, [11; 16])], &records).unwrap();
    assert_eq!(frame.logs().map(|(_, n)| n).collect::<Vec<_>>(), [1, 2]);
    frame.assign(&Assigned { run: 12, wal_seq: 13, durable: 14, observed_time: 15, salt: [16; 16] }, [20, 30]).to_vec()
}

#[test]
fn a_frame_comes_back_as_it_went() {
    for flags in [0, FLAG_ZSTD] {
        let bytes = sample(flags);
        assert_eq!(bytes.len() % ALIGN, 0);
        let (frame, len) = decode(&bytes).unwrap();
        assert_eq!(len, bytes.len());
        let h = &frame.header;
        assert_eq!((h.run, h.wal_seq, h.durable, h.observed_time, h.agent_time), (12, 13, 14, 15, -7));
        assert_eq!((h.state, h.mark, h.tail, h.salt, h.agent), ([3; 32], [4; 16], [5; 16], [16; 16], [6; 16]));
        assert_eq!((h.definition_version, h.redactor_version, h.idempotency_key), (9, 10, [8; 16]));
        assert_eq!(frame.marks, [(4096, [11; 16])]);
        let got: Vec<_> = frame.records().map(|r| (r.log, r.seq, r.byte_start, r.byte_end, r.flags.0, r.stored)).collect();
        assert_eq!(got[0], (1, 30, 100, 106, 0, b"hello".as_slice()));
        assert_eq!(got[1], (0, 20, 106, 107, 0, b"".as_slice()));
        assert_eq!(got[2], (1, 31, 107, 111, 4, b"\xff\xfe\r".as_slice()));
        assert_eq!(frame.counts(), [1, 2]);
        assert_eq!(peek(&bytes).unwrap(), (frame.header, len));
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    for flags in [0, FLAG_ZSTD] {
        let bytes = sample(flags);
        for bit in 0..bytes.len() * 8 {
            let mut b = bytes.clone();
            b[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&b).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut {cut}");
        }
    }
}

#[test]
fn lengths_that_lie_under_a_right_check_sum_are_refused() {
    let bytes = sample(0);
    let crc_again = |mut b: Vec<u8>| {
        let body = u32::from_le_bytes(b[4..8].try_into().unwrap()) as usize;
        let crc = crc32c::crc32c(&b[12..HEADER_BYTES + body]);
        b[8..12].copy_from_slice(&crc.to_le_bytes());
        b
    };
    for (at, value) in
        [(12, 2_u8), (13, 0), (13, 9), (15, 200), (216, 200), (219, 255), (220, 1), (223, 255), (230, 25), (240, 1), (256, 255), (72, 255)]
    {
        let mut b = bytes.clone();
        b[at] = value;
        assert!(matches!(decode(&crc_again(b)), Err(Bad::Layout(_))), "byte {at} = {value}");
    }
}

#[test]
fn plain_frames_and_limits() {
    let header = Header { kind: Kind::Seal, ..Header::default() };
    let mut f = encode_plain(&header, b"{\"sealed\":1}\n").unwrap();
    let bytes = f.assign(&Assigned { run: 1, wal_seq: 2, durable: 1, observed_time: 0, salt: [0; 16] }, []).to_vec();
    let (frame, _) = decode(&bytes).unwrap();
    assert_eq!((frame.header.kind, frame.plain.as_slice(), frame.records().count()), (Kind::Seal, b"{\"sealed\":1}\n".as_slice(), 0));
    let long = vec![0; FRAME_BODY_BYTES_MAX + 1];
    assert!(matches!(encode_plain(&header, &long), Err(EncodeError::TooLong(_))));
    assert_eq!(decode(&[0; 512]).unwrap_err(), Bad::NoMagic);
}

proptest::proptest! {
    #[test]
    fn hostile_bytes_never_panic(mut bytes: Vec<u8>) {
        let _ = decode(&bytes);
        if bytes.len() > HEADER_BYTES {
            bytes[..4].copy_from_slice(&MAGIC);
            let body = (bytes.len() - HEADER_BYTES) as u32;
            bytes[4..8].copy_from_slice(&body.to_le_bytes());
            bytes[12] = VERSION;
            bytes[13] = 1;
            let crc = crc32c::crc32c(&bytes[12..]);
            bytes[8..12].copy_from_slice(&crc.to_le_bytes());
            let _ = decode(&bytes);
        }
    }
}
