//! What one line of an act can tell a later one: columns by name, short enough to be kept.

use std::{borrow::Cow, fmt, fmt::Write as _, sync::Arc};

use event::{Event, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A record's name, shared by all who wait for its act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The name of an event's act: the opener's, else its own.
    pub fn of_act(event: &Event<'_>, own: &dyn fmt::Display) -> Self {
        if let Some(act) = &event.act_id {
            return Self(Arc::from(act.as_str()));
        }
        let mut text = ShortText { bytes: [0; NAME_BYTES], len: 0 };
        // Names are short; one that is not is written once more.
        match write!(text, "{own}").ok().and_then(|()| std::str::from_utf8(&text.bytes[..text.len]).ok()) {
            Some(name) => Self(Arc::from(name)),
            None => Self(Arc::from(own.to_string())),
        }
    }
}

/// A name of a store fits: `<node>.<cluster>.<class>:<seq>`.
const NAME_BYTES: usize = 96;

/// A text on the stack.
struct ShortText {
    bytes: [u8; NAME_BYTES],
    len: usize,
}

impl fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self(Arc::from(Cow::<str>::deserialize(d)?)))
    }
}

/// A column that a neighbor may supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// `user`
    User,
    /// `src_ip`
    SrcIp,
    /// `src_port`
    SrcPort,
    /// `src_host`
    SrcHost,
    /// `client`
    Client,
    /// `target_user`
    TargetUser,
    /// `role`
    Role,
    /// `privilege`
    Privilege,
    /// `database`
    Database,
    /// `object`
    Object,
    /// `statement`
    Statement,
    /// `fields.reason`
    Reason,
}

impl Column {
    const ALL: [Self; 12] = [
        Self::User,
        Self::SrcIp,
        Self::SrcPort,
        Self::SrcHost,
        Self::Client,
        Self::TargetUser,
        Self::Role,
        Self::Privilege,
        Self::Database,
        Self::Object,
        Self::Statement,
        Self::Reason,
    ];
}

/// A text longer than this is not kept for a neighbor.
const TEXT_BYTES_MAX: usize = 1024;

/// The columns that a line could supply: one text, and where in it each ends. Lines of a busy access log wait by the thousands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    text: String,
    /// Of each column 1 + where it ends, 0 for none; in the order of the columns.
    ends: [u16; Column::ALL.len()],
}

impl Known {
    /// What an event has of these columns.
    pub fn of(event: &Event<'_>, columns: &[Column]) -> Self {
        let mut known = Self::default();
        let mut port = ShortText { bytes: [0; NAME_BYTES], len: 0 };
        if let Some(number) = event.src_port {
            let _ = write!(port, "{number}");
        }
        let text = |column: Column| match column {
            Column::User => event.user.as_deref(),
            Column::SrcIp => event.src_ip.as_deref(),
            Column::SrcPort => std::str::from_utf8(&port.bytes[..port.len]).ok().filter(|p| !p.is_empty()),
            Column::SrcHost => event.src_host.as_deref(),
            Column::Client => event.client.as_deref(),
            Column::TargetUser => event.target_user.as_deref(),
            Column::Role => event.role.as_deref(),
            Column::Privilege => event.privilege.as_deref(),
            Column::Database => event.database.as_deref(),
            Column::Object => event.object.as_deref(),
            Column::Statement => event.statement.as_deref(),
            Column::Reason => event.field_text("reason"),
        };
        let kept = |column: &Column| text(*column).filter(|t| t.len() <= TEXT_BYTES_MAX);
        known.text.reserve_exact(columns.iter().filter_map(kept).map(str::len).sum());
        for column in Column::ALL.iter().filter(|c| columns.contains(c)) {
            if let Some(text) = kept(column) {
                known.put(*column, text);
            }
        }
        known
    }

    /// Adds a column behind those before it.
    fn put(&mut self, column: Column, text: &str) {
        self.text.push_str(text);
        // At most twelve texts of a kilobyte.
        self.ends[column as usize] = u16::try_from(self.text.len() + 1).unwrap_or(0);
    }

    /// The value of a column.
    pub fn get(&self, column: Column) -> Option<&str> {
        let end = usize::from(self.ends[column as usize].checked_sub(1)?);
        let start = self.ends[..column as usize].iter().rev().find_map(|e| e.checked_sub(1)).unwrap_or(0);
        self.text.get(usize::from(start)..end)
    }

    fn iter(&self) -> impl Iterator<Item = (Column, &str)> {
        Column::ALL.into_iter().filter_map(|column| Some((column, self.get(column)?)))
    }

    /// Takes in what a later line says: its word is newer.
    pub fn learn(&mut self, other: &Self) {
        if Column::ALL.into_iter().all(|c| other.get(c).is_none_or(|new| self.get(c) == Some(new))) {
            return;
        }
        let mut both = Self::default();
        for column in Column::ALL {
            if let Some(text) = other.get(column).or_else(|| self.get(column)) {
                both.put(column, text);
            }
        }
        *self = both;
    }

