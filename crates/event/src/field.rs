//! The columns by name: one registry for the lake's schema, for rules, for search and for the documentation (FORMAT §3).

use crate::{Event, Status};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// 32-bit signed.
    Int,
    /// 64-bit signed.
    Long,
    /// Microseconds UTC.
    Time,
    /// List of text.
    TextList,
    /// Bytes.
    Binary,
}

/// A field that a rule can name. Values of `fields` are named `fields.<key>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// A column.
    Column(Column),
    /// A key inside `fields`.
    Key(String),
}

/// What a rule sees of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldRef<'e> {
    /// Unknown, or no such key.
    Missing,
    /// Text.
    Text(&'e str),
    /// A number.
    Number(i64),
    /// `issues`: any of the spellings.
    Issues(&'e [crate::Issue]),
    /// `inferred`.
    List(&'e [&'static str]),
}

macro_rules! columns {
    ($($variant:ident $name:literal $kind:ident => |$e:ident| $get:expr;)+) => {
        /// A column of the event that rules, search and SQL name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }
        impl Column {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The name everywhere.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
            /// The type in the lake.
            pub const fn column_type(self) -> ColumnType {
                match self { $(Self::$variant => ColumnType::$kind,)+ }
            }
            /// The value in an event.
            pub fn get<'e>(self, event: &'e Event<'_>) -> FieldRef<'e> {
                match self { $(Self::$variant => { let $e = event; $get })+ }
            }
        }
    };
}

fn text<'e>(t: &'e Option<crate::Text<'_>>) -> FieldRef<'e> {
    t.as_deref().map_or(FieldRef::Missing, FieldRef::Text)
}

fn number<'e>(n: Option<i64>) -> FieldRef<'e> {
    n.map_or(FieldRef::Missing, FieldRef::Number)
}

columns! {
    Time "time" Time => |e| number(e.time);
    ObservedTime "observed_time" Time => |e| number(e.observed_time);
    AgentTime "agent_time" Time => |e| number(e.agent_time);
    ByteStart "byte_start" Long => |e| number(i64::try_from(e.byte_start).ok());
    ByteEnd "byte_end" Long => |e| number(i64::try_from(e.byte_end).ok());
    ActId "act_id" Text => |e| e.act_id.as_deref().map_or(FieldRef::Missing, FieldRef::Text);
    Inferred "inferred" TextList => |e| FieldRef::List(&e.inferred);
    Product "product" Text => |e| text(&e.product);
    Component "component" Text => |e| text(&e.component);
    Version "version" Text => |e| text(&e.version);
    Instance "instance" Text => |e| text(&e.instance);
    Host "host" Text => |e| text(&e.host);
    Namespace "namespace" Text => |e| text(&e.namespace);
    Pod "pod" Text => |e| text(&e.pod);
    Container "container" Text => |e| text(&e.container);
    Labels "labels" Text => |e| text(&e.labels);
    Stream "stream" Text => |e| text(&e.stream);
    Level "level" Text => |e| text(&e.level);
    ClassUid "class_uid" Int => |e| number(e.activity.map(|a| i64::from(a.class.uid())));
    ActivityId "activity_id" Int => |e| number(e.activity.map(|a| i64::from(a.id)));
    Action "action" Text => |e| e.action().map_or(FieldRef::Missing, FieldRef::Text);
    Status "status" Text => |e| e.status.map(Status::as_str).map_or(FieldRef::Missing, FieldRef::Text);
    User "user" Text => |e| text(&e.user);
    TargetUser "target_user" Text => |e| text(&e.target_user);
    Role "role" Text => |e| text(&e.role);
    Privilege "privilege" Text => |e| text(&e.privilege);
    AuthMethod "auth_method" Text => |e| text(&e.auth_method);
    Client "client" Text => |e| text(&e.client);
    SrcIp "src_ip" Text => |e| text(&e.src_ip);
    SrcPort "src_port" Int => |e| number(e.src_port.map(i64::from));
    SrcHost "src_host" Text => |e| text(&e.src_host);
    DstIp "dst_ip" Text => |e| text(&e.dst_ip);
    DstPort "dst_port" Int => |e| number(e.dst_port.map(i64::from));
    Database "database" Text => |e| text(&e.database);
    Object "object" Text => |e| text(&e.object);
    Statement "statement" Text => |e| text(&e.statement);
    Digest "digest" Text => |e| text(&e.digest);
    ConnId "conn_id" Long => |e| number(e.conn_id);
    TraceId "trace_id" Text => |e| text(&e.trace_id);
    TxnTs "txn_ts" Long => |e| number(e.txn_ts);
    DurationUs "duration_us" Long => |e| number(e.duration_us);
    Rows "rows" Long => |e| number(e.rows);
    Bytes "bytes" Long => |e| number(e.bytes);
    ErrorCode "error_code" Text => |e| text(&e.error_code);
    Error "error" Text => |e| text(&e.error);
    Message "message" Text => |e| text(&e.message);
    Caller "caller" Text => |e| text(&e.caller);
    Issues "issues" TextList => |e| FieldRef::Issues(&e.issues);
    Raw "raw" Text => |e| FieldRef::Text(&e.raw);
}

impl Field {
    /// Reads a name as a rule writes it: a column, or `fields.<key>`.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(key) = name.strip_prefix("fields.") {
            return (!key.is_empty()).then(|| Self::Key(key.to_owned()));
        }
        Column::ALL.iter().find(|c| c.name() == name).copied().map(Self::Column)
    }
    /// The value in an event.
    pub fn get<'e>(&self, event: &'e Event<'_>) -> FieldRef<'e> {
        match self {
            Self::Column(c) => c.get(event),
            Self::Key(k) => event.field_text(k).map_or(FieldRef::Missing, FieldRef::Text),
        }
    }
    /// The name as a rule writes it.
    pub fn name(&self) -> String {
        match self {
            Self::Column(c) => c.name().to_owned(),
            Self::Key(k) => format!("fields.{k}"),
        }
    }
}
