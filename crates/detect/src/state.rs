//! What an engine remembers: groups by rule, acts, watermarks. Turns matches into hits and changed episodes into findings.

mod keep;
mod lines;
mod silence;
mod snapshot;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use event::{Event, Evidence, Finding, Micros, limits::LATE_US};
use serde::{Deserialize, Serialize};

use crate::{
    acts::Acts,
    engine::{Lane, Origin},
    episode::{Episode, Group, Hit, Trace},
    lanes::{self, Lanes},
    limits::{UPDATE_EVERY, VALUE_BYTES_MAX},
    matching::Cidr,
    report,
    rules::{Condition, Rule, RuleSet, SharedAddress},
    template::{Shown, value_of},
};

/// Between the parts of a group's key. A value that holds one is escaped.
const SEPARATOR: char = '\u{1f}';

/// What was counted and what had to make room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Events.
    pub events: u64,
    /// Matches of single rules.
    pub matches: u64,
    /// Matches that were another line of an act that had counted.
    pub same_act: u64,
    /// Events later than the bound behind their own source: they count, but what they could have joined may be gone.
    pub too_late: u64,
    /// Groups now.
    pub groups: u64,
    /// Hits that groups keep now.
    pub hits: u64,
    /// Episodes now.
    pub episodes: u64,
    /// Groups that made room.
    pub evicted_groups: u64,
    /// Hits that made room.
    pub evicted_hits: u64,
    /// Acts that made room.
    pub evicted_acts: u64,
}

/// The time of an event.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// When it enters windows.
    pub at: Micros,
    /// The lane's now.
    pub now: Micros,
    /// Order of arrival, from 1.
    pub order: u64,
}

/// An event that a rule matched, and what is made of it once for all rules.
pub struct Arrival<'a> {
    pub event: &'a Event<'a>,
    pub origin: &'a Origin<'a>,
    pub time: Time,
    pub name: String,
    pub act: u64,
    pub evidence: OnceCell<Evidence>,
}

/// When a group is looked at, its rule and key.
type Due = (Micros, u32, String);

/// See the module.
#[derive(Debug)]
pub struct State {
    order: u64,
    lanes: Lanes,
    acts: Acts,
    /// By rule.
    tables: Vec<HashMap<String, Group>>,
    /// Groups with episodes.
    active: BTreeSet<(u32, String)>,
    /// Acts whose subject has a gap.
    open: lines::OpenActs,
    /// Hits of all groups.
    hits: usize,
    /// By lane: when a group that listens for silence is looked at again.
    dues: BTreeMap<(char, String), BTreeSet<Due>>,
    counted: Stats,
    /// The one rule that makes findings, in its tests.
    pub only: Option<u32>,
    shared: Vec<Cidr>,
}

