//! What a SQL statement does: action, object, accounts, privileges (docs/specs/events.md, table "SQL"). Never executes, never believes that a statement
//! parses: it looks at the first words and at what stands where a name must stand. Linear in the statement, and bounded.

mod accounts;
mod data;
mod names;
mod schema;
mod settings;
mod tokens;

use std::borrow::Cow;

use event::{Activity, Class, Event, Issue, Status};

use super::columns::{act, put, set_field};
use tokens::{Kind, Tokens};

/// A statement is looked at up to this many bytes.
pub const LOOK_BYTES_MAX: usize = 64 << 10;
/// Of a text with several statements, so many are looked at.
pub const STATEMENTS_MAX: usize = 256;
/// Longest keyword that begins a statement.
const KEYWORD_BYTES_MAX: usize = 12;

/// What a statement does. Everything that the statement does not say is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sql<'s> {
    /// What it does; none where it is of no interest.
    pub activity: Option<&'static Activity>,
    /// The database it names.
    pub database: Option<Cow<'s, str>>,
    /// The table, index, variable .. it acts on.
    pub object: Option<Cow<'s, str>>,
    /// table, database, index, view, ...
    pub object_type: Option<&'static str>,
    /// All objects, where there are several.
    pub objects: Vec<Cow<'s, str>>,
    /// The table of an index.
    pub table: Option<Cow<'s, str>>,
    /// The account made, changed, granted to.
    pub target_user: Option<Cow<'s, str>>,
    /// Its host part.
    pub target_host: Option<Cow<'s, str>>,
    /// All accounts, where there are several.
    pub targets: Vec<Cow<'s, str>>,
    /// The target is whoever runs the statement.
    pub target_own: bool,
    /// The role made, granted, taken.
    pub role: Option<Cow<'s, str>>,
    /// The privileges, upper case.
    pub privilege: Option<Cow<'s, str>>,
    /// `WITH GRANT OPTION`.
    pub grant_option: bool,
    /// The value that a variable gets.
    pub val: Option<Cow<'s, str>>,
    /// global, persist.
    pub scope: Option<&'static str>,
}

impl<'s> Sql<'s> {
    /// A statement that does this.
    fn of(activity: &'static Activity) -> Self {
        Self { activity: Some(activity), ..Self::default() }
    }
    /// How much it matters among several statements of one text.
    fn weight(&self) -> u8 {
        match self.activity.map(|a| (a.class, a.action)) {
            None => 0,
            Some((Class::DatastoreActivity, "datastore_activity.query" | "datastore_activity.list")) => 1,
            Some((Class::DatastoreActivity, "datastore_activity.write" | "datastore_activity.read")) => 2,
            Some(_) => 3,
        }
    }
    /// Cut loose from the statement.
    fn into_owned(self) -> Sql<'static> {
        let own = |t: Option<Cow<'s, str>>| t.map(|t| Cow::Owned(t.into_owned()));
        let all = |v: Vec<Cow<'s, str>>| v.into_iter().map(|t| Cow::Owned(t.into_owned())).collect();
        Sql {
            activity: self.activity,
            database: own(self.database),
            object: own(self.object),
            object_type: self.object_type,
            objects: all(self.objects),
            table: own(self.table),
            target_user: own(self.target_user),
            target_host: own(self.target_host),
            targets: all(self.targets),
            target_own: self.target_own,
            role: own(self.role),
            privilege: own(self.privilege),
            grant_option: self.grant_option,
            val: own(self.val),
            scope: self.scope,
        }
    }
}

/// What a text of one or several statements does: the first of those that matter most.
pub fn read(text: &str) -> Sql<'_> {
    let mut rest = &text[..text.floor_char_boundary(LOOK_BYTES_MAX)];
    let mut best = Sql::default();
    for _ in 0..STATEMENTS_MAX {
        let (this, next) = first_statement(rest);
        let found = one(this);
        if found.weight() > best.weight() {
            best = found;
        }
        match next {
            Some(next) if best.weight() < 3 => rest = next,
            _ => break,
        }
    }
    best
}

/// The database that a statement writes before a table's name.
pub fn database_of<'s>(text: &'s str, table: &str) -> Option<&'s str> {
    let mut t = Tokens::new(&text[..text.floor_char_boundary(LOOK_BYTES_MAX)]);
    while let Some(token) = t.next() {
        let mut ahead = t;
        if token.is_name() && ahead.eat_symbol(b'.') && ahead.peek().is_some_and(|n| n.is_name() && n.text.eq_ignore_ascii_case(table)) {
            return Some(token.text);
        }
    }
    None
}

