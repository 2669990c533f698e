//! From a parsed Sigma detection to a tree of tests. Every refusal says what to write instead.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use aho_corasick::AhoCorasick;
use event::Field;
use regex::RegexBuilder;
use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Detections, LogSource, Modifier, Quantifier, SelectorPattern, SigmaValue, StringPart,
};

use super::{
    cidr::Cidr,
    modifier::{Operand, apply, surround},
    node::{How, Item, Node, Number, Op, Slot, Test},
    pattern::{Pattern, lower},
    when::TimePart,
};

/// From this many alternatives on, they are tested as one set.
const SET_MIN: usize = 6;
/// The field that is made of `statement` when a rule asks for it.
pub const SHAPE: &str = "statement_shape";
/// Slots of a matcher.
const SLOTS_MAX: usize = 4_096;

/// Reads a field's name, or says what is wrong with it.
pub type FieldNames = fn(&str) -> Result<Field, String>;

/// Collects the slots of all rules while they are compiled.
pub struct Compiler {
    pub(super) slots: Vec<Slot>,
    known: HashMap<Slot, u16>,
    names: FieldNames,
}

impl Compiler {
    /// Compiles with these field names.
    pub fn new(names: FieldNames) -> Self {
        Self { slots: Vec::new(), known: HashMap::new(), names }
    }
    fn slot(&mut self, slot: Slot) -> Result<u16, String> {
        if let Some(index) = self.known.get(&slot) {
            return Ok(*index);
        }
        if self.slots.len() >= SLOTS_MAX {
            return Err(format!("more than {SLOTS_MAX} different fields in all rules"));
        }
        let index = self.slots.len() as u16;
        self.slots.push(slot.clone());
        self.known.insert(slot, index);
        Ok(index)
    }
    fn field(&mut self, name: &str) -> Result<u16, String> {
        if name == SHAPE {
            return self.slot(Slot::Shape);
        }
        let field = (self.names)(&name.replace(r"\[", "[").replace(r"\]", "]"))?;
        self.slot(Slot::Field(field))
    }
    /// A whole rule: its log source and its condition.
    pub fn rule(&mut self, source: &LogSource, detections: &[&Detections]) -> Result<Node, String> {
        let mut all = self.source(source)?;
        for one in detections {
            all.push(self.detections(one)?);
        }
        Ok(Node::All(all))
    }
    fn source(&mut self, source: &LogSource) -> Result<Vec<Node>, String> {
        let mut all = Vec::new();
        let mut needs = |name: &str, values: &[&str]| -> Result<(), String> {
            let slot = self.slot(Slot::Field(Field::parse(name).unwrap_or(Field::Key(name.to_owned()))))?;
            let groups = vec![values.iter().map(|v| Test::Lower(Pattern::Equals(lower(v)))).collect()];
            all.push(Node::Item(Item { slot, all: false, negated: false, groups }));
            Ok(())
        };
        if let Some(product) = &source.product {
            needs("product", &[product.as_str()])?;
        }
        if let Some(service) = &source.service {
            needs("stream", &[service.as_str()])?;
        }
        for (key, value) in &source.custom {
            match (key.as_str(), crate::names::family(value)) {
                ("family", Some(products)) => needs("product", products)?,
                ("family", None) => return Err(format!("logsource: no family `{value}`: tidb or milvus")),
                _ => return Err(format!("logsource: unknown key `{key}`: product, service (the stream), family")),
            }
        }
        Ok(all)
    }
    /// The condition over its named detections.
    pub fn detections(&mut self, detections: &Detections) -> Result<Node, String> {
        let mut named = BTreeMap::new();
        for (name, detection) in &detections.named {
            let node = self.detection(detection).map_err(|e| format!("{name}: {e}"))?;
            named.insert(name.as_str(), Arc::new(node));
        }
        if detections.timeframe.is_some() {
            return Err("`timeframe` inside `detection` is obsolete: write a correlation".to_owned());
        }
        let mut any = detections.conditions.iter().map(|c| condition(c, &named)).collect::<Result<Vec<_>, _>>()?;
        match any.len() {
            0 => Err("the condition is empty".to_owned()),
            1 => Ok(any.swap_remove(0)),
            _ => Ok(Node::Any(any)),
        }
    }
    fn detection(&mut self, detection: &Detection) -> Result<Node, String> {
        match detection {
            Detection::AllOf(items) => {
                let mut all = items.iter().map(|i| self.item(i)).collect::<Result<Vec<_>, _>>()?;
                if all.is_empty() {
                    return Err("an empty detection".to_owned());
                }
                Ok(if all.len() == 1 { all.swap_remove(0) } else { Node::All(all) })
            }
            Detection::AnyOf(list) => Ok(Node::Any(list.iter().map(|d| self.detection(d)).collect::<Result<_, _>>()?)),
            Detection::And(list) => Ok(Node::All(list.iter().map(|d| self.detection(d)).collect::<Result<_, _>>()?)),
            Detection::Keywords(values) => self.keywords(values, &[]),
            Detection::ArrayMatch { field, .. } => {
                Err(format!("`{field}[..]`: array matching is not supported, no column is an array of objects"))
            }
            Detection::Conditional { .. } => Err("nested conditions of array matching are not supported".to_owned()),
        }
    }
    fn keywords(&mut self, values: &[SigmaValue], modifiers: &[Modifier]) -> Result<Node, String> {
        let slot = self.slot(Slot::Keywords)?;
        let cased = modifiers.contains(&Modifier::Cased);
        let groups = if modifiers.contains(&Modifier::Re) {
            regexes(values, modifiers)?
        } else {
            let mut groups = Vec::new();
            for value in values {
                let operands = apply(value, modifiers)?;
                let tests = operands.into_iter().filter_map(Operand::into_parts).map(|parts| text_test(surround(parts, true, true), cased));
                groups.push(tests.collect::<Result<Vec<_>, _>>()?);
            }
            groups
        };
        item(slot, modifiers, groups)
    }
    fn item(&mut self, found: &DetectionItem) -> Result<Node, String> {
        let modifiers = found.field.modifiers.as_slice();
        if modifiers.contains(&Modifier::Expand) {
            return Err("`expand`: no placeholder is known here, so the rule would never match: write the values".to_owned());
        }
        let Some(name) = &found.field.name else { return self.keywords(&found.values, modifiers) };
        let slot = self.field(name)?;
        let groups = self.groups(&found.values, modifiers).map_err(|e| format!("{name}: {e}"))?;
        item(slot, modifiers, groups).map_err(|e| format!("{name}: {e}"))
    }
    fn groups(&mut self, values: &[SigmaValue], modifiers: &[Modifier]) -> Result<Vec<Vec<Test>>, String> {
        let has = |m| modifiers.contains(&m);
        if has(Modifier::Exists) {
            return values.iter().map(|v| truth(v).map(|b| vec![Test::Exists(b)])).collect();
        }
        if has(Modifier::Re) {
            return regexes(values, modifiers);
        }
        if has(Modifier::FieldRef) {
            return values.iter().map(|v| self.other(v, modifiers).map(|t| vec![t])).collect();
        }
        if has(Modifier::Cidr) {
            let range = |v: &SigmaValue| {
                Cidr::parse(&v.to_string()).ok_or_else(|| format!("`{v}` is no range of addresses (10.0.0.0/8, fe80::/10)"))
            };
            return values.iter().map(|v| range(v).map(|r| vec![Test::Cidr(r)])).collect();
        }
        let op = modifiers.iter().find_map(operator);
        if let Some(part) = modifiers.iter().find_map(time_part) {
            return values.iter().map(|v| whole(v).map(|n| vec![Test::Part(part, op.unwrap_or(Op::Eq), n)])).collect();
        }
        if let Some(op) = op {
            return values.iter().map(|v| number(v).map(|n| vec![Test::Compare(op, n)])).collect();
        }
        let mut groups = Vec::new();
        for value in values {
            let mut group = Vec::new();
            for operand in apply(value, modifiers)? {
                group.push(match operand.into_parts() {
                    None => Test::Null,
                    Some(parts) => text_test(parts, has(Modifier::Cased))?,
                });
            }
            groups.push(group);
        }
        Ok(groups)
    }
    fn other(&mut self, value: &SigmaValue, modifiers: &[Modifier]) -> Result<Test, String> {
        let SigmaValue::String(name) = value else { return Err("`fieldref` needs the name of a field".to_owned()) };
        let how = modifiers.iter().find_map(|m| match m {
            Modifier::Contains => Some(How::Contains),
            Modifier::StartsWith => Some(How::Starts),
            Modifier::EndsWith => Some(How::Ends),
            _ => None,
        });
        Ok(Test::Other(self.field(&name.original)?, how.unwrap_or(How::Equals), modifiers.contains(&Modifier::Cased)))
    }
}

