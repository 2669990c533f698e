//! The book of alerts: findings with one cause (same rule, cluster and subject) are one alert, and somebody is told of it once.
//!
//! Owns: which alert a finding belongs to, the states that people give, and when to tell. Holds the working set only (what is not closed, and what was
//! closed lately); the whole history lies in the server's state. The same findings again change nothing, so a replay after a restart tells nobody twice.

use std::collections::{BTreeMap, HashMap};

use event::{Alert, AlertState, Evidence, Finding, Micros, Severity, clock::HOUR, limits::EVIDENCE_MAX};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// An open alert whose cause was quiet for this long tells again when it comes back.
pub const QUIET_US: Micros = HOUR;
/// Alerts in the working set. Beyond it a finding gets no alert of its own (it stays a record of `self`); [`Book::refused`] counts them.
pub const ALERTS_MAX: usize = 50_000;

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// A new alert.
    New,
    /// A known one got more severe.
    Raised,
    /// A known one came back after [`QUIET_US`].
    Again,
    /// Somebody asked for a test.
    Test,
}

impl Reason {
    /// For a message.
    pub const fn words(self) -> &'static str {
        match self {
            Self::New => "it is new",
            Self::Raised => "it got more severe",
            Self::Again => "it came back after a quiet hour",
            Self::Test => "this is a test",
        }
    }
}

/// What one finding gave to its alert: a later revision replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    revision: u32,
    count: u64,
    severity: Severity,
    first_time: Micros,
    last_time: Micros,
    historical: bool,
    /// Merged into another finding, or refuted: counts for nothing.
    gone: bool,
}

/// An alert with what the book must remember of it: what is kept over a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// What people see.
    pub alert: Alert,
    /// By finding.
    pub parts: BTreeMap<String, Part>,
    /// The highest severity that somebody was told of.
    pub told: Option<Severity>,
}

/// What a finding changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The alert as it is now.
    pub kept: Kept,
    /// Tell somebody, and why.
    pub tell: Option<Reason>,
}

/// What a person says of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The new state.
    pub state: AlertState,
    /// Who says it.
    pub by: String,
    /// A note.
    pub note: Option<String>,
    /// Only with closed: true_positive, false_positive, benign.
    pub verdict: Option<String>,
}

/// The verdicts that a person can close with.
pub const VERDICTS: &[&str] = &["true_positive", "false_positive", "benign"];
/// A note has at most this many bytes.
pub const NOTE_BYTES_MAX: usize = 4_096;

/// Why what a person said was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    /// The working set has no such alert.
    #[error("changing alert {0}: there is no such alert; `bartizan alert list --state all` shows them")]
    Unknown(String),
    /// Not one of [`VERDICTS`].
    #[error("closing an alert with the verdict {0:?}: use true_positive, false_positive or benign")]
    Verdict(String),
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("changing an alert: the note is longer than {NOTE_BYTES_MAX} bytes; shorten it")]
    Note,
}

/// The working set.
#[derive(Debug, Default)]
pub struct Book {
    alerts: HashMap<String, Kept>,
    by_finding: HashMap<String, String>,
    by_cause: HashMap<String, String>,
    refused: u64,
}

impl Book {
    /// Takes back what was kept over a restart, in any order.
    pub fn restore(&mut self, kept: Kept) {
        for finding in kept.parts.keys() {
            self.by_finding.insert(finding.clone(), kept.alert.id.clone());
        }
        if kept.alert.state != AlertState::Closed {
            self.by_cause.insert(cause_of(&kept.alert), kept.alert.id.clone());
        }
        self.alerts.insert(kept.alert.id.clone(), kept);
    }

