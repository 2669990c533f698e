//! Logins, handshakes, and the lines that TiDB prints before it refuses one.

use event::{Event, Status, action};

use crate::normalize::{
    columns::{act, name_in, part, put, set_reason, set_source, take, take_account, take_any, take_client},
    errors::{Phase, account_in, is_login_code, login_failed, set_account, set_error, split_code},
};

/// A refused login.
pub fn refused(event: &mut Event<'_>) {
    if let Some(text) = take(event, "error") {
        login_failed(event, &text);
    }
    take_client(event, "remote addr");
}

/// The last line of every failed handshake: a refused login or a peer that spoke no or another protocol.
pub fn handshake(event: &mut Event<'_>) {
    let is_login = event.field_text("error").and_then(|e| split_code(e).0).is_some_and(is_login_code);
    if is_login {
        act(event, &action::LOGON, Status::Failure);
        return refused(event);
    }
    act(event, &action::CONNECTION_FAIL, Status::Failure);
    if let Some(text) = take(event, "error") {
        set_error(event, &text);
    }
    set_reason(event, "handshake");
    take_client(event, "remote addr");
}

/// A line without `conn` that says why a login that follows is refused.
pub fn hint(event: &mut Event<'_>) {
    let user = take_any(event, &["authUser", "username", "user"]);
    put(&mut event.user, user);
    if let Some(host) = take_any(event, &["authHost", "host"]) {
        set_source(event, &host, &host);
    }
}

/// `ssl check failure ..`: TLS itself is required, or the certificate is not the right one.
pub fn tls_required(event: &mut Event<'_>) {
    let plain = event.message.as_deref().is_some_and(|m| m.contains("require ssl"));
    set_reason(event, if plain { "insecure_transport" } else { "certificate" });
    hint(event);
}

/// `Access denied for authUser 'u'@'h'. Account is locked.`
pub fn locked(event: &mut Event<'_>) {
    if let Some(message) = event.message.clone() {
        set_account(event, &message, Phase::Login);
    }
}

/// `Access denied for user 'u'@'h'. Account is blocked for 1 day(s) ..`: the failures locked it.
pub fn blocked(event: &mut Event<'_>) {
    let Some(message) = event.message.clone().filter(|m| m.contains("Account is blocked for ")) else { return };
    act(event, &action::ACCOUNT_LOCK, Status::Success);
    set_reason(event, "account_blocked");
    if let Some((name, host)) = account_in(&message, Phase::Login) {
        event.target_user = name_in(&message, name);
        let host = part(&message, host);
        crate::normalize::columns::set_field(event, "target_host", host);
    }
}

/// `connection event` [event=login_success|logout].
pub fn connection_event(event: &mut Event<'_>) {
    let activity = match event.field_text("event") {
        Some("login_success") => &action::LOGON,
        Some("logout") => &action::LOGOFF,
        _ => return,
    };
    act(event, activity, Status::Success);
    take_account(event, "user");
    take_client(event, "remoteAddr");
}