impl State {
    /// Without a past.
    pub fn new(rules: usize) -> Self {
        Self {
            order: 0,
            lanes: Lanes::default(),
            acts: Acts::default(),
            tables: vec![HashMap::new(); rules],
            active: BTreeSet::new(),
            open: lines::OpenActs::default(),
            hits: 0,
            dues: BTreeMap::new(),
            counted: Stats::default(),
            only: None,
            shared: Vec::new(),
        }
    }
    /// Declares shared addresses.
    pub fn share<'a>(&mut self, addresses: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
        for address in addresses {
            self.shared.push(Cidr::parse(address).ok_or_else(|| format!("`{address}` is no address and no range"))?);
        }
        Ok(())
    }
    /// An event comes: moves the watermarks, and with them what listens for silence.
    pub fn arrive(
        &mut self,
        rules: &RuleSet,
        at: Option<Micros>,
        trusted: bool,
        origin: &Origin<'_>,
        now: Micros,
        out: &mut Vec<Finding>,
    ) -> Time {
        self.order += 1;
        self.counted.events += 1;
        let tag = lanes::tag(origin.lane);
        let at = at.or_else(|| self.lanes.now(tag, origin.cluster)).unwrap_or(now);
        let late = self.lanes.observe(tag, origin.cluster, origin.source, at, trusted, self.order);
        self.counted.too_late += u64::from(late);
        let now = match origin.lane {
            Lane::Live => now,
            Lane::Lagging { .. } => self.lanes.now(tag, origin.cluster).unwrap_or(at),
        };
        // The live lane is listened to by the clock: an event that is just coming is no silence.
        if origin.lane != Lane::Live {
            self.listen(tag, Some(origin.cluster), now.saturating_sub(LATE_US), out, rules);
        }
        Time { at, now, order: self.order }
    }
    fn emits(&self, rules: &RuleSet, rule: u32) -> bool {
        self.only.map_or_else(|| rules.rules[rule as usize].generate, |only| only == rule)
    }
    /// A rule counts an event, as a match of its base at this position.
    pub fn count(&mut self, rules: &RuleSet, link: (u32, u16), arrival: &Arrival<'_>, out: &mut Vec<Finding>) {
        self.counted.matches += 1;
        self.count_at(rules, link, arrival, arrival.time.at, None, out);
    }
    fn count_at(
        &mut self,
        rules: &RuleSet,
        link: (u32, u16),
        arrival: &Arrival<'_>,
        at: Micros,
        proof: Option<&[Evidence]>,
        out: &mut Vec<Finding>,
    ) {
        let (index, base) = link;
        let rule = &rules.rules[index as usize];
        let parents = &rules.parents[index as usize];
        let emits = self.emits(rules, index);
        if !emits && parents.is_empty() {
            return;
        }
        let Some((key, values)) = self.key(rule, base, arrival) else { return };
        let Some((value, amount)) = counted_value(rule, base, arrival.event) else { return };
        let own = at == arrival.time.at;
        if own && !self.acts.first((index, rule.act_base(base), arrival.act), at) {
            self.counted.same_act += 1;
            if rule.window.partial_key {
                self.another_line(rules, index, &values, arrival, out);
            }
            return;
        }
        let trace = Box::new(trace(rule, arrival, proof));
        if rule.window.partial_key {
            self.open.remember(index, arrival, &key, &values, &trace);
        }
        self.make_room(index, &key);
        let group = self.tables[index as usize].entry(key.clone()).or_default();
        if group.touched == 0 {
            (group.key, group.cluster) = (values, arrival.origin.cluster.to_owned());
        }
        group.source = lanes::halves(arrival.origin.source);
        let hit = Hit { at, order: arrival.time.order, base, value, amount, acts: 1, member: false, trace: Some(trace) };
        if let Condition::Absent(least) = rule.window.condition {
            return self.hear(rules, index, least, key, hit, arrival, out);
        }
        let before = group.len();
        let added = group.add(&rule.window, hit);
        self.hits = self.hits + group.len() - before;
        self.counted.evicted_hits += added.evicted;
        let Some(episode) = added.episode else { return };
        let Group { key: values, cluster, episodes, .. } = group;
        if added.created {
            episodes[episode].id = report::id(&rule.id, cluster, values, &arrival.name);
        }
        if emits {
            let lane = arrival.origin.lane;
            for mut merged in added.merged {
                let mut finding = report::finding(rule, values, cluster, &mut merged, lane, arrival.time.now);
                finding.merged_into = Some(episodes[episode].id.clone());
                out.push(finding);
            }
            if added.created || due(&episodes[episode], arrival.time.now) {
                out.push(report::finding(rule, values, cluster, &mut episodes[episode], lane, arrival.time.now));
            }
        }
        let proof: Vec<Evidence> = if parents.is_empty() { Vec::new() } else { proof_of(&episodes[episode], added.created) };
        self.active.insert((index, key));
        for parent in parents {
            for at in &added.fired {
                self.count_at(rules, *parent, arrival, *at, Some(&proof), out);
            }
        }
    }
    /// The key of the group that an event belongs to; none where a column of it is missing, or where the rule does not count its address.
    fn key(&self, rule: &Rule, base: u16, arrival: &Arrival<'_>) -> Option<(String, Vec<String>)> {
        let window = &rule.window;
        let mut values = Vec::with_capacity(window.key.len());
        let mut shared = false;
        for field in &window.key {
            let read = field.by_base.get(base as usize)?;
            let value = value_of(arrival.event, read);
            if value.is_empty() && !window.partial_key {
                return None;
            }
            shared |= field.name == "src_ip" && self.shared.iter().any(|c| c.contains(&value));
            values.push(value);
        }
        match window.shared {
            SharedAddress::Skip if shared => return None,
            SharedAddress::Split if shared => {
                values.push(arrival.event.user.as_deref().unwrap_or_default().to_owned());
                values.push(arrival.event.client.as_deref().unwrap_or_default().to_owned());
            }
            _ => {}
        }
        Some((key_text(rule, arrival.origin, &values), values))
    }
}