    /// Puts a finding into its alert, or makes one. None where nothing changed: this revision, or a later one, is known.
    pub fn take(&mut self, finding: &Finding, now: Micros) -> Option<Outcome> {
        let id = match self.by_finding.get(&finding.id) {
            Some(id) => id.clone(),
            None if finding.withdrawn || finding.merged_into.is_some() => return None,
            None => match self.by_cause.get(&cause(&finding.rule, finding.cluster.as_deref(), &finding.subject)) {
                Some(id) => id.clone(),
                None => return self.open(finding, now),
            },
        };
        let kept = self.alerts.get_mut(&id)?;
        if kept.parts.get(&finding.id).is_some_and(|p| p.revision >= finding.revision) {
            return None;
        }
        self.by_finding.insert(finding.id.clone(), id);
        let quiet_since = kept.alert.last_time;
        let is_new_part = !kept.parts.contains_key(&finding.id);
        kept.put(finding, now);
        let came_back = is_new_part && finding.first_time - quiet_since > QUIET_US;
        let tell = kept.tell(finding, came_back);
        if kept.alert.state == AlertState::Closed {
            self.by_cause.remove(&cause_of(&kept.alert));
        }
        Some(Outcome { kept: kept.clone(), tell })
    }

    fn open(&mut self, finding: &Finding, now: Micros) -> Option<Outcome> {
        if self.alerts.len() >= ALERTS_MAX {
            self.refused += 1;
            return None;
        }
        let mut kept = Kept { alert: first(finding, now), parts: BTreeMap::new(), told: None };
        kept.put(finding, now);
        let tell = kept.tell(finding, false);
        self.restore(kept.clone());
        Some(Outcome { kept, tell })
    }

    /// What a person says. Closing frees the cause: the next finding of it opens a new alert.
    pub fn say(&mut self, id: &str, said: Said, now: Micros) -> Result<Kept, SayError> {
        if let Some(verdict) = said.verdict.as_deref().filter(|v| !VERDICTS.contains(v)) {
            return Err(SayError::Verdict(verdict.to_owned()));
        }
        if said.note.as_ref().is_some_and(|n| n.len() > NOTE_BYTES_MAX) {
            return Err(SayError::Note);
        }
        let kept = self.alerts.get_mut(id).ok_or_else(|| SayError::Unknown(id.to_owned()))?;
        let alert = &mut kept.alert;
        (alert.state, alert.by, alert.note) = (said.state, Some(said.by), said.note);
        alert.verdict = said.verdict.filter(|_| said.state == AlertState::Closed);
        alert.revision += 1;
        alert.updated = now.max(alert.updated);
        let cause = cause_of(alert);
        if said.state == AlertState::Closed {
            if self.by_cause.get(&cause).is_some_and(|open| open == id) {
                self.by_cause.remove(&cause);
            }
        } else {
            self.by_cause.entry(cause).or_insert_with(|| id.to_owned());
        }
        Ok(kept.clone())
    }

    /// Lets go of what was closed before `before`: a late revision of its findings is then nobody's news.
    pub fn forget(&mut self, before: Micros) {
        self.alerts.retain(|_, k| k.alert.state != AlertState::Closed || k.alert.updated >= before);
        let alerts = &self.alerts;
        self.by_finding.retain(|_, id| alerts.contains_key(id));
    }

