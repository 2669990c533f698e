//! The state as JSON and back. Groups are kept under their rule's id and shape: a rule that changed begins anew, the others go on.

use std::collections::{BTreeMap, HashMap};

use event::Micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{State, Stats, lines::OpenActs};
use crate::{
    acts::Acts,
    episode::Group,
    lanes::Lanes,
    report,
    rules::{Condition, Rule, RuleSet},
};

/// Raised when the shape of the state changes; another version is not read.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    order: u64,
    stats: Stats,
    lanes: Lanes,
    /// By rule id.
    acts: Vec<(String, u16, u64, Micros)>,
    /// By place in `ids`.
    open: OpenActs,
    ids: Vec<String>,
    tables: Vec<Table>,
}

#[derive(Serialize, Deserialize)]
struct Table {
    rule: String,
    shape: u64,
    groups: BTreeMap<String, Group>,
}

fn shape(rule: &Rule) -> u64 {
    report::hash64(&[&format!("{:?}", rule.window)])
}

impl State {
    /// See [`crate::Engine::snapshot`].
    pub fn snapshot(&self, rules: &RuleSet) -> event::Snapshot {
        let acts: Vec<((u32, u16, u64), Micros)> = self.acts.clone().into();
        let id = |rule: u32| rules.rules.get(rule as usize).map(|r| r.id.clone()).unwrap_or_default();
        let snapshot = Snapshot {
            version: VERSION,
            order: self.order,
            stats: self.counted,
            lanes: self.lanes.clone(),
            acts: acts.into_iter().map(|((rule, base, act), at)| (id(rule), base, act, at)).collect(),
            open: self.open.clone(),
            ids: rules.rules.iter().map(|r| r.id.clone()).collect(),
            tables: (self.tables.iter().zip(&rules.rules))
                .filter(|(table, _)| !table.is_empty())
                .map(|(table, rule)| Table {
                    rule: rule.id.clone(),
                    shape: shape(rule),
                    groups: table.iter().map(|(k, g)| (k.clone(), g.clone())).collect(),
                })
                .collect(),
        };
        event::derive::snapshot(&snapshot)
    }
    /// See [`crate::Engine::restore`].
    pub fn restore(&mut self, rules: &RuleSet, state: &Value) {
        let Ok(found) = Snapshot::deserialize(state) else { return };
        if found.version != VERSION {
            return;
        }
        let (only, shared) = (self.only, std::mem::take(&mut self.shared));
        *self = Self { only, shared, order: found.order, counted: found.stats, lanes: found.lanes, ..Self::new(rules.len()) };
        let number = |id: &str| rules.rules.iter().position(|r| r.id == id);
        let acts = found.acts.into_iter().filter_map(|(id, base, act, at)| Some(((number(&id)? as u32, base, act), at)));
        self.acts = Acts::from(acts.collect::<Vec<_>>());
        self.open = found.open;
        self.open.renumber(|old| found.ids.get(old as usize).and_then(|id| number(id)).map(|n| n as u32));
        for table in found.tables {
            let Some(rule) = number(&table.rule).filter(|r| shape(&rules.rules[*r]) == table.shape) else { continue };
            let listens = matches!(rules.rules[rule].window.condition, Condition::Absent(_));
            let with_episodes = table.groups.iter().filter(|(_, g)| !g.episodes.is_empty() && !listens);
            self.active.extend(with_episodes.map(|(key, _)| (rule as u32, key.clone())));
            self.tables[rule] = table.groups.into_iter().collect();
        }
        self.hits = self.tables.iter().flat_map(HashMap::values).map(Group::len).sum();
        self.schedule_all(rules);
    }
}
