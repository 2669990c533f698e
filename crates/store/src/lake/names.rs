//! Names inside the lake: partitions, Parquet files, snapshots. A name is never used again (FORMAT §3).

use event::{LogClass, LogName, clock::civil_from_days};

/// Our own files in the table's folder; a vacuum of other engines spares folders that begin with `_`.
pub(super) const OWN_FOLDER: &str = "_bartizan";
/// The token filters beside the files.
pub(super) const SIDECARS: &str = "_tbi";

/// What the name of a data file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) log: LogName,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    pub(super) run: u64,
    /// Counts the files that this run wrote.
    pub(super) n: u64,
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:016x}-{:016x}-{:016x}-{:016x}.parquet", self.log, self.first_seq, self.last_seq, self.run, self.n)
    }
}

impl FileName {
    /// Reads a name, or the last part of a path. None for files that are not ours.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?.strip_suffix(".parquet")?;
        let mut parts = name.rsplitn(5, '-');
        let (n, run) = (hex(parts.next()?)?, hex(parts.next()?)?);
        let (last_seq, first_seq) = (hex(parts.next()?)?, hex(parts.next()?)?);
        Some(Self { log: LogName::parse(parts.next()?)?, first_seq, last_seq, run, n })
    }
}

/// Reads 16 hex digits.
pub(super) fn hex(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// A day as Delta writes it in paths and partition values.
pub(super) fn day(days: i32) -> String {
    let (y, m, d) = civil_from_days(i64::from(days));
    format!("{y:04}-{m:02}-{d:02}")
}

/// Reads a day.
pub(super) fn parse_day(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(|p| p.parse::<i64>().ok());
    let (y, m, d) = (parts.next()??, parts.next()??, parts.next()??);
    let days = i32::try_from(event::clock::days_from_civil(y, m, d)).ok()?;
    (day(days) == text).then_some(days)
}

/// The folder of a partition.
pub(super) fn partition(cluster: &str, class: LogClass, days: i32) -> String {
    format!("cluster={cluster}/class={class}/day={}", day(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let log = LogName::parse("0000000a.prod-1.security").unwrap();
        let name = FileName { log, first_seq: 0, last_seq: 255, run: 3, n: 10 };
        let text = name.to_string();
        assert_eq!(text, "0000000a.prod-1.security-0000000000000000-00000000000000ff-0000000000000003-000000000000000a.parquet");
        assert_eq!(FileName::parse(&format!("cluster=prod-1/class=security/day=2026-11-22/{text}")), Some(name));
        assert_eq!((day(20_779), parse_day("2026-11-22")), ("2026-11-22".to_owned(), Some(20_779)));
    }

    #[test]
    fn other_names_are_not_ours() {
        for bad in ["", "a.parquet", "part-00000-0-0-0.parquet", "0000000a.prod.security-0-1-2-3.parquet", "x-0000000000000000.tbi"] {
            assert_eq!(FileName::parse(bad), None, "{bad}");
        }
        for bad in ["", "2026-13-01", "2026-1-1", "2026-02-30", "x"] {
            assert_eq!(parse_day(bad), None, "{bad}");
        }
    }
}
