//! Alerts as the book gave them, and how they are listed.

use alert::Kept;
use event::{AlertState, Micros};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{State, StateError, failed};

/// A list has at most this many alerts.
const LIST_MAX: u32 = 1_000;

/// Which alerts to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Only these states; empty is all.
    pub states: Vec<AlertState>,
    /// Only these severities; empty is all.
    pub severities: Vec<event::Severity>,
    /// Only of this rule.
    pub rule: Option<String>,
    /// How many at most.
    pub limit: u32,
    /// Go on behind this one: (last_time, id).
    pub before: Option<(Micros, String)>,
}

/// How many alerts there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenCounts {
    /// Open ones: (severity, number).
    pub open: Vec<(String, u64)>,
    /// Acknowledged ones.
    pub acked: u64,
    /// Closed since the time asked for.
    pub closed: u64,
}

fn kept(row: &SqliteRow) -> Result<Kept, StateError> {
    serde_json::from_str(row.get::<&str, _>("body")).map_err(|e| StateError::Row(format!("an alert: {e}")))
}

impl State {
    /// Keeps an alert as it is now.
    pub async fn put_alert(&self, kept: &Kept) -> Result<(), StateError> {
        let body = serde_json::to_string(kept).map_err(|e| StateError::Row(format!("an alert: {e}")))?;
        let a = &kept.alert;
        let put = "INSERT INTO alerts (id, state, severity, rule, updated, last_time, body) VALUES (?, ?, ?, ?, ?, ?, ?) \
                   ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, updated = excluded.updated, \
                   last_time = excluded.last_time, body = excluded.body";
        let put = sqlx::query(put).bind(&a.id).bind(a.state.as_str()).bind(a.severity.as_str()).bind(&a.rule);
        put.bind(a.updated).bind(a.last_time).bind(body).execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }

    /// One alert.
    pub async fn alert(&self, id: &str) -> Result<Option<Kept>, StateError> {
        let row =
            sqlx::query("SELECT body FROM alerts WHERE id = ?").bind(id).fetch_optional(&self.pool).await.map_err(failed("reading"))?;
        row.as_ref().map(kept).transpose()
    }

    /// What the book takes back at a start: everything not closed, and what was closed since.
    pub async fn working_set(&self, closed_since: Micros) -> Result<Vec<Kept>, StateError> {
        let find = "SELECT body FROM alerts WHERE state <> 'closed' OR updated >= ?";
        let rows = sqlx::query(find).bind(closed_since).fetch_all(&self.pool).await.map_err(failed("reading"))?;
        rows.iter().map(kept).collect()
    }

    /// A page of alerts, and how many match in all.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<(Vec<Kept>, u64), StateError> {
        let list = |words: Vec<&str>| serde_json::to_string(&words).unwrap_or_default();
        let states = list(filter.states.iter().map(|s| s.as_str()).collect());
        let severities = list(filter.severities.iter().map(|s| s.as_str()).collect());
        let (at, id) = filter.before.clone().unwrap_or((Micros::MAX, String::new()));
        let page = "SELECT body FROM alerts WHERE (?1 = '[]' OR state IN (SELECT value FROM json_each(?1))) \
                    AND (?2 = '[]' OR severity IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR rule = ?3) \
                    AND (last_time < ?4 OR (last_time = ?4 AND id > ?5)) ORDER BY last_time DESC, id LIMIT ?6";
        let page =
            sqlx::query(page).bind(&states).bind(&severities).bind(&filter.rule).bind(at).bind(id).bind(filter.limit.clamp(1, LIST_MAX));
        let rows = page.fetch_all(&self.pool).await.map_err(failed("reading"))?;
        let total = "SELECT count(*) AS n FROM alerts WHERE (?1 = '[]' OR state IN (SELECT value FROM json_each(?1))) \
                     AND (?2 = '[]' OR severity IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR rule = ?3)";
        let total = sqlx::query(total).bind(&states).bind(&severities).bind(&filter.rule).fetch_one(&self.pool).await;
        let total: i64 = total.map_err(failed("reading"))?.get("n");
        Ok((rows.iter().map(kept).collect::<Result<_, _>>()?, total.unsigned_abs()))
    }

    /// Numbers for the overview.
    pub async fn alert_counts(&self, closed_since: Micros) -> Result<OpenCounts, StateError> {
        let count = "SELECT state, severity, count(*) AS n FROM alerts WHERE state <> 'closed' OR updated >= ? GROUP BY state, severity";
        let rows = sqlx::query(count).bind(closed_since).fetch_all(&self.pool).await.map_err(failed("reading"))?;
        let mut counts = OpenCounts::default();
        for row in rows {
            let n = row.get::<i64, _>("n").unsigned_abs();
            match row.get::<&str, _>("state") {
                "open" => counts.open.push((row.get("severity"), n)),
                "acked" => counts.acked += n,
                _ => counts.closed += n,
            }
        }
        Ok(counts)
    }
}
