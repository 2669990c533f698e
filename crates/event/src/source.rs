//! What is known of a source: given by the operator or found when it was first read. Stored as a `self` record with a version (FORMAT §1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The definition of a source. Everything that a reader needs, beside the stored bytes, to derive the same columns again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDefinition {
    /// The database cluster, [`crate::id::is_cluster_name`].
    pub cluster: String,
    /// Which process wrote it: given, else the folder that the file lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The machine it was read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path or listener, as a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The family (tidb, milvus) or product that `--component` or the configuration names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The product that the first 64 KiB of the file voted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voted: Option<String>,
    /// The one line format that the operator says it has; none: each line tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The zone of times without one: IANA name or offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Formatter strings of a Milvus access log that is configured (else the built-in ones are tried).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_formats: Vec<String>,
    /// It was imported, not tailed: what is found in it is history (DESIGN §2.13).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// Labels of the operator.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}
