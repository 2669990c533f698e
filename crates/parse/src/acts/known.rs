//! What one line of an act can tell a later one: columns by name, short enough to be kept.

use std::{borrow::Cow, fmt, sync::Arc};

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
        match &event.act_id {
            Some(act) => Self(Arc::from(act.as_str())),
            None => Self(Arc::from(own.to_string())),
        }
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

/// A text longer than this is not kept for a neighbor.
const TEXT_BYTES_MAX: usize = 1024;

/// The columns that a line could supply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known(Vec<(Column, Box<str>)>);

impl Known {
    /// What an event has of these columns.
    pub fn of(event: &Event<'_>, columns: &[Column]) -> Self {
        let mut known = Vec::new();
        for column in columns {
            let port = event.src_port.filter(|_| *column == Column::SrcPort).map(|p| p.to_string());
            let text = match column {
                Column::User => event.user.as_deref(),
                Column::SrcIp => event.src_ip.as_deref(),
                Column::SrcPort => port.as_deref(),
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
            if let Some(text) = text.filter(|t| t.len() <= TEXT_BYTES_MAX) {
                known.push((*column, Box::from(text)));
            }
        }
        Self(known)
    }

    /// The value of a column.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.0.iter().find(|(c, _)| *c == column).map(|(_, text)| &**text)
    }

    /// Takes in what a later line says: its word is newer.
    pub fn learn(&mut self, other: Self) {
        for (column, text) in other.0 {
            match self.0.iter_mut().find(|(c, _)| *c == column) {
                Some(slot) => slot.1 = text,
                None => self.0.push((column, text)),
            }
        }
    }

    /// Fills the event's empty columns and names them in `inferred`. A reason that only says "refused" gives way to one that says why.
    pub fn teach(&self, event: &mut Event<'_>) {
        for (column, text) in &self.0 {
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
                *slot = Some(Cow::Owned(text.to_string()));
                event.inferred.push(name);
            }
        }
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
    fn long_texts_are_not_kept() {
        let from = Event { statement: Some("x".repeat(TEXT_BYTES_MAX + 1).into()), ..Event::default() };
        assert_eq!(Known::of(&from, &[Column::Statement]), Known::default());
    }
}
