//! Later lines of an act that has counted. They never count again, but they may say who it was: a failing statement's first line has no
//! account, its second has. The finding then learns its subject and keeps its id, unless it stands for other acts too.

use std::collections::VecDeque;

use event::{Finding, Micros};
use serde::{Deserialize, Serialize};

use super::{Arrival, State, key_text, trace};
use crate::{
    episode::{Episode, Group, Trace},
    limits::OPEN_ACTS_MAX,
    report,
    rules::{Rule, RuleSet},
};

/// An act whose subject has a gap, and where it went.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OpenAct {
    rule: u32,
    act: u64,
    at: Micros,
    order: u64,
    /// Key of the group.
    key: String,
    trace: Trace,
}

/// The latest acts whose subject has a gap.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct OpenActs(VecDeque<OpenAct>);

impl OpenActs {
    /// Remembers where an act went, if its subject has a gap.
    pub fn remember(&mut self, rule: u32, arrival: &Arrival<'_>, key: &str, values: &[String], trace: &Trace) {
        let (at, order) = (arrival.time.at, arrival.time.order);
        self.keep(OpenAct { rule, act: arrival.act, at, order, key: key.to_owned(), trace: trace.clone() }, values);
    }
    fn keep(&mut self, open: OpenAct, values: &[String]) {
        if values.iter().any(String::is_empty) {
            if self.0.len() >= OPEN_ACTS_MAX {
                self.0.pop_front();
            }
            self.0.push_back(open);
        }
    }
    fn take(&mut self, rule: u32, act: u64) -> Option<OpenAct> {
        let at = self.0.iter().rposition(|o| (o.rule, o.act) == (rule, act))?;
        self.0.remove(at)
    }
    /// Its rules under other numbers; those that are gone are forgotten.
    pub fn renumber(&mut self, number: impl Fn(u32) -> Option<u32>) {
        self.0 = std::mem::take(&mut self.0).into_iter().filter_map(|o| Some(OpenAct { rule: number(o.rule)?, ..o })).collect();
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
        let Some(open) = self.open.take(index, arrival.act) else { return };
        let known = self.tables[index as usize].get(&open.key).map(|g| (union(&g.key, values), g.cluster.clone()));
        let Some((Some(union), cluster)) = known else {
            return self.open.0.push_back(open); // this line says nothing new; another may
        };
        let new = key_text(rule, arrival.origin, &union);
        let Some(mut moved) = self.leave(rule, index, &open) else { return };
        let line = trace(rule, arrival, None);
        moved.learn(arrival.time.at, arrival.time.order, line.clone());
        if moved.id.is_empty() {
            moved.id = report::id(&rule.id, &cluster, &union, &arrival.name);
        }
        self.open.keep(OpenAct { key: new.clone(), trace: open.trace.and(line), ..open }, &union);
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
    /// Takes an act out of the episode that it is in: the whole episode if it stands for nothing else, and the group with it.
    fn leave(&mut self, rule: &Rule, index: u32, open: &OpenAct) -> Option<Episode> {
        let table = &mut self.tables[index as usize];
        let group = table.get_mut(&open.key)?;
        let at = group.episodes.iter().position(|e| e.holds(open.at, rule.window.gap))?;
        if group.episodes[at].count > 1 {
            group.episodes[at].forget(&open.trace);
            return Some(Episode::of_one(open.at, open.order, open.trace.clone()));
        }
        let episode = group.episodes.remove(at);
        if group.episodes.is_empty() {
            table.remove(&open.key);
            self.active.remove(&(index, open.key.clone()));
        }
        Some(episode)
    }
}
