//! Many rules, few candidates: a rule is looked at only if the record holds a text without which the rule cannot match.
//!
//! For every rule one set of such texts ("witnesses") is chosen, the rarest that its condition offers: a field's whole value in a hash
//! table, or a part of a value in an automaton. Rules without any (only negations, numbers, regular expressions) are always looked at.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use event::Field;
use rsigma_parser::{Detections, LogSource};

use super::{
    Record, Scratch,
    compile::{Compiler, FieldNames},
    node::{Item, Node, Slot, Test, View},
};

/// A part of a value shorter than this is in too many values to be a witness.
const PART_MIN: usize = 3;
/// A set of more witnesses than this costs more than it saves.
const WITNESSES_MAX: usize = 512;

/// Patterns of fewer bytes than this together are worth a full automaton, which is faster and larger.
const DENSE_BYTES: usize = 16 << 10;

/// How a witness shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// The value is this text.
    Whole,
    /// The text is a part of the value.
    Part,
    /// There is a value. The text is empty.
    Present,
}

/// What must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Witness {
    slot: u16,
    text: String,
    kind: Kind,
}

/// Compiles rules and then their index.
pub struct MatcherBuilder {
    compiler: Compiler,
    rules: Vec<Node>,
}

impl MatcherBuilder {
    /// Fields are read by `names`.
    pub fn new(names: FieldNames) -> Self {
        Self { compiler: Compiler::new(names), rules: Vec::new() }
    }
    /// Adds a rule, all of whose detections must fit (its own and those of filters); its number counts from 0 in the order of adding.
    /// Without `source` it is for every log source.
    pub fn add(&mut self, source: Option<&LogSource>, detections: &[&Detections]) -> Result<u32, String> {
        let source = source.cloned().unwrap_or_default();
        let node = self.compiler.rule(&source, detections)?;
        self.rules.push(node);
        Ok(self.rules.len() as u32 - 1)
    }
    /// Builds the index.
    pub fn build(self) -> Result<Matcher, String> {
        let choices: Vec<Vec<Vec<Witness>>> = self.rules.iter().map(choices).collect();
        let mut popular: HashMap<&Witness, u32> = HashMap::new();
        choices.iter().flatten().flatten().for_each(|w| *popular.entry(w).or_default() += 1);
        let cost = |set: &[Witness]| -> f64 {
            let one = |w: &Witness| {
                let shared = f64::from(popular.get(w).copied().unwrap_or(1));
                match w.kind {
                    Kind::Whole => shared,
                    Kind::Part => shared * 4.0 / w.text.len() as f64,
                    Kind::Present => 1e6,
                }
            };
            set.iter().map(one).sum::<f64>() / set.len().max(1) as f64 + set.len() as f64 * 0.01
        };
        let mut index = Index::default();
        let mut tables = vec![Table::default(); self.compiler.slots.len()];
        for (rule, sets) in choices.iter().enumerate() {
            let Some(best) = sets.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))) else {
                index.always.push(rule as u32);
                continue;
            };
            for w in best {
                let table = &mut tables[w.slot as usize];
                match w.kind {
                    Kind::Whole => table.whole.entry(w.text.clone()).or_default().push(rule as u32),
                    Kind::Part => table.parts.entry(w.text.clone()).or_default().push(rule as u32),
                    Kind::Present => table.present.push(rule as u32),
                }
            }
        }
        for (slot, table) in tables.into_iter().enumerate() {
            index.add(slot, &self.compiler.slots[slot], table)?;
        }
        let issues: Vec<bool> = self.rules.iter().map(|r| asks_issues(r, &self.compiler.slots)).collect();
        Ok(Matcher { slots: self.compiler.slots, rules: self.rules, index, issues })
    }
}

fn asks_issues(rule: &Node, slots: &[Slot]) -> bool {
    let mut asks = false;
    rule.each_slot(&mut |s| asks |= slots.get(s as usize) == Some(&Slot::Field(Field::Column(event::field::Column::Issues))));
    asks
}

/// Every set of witnesses that a node offers: a record that fits holds at least one of each set.
fn choices(node: &Node) -> Vec<Vec<Witness>> {
    match node {
        Node::All(nodes) => nodes.iter().flat_map(choices).collect(),
        Node::Named(node) => choices(node),
        Node::Any(nodes) | Node::AtLeast(_, nodes) => {
            let mut union = Vec::new();
            for node in nodes {
                let Some(best) = choices(node).into_iter().min_by_key(|set| (set.iter().map(|w| w.kind as u8).max(), set.len())) else {
                    return Vec::new();
                };
                union.extend(best);
            }
            if matches!(node, Node::AtLeast(0, _)) { Vec::new() } else { bounded(union) }
        }
        Node::Not(_) => Vec::new(),
        Node::Item(item) if item.negated => Vec::new(),
        Node::Item(item) => item.groups.iter().filter_map(|g| of_group(item, g)).flat_map(bounded).collect(),
    }
}

fn bounded(set: Vec<Witness>) -> Vec<Vec<Witness>> {
    if set.is_empty() || set.len() > WITNESSES_MAX { Vec::new() } else { vec![set] }
}

