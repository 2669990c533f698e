//! An alert: what a person is told, made of findings with one cause (same rule, same subject). Kept over restarts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Evidence, Micros, Severity, clock::rfc3339_serde};

/// What a person has said of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Nobody has looked yet.
    Open,
    /// Somebody has it in hand.
    Acked,
    /// Done.
    Closed,
}

impl AlertState {
    /// The spelling everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acked => "acked",
            Self::Closed => "closed",
        }
    }
    /// Reads a spelling.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Acked, Self::Closed].into_iter().find(|s| s.as_str() == text)
    }
}

/// One cause, one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Short hex, stable: hash(rule, group key, first finding).
    pub id: String,
    /// open, acked, closed.
    pub state: AlertState,
    /// The rule of its findings.
    pub rule: String,
    /// The newest finding's sentence.
    pub title: String,
    /// The highest of its findings.
    pub severity: Severity,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// The database cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Whom and what it is about.
    #[serde(default)]
    pub subject: BTreeMap<String, String>,
    /// Event time of the earliest event.
    #[serde(with = "rfc3339_serde")]
    pub first_time: Micros,
    /// Event time of the latest event.
    #[serde(with = "rfc3339_serde")]
    pub last_time: Micros,
    /// Acts over all its findings.
    pub count: u64,
    /// Ids and revisions of its findings.
    #[serde(default)]
    pub findings: BTreeMap<String, u32>,
    /// The lines, first and last always.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// What to do next.
    pub next: String,
    /// Who acknowledged or closed it, when, and what they wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The note of the last change of state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the person who closed it found: true_positive, false_positive, benign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Counts the changes of this alert from 1. Notifications carry id and revision.
    #[serde(default)]
    pub revision: u32,
    /// All its findings come from an import: it has notified nobody.
    #[serde(default)]
    pub historical: bool,
    /// When the alert was made.
    #[serde(with = "rfc3339_serde")]
    pub created: Micros,
    /// When it last changed.
    #[serde(with = "rfc3339_serde")]
    pub updated: Micros,
}
