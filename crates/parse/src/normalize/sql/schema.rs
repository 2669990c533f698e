//! Statements that make, change and drop things: databases, tables, views, indexes, accounts, bindings.

use event::{Activity, action};

use super::{
    Sql, accounts,
    names::{self, Thing},
    settings,
    tokens::Tokens,
};

/// How a kind of thing is named in a statement.
enum Named {
    /// `db.name`.
    InDatabase,
    /// The name is a database.
    Database,
    /// A name of the whole cluster.
    Alone,
}

/// Keywords of a kind of thing, its name in `fields.object_type`, how it is named.
const KINDS: &[(&[&str], &str, Named)] = &[
    (&["TABLE"], "table", Named::InDatabase),
    (&["TABLES"], "table", Named::InDatabase),
    (&["DATABASE"], "database", Named::Database),
    (&["SCHEMA"], "database", Named::Database),
    (&["VIEW"], "view", Named::InDatabase),
    (&["SEQUENCE"], "sequence", Named::InDatabase),
    (&["PROCEDURE"], "procedure", Named::InDatabase),
    (&["FUNCTION"], "function", Named::InDatabase),
    (&["TRIGGER"], "trigger", Named::InDatabase),
    (&["EVENT"], "event", Named::InDatabase),
    (&["STATISTICS"], "statistics", Named::InDatabase),
    (&["PLACEMENT", "POLICY"], "placement policy", Named::Alone),
    (&["RESOURCE", "GROUP"], "resource group", Named::Alone),
];

/// Words that may stand between the verb and the kind of thing.
const MODIFIERS: &[&str] = &["OR", "REPLACE", "GLOBAL", "TEMPORARY", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "COLUMNAR"];
/// A view's own options before the word VIEW: at most so many tokens.
const VIEW_OPTIONS_MAX: usize = 24;
/// Objects of one statement that are listed.
const OBJECTS_MAX: usize = 64;

fn put_thing<'s>(sql: &mut Sql<'s>, thing: Thing<'s>) {
    if !thing.name.is_empty() {
        (sql.database, sql.object) = (thing.database, Some(thing.name));
    }
}

/// Reads the kind of thing and its names; none where the next words are no kind of thing.
fn things<'s>(t: &mut Tokens<'s>, activity: &'static Activity) -> Option<Sql<'s>> {
    let (_, kind, named) = KINDS.iter().find(|(words, ..)| t.eat_all(words))?;
    let mut sql = Sql { object_type: Some(kind), ..Sql::of(activity) };
    t.eat_if_exists();
    match named {
        Named::Database => {
            sql.database = names::name(t);
            sql.object = sql.database.clone();
        }
        Named::Alone => sql.object = names::name(t),
        Named::InDatabase => {
            if let Some(first) = names::thing(t) {
                put_thing(&mut sql, first);
            }
            while sql.objects.len() < OBJECTS_MAX && t.eat_symbol(b',') {
                let Some(next) = names::thing(t) else { break };
                if sql.objects.is_empty() {
                    sql.objects.extend(sql.object.clone());
                }
                sql.objects.push(next.name);
            }
        }
    }
    Some(sql)
}

/// Behind INDEX: `[IF ..] i ON t`.
fn index<'s>(t: &mut Tokens<'s>, activity: &'static Activity) -> Sql<'s> {
    t.eat_if_exists();
    let mut sql = Sql { object_type: Some("index"), object: names::name(t), ..Sql::of(activity) };
    if t.eat("USING") {
        t.next();
    }
    if t.eat("ON")
        && let Some(table) = names::thing(t)
    {
        (sql.database, sql.table) = (table.database, Some(table.name));
    }
    sql
}