fn of_group(item: &Item, group: &[Test]) -> Option<Vec<Witness>> {
    let present = Witness { slot: item.slot, text: String::new(), kind: Kind::Present };
    let witness = |text: &str, whole: bool| {
        let text = super::pattern::lower(text);
        match (whole, text.len() >= PART_MIN) {
            (true, _) => Witness { slot: item.slot, text, kind: Kind::Whole },
            (false, true) => Witness { slot: item.slot, text, kind: Kind::Part },
            (false, false) => present.clone(),
        }
    };
    let mut set = Vec::new();
    for test in group {
        match test {
            Test::Lower(p) | Test::Cased(p) => set.push(p.literal().map_or_else(|| present.clone(), |(text, whole)| witness(text, whole))),
            Test::OneOf(texts) => set.extend(texts.iter().map(|t| witness(t, true))),
            Test::Holds(_, texts) => set.extend(texts.iter().map(|t| witness(t, false))),
            Test::Regex(_) | Test::Cidr(_) | Test::Compare(..) | Test::Part(..) | Test::Other(..) => set.push(present.clone()),
            Test::Null | Test::Exists(_) => return None,
        }
    }
    if set.contains(&present) {
        set = vec![present];
    }
    Some(set)
}

/// Witnesses of one slot, while they are collected.
#[derive(Debug, Default, Clone)]
struct Table {
    whole: HashMap<String, Vec<u32>>,
    parts: HashMap<String, Vec<u32>>,
    present: Vec<u32>,
}

/// Witnesses of one slot.
#[derive(Debug)]
struct Entry {
    slot: usize,
    whole: HashMap<String, Vec<u32>>,
    parts: Option<Parts>,
    present: Vec<u32>,
}

#[derive(Debug, Default)]
struct Index {
    /// Slots that are looked at in every record: columns, keywords, dotted names.
    fixed: Vec<Entry>,
    /// Slots of plain keys, looked at where the record has the key.
    keys: HashMap<String, Entry>,
    always: Vec<u32>,
}

impl Index {
    fn add(&mut self, slot: usize, source: &Slot, table: Table) -> Result<(), String> {
        if table.whole.is_empty() && table.parts.is_empty() && table.present.is_empty() {
            return Ok(());
        }
        let entry = Entry { slot, whole: table.whole, parts: Parts::build(table.parts)?, present: table.present };
        match source {
            Slot::Field(Field::Key(key)) if !key.contains('.') => _ = self.keys.insert(key.clone(), entry),
            _ => self.fixed.push(entry),
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Parts {
    automaton: AhoCorasick,
    rules: Vec<Vec<u32>>,
}

impl Parts {
    fn build(table: HashMap<String, Vec<u32>>) -> Result<Option<Self>, String> {
        if table.is_empty() {
            return Ok(None);
        }
        let (texts, rules): (Vec<String>, Vec<Vec<u32>>) = table.into_iter().unzip();
        let dense = texts.iter().map(String::len).sum::<usize>() <= DENSE_BYTES;
        let kind = dense.then_some(AhoCorasickKind::DFA);
        let built = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(kind).build(&texts);
        built.map(|automaton| Some(Self { automaton, rules })).map_err(|e| e.to_string())
    }
}

impl Entry {
    fn look(&self, source: &Slot, record: &dyn Record, scratch: &mut Scratch) {
        scratch.each_lower(self.slot, source, record, |text, marks| {
            self.present.iter().for_each(|rule| marks.add(*rule));
            self.whole.get(text).into_iter().flatten().for_each(|rule| marks.add(*rule));
            let hits =
                self.parts.iter().flat_map(|p| p.automaton.find_overlapping_iter(text).map(|hit| &p.rules[hit.pattern().as_usize()]));
            hits.flatten().for_each(|rule| marks.add(*rule));
        });
    }
}

/// Compiled rules with their index.
#[derive(Debug, Default)]
pub struct Matcher {
    slots: Vec<Slot>,
    rules: Vec<Node>,
    index: Index,
    issues: Vec<bool>,
}

impl Matcher {
    /// Numbers of the rules that the record fits, rising, into `out`. With `marked_only` only rules that ask for `issues`.
    pub fn matches(&self, record: &dyn Record, marked_only: bool, scratch: &mut Scratch, out: &mut Vec<u32>) {
        out.clear();
        scratch.begin(self.slots.len(), self.rules.len());
        self.collect(record, scratch);
        let mut candidates = std::mem::take(&mut scratch.marks.candidates);
        candidates.sort_unstable();
        for rule in &candidates {
            let mut view = View { slots: &self.slots, record, scratch };
            if (!marked_only || self.issues[*rule as usize]) && self.rules[*rule as usize].passes(&mut view) {
                out.push(*rule);
            }
        }
        scratch.marks.candidates = candidates;
    }
    fn collect(&self, record: &dyn Record, scratch: &mut Scratch) {
        self.index.always.iter().for_each(|rule| scratch.marks.add(*rule));
        for entry in &self.index.fixed {
            entry.look(&self.slots[entry.slot], record, scratch);
        }
        record.each_key(&mut |key| {
            if let Some(entry) = self.index.keys.get(key) {
                entry.look(&self.slots[entry.slot], record, scratch);
            }
        });
    }
    /// Rules in it.
    pub fn len(&self) -> usize {
        self.rules.len()
    }
    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
    /// Whether one rule fits, without the index: what the index is tested against.
    #[cfg(test)]
    pub(super) fn fits(&self, rule: u32, record: &dyn Record, scratch: &mut Scratch) -> bool {
        scratch.begin(self.slots.len(), self.rules.len());
        self.rules[rule as usize].passes(&mut View { slots: &self.slots, record, scratch })
    }
}
