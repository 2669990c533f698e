//! The fields that a search can name: the event's columns, the keys of `fields`, and where the record stands.

use event::{Event, FieldRef, RecordName, field::Column, field::ColumnType};

/// A field of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A column of the event.
    Column(Column),
    /// A key inside `fields`, named `fields.<key>`.
    Key(String),
    /// The database cluster.
    Cluster,
    /// The class of the record.
    Class,
    /// The log.
    Log,
    /// The number in its log.
    Seq,
}

/// What a search sees of a field.
pub(crate) enum Seen<'e> {
    Nothing,
    Text(std::borrow::Cow<'e, str>),
    Number(i64),
    List(Vec<std::borrow::Cow<'e, str>>),
}

/// Short names that people type.
const ALIASES: &[(&str, &str)] =
    &[("ip", "src_ip"), ("conn", "conn_id"), ("trace", "trace_id"), ("db", "database"), ("sql", "statement"), ("issue", "issues")];

impl Place {
    /// Reads a field's name, any case.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("fields.") && name.len() > "fields.".len() {
            return Some(Self::Key(name["fields.".len()..].to_owned()));
        }
        let lower = ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, name)| name);
        Some(match lower {
            "cluster" => Self::Cluster,
            "class" => Self::Class,
            "log" => Self::Log,
            "seq" => Self::Seq,
            _ => Self::Column(Column::ALL.iter().copied().find(|c| c.name() == lower)?),
        })
    }

    /// Every name that [`Place::parse`] knows, but for `fields.<key>`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Column::ALL.iter().map(|c| c.name()).chain(["cluster", "class", "log", "seq", "since", "until"])
    }

    /// The name of its column in the lake (`fields` for a key).
    pub(crate) fn column(&self) -> &'static str {
        match self {
            Self::Column(c) => c.name(),
            Self::Key(_) => "fields",
            Self::Cluster => "cluster",
            Self::Class => "class",
            Self::Log => "log",
            Self::Seq => "seq",
        }
    }

    pub(crate) fn column_type(&self) -> ColumnType {
        match self {
            Self::Column(c) => c.column_type(),
            Self::Seq => ColumnType::Long,
            _ => ColumnType::Text,
        }
    }

    pub(crate) fn see<'e>(&self, event: &'e Event<'_>, name: &'e RecordName) -> Seen<'e> {
        let column = match self {
            Self::Column(c) => c,
            Self::Key(key) => {
                return event.field(key).filter(|v| **v != event::Value::Null).map_or(Seen::Nothing, |v| Seen::Text(v.as_text().into()));
            }
            Self::Cluster => return Seen::Text(name.log.cluster.as_str().into()),
            Self::Class => return Seen::Text(name.log.class.as_str().into()),
            Self::Log => return Seen::Text(name.log.to_string().into()),
            Self::Seq => return i64::try_from(name.seq).map_or(Seen::Nothing, Seen::Number),
        };
        match column.get(event) {
            FieldRef::Missing => Seen::Nothing,
            FieldRef::Text(t) => Seen::Text(t.into()),
            FieldRef::Number(n) => Seen::Number(n),
            FieldRef::Issues([]) | FieldRef::List([]) => Seen::Nothing,
            FieldRef::Issues(list) => Seen::List(list.iter().map(|i| i.to_string().into()).collect()),
            FieldRef::List(list) => Seen::List(list.iter().map(|i| (*i).into()).collect()),
        }
    }
}
