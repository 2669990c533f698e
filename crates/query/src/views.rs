//! The names that people query (FORMAT §3): `events`, `self`, `acts`, `events_once`.

use std::fmt::Write as _;

/// The table of all records but our own.
pub(crate) const EVENTS: &str = "events";
/// The table of our own records.
pub(crate) const OWN: &str = "self";

/// `events` without the later copies of lines that two streams of an instance carry.
pub(crate) const EVENTS_ONCE: &str = "SELECT * FROM events WHERE issues IS NULL OR NOT array_has(issues, 'duplicate')";

/// How a column of an act is made of its lines'.
enum Fold {
    /// The first line that knows it, by time.
    First,
    /// The largest.
    Max,
}

/// The columns of an act that its lines supply.
const ACT_COLUMNS: &[(&str, Fold)] = &[
    ("cluster", Fold::First),
    ("class", Fold::First),
    ("product", Fold::First),
    ("component", Fold::First),
    ("instance", Fold::First),
    ("host", Fold::First),
    ("class_uid", Fold::First),
    ("activity_id", Fold::First),
    ("action", Fold::First),
    ("user", Fold::First),
    ("target_user", Fold::First),
    ("role", Fold::First),
    ("privilege", Fold::First),
    ("auth_method", Fold::First),
    ("client", Fold::First),
    ("src_ip", Fold::First),
    ("src_port", Fold::First),
    ("src_host", Fold::First),
    ("dst_ip", Fold::First),
    ("dst_port", Fold::First),
    ("database", Fold::First),
    ("object", Fold::First),
    ("statement", Fold::First),
    ("digest", Fold::First),
    ("conn_id", Fold::First),
    ("trace_id", Fold::First),
    ("txn_ts", Fold::First),
    ("duration_us", Fold::Max),
    ("rows", Fold::Max),
    ("bytes", Fold::Max),
    ("error_code", Fold::First),
    ("error", Fold::First),
    ("message", Fold::First),
];

/// One row an act: `act` (its name), `lines`, `first_time`, `last_time`, `status` (the last line that knows how it ended), and what its lines
/// know together. Unused columns cost nothing: the engine drops them.
pub(crate) fn acts() -> String {
    let mut sql = String::from(
        "SELECT act, count(*) AS lines, min(at) AS first_time, max(at) AS last_time, \
         coalesce(last_value(status ORDER BY at, seq) FILTER (WHERE status IN ('success', 'failure')), max(status)) AS status",
    );
    for (name, fold) in ACT_COLUMNS {
        let _ = match fold {
            Fold::First => write!(sql, ", first_value(\"{name}\" ORDER BY at, seq) FILTER (WHERE \"{name}\" IS NOT NULL) AS \"{name}\""),
            Fold::Max => write!(sql, ", max(\"{name}\") AS \"{name}\""),
        };
    }
    sql.push_str(
        " FROM (SELECT *, coalesce(act_id, log || ':' || CAST(seq AS VARCHAR)) AS act, coalesce(time, observed_time) AS at FROM events) GROUP BY act",
    );
    sql
}
