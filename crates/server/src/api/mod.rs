//! The HTTP API (docs/specs/api.md) and the console's files. Owns: the table of routes with the policy of each; every route has one.
//!
//! Two doors: TCP on loopback for browsers (session, Host and Origin checked), and `ctl.sock` for commands of the same user (no session needed).

mod alerts;
mod asked;
mod assets;
mod door;
mod events;
mod fault;
mod health;
mod local;
mod overview;
mod session;
mod tail;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, get, post},
};

use asked::{Sent, Terms};
pub use door::Who;
pub use fault::Fault;

use crate::site::Site;

/// A body has at most this many bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everybody who reaches the address.
    Public,
    /// A signed-in account, or a command on `ctl.sock`.
    Account,
    /// Only a command on `ctl.sock`.
    Command,
}

type Site_ = Arc<Site>;

/// Every route: path, policy, handler.
fn routes() -> Vec<(&'static str, Policy, MethodRouter<Site_>)> {
    use Policy::{Account, Command, Public};
    vec![
        ("/healthz", Public, get(health::healthz)),
        ("/readyz", Public, get(health::readyz)),
        ("/metrics", Public, get(health::metrics)),
        ("/api/v1/session", Public, get(session::show)),
        ("/api/v1/setup", Public, post(session::set_up)),
        ("/api/v1/login", Public, post(session::log_in)),
        ("/api/v1/logout", Account, post(session::log_out)),
        ("/api/v1/overview", Account, get(overview::show)),
        ("/api/v1/alerts", Account, get(alerts::list)),
        ("/api/v1/alerts/{id}", Account, get(alerts::show).post(alerts::say)),
        ("/api/v1/events", Account, get(events::search)),
        ("/api/v1/query", Account, post(events::query)),
        ("/api/v1/tail", Account, get(tail::stream)),
        ("/api/v1/tail/fields", Account, get(tail::fields)),
        ("/ctl/query", Command, post(local::query)),
        ("/ctl/search", Command, post(local::search)),
        ("/ctl/import", Command, post(local::import)),
        ("/ctl/alert-test", Command, post(local::alert_test)),
        ("/ctl/user-reset", Command, post(local::user_reset)),
    ]
}

/// The router of one door. `local`: of `ctl.sock`.
pub fn router(site: &Arc<Site>, local: bool) -> Router {
    let mut router = Router::new();
    for (path, policy, handler) in routes() {
        if policy == Policy::Command && !local {
            continue;
        }
        let gate = door::Gate { site: Arc::clone(site), policy, local };
        router = router.route(path, handler.layer(middleware::from_fn_with_state(gate, door::pass)));
    }
    let router = if local { router } else { router.fallback(get(assets::file)) };
    let checked = middleware::from_fn_with_state((Arc::clone(site), local), door::check_address);
    router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(middleware::from_fn(door::harden)).layer(checked).with_state(Arc::clone(site))
}