fn item(slot: u16, modifiers: &[Modifier], groups: Vec<Vec<Test>>) -> Result<Node, String> {
    if groups.is_empty() {
        return Err("an empty list of values matches nothing".to_owned());
    }
    let all = modifiers.contains(&Modifier::All);
    let groups = if all { groups } else { vec![as_sets(groups.into_iter().flatten().collect())] };
    Ok(Node::Item(Item { slot, all, negated: modifiers.contains(&Modifier::Neq), groups }))
}

/// Many alternatives of one kind become one test.
fn as_sets(tests: Vec<Test>) -> Vec<Test> {
    let (mut equal, mut held, mut rest) = (HashSet::new(), Vec::new(), Vec::new());
    for test in tests {
        match &test {
            Test::Lower(Pattern::Equals(t)) => _ = equal.insert(t.clone()),
            Test::Lower(p) if p.contained().is_some() => held.push(p.contained().unwrap_or_default().to_owned()),
            _ => rest.push(test),
        }
    }
    if equal.len() >= SET_MIN {
        rest.push(Test::OneOf(equal));
    } else {
        let mut equal: Vec<String> = equal.into_iter().collect();
        equal.sort();
        rest.splice(0..0, equal.into_iter().map(|t| Test::Lower(Pattern::Equals(t))));
    }
    let single = |t: &String| Pattern::new(&surround(vec![StringPart::Plain(t.clone())], true, true)).map(Test::Lower);
    match AhoCorasick::new(&held) {
        Ok(set) if held.len() >= SET_MIN => rest.push(Test::Holds(set, held)),
        _ => rest.extend(held.iter().filter_map(|t| single(t).ok())),
    }
    rest
}

