//! TiKV's log, and TiFlash's where it says the same: messages to columns.

use event::{
    Event,
    Status::{Failure, Success},
    action,
};

use super::{
    columns::{act as set, move_conn, move_duration, move_txn, put, set_client, set_field, take},
    errors::{first_sentence, move_error},
    table::{Messages, act, look},
};

static TABLE: Messages = Messages::new(
    &[
        ("rocksdb config changed", act(&action::CONFIG_UPDATE, Success).object("rocksdb")),
        ("dump cpu profile successfully", act(&action::API_READ, Success).object("cpu_profile")),
        ("dump or get heap profile successfully", act(&action::API_READ, Success).object("heap_profile")),
        ("debug fail point API start", act(&action::API_UPDATE, Success).object("fail_point")),
        (
            "unexpected request with different cluster id is received",
            act(&action::CONNECTION_REFUSE, Failure).reason("cluster_id_mismatch"),
        ),
        ("slow-query", act(&action::DATA_READ, Success).then(slow_query)),
        ("Welcome to TiKV", act(&action::APP_START, Success)),
        ("Welcome to TiFlash", act(&action::APP_START, Success)),
        ("got signal to exit", act(&action::APP_STOP, Success)),
    ],
    &[
        ("update ", look(config)),
        ("encryption: ", look(encryption)),
        ("encryption is enabled", act(&action::CONFIG_UPDATE, Success).object("encryption")),
        ("Failed to reload TLS certificate", act(&action::CONFIG_UPDATE, Failure).object("tls")),
        ("Status server error: TLS handshake error", act(&action::CONNECTION_FAIL, Failure).reason("handshake")),
        ("receive signal ", act(&action::APP_STOP, Success).then(signal)),
        ("Release Version:", look(version)),
    ],
);

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    TABLE.apply(event, |m| m);
    move_error(event);
    if matches!(event.level.as_deref(), Some("FATAL" | "PANIC")) {
        set(event, &action::APP_CRASH, Failure);
        if let Some(message) = event.message.clone() {
            let sentence = first_sentence(&message);
            put(&mut event.error, super::columns::name_in(&message, sentence));
        }
    }
}

/// `update security config`: one word between.
fn config(event: &mut Event<'_>) {
    let Some(message) = event.message.clone() else { return };
    let Some(module) = message.strip_prefix("update ").and_then(|m| m.strip_suffix(" config")) else { return };
    if module.split(' ').count() <= 2 && !module.is_empty() {
        set(event, &action::CONFIG_UPDATE, Success);
        event.object = super::columns::name_in(&message, module);
    }
}

/// `encryption: rotate data key.`, `encryption: failed to load key dictionary.`
fn encryption(event: &mut Event<'_>) {
    let failed = event.message.as_deref().is_some_and(|m| m.contains("fail"));
    set(event, &action::CONFIG_UPDATE, if failed { Failure } else { Success });
    put(&mut event.object, Some("encryption".into()));
}

/// `receive signal 15, stopping server...`
fn signal(event: &mut Event<'_>) {
    let Some(message) = event.message.clone() else { return };
    let digits: String = message["receive signal ".len()..].chars().take_while(char::is_ascii_digit).collect();
    if !digits.is_empty() {
        set_field(event, "signal", digits.into());
    }
}

/// `Release Version:   7.6.0-alpha`
fn version(event: &mut Event<'_>) {
    let Some(message) = event.message.clone() else { return };
    let version = message["Release Version:".len()..].trim();
    event.version = super::columns::name_in(&message, version);
}

/// `slow-query` of the coprocessor.
fn slow_query(event: &mut Event<'_>) {
    if let Some(host) = take(event, "remote_host") {
        set_client(event, &host, &host);
    }
    event.digest = take(event, "query_digest");
    move_conn(event, "connection_id");
    move_txn(event, "txn_start_ts");
    move_duration(event, "total_lifetime");
}
