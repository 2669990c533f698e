//! Stored events: the search language and SQL, within the server's limits.

use std::sync::Arc;

use axum::{Json, extract::State};
use query::{Cursor, Limits, Search};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Sent, Terms};
use crate::site::Site;

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The query of GET /events.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    before: Option<String>,
}

/// GET /events
pub async fn search(State(site): State<Arc<Site>>, Terms(wanted): Terms<Wanted>) -> Result<Json<Value>, Fault> {
    let search = Search::parse(&wanted.q, site.clock.now())?;
    let limit = wanted.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let before = match wanted.before.as_deref() {
        None => None,
        Some(text) => {
            let bad = || Fault::asker("before", "this is no place in the results", "use the `next` of the page before");
            Some(Cursor::parse(text).ok_or_else(bad)?)
        }
    };
    let engine = site.evidences.engine(Limits::SERVER)?;
    let table = site.questions.ask(async move { engine.search(&search, limit, before.as_ref()).await?.all().await }).await??;
    let next = table.rows.last().filter(|_| table.rows.len() >= limit).and_then(Cursor::behind).map(|c| c.to_string());
    Ok(Json(json!({"rows": table.rows, "next": next})))
}

/// The body of POST /query.
#[derive(Debug, Deserialize)]
pub struct Asked {
    sql: String,
}

/// POST /query
pub async fn query(State(site): State<Arc<Site>>, Sent(asked): Sent<Asked>) -> Result<Json<Value>, Fault> {
    let engine = site.evidences.engine(Limits::SERVER)?;
    let table = site.questions.ask(async move { engine.sql(&asked.sql).await?.all().await }).await??;
    Ok(Json(json!({"columns": table.columns, "rows": table.rows, "truncated": table.truncated})))
}
