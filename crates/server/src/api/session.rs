//! Signing in and out, and the setup link.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use event::clock::SECOND;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Fault, Who,
    door::{COOKIE, token},
};
use crate::{auth, site::Site};

type Answer = Result<Response, Fault>;

/// GET /session
pub async fn show(State(site): State<Arc<Site>>, Extension(Who(user)): Extension<Who>) -> Result<Json<Value>, Fault> {
    let setup_needed = !site.demo && !site.state.has_accounts().await?;
    Ok(Json(json!({"user": user, "setup_needed": setup_needed, "demo": site.demo, "version": env!("CARGO_PKG_VERSION")})))
}

/// The body of POST /setup.
#[derive(Deserialize)]
pub struct SetUp {
    token: String,
    user: String,
    password: String,
}

/// POST /setup
pub async fn set_up(State(site): State<Arc<Site>>, Json(asked): Json<SetUp>) -> Answer {
    let hash = auth::hash(asked.password).await.map_err(|why| Fault::asker("password", why, "choose a longer one"))?;
    if !site.state.set_up(&auth::token_hash(&asked.token), &asked.user, &hash, site.clock.now()).await? {
        let next = "run `bartizan user reset` beside the server for a new one";
        let fault = Fault::asker("setup_link", "this setup link was used already, or is older than 15 minutes", next);
        return Err(fault.status(StatusCode::FORBIDDEN));
    }
    site.evidences.store().append_own("access", json!({"what": "first account made", "user": asked.user}));
    sign_in(&site, &asked.user).await
}

/// The body of POST /login.
#[derive(Deserialize)]
pub struct LogIn {
    user: String,
    password: String,
}

/// POST /login
pub async fn log_in(State(site): State<Arc<Site>>, Json(asked): Json<LogIn>) -> Answer {
    let wait = site.throttle.wait(&asked.user);
    if !wait.is_zero() {
        let message = format!("too many wrong passwords for this account; wait {} s", wait.as_secs() + 1);
        return Err(Fault::asker("slow_down", message, "wait, then try again").status(StatusCode::TOO_MANY_REQUESTS));
    }
    let account = site.state.account(&asked.user).await?;
    let right = auth::verify(asked.password, account.map(|a| a.hash)).await;
    site.throttle.tell(&asked.user, right);
    let what = if right { "signed in" } else { "sign-in refused" };
    site.evidences.store().append_own("access", json!({"what": what, "user": asked.user}));
    if !right {
        let fault = Fault::asker(
            "wrong_login",
            "the account or the password is wrong",
            "try again, or run `bartizan user reset` beside the server",
        );
        return Err(fault.status(StatusCode::UNAUTHORIZED));
    }
    sign_in(&site, &asked.user).await
}

async fn sign_in(site: &Site, user: &str) -> Answer {
    let (token, hash) = auth::new_token().map_err(|e| Fault::ours("random", e))?;
    let now = site.clock.now();
    site.state.put_session(&hash, user, now, now + auth::SESSION_US).await?;
    let age = auth::SESSION_US / SECOND;
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}");
    Ok(([(header::SET_COOKIE, cookie)], Json(json!({"user": user}))).into_response())
}

/// POST /logout
pub async fn log_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Answer {
    if let Some(token) = token(&headers) {
        site.state.end_session(&auth::token_hash(token)).await?;
    }
    let cookie = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    Ok(([(header::SET_COOKIE, cookie)], Json(json!({"user": null}))).into_response())
}
