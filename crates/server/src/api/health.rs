//! For machines: is it alive, is it ready, how does it fare.

use std::{fmt::Write as _, sync::Arc};

use axum::{extract::State, http::StatusCode, http::header, response::IntoResponse};

use crate::site::Site;

/// GET /healthz: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// GET /readyz: it takes events.
pub async fn readyz(State(site): State<Arc<Site>>) -> (StatusCode, String) {
    if let Some(why) = site.evidences.store().stopped() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("the store has stopped: {why}\n"));
    }
    match site.paused() {
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("intake stands still: {why}\n")),
        None => (StatusCode::OK, "ok\n".to_owned()),
    }
}

/// One sample of `/metrics`.
struct Sample {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    values: Vec<(String, f64)>,
}

/// GET /metrics: Prometheus text format 0.0.4.
pub async fn metrics(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let mut text = String::new();
    for sample in samples(&site).await {
        let _ = writeln!(text, "# HELP {} {}\n# TYPE {} {}", sample.name, sample.help, sample.name, sample.kind);
        for (labels, value) in &sample.values {
            let _ = writeln!(text, "{}{labels} {value}", sample.name);
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{}\"}}", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

async fn samples(site: &Site) -> Vec<Sample> {
    let one = |name, help, kind, value: f64| Sample { name, help, kind, values: vec![(String::new(), value)] };
    let stats = site.evidences.store().stats();
    let now = site.clock.now();
    let silent = site.counts.sources(now).iter().filter(|s| s.silent).count();
    let mut all = vec![
        one("bartizan_events_total", "Events seen since the start.", "counter", site.counts.events() as f64),
        one(
            "bartizan_findings_postponed_total",
            "Findings that the desk had no room for; they become alerts at the next start.",
            "counter",
            site.counts.findings_waiting() as f64,
        ),
        one("bartizan_own_records_dropped_total", "Records of self that a full queue refused.", "counter", stats.own_dropped as f64),
        one("bartizan_intake_paused", "1 while a nearly full disk stops intake.", "gauge", f64::from(u8::from(site.paused().is_some()))),
        one("bartizan_sources_silent", "Sources that had something to say and say nothing.", "gauge", silent as f64),
        one("bartizan_rules", "Rules in force.", "gauge", site.rules as f64),
        one(
            "bartizan_alerts_refused_total",
            "Findings without an alert because the working set is full.",
            "counter",
            site.desk.refused().await as f64,
        ),
    ];
    if let Ok(space) = site.evidences.store().space() {
        all.push(one("bartizan_disk_free_bytes", "Free bytes on the disk of the data folder.", "gauge", space.free as f64));
    }
    if let Ok(counts) = site.state.alert_counts(now).await {
        let values = counts.open.iter().map(|(severity, n)| (label("severity", severity), *n as f64)).collect();
        all.push(Sample { name: "bartizan_alerts_open", help: "Open alerts.", kind: "gauge", values });
    }
    if let Ok(channels) = site.state.channels().await {
        for (name, help, kind, of) in [
            ("bartizan_notifications_delivered_total", "Notifications delivered.", "counter", 0),
            ("bartizan_notifications_waiting", "Notifications that wait for their next attempt.", "gauge", 1),
            ("bartizan_notifications_failed_total", "Notifications given up.", "counter", 2),
        ] {
            let value = |c: &crate::state::ChannelState| [c.delivered, c.waiting, c.failed][of] as f64;
            let values = channels.iter().map(|c| (label("channel", &c.name), value(c))).collect();
            all.push(Sample { name, help, kind, values });
        }
    }
    all
}
