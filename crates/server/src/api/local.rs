//! What only commands on `ctl.sock` may ask: answers without the console's limits, imports, tests of channels, a new setup link.
//!
//! Long answers are JSON Lines: `{"columns": [..]}`, rows as `{"row": {..}}`, and at the end `{"end": {"truncated": ..}}` or `{"error": ..}`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use query::{Answer, Limits, QueryError, Search};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Sent};
use crate::{auth, questions::Questions, site::Site};

/// The body of POST /ctl/query.
#[derive(Debug, Deserialize)]
pub struct Asked {
    sql: String,
}

/// POST /ctl/query
pub async fn query(State(site): State<Arc<Site>>, Sent(asked): Sent<Asked>) -> Result<Response, Fault> {
    site.evidences.store().catch_up();
    let engine = site.evidences.engine(Limits::COMMAND)?;
    let answer = site.questions.run(async move { engine.sql(&asked.sql).await }).await??;
    Ok(lines(&site.questions, answer))
}

/// The body of POST /ctl/search.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    q: String,
    since: Option<i64>,
    until: Option<i64>,
    limit: usize,
}

/// POST /ctl/search
pub async fn search(State(site): State<Arc<Site>>, Sent(wanted): Sent<Wanted>) -> Result<Response, Fault> {
    site.evidences.store().catch_up();
    let search = Search::parse(&wanted.q, site.clock.now())?.within(wanted.since, wanted.until);
    let engine = site.evidences.engine(Limits::COMMAND)?;
    let answer = site.questions.run(async move { engine.search(&search, wanted.limit, None).await }).await??;
    Ok(lines(&site.questions, answer))
}

/// Pieces of an answer that wait for a slow reader.
const PIECES_WAITING_MAX: usize = 4;

/// An answer as it comes. It is worked out where questions are, and given up when nobody reads it any more.
fn lines(questions: &Questions, mut answer: Answer) -> Response {
    let (pieces, reader) = tokio::sync::mpsc::channel::<Result<Bytes, std::convert::Infallible>>(PIECES_WAITING_MAX);
    questions.spawn(async move {
        let mut text = json!({"columns": answer.columns}).to_string() + "\n";
        while pieces.send(Ok(Bytes::from(text))).await.is_ok() {
            text = match answer.next().await {
                Ok(Some(rows)) => rows.into_iter().map(|row| json!({"row": row}).to_string() + "\n").collect(),
                ended => {
                    let last = ended.map_or_else(|e| error(&e), |_| json!({"end": {"truncated": answer.truncated()}}));
                    let _ = pieces.send(Ok(Bytes::from(last.to_string() + "\n"))).await; // a reader that went away needs no end
                    break;
                }
            };
        }
    });
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(reader));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

fn error(e: &QueryError) -> Value {
    json!({"error": {"code": "query", "message": e.to_string(), "exit": e.exit()}})
}

/// POST /ctl/import: reads files on this machine through the server's pipeline.
pub async fn import(State(site): State<Arc<Site>>, Sent(asked): Sent<Value>) -> Result<Json<Value>, Fault> {
    let importer = Arc::clone(&site.importer);
    let done = tokio::task::spawn_blocking(move || importer(asked)).await.map_err(|e| Fault::ours("import", e.to_string()))?;
    done.map(Json).map_err(|why| Fault::asker("import", why, "mend it and run the import again: nothing is stored twice"))
}

/// The body of POST /ctl/alert-test.
#[derive(Debug, Deserialize)]
pub struct Test {
    channel: Option<String>,
}

/// How long a test is waited for, and how often it is looked at.
const TEST_MAX: Duration = Duration::from_secs(25);
const TEST_LOOK: Duration = Duration::from_millis(50);

/// POST /ctl/alert-test: answers when every channel was tried once.
pub async fn alert_test(State(site): State<Arc<Site>>, Sent(test): Sent<Test>) -> Result<Json<Value>, Fault> {
    let (id, names) = site.desk.test(test.channel.as_deref()).await?;
    if names.is_empty() {
        let message = test.channel.map_or_else(|| "no channel is configured".to_owned(), |c| format!("there is no channel {c:?}"));
        return Err(Fault::asker("channel", message, "look at [[notify]] in the configuration"));
    }
    let since = tokio::time::Instant::now();
    let mut met = site.state.met(&id).await?;
    while met.len() < names.len() && since.elapsed() < TEST_MAX {
        tokio::time::sleep(TEST_LOOK).await;
        met = site.state.met(&id).await?;
    }
    let result = |name: &String| {
        let (state, error) =
            met.iter().find(|(channel, ..)| channel == name).map_or(("waiting", None), |(_, state, error)| (state.as_str(), error.clone()));
        json!({"channel": name, "state": state, "error": error.filter(|_| state != "delivered")})
    };
    Ok(Json(json!({"tests": names.iter().map(result).collect::<Vec<_>>()})))
}

/// POST /ctl/user-reset: a new setup link; accounts stay as they are until it is used.
pub async fn user_reset(State(site): State<Arc<Site>>) -> Result<Json<Value>, Fault> {
    let (token, hash) = auth::new_token().map_err(|e| Fault::ours("random", e))?;
    site.state.put_setup(&hash, site.clock.now() + auth::SETUP_US).await?;
    site.evidences.store().append_own("access", json!({"what": "setup link made", "user": "command"}));
    Ok(Json(json!({"link": format!("{}/setup#{token}", site.url())})))
}
