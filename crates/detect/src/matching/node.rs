//! A compiled detection: a tree of tests over fields, evaluated against one record.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use aho_corasick::AhoCorasick;
use event::{Field, field::Column};
use regex::Regex;

use super::{Record, Scalar, Scratch, cidr::Cidr, pattern::Pattern, when::TimePart};

/// Where the values of a test come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A field.
    Field(Field),
    /// The text that keywords are searched in.
    Keywords,
    /// The shape of the statement: its structure without its literals.
    Shape,
}

/// A number of a rule or of a record. Ids exceed 2^53, so whole numbers stay whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Whole.
    Int(i64),
    /// Any other.
    Float(f64),
}

impl Number {
    /// The number of a value, text that reads as a number included.
    pub fn of(value: Scalar<'_>) -> Option<Self> {
        match value {
            Scalar::Int(n) => Some(Self::Int(n)),
            Scalar::Float(n) => Some(Self::Float(n)),
            Scalar::Text(t) => {
                let t = t.trim();
                t.parse()
                    .map(Self::Int)
                    .or_else(|_| t.parse().map(Self::Float))
                    .ok()
                    .filter(|n| !matches!(n, Self::Float(f) if !f.is_finite()))
            }
            Scalar::Null | Scalar::Bool(_) => None,
        }
    }
    fn order(self, other: Self) -> Option<Ordering> {
        let double = |n: Self| match n {
            Self::Int(n) => n as f64,
            Self::Float(f) => f,
        };
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (a, b) => double(a).partial_cmp(&double(b)),
        }
    }
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Equal.
    Eq,
}

impl Op {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Eq => order.is_eq(),
        }
    }
}

/// How a field is compared with another field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The same text.
    Equals,
    /// The other is a part.
    Contains,
    /// The other is the beginning.
    Starts,
    /// The other is the end.
    Ends,
}

/// One test of one value.
#[derive(Debug, Clone)]
pub enum Test {
    /// On the text in lower case.
    Lower(Pattern),
    /// One of many texts, in lower case.
    OneOf(HashSet<String>),
    /// Holds one of many texts, in lower case.
    Holds(AhoCorasick, Vec<String>),
    /// On the text as it is.
    Cased(Pattern),
    /// A regular expression found in the text.
    Regex(Regex),
    /// An address within a range.
    Cidr(Cidr),
    /// A number.
    Compare(Op, Number),
    /// A part of a time.
    Part(TimePart, Op, i64),
    /// Absent or null.
    Null,
    /// There, null included; or not there.
    Exists(bool),
    /// The value of another field.
    Other(u16, How, bool),
}

/// Tests of one field: alternatives within a group, groups joined by or, or by and.
#[derive(Debug, Clone)]
pub struct Item {
    /// Index of the slot.
    pub slot: u16,
    /// All groups must pass.
    pub all: bool,
    /// No group may pass, and the field must have a value (`neq`).
    pub negated: bool,
    /// The groups.
    pub groups: Vec<Vec<Test>>,
}

/// A compiled detection.
#[derive(Debug, Clone)]
pub enum Node {
    /// Every one.
    All(Vec<Node>),
    /// One at least.
    Any(Vec<Node>),
    /// So many at least.
    AtLeast(u64, Vec<Node>),
    /// Not.
    Not(Box<Node>),
    /// Tests of a field.
    Item(Item),
    /// A named detection, used in several places.
    Named(Arc<Node>),
}

/// A record under evaluation.
pub(super) struct View<'v> {
    pub slots: &'v [Slot],
    pub record: &'v dyn Record,
    pub scratch: &'v mut Scratch,
}

fn text_of<R>(value: Scalar<'_>, f: impl FnOnce(&str) -> R) -> Option<R> {
    Some(match value {
        Scalar::Null => return None,
        Scalar::Text(t) => f(t),
        Scalar::Int(n) => f(&n.to_string()),
        Scalar::Float(n) => f(&n.to_string()),
        Scalar::Bool(b) => f(if b { "true" } else { "false" }),
    })
}

