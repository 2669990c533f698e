//! Names that a rule may use for fields, products and modifiers, and what to say when it uses another.

use event::{Field, field::Column};

use crate::suggest::hint;

/// Every value modifier that a rule may use.
pub const MODIFIERS: &[&str] = &[
    "all",
    "base64",
    "base64offset",
    "cased",
    "cidr",
    "contains",
    "day",
    "endswith",
    "exists",
    "fieldref",
    "gt",
    "gte",
    "hour",
    "i",
    "lt",
    "lte",
    "m",
    "minute",
    "month",
    "neq",
    "re",
    "s",
    "startswith",
    "utf16",
    "utf16be",
    "utf16le",
    "week",
    "wide",
    "windash",
    "year",
];

/// The products of a family, for `logsource: family`.
pub fn family(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "tidb" => Some(&["tidb", "pd", "tikv", "tiflash", "tiproxy", "ticdc"]),
        "milvus" => Some(&["milvus"]),
        _ => None,
    }
}

/// A column, or `fields.<key>`.
pub fn field(name: &str) -> Result<Field, String> {
    Field::parse(name).ok_or_else(|| {
        let near = hint(name, Column::ALL.iter().map(|c| c.name()));
        let near = if near.is_empty() { format!(": a key without a column is written `fields.{name}`") } else { near };
        format!("no column is named `{name}`{near}")
    })
}