fn text_test(parts: Vec<StringPart>, cased: bool) -> Result<Test, String> {
    if cased {
        return Pattern::new(&parts).map(Test::Cased);
    }
    let lowered: Vec<StringPart> = parts
        .into_iter()
        .map(|p| match p {
            StringPart::Plain(t) => StringPart::Plain(lower(&t)),
            special @ StringPart::Special(_) => special,
        })
        .collect();
    Pattern::new(&lowered).map(Test::Lower)
}

fn regexes(values: &[SigmaValue], modifiers: &[Modifier]) -> Result<Vec<Vec<Test>>, String> {
    let has = |m| modifiers.contains(&m);
    let build = |v: &SigmaValue| {
        let mut builder = RegexBuilder::new(&v.to_string());
        builder
            .case_insensitive(has(Modifier::IgnoreCase))
            .multi_line(has(Modifier::Multiline))
            .dot_matches_new_line(has(Modifier::DotAll));
        builder
            .build()
            .map(|r| vec![Test::Regex(r)])
            .map_err(|e| format!("regular expression: {e} (look-around and back-references do not exist here)"))
    };
    values.iter().map(build).collect()
}

fn operator(modifier: &Modifier) -> Option<Op> {
    Some(match modifier {
        Modifier::Lt => Op::Lt,
        Modifier::Lte => Op::Lte,
        Modifier::Gt => Op::Gt,
        Modifier::Gte => Op::Gte,
        _ => return None,
    })
}

fn time_part(modifier: &Modifier) -> Option<TimePart> {
    Some(match modifier {
        Modifier::Minute => TimePart::Minute,
        Modifier::Hour => TimePart::Hour,
        Modifier::Day => TimePart::Day,
        Modifier::Week => TimePart::Week,
        Modifier::Month => TimePart::Month,
        Modifier::Year => TimePart::Year,
        _ => return None,
    })
}

fn number(value: &SigmaValue) -> Result<Number, String> {
    let found = match value {
        SigmaValue::Integer(n) => Some(Number::Int(*n)),
        SigmaValue::Float(n) => Some(Number::Float(*n)),
        SigmaValue::String(s) => Number::of(super::Scalar::Text(&s.original)),
        SigmaValue::Bool(_) | SigmaValue::Null => None,
    };
    found.ok_or_else(|| format!("`{value}` is no number"))
}

fn whole(value: &SigmaValue) -> Result<i64, String> {
    match number(value)? {
        Number::Int(n) => Ok(n),
        Number::Float(_) => Err(format!("`{value}` is no whole number")),
    }
}

fn truth(value: &SigmaValue) -> Result<bool, String> {
    match value {
        SigmaValue::Bool(b) => Ok(*b),
        other => Err(format!("`exists` needs true or false, not `{other}`")),
    }
}

type Named<'n> = BTreeMap<&'n str, Arc<Node>>;

fn condition(expression: &ConditionExpr, named: &Named<'_>) -> Result<Node, String> {
    let list = |nodes: &[ConditionExpr]| nodes.iter().map(|n| condition(n, named)).collect::<Result<Vec<_>, _>>();
    Ok(match expression {
        ConditionExpr::And(nodes) => Node::All(list(nodes)?),
        ConditionExpr::Or(nodes) => Node::Any(list(nodes)?),
        ConditionExpr::Not(node) => Node::Not(Box::new(condition(node, named)?)),
        ConditionExpr::Identifier(name) => {
            let hint = || crate::suggest::hint(name, named.keys().copied());
            Node::Named(named.get(name.as_str()).ok_or_else(|| format!("condition: no detection is named `{name}`{}", hint()))?.clone())
        }
        ConditionExpr::Selector { quantifier, pattern } => selector(quantifier, pattern, named)?,
    })
}

fn selector(quantifier: &Quantifier, pattern: &SelectorPattern, named: &Named<'_>) -> Result<Node, String> {
    let nodes: Vec<Node> =
        named.iter().filter(|(n, _)| pattern.matches_detection_name(n)).map(|(_, node)| Node::Named(node.clone())).collect();
    if nodes.is_empty() {
        return Err(format!("condition: `{pattern}` names no detection"));
    }
    match quantifier {
        Quantifier::Any => Ok(Node::Any(nodes)),
        Quantifier::All => Ok(Node::All(nodes)),
        Quantifier::Count(n) if *n > nodes.len() as u64 => Err(format!("condition: {n} of `{pattern}`, but it names only {}", nodes.len())),
        Quantifier::Count(n) => Ok(Node::AtLeast(*n, nodes)),
    }
}
