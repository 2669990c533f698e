//! What every notifier must keep, run over the registry: which answers are tried again, stable ids, and no secret in anything that can be printed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use event::{Alert, AlertState, Evidence, Severity};

use super::*;
use crate::{Line, Reason};

const SECRET: &str = "s3cr3t-t0ken-of-the-channel";

/// Settings that are right for a kind.
pub fn settings(kind: &str) -> Settings {
    let mut s = Settings::new("oncall", kind);
    match kind {
        "email" => {
            s.target = Some(Secret::new("smtp://mail.example.org"));
            s.from = Some("bartizan@example.org".into());
            s.to = vec!["oncall@example.org".into()];
            s.password = Some(Secret::new(SECRET));
        }
        "slack" => s.target = Some(Secret::new(format!("https://hooks.slack.com/services/T0/B0/{SECRET}"))),
        "webhook" => {
            s.target = Some(Secret::new(format!("https://example.org/{SECRET}")));
            s.password = Some(Secret::new(SECRET));
        }
        "terminal" => {}
        other => panic!("the conformance kit knows no settings for {other}: add them"),
    }
    s
}

/// An alert whose every text an attacker wrote.
pub fn hostile_alert() -> Alert {
    Alert {
        id: "0a1b2c3d4e5f".into(),
        state: AlertState::Open,
        rule: "tidb-bruteforce-ip".into(),
        title: "20 failed logins of <!channel>\r\nBcc: eve@example.org\u{1b}[2J<script>alert(1)</script>\u{202e}".into(),
        severity: Severity::High,
        attack: vec!["T1110.001".into()],
        cluster: Some("prod".into()),
        subject: BTreeMap::from([("user".into(), "<@U1>`*_\u{1b}]0;x\u{7}".into()), ("src_ip".into(), "10.0.0.66".into())]),
        first_time: 1_795_296_000_000_000,
        last_time: 1_795_296_041_000_000,
        count: 20,
        findings: BTreeMap::from([("f1".into(), 3)]),
        evidence: vec![Evidence::Stored { log: "000000ab.prod.security".into(), seq: 7 }],
        next: "Lock the account <b>now</b>.".into(),
        by: None,
        note: None,
        verdict: None,
        revision: 3,
        historical: false,
        created: 0,
        updated: 0,
    }
}

/// A notice of it with two lines.
pub fn notice(alert: &Alert) -> Notice<'_> {
    static LINES: std::sync::LazyLock<Vec<Line>> = std::sync::LazyLock::new(|| {
        let raw = "[WARN] [user=\"```<!here>\u{1b}[31m\"]".to_owned() + &"x".repeat(5_000);
        vec![
            Line { name: "000000ab.prod.security:7".into(), time: Some(0), raw: raw.clone() },
            Line { name: "l:9".into(), time: None, raw },
        ]
    });
    Notice { alert, reason: Reason::New, lines: &LINES, console: Some("http://127.0.0.1:7700/") }
}

#[test]
fn every_kind_tries_again_what_may_pass_and_nothing_else() {
    for kind in KINDS {
        let n = settings(kind.name).build().unwrap();
        let http = |status| n.verdict(&Answer::Http { status, retry_after: Some(7) });
        for status in [200, 201, 202, 204] {
            assert_eq!(http(status), Verdict::Delivered, "{} {status}", kind.name);
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(http(status), Verdict::Retry(Some(7)), "{} {status}", kind.name);
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 405, 410, 413, 415, 422, 501, 505] {
            assert_eq!(http(status), Verdict::Refused, "{} {status}", kind.name);
        }
        for (code, want) in [
            (250, Verdict::Delivered),
            (421, Verdict::Retry(None)),
            (451, Verdict::Retry(None)),
            (535, Verdict::Refused),
            (550, Verdict::Refused),
        ] {
            assert_eq!(n.verdict(&Answer::Smtp(code)), want, "{} {code}", kind.name);
        }
        assert_eq!(n.verdict(&Answer::Nothing), Verdict::Retry(None), "{}", kind.name);
        assert_eq!(n.verdict(&Answer::Written), Verdict::Delivered, "{}", kind.name);
    }
}

#[test]
fn no_kind_shows_its_secret() {
    for kind in KINDS {
        let good = settings(kind.name);
        let alert = hostile_alert();
        let out = good.build().unwrap().render(&notice(&alert));
        assert!(!format!("{good:?} {out:?}").contains(SECRET), "{} shows its secret in Debug", kind.name);
        for target in
            [format!("nonsense {SECRET}"), format!("gopher://{SECRET}"), format!("https://u:{SECRET}@h/"), format!("smtp://u:{SECRET}@h/")]
        {
            if let Err(e) = (Settings { target: Some(Secret::new(target)), ..good.clone() }).build() {
                assert!(!format!("{e} {e:?}").contains(SECRET), "{} shows its secret: {e}", kind.name);
            }
        }
    }
}

#[test]
fn every_message_says_the_same_and_is_stable() {
    for kind in KINDS {
        let n = settings(kind.name).build().unwrap();
        let mut alert = hostile_alert();
        let first = n.render(&notice(&alert));
        assert_eq!(first, n.render(&notice(&alert)), "{}", kind.name);
        let text = match &first {
            Outgoing::Http { body, .. } => body.clone(),
            Outgoing::Smtp(mail) => format!("{}{}", mail.text, mail.message_id),
            Outgoing::Terminal(text) => text.clone(),
        };
        for word in ["20 failed logins", "tidb-bruteforce-ip", "Lock the account", "[WARN]", "high"] {
            assert!(text.to_lowercase().contains(&word.to_lowercase()), "{} does not say {word:?}: {text}", kind.name);
        }
        alert.revision += 1;
        assert!(
            kind.name == "terminal" || kind.name == "slack" || first != n.render(&notice(&alert)),
            "{}: one id for two revisions",
            kind.name
        );
    }
}

#[test]
fn a_key_that_a_kind_ignores_is_an_error() {
    let wrong = Settings { from: Some("a@b".into()), ..settings("slack") };
    assert_eq!(
        wrong.build().map(|_| ()).unwrap_err().to_string(),
        "reading notify \"oncall\": kind \"slack\" does not use `from`; remove it"
    );
    let unknown = Settings::new("x", "pager").build().map(|_| ()).unwrap_err().to_string();
    assert!(unknown.contains("email, slack, terminal, webhook"), "{unknown}");
}
