//! Who comes in: the check of `Host` and `Origin` (a page of another site must not reach a server on loopback), the session, the policy of a route.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Fault, Policy};
use crate::{
    auth,
    site::{External, Site},
};

/// The session's cookie.
pub const COOKIE: &str = "bartizan";
/// Requests that change something carry it: no form and no link of another site can set a header.
const OURS: &str = "x-bartizan";
/// Who acts in `demo`.
pub const DEMO_USER: &str = "demo";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who(pub Option<String>);

/// What a route's gate knows.
#[derive(Clone)]
pub struct Gate {
    pub site: Arc<Site>,
    pub policy: Policy,
    pub local: bool,
}

/// Lets a request through, with [`Who`] asks, if the route's policy allows it.
pub async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let who = if gate.local { Some("command".to_owned()) } else { signed_in(&gate.site, request.headers()).await };
    if gate.policy != Policy::Public && who.is_none() {
        return Fault::nobody().into_response();
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !gate.local && !request.headers().contains_key(OURS) {
        let fault = Fault::asker("header_missing", "a request that changes something needs the header X-Bartizan: 1", "send the header");
        return fault.status(StatusCode::FORBIDDEN).into_response();
    }
    request.extensions_mut().insert(Who(who));
    next.run(request).await
}

/// The token of the session in these headers.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    cookies.filter_map(|c| c.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, token)| token)
}

async fn signed_in(site: &Site, headers: &HeaderMap) -> Option<String> {
    if site.demo {
        return Some(DEMO_USER.to_owned());
    }
    let token = token(headers)?;
    match site.state.session(&auth::token_hash(token), site.clock.now()).await {
        Ok(user) => user,
        Err(e) => {
            tracing::error!(error = %e, "a session cannot be looked up");
            None
        }
    }
}

/// Whether a `Host` names this server on loopback.
fn is_ours(host: &str, listen: SocketAddr) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    port == Some(listen.port()) && matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// Whether a request came through the configured proxy, by the name that it used.
pub fn is_external(headers: &HeaderMap, external: Option<&External>) -> bool {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    external.is_some_and(|e| host.is_some_and(|h| h.eq_ignore_ascii_case(e.host())))
}

/// Whether a request names this server in `Host`, and came from no other site.
fn is_addressed(headers: &HeaderMap, listen: SocketAddr, external: Option<&External>) -> bool {
    let text = |name: header::HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    if is_external(headers, external) {
        return text(header::ORIGIN).is_none_or(|o| external.is_some_and(|e| o.eq_ignore_ascii_case(e.origin())));
    }
    let origin = text(header::ORIGIN).is_none_or(|o| o.strip_prefix("http://").is_some_and(|h| is_ours(h, listen)));
    origin && is_ours(text(header::HOST).unwrap_or_default(), listen)
}

/// Refuses what came under another name: a DNS name that was pointed at loopback, or a page of another site.
pub async fn check_address(State((site, local)): State<(Arc<Site>, bool)>, request: Request, next: Next) -> Response {
    if local {
        return next.run(request).await;
    }
    if is_addressed(request.headers(), site.listen, site.external.as_ref()) {
        return next.run(request).await;
    }
    let fault = Fault::asker(
        "wrong_address",
        "this server answers to its own address only",
        "open the address that serve printed; behind a proxy, name it in [server] external_url",
    );
    fault.status(StatusCode::FORBIDDEN).into_response()
}

/// Headers of every answer.
pub async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_ours() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 7700));
        for host in ["127.0.0.1:7700", "localhost:7700", "[::1]:7700"] {
            assert!(is_ours(host, listen), "{host}");
        }
        for host in ["", "127.0.0.1", "evil.example:7700", "127.0.0.1:7701", "localhost.evil.example:7700", "[::1]", "127.0.0.1:7700:7700"]
        {
            assert!(!is_ours(host, listen), "{host}");
        }
    }

    #[test]
    fn a_proxy_is_known_by_its_own_name_only() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 7700));
        let external = External::parse("https://Watch.example.org/").unwrap();
        for (host, origin, want) in [
            ("watch.example.org", None, true),
            ("watch.example.org", Some("https://watch.example.org"), true),
            ("watch.example.org", Some("http://watch.example.org"), false),
            ("watch.example.org", Some("https://evil.example"), false),
            ("watch.example.org:8443", None, false),
            ("evil.example", None, false),
            ("127.0.0.1:7700", Some("https://watch.example.org"), false),
            ("127.0.0.1:7700", Some("http://127.0.0.1:7700"), true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_addressed(&headers, listen, Some(&external)), want, "{host} {origin:?}");
            assert!(!is_addressed(&headers, listen, None) || host == "127.0.0.1:7700");
        }
        for bad in ["http://a.b", "https://", "a.b", "https://a.b/console", "https://a.b?x"] {
            assert!(External::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; bartizan=secret; c=d"));
        assert_eq!(token(&headers), Some("secret"));
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
