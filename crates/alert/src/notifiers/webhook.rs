//! A webhook: the alert as JSON, with an Idempotency-Key. `password`, if given, is sent as a bearer token.

use serde_json::json;

use super::{Kind, Notifier, Outgoing, Settings, SettingsError};
use crate::{Notice, Secret};

/// The line of the registry.
pub const KIND: Kind = Kind { name: "webhook", keys: &["target", "password"], build };

struct Webhook {
    url: Secret,
    token: Option<Secret>,
}

fn build(s: &Settings) -> Result<Box<dyn Notifier>, SettingsError> {
    check_url(s, &s.url()?)?;
    Ok(Box::new(Webhook { url: s.target.clone().unwrap_or_default(), token: s.password.clone() }))
}

/// https, or http to loopback; no account in it (it would end in the logs of proxies).
pub(super) fn check_url(s: &Settings, url: &url::Url) -> Result<(), SettingsError> {
    let loopback = match url.host() {
        Some(url::Host::Domain(d)) => d == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(s.bad("target", "it names no host; write https://host/path")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(s.bad("target", "http beyond this machine is readable on the way; write https://")),
        _ => return Err(s.bad("target", "write https://host/path")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(s.bad("target", "it carries an account; write `password = \"env:NAME\"`, it is sent as a bearer token"));
    }
    Ok(())
}

impl Notifier for Webhook {
    fn render(&self, notice: &Notice<'_>) -> Outgoing {
        let lines: Vec<_> =
            notice.lines.iter().map(|l| json!({"name": l.name, "time": l.time.map(event::clock::rfc3339), "raw": l.raw})).collect();
        let body = json!({
            "version": 1,
            "kind": "alert",
            "reason": notice.reason,
            "idempotency_key": notice.idempotency(),
            "alert": notice.alert,
            "lines": lines,
            "link": notice.link(),
        });
        let mut headers = vec![("idempotency-key", Secret::new(notice.idempotency()))];
        if let Some(token) = &self.token {
            headers.push(("authorization", Secret::new(format!("Bearer {}", token.expose()))));
        }
        Outgoing::Http { url: self.url.clone(), headers, body: body.to_string() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::conformance::{hostile_alert, notice, settings};
    use super::*;

    #[test]
    fn the_alert_arrives_as_it_is() {
        let alert = hostile_alert();
        let Outgoing::Http { body, headers, .. } = settings("webhook").build().unwrap().render(&notice(&alert)) else { panic!("not HTTP") };
        let v: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(v["alert"]["title"], alert.title);
        assert_eq!((&v["reason"], &v["version"]), (&json!("new"), &json!(1)));
        assert!(headers.iter().any(|(k, h)| *k == "authorization" && h.expose().starts_with("Bearer ")));
    }

    #[test]
    fn clear_text_beyond_this_machine_is_refused() {
        for bad in ["http://example.org/x", "ftp://example.org", "https://u:p@example.org/", "nonsense"] {
            assert!(Settings { target: Some(Secret::new(bad)), ..settings("webhook") }.build().is_err(), "{bad}");
        }
        for good in ["https://example.org/x", "http://127.0.0.1:9/x", "http://localhost:9/x", "http://[::1]:9/"] {
            assert!(Settings { target: Some(Secret::new(good)), ..settings("webhook") }.build().is_ok(), "{good}");
        }
    }
}
