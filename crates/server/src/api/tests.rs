//! The two doors of a real server: every route has a policy and keeps it, other sites and other hosts stay outside, no secret comes back.

use std::sync::Arc;

use detect::{Engine, RuleSet};
use event::clock::SystemClock;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::{Policy, routes};
use crate::start::{Running, Wanted};

/// A rule over our own records, as the shipped one.
const GAP: &str = "title: 'Evidence has a gap: {fields.what}'\nid: gap\nlogsource: {product: bartizan}\ndetection:\n  gap: {stream: gap}\n  condition: gap\nlevel: high\n";

struct Rig {
    running: Running,
    folder: tempfile::TempDir,
    http: Client,
}

impl Rig {
    async fn start(demo: bool) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), demo).await
    }
    async fn start_in(folder: tempfile::TempDir, demo: bool) -> Self {
        let wanted = Wanted {
            data: folder.path().join("data"),
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
            external: None,
            demo,
            engine: Engine::new(Arc::new(RuleSet::load([("gap.yml", GAP)]).unwrap())),
            rules: 1,
            channels: Vec::new(),
            print: Arc::new(|_| {}),
            clock: Arc::new(SystemClock),
        };
        let running = Running::start(wanted, |_, _| Arc::new(|_| Err("no imports here".to_owned()))).await.unwrap();
        Self { running, folder, http: Client::builder().no_proxy().build().unwrap() }
    }
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.site.listen)
    }
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> (StatusCode, Value, Option<String>) {
        let mut request = self.http.request(method, self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let cookie = response.headers().get("set-cookie").map(|v| v.to_str().unwrap().to_owned());
        let status = response.status();
        (status, response.json().await.unwrap_or(Value::Null), cookie)
    }
    async fn stop(self) -> tempfile::TempDir {
        self.running.stop(&self.folder.path().join("data")).await.unwrap();
        self.folder
    }
}

const OURS: (&str, &str) = ("x-bartizan", "1");

