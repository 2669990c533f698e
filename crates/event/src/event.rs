//! The event: one record of a log with the standard names of DESIGN §4. Flat, borrowed from the record's bytes wherever it can be.

use std::borrow::Cow;

use crate::{Micros, action::Activity, issue::Issue};

/// Text that is borrowed from the record where the record holds it as it is.
pub type Text<'a> = Cow<'a, str>;

/// Whether what the event names happened. Unknown where the log does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It happened.
    Success,
    /// It was tried and refused, or failed.
    Failure,
    /// The log does not say (TiDB's CRUCIAL OPERATION is written either way).
    Unknown,
}

impl Status {
    /// The spelling in JSON, columns and rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

/// A value of `fields`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Text (every value of the text formats).
    Text(Text<'a>),
    /// A number as it was written: never through a double, ids exceed 2^53.
    Number(Text<'a>),
    /// true or false.
    Bool(bool),
    /// null.
    Null,
    /// A nested object or array, as JSON text.
    Json(Text<'a>),
}

impl<'a> Value<'a> {
    /// The value as text: what a rule compares with. Null is "".
    pub fn as_text(&self) -> &str {
        match self {
            Self::Text(t) | Self::Number(t) | Self::Json(t) => t,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Null => "",
        }
    }
    /// Cut loose from the record.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Text(t) => Value::Text(Cow::Owned(t.into_owned())),
            Self::Number(t) => Value::Number(Cow::Owned(t.into_owned())),
            Self::Json(t) => Value::Json(Cow::Owned(t.into_owned())),
            Self::Bool(b) => Value::Bool(b),
            Self::Null => Value::Null,
        }
    }
}

macro_rules! event {
    ($($(#[$doc:meta])* $name:ident: Text,)* ; $($(#[$odoc:meta])* $oname:ident: $otype:ty,)*) => {
        /// One record of a log. Every field that is unknown is `None`, never "". See FORMAT §3 for the columns.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Event<'a> {
            $($(#[$doc])* pub $name: Option<Text<'a>>,)*
            $($(#[$odoc])* pub $oname: $otype,)*
            /// Every key of the line that has no column, in order; a key may repeat.
            pub fields: Vec<(Text<'a>, Value<'a>)>,
            /// The redacted record without its final line end; where it is not UTF-8, `\xNN` escapes.
            pub raw: Text<'a>,
            /// The exact bytes where `raw` could not hold them.
            pub raw_bytes: Option<Cow<'a, [u8]>>,
        }
        impl Event<'_> {
            /// Cut loose from the record's bytes.
            pub fn into_owned(self) -> Event<'static> {
                Event {
                    $($name: self.$name.map(|t| Cow::Owned(t.into_owned())),)*
                    $($oname: self.$oname,)*
                    fields: self.fields.into_iter().map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned())).collect(),
                    raw: Cow::Owned(self.raw.into_owned()),
                    raw_bytes: self.raw_bytes.map(|b| Cow::Owned(b.into_owned())),
                }
            }
        }
    };
}

event! {
    /// tidb, pd, tikv, tiflash, tiproxy, ticdc, milvus, etcd, ... (content/components)
    product: Text,
    /// The part of the product where it says so: proxy, rootcoord, ddl, ...
    component: Text,
    /// The product's version, where the source has told it.
    version: Text,
    /// Which process: host:port, pod, or the folder that a file lies in.
    instance: Text,
    /// The machine.
    host: Text,
    /// Kubernetes namespace.
    namespace: Text,
    /// Kubernetes pod.
    pod: Text,
    /// Container.
    container: Text,
    /// Labels of the source and its prefixes: a JSON object.
    labels: Text,
    /// server, slow, general, audit, access, rest, crash, ...
    stream: Text,
    /// DEBUG INFO WARN ERROR DPANIC PANIC FATAL, upper case.
    level: Text,
    /// Who acts.
    user: Text,
    /// Who is granted, made, dropped, killed.
    target_user: Text,
    /// The role in question.
    role: Text,
    /// The privilege granted, revoked or missing.
    privilege: Text,
    /// mysql_native_password, apikey, ...
    auth_method: Text,
    /// The client program or SDK.
    client: Text,
    /// The client's address, without port.
    src_ip: Text,
    /// The client's host name.
    src_host: Text,
    /// The server's address.
    dst_ip: Text,
    /// Database or schema.
    database: Text,
    /// Table, collection, variable, key, store: what is acted on.
    object: Text,
    /// The statement or expression.
    statement: Text,
    /// The statement's digest.
    digest: Text,
    /// Correlates records of one request.
    trace_id: Text,
    /// The error's code as the product writes it: `privilege:1045`, `65535`.
    error_code: Text,
    /// The error's text, without stacks.
    error: Text,
    /// The message of the log line.
    message: Text,
    /// file:line of the code that wrote the line.
    caller: Text,
    ;
    /// Where the record begins in its generation (decompressed bytes).
    byte_start: u64,
    /// Where the record ends, its line end included.
    byte_end: u64,
    /// When it happened, by the record. UTC.
    time: Option<Micros>,
    /// When this node took it in.
    observed_time: Option<Micros>,
    /// When an agent read it.
    agent_time: Option<Micros>,
    /// The name (`log:seq`, or `file:offset` without a store) of the record that opened the act; none for the opener itself.
    act_id: Option<String>,
    /// Columns that a neighbor of the act supplied.
    inferred: Vec<&'static str>,
    /// What happened; gives `class_uid`, `activity_id`, `action`.
    activity: Option<&'static Activity>,
    /// Whether it happened.
    status: Option<Status>,
    /// The client's port.
    src_port: Option<i32>,
    /// The server's port.
    dst_port: Option<i32>,
    /// The connection. An id above 2^63 stands in `fields`.
    conn_id: Option<i64>,
    /// The transaction's start timestamp (TSO).
    txn_ts: Option<i64>,
    /// How long it took, in microseconds.
    duration_us: Option<i64>,
    /// Rows returned or changed.
    rows: Option<i64>,
    /// Bytes read or sent.
    bytes: Option<i64>,
    /// What is odd about the record.
    issues: Vec<Issue>,
}

impl<'a> Event<'a> {
    /// The action's spelling, none where nothing of interest happened.
    pub fn action(&self) -> Option<&'static str> {
        self.activity.map(|a| a.action)
    }
    /// The first value of a key in `fields`.
    pub fn field(&self, key: &str) -> Option<&Value<'a>> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }
    /// The text of the first value of a key in `fields`.
    pub fn field_text(&self, key: &str) -> Option<&str> {
        self.field(key).map(Value::as_text)
    }
    /// Adds a mark once.
    pub fn mark(&mut self, issue: Issue) {
        if !self.issues.contains(&issue) {
            self.issues.push(issue);
        }
    }
    /// Whether the record carries this mark.
    pub fn is_marked(&self, issue: &Issue) -> bool {
        self.issues.contains(issue)
    }
    /// The time by which the event enters windows: its own where that can be trusted, else its arrival.
    pub fn window_time(&self) -> Option<Micros> {
        let trusted = !self.issues.iter().any(Issue::untrusted_time);
        self.time.filter(|_| trusted).or(self.observed_time).or(self.time)
    }
}
