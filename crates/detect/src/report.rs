//! An episode as a finding: title, subject, evidence, score.

use std::collections::BTreeMap;

use event::{Evidence, Finding, Micros, Severity};
use sha2::{Digest, Sha256};

use crate::{
    engine::Lane,
    episode::Episode,
    limits::EVIDENCE_RAW_MAX,
    rules::{Condition, Rule},
};

/// A text hash that never changes: ids and snapshots rest on it.
pub fn hash(parts: &[&str]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part.as_bytes());
    }
    sha.finalize().into()
}

/// The first eight bytes of [`hash`].
pub fn hash64(parts: &[&str]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash(parts)[..8]);
    u64::from_le_bytes(first)
}

/// The id of a finding: rule, subject, the event that made the condition true.
pub fn id(rule: &str, cluster: &str, key: &[String], event: &str) -> String {
    let mut parts = vec![rule, cluster, event];
    parts.extend(key.iter().map(String::as_str));
    hash(&parts)[..12].iter().map(|b| format!("{b:02x}")).collect()
}

fn base(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 5,
        Severity::Low => 25,
        Severity::Medium => 50,
        Severity::High => 75,
        Severity::Critical => 95,
    }
}

/// Severity first, then how far beyond the threshold: one point for every doubling.
fn score(rule: &Rule, episode: &Episode) -> u32 {
    let least = match rule.window.condition {
        Condition::Events(n) => n,
        _ => 1,
    };
    (base(rule.severity) + (episode.count / least.max(1)).max(1).ilog2().min(10)).min(100)
}

fn subject(rule: &Rule, key: &[String], episode: &Episode) -> BTreeMap<String, String> {
    let names = rule.window.key.iter().map(|k| k.name.as_str()).chain(["user", "client"]);
    let key = names.zip(key).map(|(n, v)| (n.to_owned(), v.clone()));
    let beside = rule.subject.iter().map(|i| (rule.shown[*i].name(), episode.shown.get(*i).map(|s| s.text()).unwrap_or_default()));
    key.chain(beside).filter(|(_, v)| !v.is_empty()).collect()
}

fn title(rule: &Rule, episode: &Episode, subject: &BTreeMap<String, String>) -> String {
    let text = rule.headline.render(&episode.shown, episode.count, episode.distinct.len());
    if rule.headline.names_column() || subject.is_empty() {
        return text;
    }
    let about: Vec<String> = subject.iter().map(|(k, v)| format!("{k} {v}")).collect();
    format!("{text} ({})", about.join(", "))
}

/// Evidence that carries its line, cut to a bounded length.
pub fn shortened(evidence: Evidence) -> Evidence {
    match evidence {
        Evidence::File { file, offset, raw } if raw.len() > EVIDENCE_RAW_MAX => {
            let mut end = EVIDENCE_RAW_MAX;
            while !raw.is_char_boundary(end) {
                end -= 1;
            }
            Evidence::File { file, offset, raw: raw[..end].to_owned() }
        }
        other => other,
    }
}

/// The next revision of an episode.
pub fn finding(rule: &Rule, key: &[String], cluster: &str, episode: &mut Episode, lane: Lane, now: Micros) -> Finding {
    let told = &mut episode.told;
    (told.revision, told.count, told.at, told.stale) = (told.revision + 1, episode.count, now, false);
    let subject = subject(rule, key, episode);
    Finding {
        id: episode.id.clone(),
        revision: episode.told.revision,
        time: now,
        kind: rule.kind,
        rule: rule.id.clone(),
        title: title(rule, episode, &subject),
        severity: rule.severity,
        attack: rule.attack.clone(),
        subject,
        cluster: (!cluster.is_empty()).then(|| cluster.to_owned()),
        first_time: episode.first,
        last_time: episode.last,
        count: episode.count,
        suppressed: episode.count.saturating_sub(u64::from(episode.told.revision)),
        score: score(rule, episode),
        evidence: episode.evidence.iter().map(|(_, _, e)| e.clone()).collect(),
        next: rule.next.render(&episode.shown, episode.count, episode.distinct.len()),
        delayed: matches!(lane, Lane::Lagging { historical: false }),
        historical: matches!(lane, Lane::Lagging { historical: true }),
        merged_into: None,
        withdrawn: false,
    }
}
