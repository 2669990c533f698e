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
    Fault, Sent, Who,
    door::{COOKIE, is_external, token},
};
use crate::{auth, site::Site, state::NAME_CHARS_MAX};

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
pub async fn set_up(State(site): State<Arc<Site>>, headers: HeaderMap, Sent(asked): Sent<SetUp>) -> Answer {
    let _turn = auth::turn().await.ok_or_else(busy)?;
    let first = !site.state.has_accounts().await?;
    let hash = auth::hash(asked.password).await.map_err(|why| Fault::asker("password", why, "choose a longer one"))?;
    if !site.state.set_up(&auth::token_hash(&asked.token), &asked.user, &hash, site.clock.now()).await? {
        let next = "run `bartizan user reset` beside the server for a new one";
        let fault = Fault::asker("setup_link", "this setup link was used already, or is older than 15 minutes", next);
        return Err(fault.status(StatusCode::FORBIDDEN));
    }
    site.evidences.store().append_own(
        "access",
        json!({"what": if first { "first account made" } else { "account made or given a new password" }, "user": asked.user}),
    );
    sign_in(&site, &asked.user, &headers).await
}

/// Who has no account, in our own records; no account can have this name.
const UNKNOWN: &str = "(no such account)";

fn busy() -> Fault {
    Fault::asker("busy", "too many others are signing in", "try again").status(StatusCode::TOO_MANY_REQUESTS)
}

/// The body of POST /login.
#[derive(Deserialize)]
pub struct LogIn {
    user: String,
    password: String,
}

/// POST /login
pub async fn log_in(State(site): State<Arc<Site>>, headers: HeaderMap, Sent(asked): Sent<LogIn>) -> Answer {
    // What somebody typed into the field of the name may be a password, and may be long: only names of accounts are kept.
    let account = if asked.user.chars().count() <= NAME_CHARS_MAX { site.state.account(&asked.user).await? } else { None };
    let name = account.as_ref().map_or(UNKNOWN, |a| a.name.as_str()).to_owned();
    // By what was typed: whether there is such an account must not show.
    let typed: String = asked.user.chars().take(NAME_CHARS_MAX).collect();
    if let Err(wait) = site.throttle.begin(&typed) {
        let message = format!("too many wrong passwords for this account; wait {} s", wait.as_secs() + 1);
        return Err(Fault::asker("slow_down", message, "wait, then try again").status(StatusCode::TOO_MANY_REQUESTS));
    }
    let _turn = auth::turn().await.ok_or_else(busy)?;
    let right = auth::verify(asked.password, account.map(|a| a.hash)).await;
    if right {
        site.throttle.right(&typed);
    }
    let what = if right { "signed in" } else { "sign-in refused" };
    site.evidences.store().append_own("access", json!({"what": what, "user": name}));
    if !right {
        let fault = Fault::asker(
            "wrong_login",
            "the account or the password is wrong",
            "try again, or run `bartizan user reset` beside the server",
        );
        return Err(fault.status(StatusCode::UNAUTHORIZED));
    }
    sign_in(&site, &asked.user, &headers).await
}

async fn sign_in(site: &Site, user: &str, headers: &HeaderMap) -> Answer {
    let (token, hash) = auth::new_token().map_err(|e| Fault::ours("random", e))?;
    let now = site.clock.now();
    site.state.put_session(&hash, user, now, now + auth::SESSION_US).await?;
    let age = auth::SESSION_US / SECOND;
    let secure = if is_external(headers, site.external.as_ref()) { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}");
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
