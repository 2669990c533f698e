//! Rules that wait for what does not happen: the lane's clock finds the silence, the next event ends it, a late one refutes it.

use event::{Finding, Micros};

use super::{Arrival, State};
use crate::{
    episode::{Group, Heard, Hit},
    lanes, report,
    rules::{Condition, RuleSet},
};

/// The lane of a group's key, and its cluster.
fn lane_of(key: &str) -> (char, String) {
    let mut parts = key.split(super::SEPARATOR);
    let tag = parts.next().and_then(|t| t.chars().next()).unwrap_or('l');
    (tag, parts.next().unwrap_or_default().to_owned())
}

impl State {
    /// Looks again at a group when its silence would begin.
    fn schedule(&mut self, rules: &RuleSet, rule: u32, key: &str) {
        let Condition::Absent(least) = rules.rules[rule as usize].window.condition else { return };
        let Some(group) = self.tables[rule as usize].get_mut(key) else { return };
        let Some(due) = group.due(&rules.rules[rule as usize].window, least) else { return };
        if group.scheduled || !group.episodes.is_empty() {
            return;
        }
        group.scheduled = true;
        self.dues.entry(lane_of(key)).or_default().insert((due, rule, key.to_owned()));
    }
    /// After a restart every group that listens is looked at.
    pub(super) fn schedule_all(&mut self, rules: &RuleSet) {
        for rule in 0..rules.rules.len() {
            let mut keys: Vec<String> = self.tables[rule].keys().cloned().collect();
            keys.sort();
            for key in keys {
                if let Some(group) = self.tables[rule].get_mut(&key) {
                    group.scheduled = false;
                }
                self.schedule(rules, rule as u32, &key);
            }
        }
    }
    /// An act comes to a group that listens.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn hear(
        &mut self,
        rules: &RuleSet,
        index: u32,
        least: u64,
        key: String,
        hit: Hit,
        arrival: &Arrival<'_>,
        out: &mut Vec<Finding>,
    ) {
        let rule = &rules.rules[index as usize];
        let emits = self.emits(rules, index);
        let Some(group) = self.tables[index as usize].get_mut(&key) else { return };
        let before = std::mem::replace(&mut group.name, arrival.name.clone());
        let heard = group.hear(&rule.window, least, hit);
        let over = heard == Heard::Refuted || group.is_heard_again(&rule.window, least);
        let Group { key: values, cluster, episodes, .. } = group;
        if let Some(episode) = episodes.last_mut().filter(|_| heard != Heard::Nothing) {
            if episode.id.is_empty() {
                episode.id = report::id(&rule.id, cluster, values, &before);
            }
            if emits {
                let mut finding = report::finding(rule, values, cluster, episode, arrival.origin.lane, arrival.time.now);
                finding.withdrawn = heard == Heard::Refuted;
                out.push(finding);
            }
        }
        if over {
            episodes.clear();
        }
        self.schedule(rules, index, &key);
    }
    /// The clock of a lane moves to `now`: of one cluster, or of all.
    pub(super) fn listen(&mut self, tag: char, cluster: Option<&str>, now: Micros, out: &mut Vec<Finding>, rules: &RuleSet) {
        let of = |(t, c): &(char, String)| *t == tag && cluster.is_none_or(|cluster| c == cluster);
        let mut due = Vec::new();
        for (_, list) in self.dues.iter_mut().filter(|(lane, _)| of(lane)) {
            while list.first().is_some_and(|(at, ..)| *at <= now) {
                due.extend(list.pop_first());
            }
        }
        // In an order that does not depend on when a group was looked at before.
        due.sort_by(|(_, a, k), (_, b, l)| (a, k).cmp(&(b, l)));
        for (_, index, key) in due {
            let rule = &rules.rules[index as usize];
            let Condition::Absent(least) = rule.window.condition else { continue };
            let emits = self.emits(rules, index);
            let Some(group) = self.tables[index as usize].get_mut(&key) else { continue };
            group.scheduled = false;
            if group.silent(&rule.window, least, now) {
                let Group { key: values, cluster, episodes, name, .. } = group;
                if let Some(episode) = episodes.last_mut() {
                    episode.id = report::id(&rule.id, cluster, values, name);
                    if emits {
                        out.push(report::finding(rule, values, cluster, episode, lanes::lane(tag), now));
                    }
                }
            }
            self.schedule(rules, index, &key);
        }
    }
}
