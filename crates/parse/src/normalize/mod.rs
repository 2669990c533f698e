//! From a parsed line to the standard columns: the tables of docs/specs/events.md. One file per product and stream.

mod audit;
mod milvus;
mod milvus_access;
mod milvus_method;
mod pd;
mod rest;
pub mod sql;
mod take;
mod tidb;
mod tidb_slow;
mod tikv;
mod tiproxy;

use event::Event;

use crate::Format;

/// Moves what the line's fields say into the columns, and names what happened. The product is decided already.
pub fn normalize(event: &mut Event<'_>, format: Format) {
    match (format, event.product.as_deref()) {
        (Format::Access, _) => milvus_access::normalize(event),
        (Format::Gin, _) => rest::normalize(event),
        (Format::Slow, _) => tidb_slow::normalize(event),
        (Format::AuditExtension | Format::AuditPlugin, _) => audit::normalize(event, format),
        (_, Some("tidb")) => tidb::normalize(event, format),
        (_, Some("pd")) => pd::normalize(event, format),
        (_, Some("tikv" | "tiflash")) => tikv::normalize(event, format),
        (_, Some("tiproxy")) => tiproxy::normalize(event, format),
        (_, Some("milvus")) => milvus::normalize(event, format),
        _ => {}
    }
}