    /// One alert of the working set.
    pub fn get(&self, id: &str) -> Option<&Kept> {
        self.alerts.get(id)
    }
    /// Whether this revision of a finding, or a later one, is known.
    pub fn knows(&self, finding: &Finding) -> bool {
        let kept = self.by_finding.get(&finding.id).and_then(|id| self.alerts.get(id));
        kept.and_then(|k| k.parts.get(&finding.id)).is_some_and(|p| p.revision >= finding.revision)
    }
    /// Findings that got no alert because the working set is full.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

impl Kept {
    /// Replaces what this finding gave before and counts anew.
    fn put(&mut self, f: &Finding, now: Micros) {
        let gone = f.withdrawn || f.merged_into.is_some();
        self.parts.insert(
            f.id.clone(),
            Part {
                revision: f.revision,
                count: f.count,
                severity: f.severity,
                first_time: f.first_time,
                last_time: f.last_time,
                historical: f.historical,
                gone,
            },
        );
        let a = &mut self.alert;
        a.findings.insert(f.id.clone(), f.revision);
        if !gone {
            a.title.clone_from(&f.title);
            a.next.clone_from(&f.next);
            merge_evidence(&mut a.evidence, &f.evidence);
            for technique in &f.attack {
                if !a.attack.contains(technique) {
                    a.attack.push(technique.clone());
                }
            }
        }
        let live: Vec<&Part> = self.parts.values().filter(|p| !p.gone).collect();
        a.count = live.iter().map(|p| p.count).sum();
        a.severity = live.iter().map(|p| p.severity).max().unwrap_or(a.severity);
        a.first_time = live.iter().map(|p| p.first_time).min().unwrap_or(a.first_time);
        a.last_time = live.iter().map(|p| p.last_time).max().unwrap_or(a.last_time);
        a.historical = live.iter().all(|p| p.historical) && !live.is_empty();
        if live.is_empty() && a.state != AlertState::Closed {
            (a.state, a.by) = (AlertState::Closed, Some("bartizan".to_owned()));
            a.note = Some("what it rested on was taken back: late lines refuted it or it grew together with another episode".to_owned());
        }
        a.revision += 1;
        a.updated = now.max(a.updated);
    }

    /// Whether somebody hears of it. What comes from an import, or is closed, tells nobody.
    fn tell(&mut self, f: &Finding, came_back: bool) -> Option<Reason> {
        if f.historical || self.alert.state == AlertState::Closed || f.withdrawn || f.merged_into.is_some() {
            return None;
        }
        let reason = match self.told {
            None => Reason::New,
            Some(told) if self.alert.severity > told => Reason::Raised,
            Some(_) if came_back => Reason::Again,
            Some(_) => return None,
        };
        self.told = Some(self.alert.severity);
        Some(reason)
    }
}

fn first(f: &Finding, now: Micros) -> Alert {
    let cause = cause(&f.rule, f.cluster.as_deref(), &f.subject);
    let mut hash = Sha256::new();
    hash.update(cause.as_bytes());
    hash.update([0]);
    hash.update(f.id.as_bytes());
    let id = hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect();
    Alert {
        id,
        state: AlertState::Open,
        rule: f.rule.clone(),
        title: f.title.clone(),
        severity: f.severity,
        attack: Vec::new(),
        cluster: f.cluster.clone(),
        subject: f.subject.clone(),
        first_time: f.first_time,
        last_time: f.last_time,
        count: 0,
        findings: BTreeMap::new(),
        evidence: Vec::new(),
        next: f.next.clone(),
        by: None,
        note: None,
        verdict: None,
        revision: 0,
        historical: f.historical,
        created: now,
        updated: now,
    }
}

/// The key of a cause. Lengths stand before the texts, so no text can pass for another key.
fn cause(rule: &str, cluster: Option<&str>, subject: &BTreeMap<String, String>) -> String {
    let mut key = String::new();
    for part in [rule, cluster.unwrap_or("")].into_iter().chain(subject.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()])) {
        key.push_str(&part.len().to_string());
        key.push(':');
        key.push_str(part);
    }
    key
}

fn cause_of(alert: &Alert) -> String {
    cause(&alert.rule, alert.cluster.as_deref(), &alert.subject)
}

/// Adds lines that are new; of more than [`EVIDENCE_MAX`] the first ones stay and the last one is always the newest.
fn merge_evidence(have: &mut Vec<Evidence>, new: &[Evidence]) {
    for line in new.iter().filter(|l| !have.contains(l)).cloned().collect::<Vec<_>>() {
        if have.len() >= EVIDENCE_MAX {
            have.remove(EVIDENCE_MAX / 2);
        }
        have.push(line);
    }
}

#[cfg(test)]
mod tests;
