//! TiProxy's log: messages to columns. It is the one that knows the client's own address.

use std::borrow::Cow;

use event::{
    Activity, Event,
    Status::{Failure, Success},
    Text, action,
};

use super::{
    columns::{is_address, json_scalar, move_conn, part, put, set_client, set_field, set_reason, split_address, take, take_any},
    errors::{Phase, account_in, first_sentence, move_error, reason_of, split_code},
    table::{Messages, act, look},
};

static TABLE: Messages = Messages::new(
    &[
        ("new connection failed", look(failed)),
        ("fails to relay the connection", act(&action::CONNECTION_RESET, Failure).then(broken)),
        ("too many connections", act(&action::CONNECTION_REFUSE, Failure).reason("too_many_connections").then(client)),
        ("reject connection due to high memory usage", act(&action::CONNECTION_REFUSE, Failure).reason("memory").then(client)),
        ("current config", look(config)),
        ("start capture", act(&action::API_CREATE, Success).object("traffic_capture")),
        ("request: traffic capture", act(&action::API_CREATE, Success).object("traffic_capture")),
        ("request: traffic replay", act(&action::API_CREATE, Success).object("traffic_replay")),
        ("request: traffic cancel", act(&action::API_DELETE, Success).then(cancel)),
        ("update backend", act(&action::ENTITY_UPDATE, Success).then(backend)),
        ("new group created", act(&action::ENTITY_CREATE, Success).then(group)),
        ("Welcome to TiProxy.", act(&action::APP_START, Success).then(|e| e.version = take(e, "Release Version"))),
        ("SQL server is shutting down", act(&action::APP_STOP, Success)),
        ("got signal to exit", act(&action::APP_STOP, Success)),
    ],
    &[("/", look(access))],
);

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    TABLE.apply(event, |m| m);
    move_conn(event, "connID");
    move_error(event);
}

/// Who connected: address and program; the listener's address.
fn client(event: &mut Event<'_>) {
    if let Some(address) = take(event, "client_addr") {
        set_client(event, &address, &address);
    }
    if let Some(address) = take(event, "addr") {
        let (host, port) = split_address(&address);
        if is_address(host) {
            event.dst_ip = Some(part(&address, host));
        }
        event.dst_port = port;
    }
    let (name, version) = (take(event, "client_name"), take(event, "client_version"));
    event.client = match (name, version) {
        (Some(name), Some(version)) => Some(Cow::Owned(format!("{name} {version}"))),
        (name, version) => name.or(version),
    };
}

/// Why a connection ended, as TiProxy names the side that ended it.
fn quit_reason(source: &str) -> Option<&'static str> {
    Some(match source {
        "malformed packet" | "client handshake fail" => "handshake",
        "get backend fail" => "no_backend",
        "backend network break" | "backend handshake fail" => "backend_lost",
        _ => return None,
    })
}

/// `new connection failed`: a refused login, or anything that kept it from one.
fn failed(event: &mut Event<'_>) {
    client(event);
    let quit = event.field_text("quit_source").unwrap_or_default();
    if quit == "auth fail" {
        super::columns::act(event, &action::LOGON, Failure);
        if let Some(error) = take(event, "error") {
            refused(event, &error);
        }
        return;
    }
    let reason = quit_reason(quit);
    super::columns::act(event, &action::CONNECTION_FAIL, Failure);
    if let Some(reason) = reason {
        set_reason(event, reason);
    }
}

/// `Authentication fails: ERROR 1045 (28000): Access denied for user 'root'@'10.0.0.1' (using password: YES)`: the address in it is the proxy's own.
fn refused<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    let text = whole.strip_prefix("Authentication fails: ").unwrap_or(whole);
    let (code, text) = split_code(text);
    event.error_code = code.map(|c| part(whole, c));
    event.error = Some(part(whole, first_sentence(text)));
    put(&mut event.user, account_in(text, Phase::Login).filter(|(u, _)| !u.is_empty()).map(|(u, _)| part(whole, u)));
    set_reason(event, code.and_then(|c| reason_of(c, text, Phase::Login)).unwrap_or("access_denied"));
}

fn broken(event: &mut Event<'_>) {
    client(event);
    if let Some(reason) = event.field_text("quit_source").and_then(quit_reason) {
        set_reason(event, reason);
    }
}

/// The whole configuration: at a start it says nothing new.
fn config(event: &mut Event<'_>) {
    if event.caller.as_deref().is_some_and(|c| c.starts_with("server/")) {
        return;
    }
    super::columns::act(event, &action::CONFIG_UPDATE, Success);
    event.object = Some(Cow::Borrowed("config"));
}

fn backend(event: &mut Event<'_>) {
    let down = event.field_text("cur").is_some_and(|c| c.starts_with("down"));
    event.object = take_any(event, &["addr", "backend_addr"]);
    if down {
        set_reason(event, "backend_down");
    }
}

/// The jobs that a request ends: 1 captures, 2 replays, 3 both.
fn cancel(event: &mut Event<'_>) {
    let object = match event.field_text("cfg").and_then(|c| json_scalar(c, "\"Type")) {
        Some("1") => "traffic_capture",
        Some("2") => "traffic_replay",
        _ => "traffic_capture, traffic_replay",
    };
    event.object = Some(Cow::Borrowed(object));
}

fn group(event: &mut Event<'_>) {
    event.object = take(event, "namespace").or(Some(Cow::Borrowed("group")));
}

/// A request of the API that failed: the path is the message.
fn access(event: &mut Event<'_>) {
    const METHODS: &[(&str, &Activity)] = &[
        ("GET", &action::HTTP_GET),
        ("POST", &action::HTTP_POST),
        ("PUT", &action::HTTP_PUT),
        ("DELETE", &action::HTTP_DELETE),
        ("HEAD", &action::HTTP_HEAD),
        ("PATCH", &action::HTTP_PATCH),
        ("OPTIONS", &action::HTTP_OPTIONS),
        ("CONNECT", &action::HTTP_CONNECT),
    ];
    let Some((_, activity)) = METHODS.iter().find(|(m, _)| Some(*m) == event.field_text("method")) else { return };
    let code = event.field_text("status").and_then(|s| s.parse::<u16>().ok());
    let failed = code.is_some_and(|c| c >= 400);
    super::columns::act(event, activity, if failed { Failure } else { Success });
    event.object = event.message.clone();
    if failed {
        event.error_code = take(event, "status");
        set_field(event, "http_status", event.error_code.clone().unwrap_or_default());
    }
    if let Some(address) = take(event, "ip") {
        set_client(event, &address, &address);
    }
}
