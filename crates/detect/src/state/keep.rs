//! What happens as time goes on: episodes are told again, closed and forgotten, groups make room.

use std::collections::HashMap;

use event::{Finding, Micros};

use super::{State, Stats, due};
use crate::{
    episode::Group,
    lanes,
    limits::{GROUPS_MAX, HITS_TOTAL_MAX, SWEEP_EVERY},
    report,
    rules::{Condition, RuleSet},
};

fn tag_of(key: &str) -> char {
    key.chars().next().unwrap_or('l')
}

impl State {
    /// Makes room in a rule's table before a new group, and in the largest table if all hits together are too many.
    pub(super) fn make_room(&mut self, rule: u32, key: &str) {
        let table = &self.tables[rule as usize];
        if table.len() >= GROUPS_MAX && !table.contains_key(key) {
            self.evict(rule as usize, GROUPS_MAX / 8);
        }
        if self.hits > HITS_TOTAL_MAX {
            self.hits = self.tables.iter().flat_map(HashMap::values).map(Group::len).sum();
            let size = |t: &HashMap<String, Group>| t.values().map(Group::len).sum::<usize>();
            let largest = (0..self.tables.len()).max_by_key(|t| size(&self.tables[*t])).filter(|_| self.hits > HITS_TOTAL_MAX);
            if let Some(largest) = largest {
                self.evict(largest, self.tables[largest].len() / 2);
                self.hits = self.tables.iter().flat_map(HashMap::values).map(Group::len).sum();
            }
        }
    }
    /// Takes out so many groups and one: without an episode first, then those that were touched least lately.
    fn evict(&mut self, rule: usize, groups: usize) {
        let table = &mut self.tables[rule];
        let rank = |g: &Group| (!g.episodes.is_empty(), g.touched);
        let mut ranks: Vec<(bool, u64)> = table.values().map(rank).collect();
        let (_, border, _) = ranks.select_nth_unstable(groups.min(table.len() - 1));
        let border = *border;
        let before = table.len();
        table.retain(|_, g| rank(g) > border);
        self.counted.evicted_groups += (before - table.len()) as u64;
        self.active.retain(|(r, k)| *r as usize != rule || self.tables[rule].contains_key(k));
    }
    /// The now by which a group is judged: the clock for live ones; for lagging ones the highest time of their own source, which may be live
    /// again by now.
    fn now_of(&self, key: &str, source: (u64, u64), clock: Option<Micros>) -> Option<Micros> {
        let high = |tag| self.lanes.high(tag, source);
        match tag_of(key) {
            'l' => clock.or_else(|| high('l')),
            'd' => high('d').max(high('l')),
            tag => high(tag),
        }
    }
    /// See [`crate::Engine::tick`].
    pub fn tick(&mut self, rules: &RuleSet, now: Micros, out: &mut Vec<Finding>) {
        self.listen('l', None, now, out, rules);
        self.pass(rules, Some(now), out);
    }
    /// Every so many events: forgets what is over.
    pub fn sweep_sometimes(&mut self, rules: &RuleSet, out: &mut Vec<Finding>) {
        if self.counted.events.is_multiple_of(SWEEP_EVERY) {
            self.pass(rules, None, out);
            self.sweep(rules);
        }
    }
    /// Tells what is due, closes what is over.
    fn pass(&mut self, rules: &RuleSet, clock: Option<Micros>, out: &mut Vec<Finding>) {
        for (index, key) in std::mem::take(&mut self.active) {
            let rule = &rules.rules[index as usize];
            let emits = self.emits(rules, index);
            let Some(source) = self.tables[index as usize].get(&key).map(|g| g.source) else { continue };
            let now = self.now_of(&key, source, clock);
            let Some(group) = self.tables[index as usize].get_mut(&key) else { continue };
            let Some(now) = now else {
                self.active.insert((index, key));
                continue;
            };
            let lane = lanes::lane(tag_of(&key));
            let mut closed = group.close(&rule.window, now);
            let Group { key: values, cluster, episodes, .. } = group;
            let stale = closed.iter_mut().filter(|e| e.told.stale).chain(episodes.iter_mut().filter(|e| due(e, now)));
            for episode in stale.filter(|_| emits) {
                out.push(report::finding(rule, values, cluster, episode, lane, now));
            }
            if !episodes.is_empty() {
                self.active.insert((index, key));
            }
        }
    }
    fn sweep(&mut self, rules: &RuleSet) {
        let mut tables = std::mem::take(&mut self.tables);
        for (table, rule) in tables.iter_mut().zip(&rules.rules) {
            if matches!(rule.window.condition, Condition::Absent(_)) {
                continue;
            }
            table.retain(|key, group| {
                let now = self.now_of(key, group.source, None);
                !now.is_some_and(|now| group.is_over(&rule.window, now))
            });
        }
        self.hits = tables.iter().flat_map(HashMap::values).map(Group::len).sum();
        self.tables = tables;
    }
    /// See [`crate::Engine::flush`].
    pub fn flush(&mut self, rules: &RuleSet, out: &mut Vec<Finding>) {
        for (index, key) in std::mem::take(&mut self.active) {
            let emits = self.emits(rules, index);
            let tag = tag_of(&key);
            if tag == 'l' {
                self.active.insert((index, key));
                continue;
            }
            let Some(mut group) = self.tables[index as usize].remove(&key) else { continue };
            let now = self.lanes.now(tag, &group.cluster).unwrap_or(group.newest);
            let Group { key: values, cluster, episodes, .. } = &mut group;
            for episode in episodes.iter_mut().filter(|e| e.told.stale && emits) {
                out.push(report::finding(&rules.rules[index as usize], values, cluster, episode, lanes::lane(tag), now));
            }
        }
        self.tables.iter_mut().for_each(|t| t.retain(|k, _| tag_of(k) == 'l'));
        self.dues.retain(|(tag, _), _| *tag == 'l');
        self.lanes.end(|tag| tag != 'l');
    }
    /// See [`crate::Engine::stats`].
    pub fn stats(&self) -> Stats {
        let groups = self.tables.iter().flat_map(|t| t.values());
        let (mut now, mut hits, mut episodes) = (0, 0, 0);
        for group in groups {
            now += 1;
            hits += group.len() as u64;
            episodes += group.episodes.len() as u64;
        }
        Stats { groups: now, hits, episodes, evicted_acts: self.acts.evicted, ..self.counted }
    }
}
