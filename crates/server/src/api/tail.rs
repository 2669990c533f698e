//! The live tail: server-sent events, filtered here so that a slow line carries only what is looked at.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt as _};
use query::Search;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use super::{Fault, Terms, door::token};
use crate::{auth, site::Site};

/// How often a quiet stream says that it lives.
const BEAT: Duration = Duration::from_secs(10);

/// The query of GET /tail.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    q: String,
}

/// GET /tail
pub async fn stream(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Terms(wanted): Terms<Wanted>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    let search = Search::parse(&wanted.q, site.clock.now())?;
    let lines = BroadcastStream::new(site.bus.look()).filter_map(move |shown| {
        let event = match shown {
            Ok(shown) if search.matches(&shown.event, &shown.name) => Some(Event::default().event("line").data(&shown.json)),
            Ok(_) => None,
            Err(BroadcastStreamRecvError::Lagged(n)) => Some(Event::default().event("missed").data(json!({"n": n}).to_string())),
        };
        std::future::ready(event.map(Ok))
    });
    let begin = futures::stream::once(std::future::ready(Ok(Event::default().event("beat").data("{}"))));
    Ok(Sse::new(begin.chain(lines).take_until(signed_out(site, headers)))
        .keep_alive(KeepAlive::new().interval(BEAT).event(Event::default().event("beat").data("{}"))))
}

/// Ends when the session does, looked at with every beat. Without a session's cookie (the demo, a command) it never does.
async fn signed_out(site: Arc<Site>, headers: HeaderMap) {
    let Some(hash) = token(&headers).map(auth::token_hash).filter(|_| !site.demo) else { return std::future::pending().await };
    loop {
        tokio::time::sleep(BEAT).await;
        // A state that cannot be read just now says nothing against the session.
        if matches!(site.state.session(&hash, site.clock.now()).await, Ok(None)) {
            return;
        }
    }
}

/// GET /tail/fields
pub async fn fields(State(site): State<Arc<Site>>) -> Json<Value> {
    let series = site.counts.series(site.clock.now());
    let products: BTreeSet<&str> = series.iter().map(|s| s.product.as_str()).collect();
    let clusters: BTreeSet<&str> = series.iter().map(|s| s.cluster.as_str()).collect();
    Json(json!({"products": products, "clusters": clusters, "streams": ["server", "slow", "general", "audit", "access", "rest", "crash"]}))
}
