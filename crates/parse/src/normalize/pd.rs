//! PD's log: messages to columns. Its audit line is the only one that names a client, and the client can forge what it says of itself.

use std::borrow::Cow;

use event::{
    Activity, Event,
    Status::{Failure, Success, Unknown},
    Text, action,
};

use super::{
    columns::{is_address, name_in, part, put, set_field, split, take, text_of},
    errors::move_error,
    table::{Messages, Row, act, look},
};

const fn config(object: &'static str) -> Row {
    act(&action::CONFIG_UPDATE, Success).object(object)
}

const fn leader() -> Row {
    act(&action::ENTITY_UPDATE, Success).object("leader")
}

static TABLE: Messages = Messages::new(
    &[
        ("audit log", look(audit)),
        ("log level changed", look(level_changed)),
        ("audit config is updated", look(audit_changed)),
        ("schedule config is updated", config("schedule")),
        ("replication config is updated", config("replication")),
        ("PD server config is updated", config("pd server")),
        ("rate limit config is updated", config("rate limit")),
        ("label property config is updated", config("label property")),
        ("replication mode config is updated", config("replication mode")),
        ("store config is updated", config("store")),
        ("placement rule updated", config("placement rule")),
        ("cluster version is updated", config("cluster version")),
        ("add scheduler successfully", act(&action::ENTITY_CREATE, Success).then(scheduler)),
        ("remove scheduler successfully", act(&action::ENTITY_DELETE, Success).then(scheduler)),
        ("store has been offline", act(&action::ENTITY_DELETE, Success).then(store)),
        ("store has been Tombstone", act(&action::ENTITY_DELETE, Success).then(store)),
        ("delete store succeeded", act(&action::ENTITY_DELETE, Success).then(store)),
        ("store has been up", act(&action::ENTITY_UPDATE, Success).then(store)),
        ("store has changed to serving", act(&action::ENTITY_UPDATE, Success).then(store)),
        ("put store ok", act(&action::ENTITY_UPDATE, Success).then(store)),
        ("start to campaign PD leader", leader()),
        ("PD leader is ready to serve", leader()),
        ("try to resign etcd leader to next pd-server", leader()),
        ("no longer a leader because lease has expired, PD leader will step down", leader()),
        ("etcd leader changed, resigns pd leadership", leader()),
        ("mark snapshot recovering", act(&action::API_UPDATE, Success).object("snapshot_recovering")),
        ("mark pitr restore mode", act(&action::API_UPDATE, Success).object("pitr_restore_mode")),
        ("reset-ts", act(&action::API_UPDATE, Success).object("reset-ts")),
        ("reset ts", act(&action::API_UPDATE, Success).object("reset-ts")),
        ("clock offset", act(&action::APP_ERROR, Failure)),
        ("Welcome to Placement Driver (PD)", act(&action::APP_START, Success).then(version)),
        ("got signal to exit", act(&action::APP_STOP, Success)),
        // Releases before 2025.
        ("Got signal to exit", act(&action::APP_STOP, Success)),
        ("PD", look(version)),
    ],
    &[
        ("Unsafe recovery", act(&action::API_UPDATE, Success).object("unsafe_recovery")),
        ("unsafe recovery", act(&action::API_UPDATE, Success).object("unsafe_recovery")),
    ],
);

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    TABLE.apply(event, |m| m);
    move_error(event);
}

fn version(event: &mut Event<'_>) {
    if event.field("release-version").is_some() {
        event.version = take(event, "release-version");
    }
}

fn scheduler(event: &mut Event<'_>) {
    event.object = take(event, "scheduler-name");
}

fn store(event: &mut Event<'_>) {
    event.object = take(event, "store-address");
}

/// Whether a log level hides what a watcher needs.
fn hides(level: &str) -> bool {
    ["error", "fatal", "panic"].iter().any(|l| level.eq_ignore_ascii_case(l))
}

fn level_changed(event: &mut Event<'_>) {
    let hidden = event.field_text("level").is_some_and(hides);
    super::columns::act(event, if hidden { &action::LOG_DISABLE } else { &action::LOG_UPDATE }, Success);
    event.object = Some(Cow::Borrowed("log_level"));
}

/// Whether a text switches the audit on or off.
fn audit_switch(text: &str) -> Option<bool> {
    let (_, value) = split(text, "enable-audit")?;
    let value = value.trim_start_matches(['"', ':', ' ', '\\', '=']);
    match value {
        v if v.starts_with("true") => Some(true),
        v if v.starts_with("false") => Some(false),
        _ => None,
    }
}

fn audit_changed(event: &mut Event<'_>) {
    let activity = match event.field_text("new").and_then(audit_switch) {
        Some(true) => &action::LOG_ENABLE,
        Some(false) => &action::LOG_DISABLE,
        None => &action::LOG_UPDATE,
    };
    super::columns::act(event, activity, Success);
    event.object = Some(Cow::Borrowed("audit"));
}

/// `{ServiceLabel:.., Method:HTTP/1.1/POST:/path, CallerID:.., IP:.., Port:.., StartTime:.., URLParam:{..}, BodyParam:..}`, cut at the names in their order.
#[derive(Debug, Default, PartialEq)]
struct Call<'t> {
    label: &'t str,
    method: &'t str,
    path: &'t str,
    caller: &'t str,
    ip: &'t str,
    port: &'t str,
    parameters: &'t str,
    body: &'t str,
    /// A value that the client sent holds the names of other values: what it says of the client counts for nothing.
    doubtful: bool,
}

