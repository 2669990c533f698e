//! Names of things and of accounts, as statements and TiDB's own shortened forms write them.

use std::borrow::Cow;

use super::tokens::{Kind, Token, Tokens};

/// A table, or `db.*`, `*.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing<'s> {
    /// The database, where it is written.
    pub database: Option<Cow<'s, str>>,
    /// The name; `*` for all.
    pub name: Cow<'s, str>,
}

/// An account or a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account<'s> {
    /// The name; none for the nameless account.
    pub name: Option<Cow<'s, str>>,
    /// The host part, where it is written.
    pub host: Option<Cow<'s, str>>,
    /// `USER()`, `CURRENT_USER`: whoever runs the statement.
    pub own: bool,
    /// TiDB's shortened form says that a password comes with it.
    pub password: bool,
}

/// The text of a name without its doubled quotes.
pub fn plain<'s>(token: &Token<'s>) -> Cow<'s, str> {
    let doubled = match token.kind {
        Kind::Name => "``",
        Kind::Text => "''",
        _ => return Cow::Borrowed(token.text),
    };
    if token.text.contains(doubled) { Cow::Owned(token.text.replace(doubled, &doubled[1..])) } else { Cow::Borrowed(token.text) }
}

/// A name, one that is not a symbol.
pub fn name<'s>(t: &mut Tokens<'s>) -> Option<Cow<'s, str>> {
    let mut ahead = *t;
    let token = ahead.next().filter(Token::is_name)?;
    *t = ahead;
    Some(plain(&token))
}

/// A name or `*`.
fn name_or_all<'s>(t: &mut Tokens<'s>) -> Option<Cow<'s, str>> {
    if t.eat_symbol(b'*') { Some(Cow::Borrowed("*")) } else { name(t) }
}

/// `name`, `db.name`, `db.*`, `*.*`.
pub fn thing<'s>(t: &mut Tokens<'s>) -> Option<Thing<'s>> {
    let first = name_or_all(t)?;
    if t.eat_symbol(b'.') {
        return match name_or_all(t) {
            Some(name) => Some(Thing { database: Some(first), name }),
            // The statement was cut behind the dot.
            None => Some(Thing { database: Some(first), name: Cow::Borrowed("") }),
        };
    }
    Some(Thing { database: None, name: first })
}

/// Whether a byte may stand in a name that is printed without quotes.
fn is_bare(b: u8) -> bool {
    !matches!(b, 0..=b' ' | b'@' | b',' | b';' | b'(' | b')' | b'{' | b'}' | b'=' | b'\'' | b'"' | b'`')
}

/// A quoted name or a run of bytes that need no quotes where TiDB prints an account.
fn bare_name<'s>(t: &mut Tokens<'s>) -> Option<Cow<'s, str>> {
    t.skip_blanks();
    if t.peek()?.kind == Kind::Name || t.peek()?.kind == Kind::Text {
        return name(t);
    }
    let rest = t.rest();
    let n = rest.bytes().take_while(|b| is_bare(*b)).count();
    t.advance(n);
    // Every byte that ends a bare name is ASCII, so the cut is between characters.
    (n > 0).then(|| Cow::Borrowed(&rest[..n]))
}

/// `'u'@'h'`, `u`, `u@%`, `{u@% password = ***}`, `USER()`; also `a@b.c@%` as TiDB prints the account `a@b.c`.
pub fn account<'s>(t: &mut Tokens<'s>) -> Option<Account<'s>> {
    t.skip_blanks();
    if t.eat_symbol(b'{') {
        return Some(braced(t));
    }
    if t.peek()?.is_any(&["USER", "CURRENT_USER"]) {
        let mut ahead = *t;
        let call = ahead.next().is_some() && ahead.eat_symbol(b'(') && ahead.eat_symbol(b')');
        if call || t.peek()?.is("CURRENT_USER") {
            if call {
                *t = ahead
            } else {
                t.next();
            }
            return Some(Account { own: true, ..Account::default() });
        }
    }
    let before = t.rest();
    let mut found = Account { name: bare_name(t), ..Account::default() };
    let mut at = false;
    while t.eat_symbol(b'@') {
        if let (true, Some(Cow::Borrowed(_))) = (at, &found.host) {
            // A second `@`: the name itself held one, and what seemed the host belongs to it.
            let n = before.len() - t.rest().len();
            found.name = Some(Cow::Borrowed(before[..n].trim_end_matches(['@', ' '])));
        }
        at = true;
        found.host = bare_name(t);
    }
    found.name = found.name.filter(|n| !n.is_empty() && n != "?");
    (at || found.name.is_some()).then_some(found)
}

/// Behind the brace of `{u@% password = ***}`.
fn braced<'s>(t: &mut Tokens<'s>) -> Account<'s> {
    let rest = t.rest();
    let inner = &rest[..rest.find(['}']).unwrap_or(rest.len())];
    t.advance(inner.len() + 1);
    let (account, password) = inner.split_once(" password = ").map_or((inner, false), |(account, _)| (account, true));
    let (name, host) = account.rsplit_once('@').map_or((account, None), |(n, h)| (n, Some(h)));
    let some = |text: &'s str| (!text.is_empty()).then_some(Cow::Borrowed(text));
    Account { name: some(name), host: host.and_then(some), own: false, password }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_as_written_and_as_tidb_prints_them() {
        for (text, name, host) in [
            ("'app'@'10.%'", Some("app"), Some("10.%")),
            ("app@%", Some("app"), Some("%")),
            ("`app` @% identified", Some("app"), Some("%")),
            ("svc-backup@10.0.0.% x", Some("svc-backup"), Some("10.0.0.%")),
            ("john.doe@%", Some("john.doe"), Some("%")),
            ("bob@example.org@%", Some("bob@example.org"), Some("%")),
            ("'bob@example.org'@localhost", Some("bob@example.org"), Some("localhost")),
            ("{svc@% password = ***}", Some("svc"), Some("%")),
            ("{a@b.c@% password = ***}", Some("a@b.c"), Some("%")),
            ("@%", None, Some("%")),
            ("''@'h'", None, Some("h")),
            ("'o''brien'", Some("o'brien"), None),
            ("? @%", None, Some("%")),
            ("root, x", Some("root"), None),
        ] {
            let found = account(&mut Tokens::new(text)).unwrap();
            assert_eq!((found.name.as_deref(), found.host.as_deref()), (name, host), "{text}");
        }
        for bad in ["", ";", "=", "("] {
            assert_eq!(account(&mut Tokens::new(bad)), None, "{bad}");
        }
        assert!(account(&mut Tokens::new("current_user() x")).unwrap().own);
        assert!(account(&mut Tokens::new("{x@% password = ***}")).unwrap().password);
    }

    #[test]
    fn things_have_a_database_where_it_is_written() {
        for (text, database, name) in [
            ("shop.orders", Some("shop"), "orders"),
            ("`sh``op` . `o`", Some("sh`op"), "o"),
            ("*.*", Some("*"), "*"),
            ("shop.*", Some("shop"), "*"),
            ("t", None, "t"),
            ("shop.", Some("shop"), ""),
        ] {
            let found = thing(&mut Tokens::new(text)).unwrap();
            assert_eq!((found.database.as_deref(), found.name.as_ref()), (database, name), "{text}");
        }
    }
}
