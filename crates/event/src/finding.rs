//! A finding: what a rule, a correlation, a baseline or a control saw. An episode with an id that stays (DESIGN §2.14, §4).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Micros, clock::rfc3339_serde};

/// How much it matters. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth keeping, never worth a look by itself.
    Info,
    /// Worth a look in a review.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Somebody must act now.
    Critical,
}

impl Severity {
    /// All, rising.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The spelling everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
    /// Reads a spelling; Sigma's `informational` is `info`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "informational" { Some(Self::Info) } else { Self::ALL.into_iter().find(|s| s.as_str() == text) }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of logic made a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// One event matched a rule.
    Rule,
    /// Several events matched a correlation.
    Correlation,
    /// Something left its usual range.
    Baseline,
    /// A setting of a database is unsafe or unlogged.
    Control,
    /// A metric crossed a line.
    Metric,
}

/// One line that made a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Evidence {
    /// A record of a store; its text is joined when shown.
    Stored {
        /// The log.
        log: String,
        /// The record in it.
        seq: u64,
    },
    /// A line of a file that was read without a store.
    File {
        /// The file as it was named.
        file: String,
        /// Where the record begins.
        offset: u64,
        /// The redacted line.
        raw: String,
    },
}

/// An episode that a rule saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// hash(rule, subject, first event in order of arrival): stays when late events widen the episode.
    pub id: String,
    /// Counts the updates of this id from 1.
    pub revision: u32,
    /// When this revision was made.
    #[serde(with = "rfc3339_serde")]
    pub time: Micros,
    /// What logic made it.
    pub kind: FindingKind,
    /// The id of the rule.
    pub rule: String,
    /// A sentence in plain words with the subject in it.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// Whom and what it is about: user, src_ip, object, instance, ...
    #[serde(default)]
    pub subject: BTreeMap<String, String>,
    /// The database cluster, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Event time of the earliest event.
    #[serde(with = "rfc3339_serde")]
    pub first_time: Micros,
    /// Event time of the latest event.
    #[serde(with = "rfc3339_serde")]
    pub last_time: Micros,
    /// Acts in the episode.
    pub count: u64,
    /// Acts that matched but made no revision of their own.
    #[serde(default)]
    pub suppressed: u64,
    /// Weight for ranking, 0-100.
    pub score: u32,
    /// The lines that made it: at most [`crate::limits::EVIDENCE_MAX`], first and last always.
    pub evidence: Vec<Evidence>,
    /// What the analyst does next.
    pub next: String,
    /// Found in a lane that lags behind.
    #[serde(default)]
    pub delayed: bool,
    /// Found by an import: notifies nobody unless asked to.
    #[serde(default)]
    pub historical: bool,
    /// The older episode that this one grew into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// A fired absence that a late event refuted.
    #[serde(default)]
    pub withdrawn: bool,
}
