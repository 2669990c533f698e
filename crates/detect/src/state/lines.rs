//! Later lines of an act that has counted. They never count again, but they may say who it was: a failing statement's first line has no
//! account, its second has. The finding then learns its subject and keeps its id.

use std::collections::VecDeque;

use event::Finding;
use serde::{Deserialize, Serialize};

use super::{Arrival, State, key_text, trace};
use crate::{
    episode::{Episode, Group},
    limits::OPEN_ACTS_MAX,
    report,
    rules::RuleSet,
};

/// Where the latest acts went whose subject has a gap: rule, act, key of the group.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct OpenActs(VecDeque<(u32, u64, String)>);

impl OpenActs {
    /// Remembers where an act went, if its subject has a gap.
    pub fn remember(&mut self, rule: u32, act: u64, key: &str, values: &[String]) {
        if values.iter().any(String::is_empty) {
            if self.0.len() >= OPEN_ACTS_MAX {
                self.0.pop_front();
            }
            self.0.push_back((rule, act, key.to_owned()));
        }
    }
    fn find(&mut self, rule: u32, act: u64) -> Option<&mut String> {
        self.0.iter_mut().rev().find(|(r, a, _)| (*r, *a) == (rule, act)).map(|(_, _, key)| key)
    }
    /// Its rules under other numbers; those that are gone are forgotten.
    pub fn renumber(&mut self, number: impl Fn(u32) -> Option<u32>) {
        self.0 = std::mem::take(&mut self.0).into_iter().filter_map(|(r, a, k)| Some((number(r)?, a, k))).collect();
    }
}

/// Both subjects as one, if they do not contradict and the second fills a gap of the first.
fn union(known: &[String], new: &[String]) -> Option<Vec<String>> {
    let fits = known.len() == new.len() && known.iter().zip(new).all(|(k, n)| k.is_empty() || n.is_empty() || k == n);
    let fills = known.iter().zip(new).any(|(k, n)| k.is_empty() && !n.is_empty());
    (fits && fills).then(|| known.iter().zip(new).map(|(k, n)| if k.is_empty() { n.clone() } else { k.clone() }).collect())
}

impl State {
    /// Another line of an act that a rule of single events has counted.
    pub(super) fn another_line(&mut self, rules: &RuleSet, index: u32, values: &[String], arrival: &Arrival<'_>, out: &mut Vec<Finding>) {
        let (rule, emits) = (&rules.rules[index as usize], self.emits(rules, index));
        let Some(old) = self.open.find(index, arrival.act).cloned() else { return };
        let Some(group) = self.tables[index as usize].get_mut(&old) else { return };
        let Some(union) = union(&group.key, values) else { return };
        let Some(episode) = group.episodes.iter_mut().find(|e| e.count == 1 && e.holds(arrival.time.at, rule.window.gap)) else {
            // Several acts without a name stand together: this one's cannot be told from theirs, but its values can be shown.
            if let Some(episode) = group.episodes.iter_mut().find(|e| e.holds(arrival.time.at, rule.window.gap)) {
                episode.learn(arrival.time.at, arrival.time.order, trace(rule, arrival, None));
            }
            return;
        };
        episode.learn(arrival.time.at, arrival.time.order, trace(rule, arrival, None));
        let (id, cluster) = (episode.id.clone(), group.cluster.clone());
        let new = key_text(rule, arrival.origin, &union);
        if let Some(open) = self.open.find(index, arrival.act) {
            open.clone_from(&new);
        }
        let Some(moved) = self.split(index, &old, &id) else { return };
        let group = self.tables[index as usize].entry(new.clone()).or_insert_with(|| Group::new(union, cluster));
        let (at, merged) = group.adopt(&rule.window, moved, arrival.time.order);
        let Group { key: values, cluster, episodes, .. } = group;
        if emits {
            let (lane, now) = (arrival.origin.lane, arrival.time.now);
            for mut other in merged {
                let mut finding = report::finding(rule, values, cluster, &mut other, lane, now);
                finding.merged_into = Some(episodes[at].id.clone());
                out.push(finding);
            }
            out.push(report::finding(rule, values, cluster, &mut episodes[at], lane, now));
        }
        self.active.insert((index, new));
    }
    /// Takes an episode out of its group, and the group out of the table if nothing is left.
    fn split(&mut self, index: u32, key: &str, id: &str) -> Option<Episode> {
        let table = &mut self.tables[index as usize];
        let group = table.get_mut(key)?;
        let at = group.episodes.iter().position(|e| e.id == id)?;
        let episode = group.episodes.remove(at);
        if group.episodes.is_empty() {
            table.remove(key);
            self.active.remove(&(index, key.to_owned()));
        }
        Some(episode)
    }
}
