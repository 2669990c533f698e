//! Statements that read and write rows.

use event::{Activity, action};

use super::{
    Sql,
    names::{self, Thing},
    one,
    tokens::Tokens,
};

impl<'s> Sql<'s> {
    /// With the table it acts on.
    pub(super) fn on(mut self, thing: Option<Thing<'s>>) -> Self {
        if let Some(thing) = thing.filter(|t| !t.name.is_empty()) {
            (self.database, self.object) = (thing.database, Some(thing.name));
        }
        self
    }
}

/// The first table behind a FROM: of this level, else of the first query within; a FROM of a function (`extract(day from x)`) is none.
fn from<'s>(mut t: Tokens<'s>, mut deep: bool) -> Option<Thing<'s>> {
    // A bit for each level of parentheses that a query opened; levels beyond the bits count as queries.
    let (mut depth, mut queries, mut opened) = (0_u32, 1_u64, false);
    let mut inner = None;
    while let Some(token) = t.next() {
        if token.is_symbol(b'(') {
            depth += 1;
            queries &= !1_u64.checked_shl(depth).unwrap_or(0);
            opened = true;
            continue;
        }
        if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        } else if opened && token.is_any(&["SELECT", "WITH"]) {
            queries |= 1_u64.checked_shl(depth).unwrap_or(0);
        } else if token.is("FROM") && queries.checked_shr(depth).is_none_or(|q| q & 1 == 1) {
            let mut ahead = t;
            while ahead.eat_symbol(b'(') {}
            let table = names::thing(&mut ahead).filter(|f| f.database.is_some() || !f.name.eq_ignore_ascii_case("SELECT"));
            if depth > 0 && !deep {
                inner = inner.or(table);
            } else if table.is_some() {
                return table;
            } else {
                // `FROM (SELECT ..`: the first table within.
                (t, deep, depth, queries) = (ahead, true, 0, 1);
            }
        }
        opened = false;
    }
    inner
}

/// Behind SELECT.
pub fn select<'s>(t: Tokens<'s>) -> Sql<'s> {
    Sql::of(&action::DATA_QUERY).on(from(t, false))
}

/// Behind WITH: the first table that any part reads; a WITH may also lead an UPDATE or DELETE.
pub fn with<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    let first = from(t, true);
    let mut depth = 0_u32;
    while let Some(token) = t.next() {
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is("UPDATE") {
            return update(t);
        } else if depth == 0 && token.is("DELETE") {
            return delete(t);
        } else if depth == 0 && token.is("SELECT") {
            break;
        }
    }
    Sql::of(&action::DATA_QUERY).on(first)
}

/// Behind TABLE.
pub fn table<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    Sql::of(&action::DATA_QUERY).on(names::thing(&mut t))
}

/// Behind EXPLAIN, DESC, TRACE: of a statement a query, of a table a look at its columns.
pub fn explain<'s>(mut t: Tokens<'s>, trace: bool) -> Sql<'s> {
    let _ = t.eat("ANALYZE");
    if t.eat("FORMAT") {
        let _ = t.eat_symbol(b'=') && t.next().is_some();
    }
    let _ = t.eat("FOR") && t.eat("CONNECTION");
    let statement = t.peek().is_some_and(|p| {
        p.is_symbol(b'(')
            || p.is_any(&["SELECT", "WITH", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "IMPORT", "ALTER", "ANALYZE"])
    });
    if statement || trace {
        let inner = one(t.rest());
        return Sql { activity: Some(&action::DATA_QUERY), ..inner };
    }
    Sql::of(&action::DATA_LIST).on(names::thing(&mut t))
}

