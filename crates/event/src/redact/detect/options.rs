//! Options of clients' command lines: `mysql -pSECRET`, `curl -u user:SECRET`. Owns: those two; the long ones are keys.

use memchr::memchr;

use crate::redact::{
    kind::PASSWORD,
    scan::Scan,
    text::{at, run},
};

/// The program is looked for this far before.
const COMMAND_BYTES_MAX: usize = 192;
/// Programs whose options these are.
const PROGRAMS: &[&[u8]] = &[b"mysql", b"mariadb", b"tiup", b"dumpling", b"mydumper", b"myloader", b"curl", b"wget", b"sysbench"];

/// ` -p`, ` -u`.
pub(in crate::redact) fn detect(scan: &mut Scan<'_>, here: usize) -> Option<usize> {
    let b = scan.b;
    let mut start = here + 3;
    let user = b[here + 2] == b'u';
    if user {
        // `-u`, then the value behind a space or as the next string of a list.
        start = run(b, start, 4, |c| matches!(c, b' ' | b'"' | b'\'' | b','));
    } else if b[here + 2] != b'p' || !at(b, start).is_some_and(|c| c > b' ' && !matches!(c, b'"' | b'\'' | b'=' | b'-' | b'\\')) {
        return None;
    }
    let head = b[here.saturating_sub(COMMAND_BYTES_MAX)..here].to_ascii_lowercase();
    if !PROGRAMS.iter().any(|p| memchr::memmem::find(&head, p).is_some()) {
        return None;
    }
    let end = run(b, start, 256, |c| c > b' ' && !matches!(c, b'"' | b'\'' | b'\\' | b']'));
    let from = if user { start + memchr(b':', &b[start..end])? + 1 } else { start };
    if b[from..end].starts_with(b"//") { None } else { scan.hit(from..end, PASSWORD) }
}
