//! Many rules, few candidates: a rule is looked at only if the record holds a text without which the rule cannot match.
//!
//! For every rule one set of such texts ("witnesses") is chosen, the rarest that its condition offers: a field's whole value in a hash
//! table, or a part of a value in an automaton. Rules without any (only negations, numbers, regular expressions) are always looked at.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
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

/// A text that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Witness {
    slot: u16,
    text: String,
    /// The whole value, else a part of it.
    whole: bool,
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
                if w.whole { shared } else { shared * 4.0 / w.text.len() as f64 }
            };
            set.iter().map(one).sum::<f64>() / set.len().max(1) as f64 + set.len() as f64 * 0.01
        };
        let mut index = Index { whole: vec![HashMap::new(); self.compiler.slots.len()], ..Index::default() };
        let mut parts: Vec<HashMap<String, Vec<u32>>> = vec![HashMap::new(); self.compiler.slots.len()];
        for (rule, sets) in choices.iter().enumerate() {
            let Some(best) = sets.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))) else {
                index.always.push(rule as u32);
                continue;
            };
            for w in best {
                let table = if w.whole { &mut index.whole } else { &mut parts };
                table[w.slot as usize].entry(w.text.clone()).or_default().push(rule as u32);
            }
        }
        for table in parts {
            index.parts.push(Parts::build(table)?);
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
                let Some(best) = choices(node).into_iter().min_by_key(|set| (set.iter().any(|w| !w.whole), set.len())) else {
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
    let witness = |text: &str, whole: bool| {
        let lowered = super::pattern::lower(text);
        (whole || lowered.len() >= PART_MIN).then_some(Witness { slot: item.slot, text: lowered, whole })
    };
    let mut set = Vec::new();
    for test in group {
        match test {
            Test::Lower(p) | Test::Cased(p) => {
                let (text, whole) = p.literal()?;
                set.push(witness(text, whole)?);
            }
            Test::OneOf(texts) => set.extend(texts.iter().filter_map(|t| witness(t, true))),
            Test::Holds(_, texts) => {
                for text in texts {
                    set.push(witness(text, false)?);
                }
            }
            _ => return None,
        }
    }
    Some(set)
}

#[derive(Debug, Default)]
struct Index {
    /// By slot: whole value -> rules.
    whole: Vec<HashMap<String, Vec<u32>>>,
    /// By slot: parts of values.
    parts: Vec<Option<Parts>>,
    always: Vec<u32>,
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
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts).map_err(|e| e.to_string())?;
        Ok(Some(Self { automaton, rules }))
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
        for (i, slot) in self.slots.iter().enumerate() {
            let whole = &self.index.whole[i];
            if !whole.is_empty() {
                scratch.each_lower(i, slot, record, |text, marks| whole.get(text).into_iter().flatten().for_each(|rule| marks.add(*rule)));
            }
            if let Some(parts) = &self.index.parts[i] {
                scratch.each_lower(i, slot, record, |text, marks| {
                    for hit in parts.automaton.find_overlapping_iter(text) {
                        parts.rules[hit.pattern().as_usize()].iter().for_each(|rule| marks.add(*rule));
                    }
                });
            }
        }
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
