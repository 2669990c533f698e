//! Alerts: the list, one with its lines, and what people say of it.

use std::sync::Arc;

use alert::Said;
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use event::{Alert, AlertState, Evidence, Micros, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Sent, Terms, Who};
use crate::{site::Site, state::AlertFilter};

/// Alerts like this one that are shown beside it.
const SIMILAR_MAX: u32 = 6;
const LIST_DEFAULT: u32 = 100;

/// The query of GET /alerts.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    state: Option<String>,
    severity: Option<String>,
    rule: Option<String>,
    limit: Option<u32>,
    before: Option<String>,
}

fn words<T>(text: Option<&str>, read: impl Fn(&str) -> Option<T>, code: &'static str) -> Result<Vec<T>, Fault> {
    let all = text.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty() && *w != "all");
    all.map(|w| read(w).ok_or_else(|| Fault::asker(code, format!("{w:?} is no {code}"), "use one of the words of the list"))).collect()
}

fn before(text: Option<&str>) -> Result<Option<(Micros, String)>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let read = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
    read.map(Some).ok_or_else(|| Fault::asker("before", "this is no place in the list", "use the `next` of the page before"))
}

/// GET /alerts
pub async fn list(State(site): State<Arc<Site>>, Terms(wanted): Terms<Wanted>) -> Result<Json<Value>, Fault> {
    let filter = AlertFilter {
        states: words(wanted.state.as_deref(), AlertState::parse, "state")?,
        severities: words(wanted.severity.as_deref(), Severity::parse, "severity")?,
        rule: wanted.rule,
        limit: wanted.limit.unwrap_or(LIST_DEFAULT),
        before: before(wanted.before.as_deref())?,
    };
    let (page, total) = site.state.alerts(&filter).await?;
    let full = page.len() >= filter.limit as usize;
    let next = page.last().filter(|_| full).map(|k| format!("{}.{}", k.alert.last_time, k.alert.id));
    let alerts: Vec<Alert> = page.into_iter().map(|k| k.alert).collect();
    Ok(Json(json!({"alerts": alerts, "total": total, "next": next})))
}

/// GET /alerts/{id}
pub async fn show(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    let kept = site.state.alert(&id).await?.ok_or_else(|| Fault::missing(format!("there is no alert {id}")))?;
    let rows = site.evidences.rows(&kept.alert.evidence).await?;
    let lines: Vec<Value> = kept.alert.evidence.iter().map(|e| line(e, &rows)).collect();
    let like = AlertFilter { rule: Some(kept.alert.rule.clone()), limit: SIMILAR_MAX, ..AlertFilter::default() };
    let (similar, _) = site.state.alerts(&like).await?;
    let similar: Vec<Alert> = similar.into_iter().map(|k| k.alert).filter(|a| a.id != id).collect();
    Ok(Json(json!({"alert": kept.alert, "lines": lines, "similar": similar})))
}

/// A line of evidence; one that is gone says so.
fn line(evidence: &Evidence, rows: &[query::Row]) -> Value {
    let (log, seq) = match evidence {
        Evidence::Stored { log, seq } => (log, seq),
        Evidence::File { file, offset, raw } => return json!({"name": format!("{file}:{offset}"), "raw": raw}),
    };
    let is_it = |row: &&query::Row| {
        let number = row.get("seq").and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
        row.get("log").and_then(|v| v.as_str()) == Some(log) && number == Some(*seq)
    };
    let mut shown = serde_json::Map::new();
    shown.insert("name".into(), format!("{log}:{seq}").into());
    match rows.iter().find(is_it) {
        Some(row) => {
            let keys = [
                "time",
                "observed_time",
                "cluster",
                "product",
                "component",
                "stream",
                "instance",
                "level",
                "action",
                "status",
                "user",
                "target_user",
                "src_ip",
                "src_host",
                "object",
                "database",
                "issues",
                "fields",
                "raw",
            ];
            shown.extend(keys.iter().filter_map(|k| Some(((*k).to_owned(), row.get(*k)?.clone()))));
        }
        None => {
            shown.insert("raw".into(), Value::Null);
            shown.insert("gone".into(), "deleted".into());
        }
    }
    Value::Object(shown)
}

/// The body of POST /alerts/{id}.
#[derive(Debug, Deserialize)]
pub struct Word {
    state: String,
    note: Option<String>,
    verdict: Option<String>,
    /// Only on `ctl.sock`: who runs the command.
    by: Option<String>,
}

/// POST /alerts/{id}
pub async fn say(
    State(site): State<Arc<Site>>,
    Extension(Who(user)): Extension<Who>,
    Path(id): Path<String>,
    Sent(word): Sent<Word>,
) -> Result<Json<Value>, Fault> {
    let state = AlertState::parse(&word.state)
        .ok_or_else(|| Fault::asker("state", format!("{:?} is no state of an alert", word.state), "use open, acked or closed"))?;
    let user = user.unwrap_or_default();
    let by = if user == "command" { word.by.unwrap_or(user) } else { user };
    let said = Said { state, by: by.clone(), note: word.note, verdict: word.verdict };
    let kept = site.desk.say(&id, said).await?;
    site.evidences.store().append_own("access", json!({"what": format!("alert {}", state.as_str()), "alert": id, "user": by}));
    Ok(Json(json!({"alert": kept.alert})))
}
