//! Statements about accounts, privileges and roles.

use std::borrow::Cow;

use event::{Activity, action};

use super::{
    Sql,
    names::{self, Account},
    tokens::Tokens,
};

/// Accounts of one statement that are listed.
const ACCOUNTS_MAX: usize = 64;
/// Privileges of one statement that are listed.
const PRIVILEGES_MAX: usize = 64;

fn add_target<'s>(sql: &mut Sql<'s>, account: Account<'s>) {
    if sql.targets.is_empty() {
        sql.target_user = account.name.clone();
        sql.target_host = account.host;
        sql.target_own = account.own;
    }
    sql.targets.extend(account.name);
}

/// What the options behind the accounts say.
#[derive(Debug, Default, Clone, Copy)]
struct Options {
    password: bool,
    lock: bool,
    unlock: bool,
}

/// Reads accounts with their options, to the end of the statement.
fn targets<'s>(sql: &mut Sql<'s>, mut t: Tokens<'s>) -> Options {
    t.eat_if_exists();
    let mut options = Options::default();
    while sql.targets.len() < ACCOUNTS_MAX
        && let Some(account) = names::account(&mut t)
    {
        options.password |= account.password;
        add_target(sql, account);
        // TiDB's shortened form separates accounts by a blank only.
        if t.peek().is_some_and(|p| p.is_symbol(b'{')) {
            continue;
        }
        loop {
            let Some(token) = t.next() else { return options };
            if token.is_symbol(b',') {
                break;
            }
            if token.is("IDENTIFIED") {
                options.password = true;
            } else if token.is("ACCOUNT") {
                options.lock |= t.eat("LOCK");
                options.unlock |= t.eat("UNLOCK");
            }
        }
    }
    options
}

/// Behind CREATE USER, DROP USER, RENAME USER.
pub fn users<'s>(t: Tokens<'s>, activity: &'static Activity) -> Sql<'s> {
    let mut sql = Sql::of(activity);
    targets(&mut sql, t);
    sql
}

/// Behind ALTER USER.
pub fn alter<'s>(t: Tokens<'s>) -> Sql<'s> {
    let mut sql = Sql::of(&action::ACCOUNT_UPDATE);
    let options = targets(&mut sql, t);
    if options.password {
        sql.activity = Some(&action::ACCOUNT_PASSWORD_CHANGE);
    } else if options.lock {
        sql.activity = Some(&action::ACCOUNT_LOCK);
    } else if options.unlock {
        sql.activity = Some(&action::ACCOUNT_UNLOCK);
    }
    sql
}

/// A list of roles, joined; the position behind it.
fn role_list<'s>(t: &mut Tokens<'s>) -> Option<Cow<'s, str>> {
    let mut found: Option<Cow<'s, str>> = None;
    for _ in 0..ACCOUNTS_MAX {
        let Some(account) = names::account(t) else { break };
        if let Some(name) = account.name {
            found = Some(found.map_or(name.clone(), |all| Cow::Owned(format!("{all}, {name}"))));
        }
        if !t.eat_symbol(b',') {
            break;
        }
    }
    found
}

/// Behind CREATE ROLE, DROP ROLE.
pub fn roles<'s>(mut t: Tokens<'s>, activity: &'static Activity) -> Sql<'s> {
    t.eat_if_exists();
    Sql { role: role_list(&mut t), ..Sql::of(activity) }
}

/// The word that ends the list behind GRANT and REVOKE: ON (privileges), TO or FROM (roles).
fn list_end(t: Tokens<'_>) -> Option<&'static str> {
    let mut depth = 0_u32;
    for token in t {
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0
            && let Some(end) = ["ON", "TO", "FROM"].into_iter().find(|w| token.is(w))
        {
            return Some(end);
        }
    }
    None
}

/// Privileges up to `end`, upper case, as listed; `ALL` for all; columns in parentheses are left out.
fn privileges<'s>(t: &mut Tokens<'s>, end: &str) -> Option<Cow<'s, str>> {
    let (mut listed, mut words, mut depth) = (String::new(), 0, 0_u32);
    for token in t.by_ref() {
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        } else if depth > 0 || token.is("PRIVILEGES") && listed.ends_with("ALL") {
            continue;
        } else if token.is(end) {
            break;
        } else if token.is_symbol(b',') {
            listed.push(',');
        } else if words < PRIVILEGES_MAX {
            if !listed.is_empty() {
                listed.push(' ');
            }
            listed.push_str(&token.text.to_ascii_uppercase());
            words += 1;
        }
    }
    (!listed.is_empty()).then_some(Cow::Owned(listed))
}

