//! What one record costs once and not once per rule: its values in lower case, and which rules were looked at already.

use std::fmt::Write as _;

use event::{Field, field::Column};

use super::{Record, Scalar, node::Slot, pattern::push_lower, shape::push_shape};

/// Hands out the shape of the record's statement.
pub(super) fn visit_shape(record: &dyn Record, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    record.visit(&Field::Column(Column::Statement), &mut |value| {
        let Scalar::Text(statement) = value else { return false };
        let mut shape = String::with_capacity(statement.len());
        push_shape(&mut shape, statement);
        each(Scalar::Text(&shape))
    })
}

/// Buffers that are used again for every record. One per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    text: String,
    slots: Vec<Filled>,
    pub(super) marks: Marks,
    round: u32,
}

/// Which rules are candidates for this record, each once.
#[derive(Debug, Default)]
pub struct Marks {
    seen: Vec<bool>,
    pub(super) candidates: Vec<u32>,
}

impl Marks {
    /// Marks a rule as a candidate.
    pub(super) fn add(&mut self, rule: u32) {
        if let Some(seen) = self.seen.get_mut(rule as usize)
            && !*seen
        {
            *seen = true;
            self.candidates.push(rule);
        }
    }
    fn clear(&mut self) {
        for rule in self.candidates.drain(..) {
            if let Some(seen) = self.seen.get_mut(rule as usize) {
                *seen = false;
            }
        }
    }
}

#[derive(Debug, Default, Clone)]
struct Filled {
    round: u32,
    ranges: Vec<(usize, usize)>,
}

impl Scratch {
    /// Begins a new record for a matcher with so many slots and rules.
    pub(super) fn begin(&mut self, slots: usize, rules: usize) {
        if self.round == u32::MAX || self.slots.len() != slots || self.marks.seen.len() != rules {
            let marks = Marks { seen: vec![false; rules], candidates: Vec::new() };
            *self = Self { slots: vec![Filled::default(); slots], marks, ..Self::default() };
        }
        self.round += 1;
        self.text.clear();
        self.marks.clear();
    }
    fn fill(&mut self, index: usize, slot: &Slot, record: &dyn Record) {
        let Self { text, slots, round, .. } = self;
        let Some(filled) = slots.get_mut(index) else { return };
        if filled.round == *round {
            return;
        }
        filled.round = *round;
        filled.ranges.clear();
        let mut each = |value: Scalar<'_>| {
            let from = text.len();
            match value {
                Scalar::Null => return false,
                Scalar::Text(t) => push_lower(text, t),
                Scalar::Int(n) => _ = write!(text, "{n}"),
                Scalar::Float(n) => _ = write!(text, "{n}"),
                Scalar::Bool(b) => text.push_str(if b { "true" } else { "false" }),
            }
            filled.ranges.push((from, text.len()));
            false
        };
        match slot {
            Slot::Field(field) => record.visit(field, &mut each),
            Slot::Keywords => record.visit_keywords(&mut each),
            Slot::Shape => visit_shape(record, &mut each),
        };
    }
    /// Whether any value of the slot, in lower case, passes.
    pub(super) fn any_lower(&mut self, index: usize, slot: &Slot, record: &dyn Record, pass: impl Fn(&str) -> bool) -> bool {
        self.fill(index, slot, record);
        self.slots.get(index).is_some_and(|f| f.ranges.iter().any(|(from, to)| pass(&self.text[*from..*to])))
    }
    /// Hands out the values of the slot in lower case, with the marks beside them.
    pub(super) fn each_lower(&mut self, index: usize, slot: &Slot, record: &dyn Record, each: impl Fn(&str, &mut Marks)) {
        self.fill(index, slot, record);
        for (from, to) in self.slots.get(index).map(|f| f.ranges.as_slice()).unwrap_or_default() {
            each(&self.text[*from..*to], &mut self.marks);
        }
    }
}