/// The key of a group: lane, cluster, values.
fn key_text(rule: &Rule, origin: &Origin<'_>, values: &[String]) -> String {
    let mut key = format!("{}{SEPARATOR}{}", group_tag(rule, origin.lane), origin.cluster);
    for value in values {
        key.push(SEPARATOR);
        key.extend(value.chars().map(|c| if c == SEPARATOR { '\u{241f}' } else { c }));
    }
    key
}

/// Silence is judged across the live and the delayed lane: what comes late was not silent.
fn group_tag(rule: &Rule, lane: Lane) -> char {
    match lanes::tag(lane) {
        'd' if matches!(rule.window.condition, Condition::Absent(_)) => 'l',
        tag => tag,
    }
}

/// Whether an episode that grew is told again: its count has doubled, or a minute has passed, or a tenth of its age.
fn due(episode: &Episode, now: Micros) -> bool {
    let wait = UPDATE_EVERY.max(now.saturating_sub(episode.first) / 10);
    episode.told.stale && (episode.count >= 2 * episode.told.count || now.saturating_sub(episode.told.at) >= wait)
}

/// What a correlation that stands on another takes as evidence: all of the episode at first, then its last line.
fn proof_of(episode: &Episode, created: bool) -> Vec<Evidence> {
    let from = if created { 0 } else { episode.evidence.len().saturating_sub(1) };
    episode.evidence[from..].iter().map(|(_, _, e)| e.clone()).collect()
}

/// The hash of the value that is counted by difference, and what is added up; none where it is missing.
fn counted_value(rule: &Rule, base: u16, event: &Event<'_>) -> Option<(u64, i64)> {
    match &rule.window.condition {
        Condition::Distinct(_, fields) => {
            let values: Vec<String> = fields.get(base as usize)?.iter().map(|f| value_of(event, f)).collect();
            let known = !values.iter().all(String::is_empty);
            known.then(|| (report::hash64(&values.iter().map(String::as_str).collect::<Vec<_>>()), 0))
        }
        Condition::Sum(_, fields) => {
            let amount = value_of(event, fields.get(base as usize)?).parse::<i64>().ok().filter(|n| *n > 0)?;
            Some((0, amount))
        }
        _ => Some((0, 0)),
    }
}

fn trace(rule: &Rule, arrival: &Arrival<'_>, proof: Option<&[Evidence]>) -> Trace {
    let shown = rule.shown.iter().map(|field| {
        let mut shown = Shown::default();
        shown.add(&value_of(arrival.event, field));
        shown
    });
    let own = || vec![arrival.evidence.get_or_init(|| report::shortened((arrival.origin.evidence)())).clone()];
    Trace { evidence: proof.map_or_else(own, <[Evidence]>::to_vec), shown: shown.collect() }
}

impl Rule {
    /// Bases that a correlation tells apart count an act each; else an act counts once for all.
    fn act_base(&self, base: u16) -> u16 {
        if matches!(self.window.condition, Condition::Temporal(_) | Condition::Ordered(_)) { base } else { 0 }
    }
}

const _: () = assert!(VALUE_BYTES_MAX <= 1 << 10, "keys stay small");