/// Behind CREATE, ALTER: a view's options (`ALGORITHM = .. DEFINER = .. SQL SECURITY ..`) up to VIEW.
fn skip_view_options(t: &mut Tokens<'_>) {
    if !t.peek().is_some_and(|p| p.is_any(&["ALGORITHM", "DEFINER", "SQL"])) {
        return;
    }
    let mut ahead = *t;
    for _ in 0..VIEW_OPTIONS_MAX {
        if ahead.peek().is_some_and(|p| p.is_any(&["VIEW", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"])) {
            *t = ahead;
            return;
        }
        if ahead.next().is_none() {
            return;
        }
    }
}

/// A binding: `[GLOBAL|SESSION] BINDING ..`.
fn is_binding(t: &Tokens<'_>) -> bool {
    let mut ahead = *t;
    let _ = ahead.eat_if(|p| p.is_any(&["GLOBAL", "SESSION"]));
    ahead.eat("BINDING")
}

/// Behind CREATE.
pub fn create<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if is_binding(&t) {
        return settings::binding();
    }
    while t.eat_if(|p| p.is_any(MODIFIERS)) {}
    skip_view_options(&mut t);
    if t.eat("USER") {
        return accounts::users(t, &action::ACCOUNT_CREATE);
    }
    if t.eat("ROLE") {
        return accounts::roles(t, &action::GROUP_CREATE);
    }
    if t.eat_if(|p| p.is_any(&["INDEX", "KEY"])) {
        return index(&mut t, &action::DATA_CREATE);
    }
    things(&mut t, &action::DATA_CREATE).unwrap_or_default()
}

/// Behind ALTER.
pub fn alter<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if t.eat("USER") {
        return accounts::alter(t);
    }
    if t.eat("INSTANCE") {
        return settings::instance(t);
    }
    while t.eat_if(|p| p.is_any(MODIFIERS)) {}
    skip_view_options(&mut t);
    things(&mut t, &action::DATA_UPDATE).map_or_else(Sql::default, |mut sql| {
        // Commas behind an altered table separate its changes.
        sql.objects.clear();
        sql
    })
}

/// Behind DROP.
pub fn drop<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if is_binding(&t) {
        return settings::binding();
    }
    if t.eat("USER") {
        return accounts::users(t, &action::ACCOUNT_DELETE);
    }
    if t.eat("ROLE") {
        return accounts::roles(t, &action::GROUP_DELETE);
    }
    while t.eat_if(|p| p.is_any(&["GLOBAL", "TEMPORARY", "HYPO"])) {}
    if t.eat("INDEX") {
        return index(&mut t, &action::DATA_DELETE);
    }
    things(&mut t, &action::DATA_DELETE).unwrap_or_default()
}

/// Behind TRUNCATE: `[TABLE] t`.
pub fn truncate<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    let _ = t.eat("TABLE");
    let mut sql = Sql { object_type: Some("table"), ..Sql::of(&action::DATA_DELETE) };
    if let Some(thing) = names::thing(&mut t) {
        put_thing(&mut sql, thing);
    }
    sql
}

/// Behind RENAME: `TABLE a TO b`, `USER a TO b`.
pub fn rename<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if t.eat("USER") {
        let mut sql = accounts::users(t, &action::ACCOUNT_UPDATE);
        let _ = names::account(&mut t);
        if t.eat("TO") {
            sql.object = names::account(&mut t).and_then(|a| a.name);
        }
        return sql;
    }
    if t.eat_if(|p| p.is_any(&["TABLE", "TABLES"])) {
        let mut sql = Sql { object_type: Some("table"), ..Sql::of(&action::DATA_UPDATE) };
        if let Some(thing) = names::thing(&mut t) {
            put_thing(&mut sql, thing);
        }
        return sql;
    }
    Sql::default()
}

/// Behind RECOVER, FLASHBACK: `TABLE t`, `DATABASE d`, `CLUSTER TO ..`.
pub fn recover<'s>(mut t: Tokens<'s>) -> Sql<'s> {
    if t.eat("CLUSTER") {
        return Sql { object_type: Some("cluster"), ..Sql::of(&action::DATA_UPDATE) };
    }
    let mut by_job = t;
    if by_job.eat("TABLE") && by_job.eat_all(&["BY", "JOB"]) {
        return Sql { object_type: Some("table"), ..Sql::of(&action::DATA_UPDATE) };
    }
    things(&mut t, &action::DATA_UPDATE).unwrap_or_default()
}
