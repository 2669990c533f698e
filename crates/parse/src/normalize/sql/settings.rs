//! Statements that change how a server works: variables, configuration, bindings; and those that end sessions.

use std::borrow::Cow;

use event::action;

use super::{
    Sql, accounts,
    names::{self, plain},
    tokens::{Kind, Tokens},
};
use crate::normalize::{columns::lower, variables};

/// CREATE, DROP, SET .. BINDING.
pub fn binding<'s>() -> Sql<'s> {
    Sql { object: Some(Cow::Borrowed("binding")), object_type: Some("binding"), ..Sql::of(&action::CONFIG_UPDATE) }
}

/// Behind ALTER INSTANCE.
pub fn instance<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    let object = if t.eat_all(&["RELOAD", "TLS"]) { "tls" } else { "instance" };
    Sql { object: Some(Cow::Borrowed(object)), ..Sql::of(&action::CONFIG_UPDATE) }
}

/// Behind KILL: `[TIDB] [CONNECTION | QUERY] n`.
pub fn kill<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    while t.eat_if(|p| p.is_any(&["TIDB", "CONNECTION", "QUERY", "SOFT", "HARD"])) {}
    Sql { object: names::name(&mut t), ..Sql::of(&action::CONNECTION_CLOSE) }
}

/// Behind SET.
pub fn set<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if t.eat("PASSWORD") {
        return accounts::set_password(t);
    }
    if t.eat_all(&["DEFAULT", "ROLE"]) {
        return accounts::default_role(t);
    }
    if t.eat("CONFIG") {
        return config(t);
    }
    let mut ahead = t;
    if ahead.eat("BINDING") && ahead.eat_if(|p| p.is_any(&["ENABLED", "DISABLED"])) {
        return binding();
    }
    if t.eat_all(&["GLOBAL", "TRANSACTION"]) {
        let object = Some(Cow::Borrowed("transaction_isolation"));
        return Sql { object, scope: Some("global"), ..Sql::of(&action::CONFIG_UPDATE) };
    }
    variables_of(t)
}

/// `SET CONFIG tikv name = value`, `SET CONFIG "host:port" name = value`.
fn config<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    t.next();
    let name = dotted(&mut t);
    let val = t.eat_symbol(b'=').then(|| value(&mut t)).flatten();
    Sql { object: name, val, ..Sql::of(&action::CONFIG_UPDATE) }
}

/// A variable's name: `a`, `a.b`, `` `a` ``, `a-b.c`.
fn dotted<'s>(t: &mut Tokens<'s>) -> Option<Cow<'s, str>> {
    t.skip_blanks();
    let whole = t.rest();
    let mut found = plain(&t.next().filter(|n| n.is_name())?);
    loop {
        let mut ahead = *t;
        if !(ahead.eat_symbol(b'.') || ahead.eat_symbol(b'-')) || !ahead.eat_if(|p| p.is_name()) {
            return Some(found);
        }
        *t = ahead;
        found = Cow::Borrowed(whole[..whole.len() - t.rest().len()].trim_end());
    }
}

/// The scope that an assignment names: none for the session's.
fn scope<'s>(t: &mut Tokens<'s>) -> Option<&'static str> {
    const SCOPES: &[(&str, Option<&str>)] = &[
        ("GLOBAL", Some("global")),
        ("PERSIST", Some("persist")),
        ("PERSIST_ONLY", Some("persist")),
        ("INSTANCE", Some("instance")),
        ("SESSION", None),
        ("LOCAL", None),
    ];
    let mut ahead = *t;
    let two = ahead.eat_symbol(b'@') && ahead.eat_symbol(b'@');
    if two {
        *t = ahead;
        for (word, scope) in SCOPES {
            if ahead.eat(word) && ahead.eat_symbol(b'.') {
                *t = ahead;
                return *scope;
            }
            ahead = *t;
        }
        return None;
    }
    ahead = *t;
    for (word, scope) in SCOPES {
        if ahead.eat(word) && ahead.peek().is_some_and(|p| p.is_name() || p.is_symbol(b'@')) {
            *t = ahead;
            return *scope;
        }
        ahead = *t;
    }
    None
}

/// The value of an assignment, up to the next comma or the end, with what quotes hold taken out of them.
fn value<'s>(t: &mut Tokens<'s>) -> Option<Cow<'s, str>> {
    t.skip_blanks();
    let (whole, mut depth, mut end, mut count) = (t.rest(), 0_u32, 0, 0);
    let mut text = None;
    while let Some(token) = t.peek() {
        if depth == 0 && (token.is_symbol(b',') || token.is_symbol(b';')) {
            break;
        }
        t.next();
        depth = if token.is_symbol(b'(') { depth + 1 } else { depth.saturating_sub(u32::from(token.is_symbol(b')'))) };
        end = whole.len() - t.rest().len();
        // `_UTF8MB4'ON'`: the character set is no part of the value.
        let introducer = count == 0 && token.kind == Kind::Word && token.text.starts_with('_');
        count += u32::from(!introducer);
        text = (count == 1).then(|| plain(&token));
    }
    text.or_else(|| Some(Cow::Borrowed(whole[..end].trim())).filter(|v| !v.is_empty()))
}

/// Assignments: the first of a log's variable, else the first that outlives the session.
fn variables_of<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    /// Assignments of one statement that are looked at.
    const ASSIGNMENTS_MAX: usize = 64;
    let mut found: Option<Sql<'s>> = None;
    for _ in 0..ASSIGNMENTS_MAX {
        let scope = scope(&mut t);
        // A variable of the user's own: `@a = 1`.
        let _ = scope.is_none() && t.eat_symbol(b'@');
        let Some(name) = dotted(&mut t).map(lower) else { break };
        if !(t.eat_symbol(b'=') || t.eat_symbol(b':') && t.eat_symbol(b'=')) {
            break;
        }
        let val = value(&mut t);
        if scope.is_some() {
            let of_log = variables::is_of_log(&name);
            if of_log || found.is_none() {
                let activity = variables::change(&name, val.as_deref().unwrap_or_default());
                found = Some(Sql { object: Some(name), val, scope, ..Sql::of(activity) });
            }
            if of_log {
                break;
            }
        }
        if !t.eat_symbol(b',') {
            break;
        }
    }
    found.unwrap_or_default()
}