/// The text up to the first `;` that stands in no quotes, and what follows it, if anything does.
fn first_statement(text: &str) -> (&str, Option<&str>) {
    let Some(at) = memchr::memchr(b';', text.as_bytes()) else { return (text, None) };
    if text[at + 1..].trim_ascii().is_empty() {
        return (&text[..at], None);
    }
    let mut t = Tokens::new(text);
    while let Some(token) = t.next() {
        if token.is_symbol(b';') {
            let rest = t.rest();
            return (&text[..text.len() - rest.len() - 1], (!rest.trim_ascii().is_empty()).then_some(rest));
        }
    }
    (text, None)
}

/// What one statement does.
fn one(text: &str) -> Sql<'_> {
    let mut t = Tokens::new(text);
    while t.eat_symbol(b'(') {}
    let Some(first) = t.next().filter(|f| f.kind == Kind::Word && f.text.len() <= KEYWORD_BYTES_MAX) else { return Sql::default() };
    let mut buffer = [0; KEYWORD_BYTES_MAX];
    let keyword = &mut buffer[..first.text.len()];
    keyword.copy_from_slice(first.text.as_bytes());
    keyword.make_ascii_uppercase();
    match &*keyword {
        b"SELECT" => data::select(t),
        b"WITH" => data::with(t),
        b"TABLE" => data::table(t),
        b"VALUES" => Sql::of(&event::action::DATA_QUERY),
        b"EXPLAIN" | b"TRACE" | b"DESC" | b"DESCRIBE" => data::explain(t, keyword == b"TRACE"),
        b"SHOW" => data::show(t),
        b"INSERT" | b"REPLACE" => data::insert(t),
        b"UPDATE" => data::update(t),
        b"DELETE" => data::delete(t),
        b"BATCH" => data::batch(t),
        b"LOAD" => data::load(t),
        b"IMPORT" => data::import(t),
        b"BACKUP" => data::backup(t, &event::action::DATA_READ),
        b"RESTORE" => data::backup(t, &event::action::DATA_WRITE),
        b"CREATE" => schema::create(t),
        b"ALTER" => schema::alter(t),
        b"DROP" => schema::drop(t),
        b"TRUNCATE" => schema::truncate(t),
        b"RENAME" => schema::rename(t),
        b"RECOVER" | b"FLASHBACK" => schema::recover(t),
        b"GRANT" => accounts::grant(t),
        b"REVOKE" => accounts::revoke(t),
        b"SET" => settings::set(t),
        b"KILL" => settings::kill(t),
        b"SHUTDOWN" => Sql::of(&event::action::APP_STOP),
        _ => Sql::default(),
    }
}

/// Whether the server cut the text: `..(len:4200)`.
fn is_cut(text: &str) -> bool {
    let text = text.trim_end_matches([';', '›']);
    text.strip_suffix(')').is_some_and(|t| {
        let digits = t.bytes().rev().take_while(u8::is_ascii_digit).count();
        digits > 0 && t[..t.len() - digits].ends_with("(len:")
    })
}

/// Gives the event what its statement does; where it says nothing, `otherwise`.
pub fn apply(event: &mut Event<'_>, status: Status, otherwise: Option<&'static Activity>) {
    let sql = match &event.statement {
        Some(Cow::Borrowed(text)) => read(text),
        Some(Cow::Owned(text)) => read(text).into_owned(),
        None => Sql::default(),
    };
    if event.statement.as_deref().is_some_and(is_cut) {
        event.mark(Issue::Truncated);
    }
    if let Some(activity) = sql.activity.or(otherwise) {
        act(event, activity, status);
    }
    fill(event, sql);
}

fn fill<'a>(event: &mut Event<'a>, sql: Sql<'a>) {
    if sql.database.is_some() {
        // What the statement itself names wins over the session's current database.
        event.database = sql.database;
    }
    put(&mut event.object, sql.object);
    put(&mut event.role, sql.role);
    put(&mut event.privilege, sql.privilege);
    put(&mut event.target_user, sql.target_user);
    if sql.target_own {
        put(&mut event.target_user, event.user.clone());
    }
    for (key, value) in [("target_host", sql.target_host), ("val", sql.val), ("table", sql.table)] {
        if let Some(value) = value {
            set_field(event, key, value);
        }
    }
    for (key, value) in [("object_type", sql.object_type), ("scope", sql.scope), ("grant_option", sql.grant_option.then_some("true"))] {
        if let Some(value) = value {
            set_field(event, key, Cow::Borrowed(value));
        }
    }
    for (key, values) in [("objects", sql.objects), ("target_users", sql.targets)] {
        if values.len() > 1 {
            set_field(event, key, Cow::Owned(values.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests;
