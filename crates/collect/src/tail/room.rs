//! How many files may be open at a time. Owns: the process' limit of file descriptors, and how much of it is for log files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything but log files: the store, the state, sockets.
const RESERVE: u64 = 256;
/// Below this nobody can follow anything.
const MIN: u64 = 32;

/// Raises the soft limit to the hard one, and gives what is left for log files. Shells and service managers give 1,024 by default, and mean programs that
/// use `select`.
pub fn files_open_max() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, wanted).is_ok() { limit.maximum } else { limit.current };
    usize::try_from(now.unwrap_or(u64::MAX).saturating_sub(RESERVE).max(MIN)).unwrap_or(usize::MAX)
}