/// Behind ON: `[TABLE] db.t`; the object as `db.t`, the database alone where it is no `*`.
fn level<'s>(sql: &mut Sql<'s>, t: &mut Tokens<'s>) {
    let mut ahead = *t;
    if ahead.eat_if(|p| p.is_any(&["TABLE", "FUNCTION", "PROCEDURE"]))
        && ahead.peek().is_some_and(|p| !p.is_any(&["TO", "FROM"]) && !p.is_symbol(b'.'))
    {
        *t = ahead;
    }
    t.skip_blanks();
    let Some(thing) = names::thing(t) else { return };
    sql.object = Some(match &thing.database {
        Some(database) => Cow::Owned(format!("{database}.{}", thing.name)),
        None => thing.name,
    });
    sql.database = thing.database.filter(|d| d != "*");
}

/// Accounts behind TO or FROM, and what follows them.
fn receivers<'s>(sql: &mut Sql<'s>, t: &mut Tokens<'s>) {
    targets(sql, *t);
    while let Some(token) = t.next() {
        if token.is("WITH") && t.eat_all(&["GRANT", "OPTION"]) {
            sql.grant_option = true;
        }
    }
}

/// Goes on behind the next `word`.
fn skip_past(t: &mut Tokens<'_>, word: &str) {
    for token in t.by_ref() {
        if token.is(word) {
            return;
        }
    }
}

/// Behind GRANT.
pub fn grant<'s>(t: Tokens<'s>) -> Sql<'s> {
    change(t, "TO", &action::ASSIGN_PRIVILEGES, &action::GROUP_ADD_USER)
}

/// Behind REVOKE.
pub fn revoke<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    t.eat_if_exists();
    change(t, "FROM", &action::REVOKE_PRIVILEGES, &action::GROUP_REMOVE_USER)
}

fn change<'s>(mut t: Tokens<'s>, to: &str, privileges_do: &'static Activity, roles_do: &'static Activity) -> Sql<'s> {
    // `REVOKE ALL PRIVILEGES, GRANT OPTION FROM u` names no level.
    let of_all = t.peek().is_some_and(|p| p.is("ALL"));
    match list_end(t) {
        Some("ON") => {
            let mut sql = Sql { privilege: privileges(&mut t, "ON"), ..Sql::of(privileges_do) };
            if sql.privilege.as_deref() == Some("PROXY") {
                sql.object = names::account(&mut t).and_then(|a| a.name);
            } else {
                level(&mut sql, &mut t);
            }
            skip_past(&mut t, to);
            receivers(&mut sql, &mut t);
            sql
        }
        Some(end) if end == to && of_all => {
            let mut sql = Sql { privilege: privileges(&mut t, end), ..Sql::of(privileges_do) };
            receivers(&mut sql, &mut t);
            sql
        }
        Some(end) if end == to => {
            let mut sql = Sql { role: role_list(&mut t), ..Sql::of(roles_do) };
            skip_past(&mut t, to);
            receivers(&mut sql, &mut t);
            sql
        }
        // Cut before its level: still a grant.
        _ => Sql { privilege: privileges(&mut t, to), ..Sql::of(privileges_do) },
    }
}

/// Behind SET DEFAULT ROLE: `r TO u`.
pub fn default_role<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    let mut sql = Sql { role: role_list(&mut t), ..Sql::of(&action::GROUP_ADD_USER) };
    skip_past(&mut t, "TO");
    targets(&mut sql, t);
    sql
}

/// Behind SET PASSWORD: `[FOR [USER] u] = ..`; TiDB's own form has the word USER, a statement of a person has not.
pub fn set_password<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    let mut sql = Sql::of(&action::ACCOUNT_PASSWORD_CHANGE);
    if !t.eat("FOR") {
        sql.target_own = true;
        return sql;
    }
    let mut ahead = t;
    if ahead.eat("USER") && ahead.peek().is_none_or(|p| p.is_name() || p.is_symbol(b'@') && ahead.rest().trim_start().starts_with("@%")) {
        t = ahead;
    }
    match names::account(&mut t) {
        Some(account) => add_target(&mut sql, account),
        None => sql.target_own = true,
    }
    sql
}
