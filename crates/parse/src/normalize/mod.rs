//! From a parsed line to the standard columns: the tables of docs/specs/events.md. One file per product and stream.
//!
//! Owns: what a message means. Never looks at another line (that is the business of `acts`), never fails, never believes a forged line.

mod audit;
mod columns;
mod crash;
mod errors;
mod milvus;
mod milvus_access;
mod milvus_method;
mod pd;
mod rest;
pub mod sql;
mod table;
mod tidb;
mod tidb_slow;
mod tikv;
mod tiproxy;
mod variables;

use event::{Event, Issue};

use crate::Format;

/// Moves what the line's fields say into the columns, and names what happened. The product is decided already.
pub fn normalize(event: &mut Event<'_>, format: Format) {
    // What is not what it says it is names no act, no outcome, nobody.
    if event.issues.iter().any(|i| matches!(i, Issue::Forged | Issue::Unparsed)) {
        return;
    }
    match (format, event.product.as_deref()) {
        (Format::Access, _) => milvus_access::normalize(event),
        (Format::Gin, _) => rest::normalize(event),
        (Format::Slow, _) => tidb_slow::normalize(event),
        (Format::AuditExtension | Format::AuditPlugin, _) => audit::normalize(event, format),
        (Format::Crash, product) if product != Some("milvus") => crash::normalize(event),
        (_, Some("tidb" | "ticdc")) => tidb::normalize(event),
        (_, Some("pd")) => pd::normalize(event),
        (_, Some("tikv" | "tiflash")) => tikv::normalize(event),
        (_, Some("tiproxy")) => tiproxy::normalize(event),
        (_, Some("milvus")) => milvus::normalize(event, format),
        _ => {}
    }
    if event.is_marked(&Issue::Forged) {
        (event.activity, event.status, event.user) = (None, None, None);
    }
}

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;