impl View<'_> {
    fn visit(&self, slot: u16, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match &self.slots[slot as usize] {
            Slot::Field(field) => self.record.visit(field, each),
            Slot::Keywords => self.record.visit_keywords(each),
            Slot::Shape => super::scratch::visit_shape(self.record, each),
        }
    }
    fn visit_text(&mut self, slot: u16, pass: impl Fn(&str) -> bool) -> bool {
        // A shape is in lower case as it is, and costly enough to be made once for all rules.
        if self.slots[slot as usize] == Slot::Shape {
            return self.lower(slot, pass);
        }
        self.visit(slot, &mut |v| text_of(v, &pass).unwrap_or(false))
    }
    fn lower(&mut self, slot: u16, pass: impl Fn(&str) -> bool) -> bool {
        self.scratch.any_lower(slot as usize, &self.slots[slot as usize], self.record, pass)
    }
    fn has(&self, slot: u16) -> bool {
        match &self.slots[slot as usize] {
            Slot::Field(field) => self.record.has(field),
            Slot::Keywords => true,
            Slot::Shape => self.record.has(&Field::Column(Column::Statement)),
        }
    }
    fn same_as(&mut self, slot: u16, other: u16, how: How, cased: bool) -> bool {
        let mut others = Vec::new();
        self.visit(other, &mut |v| {
            text_of(v, |t| others.push(if cased { t.to_owned() } else { super::pattern::lower(t) }));
            false
        });
        let pass = |t: &str| {
            others.iter().any(|o| match how {
                How::Equals => t == o,
                How::Contains => t.contains(o.as_str()),
                How::Starts => t.starts_with(o.as_str()),
                How::Ends => t.ends_with(o.as_str()),
            })
        };
        if cased { self.visit_text(slot, pass) } else { self.lower(slot, pass) }
    }
}

impl Test {
    fn passes(&self, slot: u16, view: &mut View<'_>) -> bool {
        match self {
            Self::Lower(p) => view.lower(slot, |t| p.matches(t)),
            Self::OneOf(set) => view.lower(slot, |t| set.contains(t)),
            Self::Holds(set, _) => view.lower(slot, |t| set.is_match(t)),
            Self::Cased(p) => view.visit_text(slot, |t| p.matches(t)),
            Self::Regex(r) => view.visit_text(slot, |t| r.is_match(t)),
            Self::Cidr(range) => view.visit_text(slot, |t| range.contains(t)),
            Self::Compare(op, n) => view.visit(slot, &mut |v| Number::of(v).and_then(|v| v.order(*n)).is_some_and(|o| op.holds(o))),
            Self::Part(part, op, n) => view.visit(slot, &mut |v| part.of(v).is_some_and(|v| op.holds(v.cmp(n)))),
            Self::Null => !view.visit(slot, &mut |v| v != Scalar::Null),
            Self::Exists(there) => view.has(slot) == *there,
            Self::Other(other, how, cased) => view.same_as(slot, *other, *how, *cased),
        }
    }
}

impl Item {
    fn passes(&self, view: &mut View<'_>) -> bool {
        let mut group = |g: &Vec<Test>| g.iter().any(|t| t.passes(self.slot, view));
        let hit = if self.all { self.groups.iter().all(&mut group) } else { self.groups.iter().any(&mut group) };
        if self.negated { !hit && view.visit(self.slot, &mut |v| v != Scalar::Null) } else { hit }
    }
}

impl Node {
    /// Whether the record fits.
    pub(super) fn passes(&self, view: &mut View<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|n| n.passes(view)),
            Self::Any(nodes) => nodes.iter().any(|n| n.passes(view)),
            Self::AtLeast(wanted, nodes) => {
                let mut left = *wanted;
                left == 0
                    || nodes.iter().any(|n| {
                        left -= u64::from(n.passes(view));
                        left == 0
                    })
            }
            Self::Not(node) => !node.passes(view),
            Self::Item(item) => item.passes(view),
            Self::Named(node) => node.passes(view),
        }
    }
    /// Calls for every slot that the detection reads.
    pub fn each_slot(&self, each: &mut dyn FnMut(u16)) {
        match self {
            Self::All(nodes) | Self::Any(nodes) | Self::AtLeast(_, nodes) => nodes.iter().for_each(|n| n.each_slot(each)),
            Self::Not(node) => node.each_slot(each),
            Self::Named(node) => node.each_slot(each),
            Self::Item(item) => each(item.slot),
        }
    }
}
