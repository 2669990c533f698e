//! The registry of line formats: one file a format, one line in the list.

/// The format of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `[time] [LEVEL] [caller] [message] [k=v]..` of Go, Rust and C++, TiProxy's console form and the 2.x forms.
    Unified,
    /// One JSON object: TiDB, PD, TiKV, Milvus, TiProxy, etcd.
    Json,
    /// A block of TiDB's slow log. Keys are in `fields` as written, unless they have a column.
    Slow,
    /// TiDB's Enterprise audit extension, text or JSON: STATUS_CODE 1 is success.
    AuditExtension,
    /// TiDB's older audit plugin, also TiDB Cloud Dedicated: STATUS_CODE 0 is success.
    AuditPlugin,
    /// A row of Milvus's access log.
    Access,
    /// A `[GIN]` row.
    Gin,
    /// C++ glog and easylogging.
    Glog,
    /// A panic, fatal error or dump of goroutines.
    Crash,
    /// A banner at a start.
    Banner,
    /// Text of no known format.
    Plain,
}