#[tokio::test(flavor = "multi_thread")]
async fn every_route_keeps_its_policy() {
    let rig = Rig::start(false).await;
    for (path, policy, _) in routes() {
        let path = path.replace("{id}", "abc");
        let (status, body, _) = rig.ask(Method::GET, &path, &[OURS], None).await;
        match policy {
            Policy::Account => assert!(matches!(status, StatusCode::UNAUTHORIZED | StatusCode::METHOD_NOT_ALLOWED), "{path}: {status}"),
            Policy::Command => assert_eq!(status, StatusCode::NOT_FOUND, "{path}"),
            Policy::Public => assert_ne!(status, StatusCode::UNAUTHORIZED, "{path}"),
        }
        if status == StatusCode::UNAUTHORIZED {
            assert_eq!(body["error"]["code"], "not_signed_in");
        }
        let (status, _, _) = rig.ask(Method::POST, &path, &[OURS], Some(json!({}))).await;
        assert_ne!(status, StatusCode::OK, "{path}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_and_other_sites_stay_outside() {
    let rig = Rig::start(true).await;
    let own = format!("http://{}", rig.running.site.listen);
    let cases: [(&[(&str, &str)], StatusCode); 5] = [
        (&[], StatusCode::OK),
        (&[("host", "evil.example")], StatusCode::FORBIDDEN),
        (&[("origin", "http://evil.example")], StatusCode::FORBIDDEN),
        (&[("origin", "null")], StatusCode::FORBIDDEN),
        (&[("origin", &own)], StatusCode::OK),
    ];
    for (headers, want) in cases {
        assert_eq!(rig.ask(Method::GET, "/api/v1/overview", headers, None).await.0, want, "{headers:?}");
    }
    // Without the header that no other site can send, nothing changes.
    let (status, body, _) = rig.ask(Method::POST, "/api/v1/query", &[], Some(json!({"sql": "select 1"}))).await;
    assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::FORBIDDEN, Some("header_missing")));
    assert_eq!(rig.ask(Method::POST, "/api/v1/query", &[OURS], Some(json!({"sql": "select 1 as n"}))).await.1["rows"][0]["n"], 1);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setup_link_makes_one_account_and_its_session_works() {
    let rig = Rig::start(false).await;
    let link = rig.running.setup_link.clone().unwrap();
    let token = link.split_once('#').unwrap().1.to_owned();
    let account = |password: &str| Some(json!({"token": token, "user": "dba", "password": password}));
    assert_eq!(rig.ask(Method::POST, "/api/v1/setup", &[OURS], account("short")).await.0, StatusCode::BAD_REQUEST);
    let (status, body, cookie) = rig.ask(Method::POST, "/api/v1/setup", &[OURS], account("a long enough password")).await;
    assert_eq!((status, body["user"].as_str()), (StatusCode::OK, Some("dba")));
    let cookie = cookie.unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let session = cookie.split(';').next().unwrap().to_owned();
    let signed = [OURS, ("cookie", session.as_str())];
    assert_eq!(rig.ask(Method::GET, "/api/v1/overview", &signed, None).await.0, StatusCode::OK);
    assert_eq!(rig.ask(Method::POST, "/api/v1/setup", &[OURS], account("a long enough password")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(rig.ask(Method::POST, "/api/v1/logout", &signed, Some(json!({}))).await.0, StatusCode::OK);
    assert_eq!(rig.ask(Method::GET, "/api/v1/overview", &signed, None).await.0, StatusCode::UNAUTHORIZED);
    let wrong = Some(json!({"user": "dba", "password": "not the right one"}));
    for _ in 0..4 {
        assert_eq!(rig.ask(Method::POST, "/api/v1/login", &[OURS], wrong.clone()).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(rig.ask(Method::POST, "/api/v1/login", &[OURS], wrong).await.0, StatusCode::TOO_MANY_REQUESTS);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_their_answers_and_questions_their_errors() {
    let rig = Rig::start(true).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(rig.http.get(rig.url(path)).send().await.unwrap().text().await.unwrap(), "ok\n");
    }
    let metrics = rig.http.get(rig.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("# TYPE bartizan_events_total counter\nbartizan_events_total 0\n"), "{metrics}");
    let (status, body, _) = rig.ask(Method::POST, "/api/v1/query", &[OURS], Some(json!({"sql": "selec 1"}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["error"]["message"].as_str().unwrap().contains("selec"), "{body}");
    let (status, _, _) = rig.ask(Method::GET, "/api/v1/alerts/nothing", &[OURS], None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_a_running_server_through_its_socket() {
    use crate::ctl::Client as Ctl;
    let rig = Rig::start(false).await;
    let data = rig.folder.path().join("data");
    let ctl = Ctl::find(&data).unwrap();
    let mut rows = Vec::new();
    ctl.lines("/ctl/query", &json!({"sql": "select 7 as n"}), |line| {
        rows.push(line);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(rows[1]["row"]["n"], 7);
    assert_eq!(rows[2]["end"]["truncated"], false);
    let refused = ctl.lines("/ctl/query", &json!({"sql": "drop table events"}), |_| Ok(())).await.unwrap_err();
    assert!(refused.to_string().contains("refusing"), "{refused}");
    let link = ctl.post("/ctl/user-reset", &json!({})).await.unwrap();
    assert!(link["link"].as_str().unwrap().contains("/setup#"));
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(crate::ctl::socket(&data)).unwrap().permissions().mode() & 0o777, 0o600);
    rig.stop().await;
    assert!(Ctl::find(&data).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_of_our_own_becomes_an_alert_and_alerts_are_made_again_from_records() {
    let rig = Rig::start(true).await;
    rig.running.site.evidences.store().append_own("gap", json!({"what": "intake stopped"}));
    let folder = rig.stop().await;
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join("data").join(name));
    }
    let rig = Rig::start_in(folder, true).await;
    let (_, list, _) = rig.ask(Method::GET, "/api/v1/alerts", &[], None).await;
    assert_eq!((&list["total"], &list["alerts"][0]["title"]), (&json!(1), &json!("Evidence has a gap: intake stopped")), "{list}");
    let id = list["alerts"][0]["id"].as_str().unwrap();
    let (_, shown, _) = rig.ask(Method::GET, &format!("/api/v1/alerts/{id}"), &[], None).await;
    assert!(shown["lines"][0]["raw"].as_str().unwrap().contains("intake stopped"), "{shown}");
    rig.stop().await;
}