/// Behind SHOW: `CREATE TABLE x`, `COLUMNS FROM x`, `TABLES FROM db`.
pub fn show<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    let sql = Sql::of(&action::DATA_LIST);
    if t.eat("CREATE") {
        let of_database = t.peek().is_some_and(|p| p.is_any(&["DATABASE", "SCHEMA"]));
        t.next();
        t.eat_if_exists();
        if of_database {
            let name = names::name(&mut t);
            return Sql { database: name.clone(), object: name, ..sql };
        }
        return if t.peek().is_some_and(|p| p.is("USER")) { sql } else { sql.on(names::thing(&mut t)) };
    }
    while t.eat_if(|p| p.is_any(&["FULL", "EXTENDED", "GLOBAL", "SESSION"])) {}
    let Some(what) = t.next() else { return sql };
    if what.is_any(&["TABLES", "EVENTS", "TRIGGERS", "OPEN"]) {
        let _ = t.eat("TABLES");
        let _ = t.eat_if(|p| p.is_any(&["FROM", "IN"]));
        let database = t.peek().filter(|p| !p.is_any(&["LIKE", "WHERE"])).and_then(|_| names::name(&mut t));
        return Sql { database, ..sql };
    }
    if what.is_any(&["COLUMNS", "FIELDS", "INDEX", "INDEXES", "KEYS"]) && t.eat_if(|p| p.is_any(&["FROM", "IN"])) {
        return sql.on(names::thing(&mut t));
    }
    sql
}

/// Words that may stand between the verb and the table.
const MODIFIERS: &[&str] = &["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "IGNORE", "INTO"];

fn target<'s>(t: &mut Tokens<'s>) -> Option<Thing<'s>> {
    while t.eat_if(|p| p.is_any(MODIFIERS)) {}
    while t.eat_symbol(b'(') {}
    names::thing(t)
}

/// Behind INSERT, REPLACE.
pub fn insert<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    Sql::of(&action::DATA_WRITE).on(target(&mut t))
}

/// Behind UPDATE.
pub fn update<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    Sql::of(&action::DATA_WRITE).on(target(&mut t))
}

/// Behind DELETE: `FROM t ..`, `t1, t2 FROM ..`.
pub fn delete<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    while t.eat_if(|p| p.is_any(MODIFIERS)) {}
    let _ = t.eat("FROM");
    Sql::of(&action::DATA_WRITE).on(names::thing(&mut t))
}

/// Behind BATCH: `[ON c] LIMIT n [DRY RUN ..] DELETE ..`.
pub fn batch<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    /// Words before the statement proper.
    const WORDS_MAX: usize = 16;
    for _ in 0..WORDS_MAX {
        if t.peek().is_some_and(|p| p.is_any(&["DELETE", "UPDATE", "INSERT", "REPLACE"])) {
            return one(t.rest());
        }
        if t.next().is_none() {
            break;
        }
    }
    Sql::default()
}

/// Behind LOAD: `DATA .. INTO TABLE t`; LOAD STATS is of no interest.
pub fn load<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    /// Words before the table.
    const WORDS_MAX: usize = 16;
    if !t.eat("DATA") {
        return Sql::default();
    }
    for _ in 0..WORDS_MAX {
        if t.eat_all(&["INTO", "TABLE"]) {
            return Sql::of(&action::DATA_WRITE).on(names::thing(&mut t));
        }
        if t.next().is_none() {
            break;
        }
    }
    Sql::of(&action::DATA_WRITE)
}

/// Behind IMPORT: `INTO t FROM ..`.
pub fn import<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if t.eat("INTO") { Sql::of(&action::DATA_WRITE).on(names::thing(&mut t)) } else { Sql::default() }
}

/// Behind BACKUP, RESTORE: `DATABASE d`, `TABLE t`, `LOGS`.
pub fn backup<'s>(mut t: Tokens<'s>, activity: &'static Activity) -> Sql<'s> {
    let sql = Sql::of(activity);
    let Some(what) = t.next() else { return Sql::default() };
    if what.is_any(&["DATABASE", "SCHEMA"]) {
        if t.eat_symbol(b'*') {
            return Sql { object: Some("*".into()), object_type: Some("database"), ..sql };
        }
        let name = names::name(&mut t);
        return Sql { database: name.clone(), object: name, object_type: Some("database"), ..sql };
    }
    if what.is("TABLE") {
        return Sql { object_type: Some("table"), ..sql.on(names::thing(&mut t)) };
    }
    if what.is_any(&["LOGS", "STREAM", "POINT", "FROM"]) { sql } else { Sql::default() }
}