    /// Fills the event's empty columns and names them in `inferred`. A reason that only says "refused" gives way to one that says why.
    pub fn teach(&self, event: &mut Event<'_>) {
        for (column, text) in self.iter() {
            let (slot, name) = match column {
                Column::User => (&mut event.user, "user"),
                Column::SrcIp => (&mut event.src_ip, "src_ip"),
                Column::SrcHost => (&mut event.src_host, "src_host"),
                Column::Client => (&mut event.client, "client"),
                Column::TargetUser => (&mut event.target_user, "target_user"),
                Column::Role => (&mut event.role, "role"),
                Column::Privilege => (&mut event.privilege, "privilege"),
                Column::Database => (&mut event.database, "database"),
                Column::Object => (&mut event.object, "object"),
                Column::Statement => (&mut event.statement, "statement"),
                Column::SrcPort => {
                    // A port belongs to the address beside it.
                    if event.src_port.is_none() && self.get(Column::SrcIp) == event.src_ip.as_deref() {
                        event.src_port = text.parse().ok();
                        event.inferred.push("src_port");
                    }
                    continue;
                }
                Column::Reason => {
                    teach_reason(event, text);
                    continue;
                }
            };
            if slot.is_none() {
                *slot = Some(Cow::Owned(text.to_owned()));
                event.inferred.push(name);
            }
        }
    }
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut pairs = Vec::<(Column, String)>::deserialize(d)?;
        pairs.retain(|(_, text)| text.len() <= TEXT_BYTES_MAX);
        pairs.sort_by_key(|(column, _)| *column as usize);
        pairs.dedup_by_key(|(column, _)| *column);
        let mut known = Self::default();
        pairs.iter().for_each(|(column, text)| known.put(*column, text));
        Ok(known)
    }
}

fn teach_reason(event: &mut Event<'_>, why: &str) {
    let vague = |now: &str| now == "access_denied" || (now == "wrong_password" && why == "unknown_user");
    match event.fields.iter_mut().find(|(k, _)| k == "reason") {
        Some((_, value)) if value.as_text() != why && vague(value.as_text()) => *value = Value::Text(Cow::Owned(why.to_owned())),
        Some(_) => return,
        None => event.fields.push((Cow::Borrowed("reason"), Value::Text(Cow::Owned(why.to_owned())))),
    }
    event.inferred.push("fields.reason");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_taught_and_named() {
        let mut from = Event { user: Some("ann".into()), src_ip: Some("10.0.0.5".into()), src_port: Some(9), ..Event::default() };
        from.fields.push(("reason".into(), Value::Text("wrong_password".into())));
        let known = Known::of(&from, &[Column::User, Column::SrcIp, Column::SrcPort, Column::Role, Column::Reason]);
        let mut to = Event { user: Some("bob".into()), ..Event::default() };
        to.fields.push(("reason".into(), Value::Text("access_denied".into())));
        known.teach(&mut to);
        assert_eq!((to.user.as_deref(), to.src_ip.as_deref(), to.src_port), (Some("bob"), Some("10.0.0.5"), Some(9)));
        assert_eq!(to.inferred, ["src_ip", "src_port", "fields.reason"]);
        assert_eq!(to.field_text("reason"), Some("wrong_password"));
    }

    #[test]
    fn a_port_of_another_address_is_not_taught() {
        let from = Event { src_ip: Some("10.0.0.5".into()), src_port: Some(9), ..Event::default() };
        let mut to = Event { src_ip: Some("10.0.0.6".into()), ..Event::default() };
        Known::of(&from, &[Column::SrcIp, Column::SrcPort]).teach(&mut to);
        assert_eq!((to.src_port, to.inferred.len()), (None, 0));
    }

    #[test]
    fn what_is_learned_replaces_and_reads_back() {
        let said = |user: &'static str, ip: Option<&'static str>| {
            let event = Event { user: Some(user.into()), src_ip: ip.map(Into::into), statement: Some("s".into()), ..Event::default() };
            Known::of(&event, &[Column::Statement, Column::User, Column::SrcIp])
        };
        let mut known = said("ann", Some("10.0.0.5"));
        known.learn(&said("bob", None));
        let columns = [Column::User, Column::SrcIp, Column::SrcPort, Column::Statement, Column::Reason].map(|c| known.get(c));
        assert_eq!(columns, [Some("bob"), Some("10.0.0.5"), None, Some("s"), None]);
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(text, r#"[["user","bob"],["src_ip","10.0.0.5"],["statement","s"]]"#);
        assert_eq!(serde_json::from_str::<Known>(&text).unwrap(), known);
        let odd: Known = serde_json::from_str(r#"[["src_ip","b"],["user","a"],["user","c"]]"#).unwrap();
        assert_eq!((odd.get(Column::User), odd.get(Column::SrcIp)), (Some("a"), Some("b")));
    }

    #[test]
    fn long_names_are_names() {
        let event = Event::default();
        for own in ["0000abcd.prod.security:17".to_owned(), "x".repeat(NAME_BYTES), "y".repeat(NAME_BYTES + 1)] {
            assert_eq!(Name::of_act(&event, &own).as_str(), own);
        }
    }

    #[test]
    fn long_texts_are_not_kept() {
        let from = Event { statement: Some("x".repeat(TEXT_BYTES_MAX + 1).into()), ..Event::default() };
        assert_eq!(Known::of(&from, &[Column::Statement]), Known::default());
    }
}
