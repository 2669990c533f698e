//! The first screen: is anything on fire, is anything silent, does intake run, who could not be told.

use std::sync::Arc;

use axum::{Json, extract::State};
use event::{
    LogClass,
    clock::{DAY, rfc3339},
};
use serde_json::{Map, Value, json};

use super::Fault;
use crate::{counts::MINUTES, site::Site};

/// Sources in the answer; the console asks for no more.
const SOURCES_SHOWN_MAX: usize = 500;

/// GET /overview
pub async fn show(State(site): State<Arc<Site>>) -> Result<Json<Value>, Fault> {
    let now = site.clock.now();
    let counts = site.state.alert_counts(now - DAY).await?;
    let mut open = Map::new();
    for severity in ["critical", "high", "medium", "low", "info"] {
        let n = counts.open.iter().find(|(s, _)| s == severity).map_or(0, |(_, n)| *n);
        open.insert(severity.to_owned(), n.into());
    }
    let paused = site.paused();
    let per_second: Vec<Value> = site.counts.per_second(now).into_iter().map(|(product, n)| json!({"product": product, "n": n})).collect();
    let mut sources = site.counts.sources(now);
    let all = sources.len();
    sources.truncate(SOURCES_SHOWN_MAX);
    let told = site.state.channels().await?;
    let channel = |(name, kind): &(String, String)| {
        let state = told.iter().find(|c| c.name == *name).cloned().unwrap_or_default();
        json!({"name": name, "kind": kind, "delivered": state.delivered, "waiting": state.waiting, "failed": state.failed, "last_error": state.last_error})
    };
    Ok(Json(json!({
        "now": rfc3339(now),
        "version": env!("CARGO_PKG_VERSION"),
        "demo": site.demo,
        "intake": {"state": if paused.is_some() { "stopped" } else { "running" }, "reason": paused, "dropped": dropped(&site)},
        "rate": {"step_s": 60, "minutes": MINUTES, "series": site.counts.series(now)},
        "per_second": per_second,
        "alerts": {"open": open, "acked": counts.acked, "closed_24h": counts.closed, "refused": site.desk.refused().await},
        "sources": sources,
        "sources_total": all,
        "store": store(&site),
        "rules": {"n": site.rules},
        "notify": site.channels.iter().map(channel).collect::<Vec<_>>(),
    })))
}

/// What was refused by a full queue of ours.
fn dropped(site: &Site) -> u64 {
    site.evidences.store().stats().own_dropped
}

fn store(site: &Site) -> Value {
    let store = site.evidences.store();
    let moment = store.moment();
    let lake_rows: u64 = moment.files.iter().filter(|f| f.class != LogClass::Own).map(|f| f.rows).sum();
    let lake_bytes: u64 = moment.files.iter().map(|f| f.size).sum();
    let fresh: u64 = moment.rows.iter().map(|b| b.num_rows() as u64).sum();
    let space = store.space().ok();
    let oldest = moment.files.iter().filter_map(|f| f.observed_time).map(|(low, _)| low).min();
    json!({
        "events": lake_rows + fresh,
        "wal_bytes": store.stats().wal_bytes,
        "lake_bytes": lake_bytes,
        "disk_free_bytes": space.map(|s| s.free),
        "disk_total_bytes": space.map(|s| s.total),
        "oldest": oldest.map(rfc3339),
    })
}