fn call(text: &str) -> Option<Call<'_>> {
    let text = text.strip_prefix('{')?;
    let text = text.strip_suffix('}').unwrap_or(text);
    let (label, rest) = text.strip_prefix("ServiceLabel:")?.split_once(", Method:")?;
    let (method, rest) = rest.split_once(", CallerID:")?;
    let (caller, rest) = rest.split_once(", IP:")?;
    let (ip, rest) = rest.split_once(", Port:")?;
    let (port, rest) = rest.split_once(", StartTime:")?;
    let (_, rest) = rest.split_once(", URLParam:")?;
    let (parameters, body) = rest.split_once(", BodyParam:").unwrap_or((rest, ""));
    let doubtful = rest.contains(", StartTime:") || !port.bytes().all(|b| b.is_ascii_digit());
    let http = method.strip_prefix("HTTP/").and_then(|m| m.split_once('/')).map_or(method, |(_, m)| m);
    let (method, path) = http.split_once(':').unwrap_or((http, ""));
    Some(Call { label, method, path, caller, ip, port, parameters, body, doubtful })
}

/// What a service does, by its name, else by the method of HTTP.
fn service_activity(label: &str, method: &str) -> &'static Activity {
    const VERBS: &[(&str, &Activity)] = &[
        ("Get", &action::API_READ),
        ("PProf", &action::API_READ),
        ("Scan", &action::API_READ),
        ("Check", &action::API_READ),
        ("List", &action::API_READ),
        ("Create", &action::API_CREATE),
        ("Add", &action::API_CREATE),
        ("Delete", &action::API_DELETE),
        ("Remove", &action::API_DELETE),
        ("Cancel", &action::API_DELETE),
        ("Set", &action::API_UPDATE),
        ("Update", &action::API_UPDATE),
        ("Reset", &action::API_UPDATE),
    ];
    if let Some((_, activity)) = VERBS.iter().find(|(verb, _)| label.starts_with(verb)) {
        return activity;
    }
    match method {
        "GET" | "HEAD" | "OPTIONS" => &action::API_READ,
        "DELETE" => &action::API_DELETE,
        _ => &action::API_UPDATE,
    }
}

/// `audit log`: printed before the work, so nothing is known of its outcome.
fn audit(event: &mut Event<'_>) {
    let Some(whole) = event.field("service-info").cloned().and_then(text_of) else { return };
    let Some(call) = call(&whole) else { return };
    take(event, "service-info");
    let body = call.body.trim().trim_matches('"');
    let activity = match call.label {
        "SetLogLevel" if hides(body) => &action::LOG_DISABLE,
        "SetLogLevel" => &action::LOG_UPDATE,
        "SetServiceMiddlewareConfig" => match audit_switch(body) {
            Some(true) => &action::LOG_ENABLE,
            Some(false) => &action::LOG_DISABLE,
            None => &action::API_UPDATE,
        },
        label => service_activity(label, call.method),
    };
    super::columns::act(event, activity, Unknown);
    event.object = name_in(&whole, call.label);
    caller(event, &whole, &call);
    for (key, value) in [("method", call.method), ("path", call.path), ("parameters", call.parameters), ("body", call.body)] {
        if !matches!(value, "" | "{}") {
            set_field(event, key, part(&whole, value));
        }
    }
    if call.label == "SetLogLevel" && !body.is_empty() {
        set_field(event, "val", part(&whole, body));
    }
}

/// Who called: both values come from the client; without a port the address is what a header said.
fn caller<'a>(event: &mut Event<'a>, whole: &Text<'a>, call: &Call<'_>) {
    if call.doubtful {
        return set_field(event, "forwarded", Cow::Borrowed("true"));
    }
    put(&mut event.user, Some(call.caller).filter(|c| *c != "anonymous").and_then(|c| name_in(whole, c)));
    if is_address(call.ip) {
        event.src_ip = Some(part(whole, call.ip));
    }
    event.src_port = call.port.parse::<u16>().ok().filter(|p| *p > 0).map(i32::from);
    if event.src_port.is_none() {
        set_field(event, "forwarded", Cow::Borrowed("true"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_cut_at_its_names_and_a_forged_one_is_doubtful() {
        let good = "{ServiceLabel:SetConfig, Method:HTTP/1.1/POST:/pd/api/v1/config, CallerID:anonymous, IP:10.0.0.1, Port:4, StartTime:2026-11-22 06:10:18 +0000 UTC, URLParam:{}, BodyParam:{\"a\": 1}}";
        let c = call(good).unwrap();
        assert_eq!(
            (c.label, c.method, c.path, c.ip, c.port, c.body, c.doubtful),
            ("SetConfig", "POST", "/pd/api/v1/config", "10.0.0.1", "4", "{\"a\": 1}", false)
        );
        let forged = good.replace("anonymous", "x, IP:9.9.9.9, Port:1, StartTime:2026-11-22 06:10:18 +0000 UTC, URLParam:{}, BodyParam:");
        assert!(call(&forged).unwrap().doubtful);
        for bad in ["", "{}", "{ServiceLabel:x", "{ServiceLabel:x, Method:y, CallerID:"] {
            assert_eq!(call(bad), None, "{bad}");
        }
    }
}
