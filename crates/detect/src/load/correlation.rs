//! A correlation document as a window: its condition, its key, its base rules. What cannot be kept in event time is refused, not guessed.

use event::Field;
use rsigma_parser::{ConditionExpr, ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType, Quantifier, WindowMode};

use super::extras::micros;
use crate::{
    limits::{BASES_MAX, SILENCE_MAX, THRESHOLD_MAX},
    names,
    rules::{Condition, KeyField, Need, SharedAddress, Window},
};

/// Builds the window. `episode` and `shared` come from the document's own keys.
pub fn window(rule: &CorrelationRule, episode: Option<i64>, shared: Option<SharedAddress>) -> Result<Window, String> {
    if rule.window != WindowMode::Sliding {
        return Err("`window`: windows slide here: one that is aligned to a clock misses what lies across its border".to_owned());
    }
    if rule.rules.is_empty() {
        return Err("`rules` names no rule".to_owned());
    }
    let span = micros("timespan", &rule.timespan)?;
    let key = rule.group_by.iter().map(|name| key_field(rule, name)).collect::<Result<Vec<_>, _>>()?;
    let condition = condition(rule)?;
    let split = matches!(condition, Condition::Events(_)) && !rule.group_by.iter().any(|k| k == "user");
    Ok(Window {
        condition,
        span,
        gap: episode.unwrap_or(span).max(span),
        key,
        partial_key: false,
        shared: shared.unwrap_or(if split { SharedAddress::Split } else { SharedAddress::Keep }),
    })
}

/// A column of the key: an alias, or the same field of every base rule.
fn key_field(rule: &CorrelationRule, name: &str) -> Result<KeyField, String> {
    let alias = rule.aliases.iter().find(|a| a.alias == name);
    let of_base = |base: &String| match alias {
        None => names::field(name),
        Some(alias) => {
            let field = alias.mapping.get(base).ok_or_else(|| format!("aliases: `{name}` says nothing about `{base}`"))?;
            names::field(field)
        }
    };
    Ok(KeyField { name: name.to_owned(), by_base: rule.rules.iter().map(of_base).collect::<Result<_, _>>()? })
}

/// Bounds of a count. `eq` and an upper bound beside a lower one add nothing: a count grows one by one, so it comes into its range at the
/// lower bound, and what comes later does not undo that.
fn bounds(predicates: &[(ConditionOperator, u64)]) -> Result<(Option<u64>, Option<u64>), String> {
    let (mut least, mut below) = (None, None);
    for (operator, value) in predicates {
        match operator {
            ConditionOperator::Gte | ConditionOperator::Eq => least = least.max(Some(*value)),
            ConditionOperator::Gt => least = least.max(Some(value.saturating_add(1))),
            ConditionOperator::Lt => below = Some(*value),
            ConditionOperator::Lte => below = Some(value.saturating_add(1)),
            ConditionOperator::Neq => return Err("condition: `neq` is not supported: gte, gt, eq, lt, lte".to_owned()),
        }
    }
    for bound in [least, below].into_iter().flatten() {
        if bound == 0 && below.is_none() || bound > THRESHOLD_MAX && least.is_none() {
            return Err(format!("condition: a threshold lies between 1 and {THRESHOLD_MAX}"));
        }
    }
    if let (Some(least), Some(below)) = (least, below)
        && least >= below
    {
        return Err("condition: no number is in that range".to_owned());
    }
    Ok((least.filter(|n| *n > 0), below))
}

fn count(least: Option<u64>) -> Result<u64, String> {
    let within = least.filter(|n| (1..=THRESHOLD_MAX).contains(n));
    within.ok_or_else(|| format!("condition: a threshold (gte, gt, eq) lies between 1 and {THRESHOLD_MAX}"))
}

fn condition(rule: &CorrelationRule) -> Result<Condition, String> {
    let bases = rule.rules.len();
    if bases > BASES_MAX {
        return Err(format!("rules: a correlation stands on at most {BASES_MAX}"));
    }
    let all = || (0..bases as u16).map(Need::Base).collect::<Vec<_>>();
    let temporal = rule.correlation_type == CorrelationType::Temporal;
    let (predicates, field) = match &rule.condition {
        CorrelationCondition::Threshold { predicates, field, .. } => (predicates, field),
        CorrelationCondition::Extended(expression) if temporal => return Ok(Condition::Temporal(need(expression, &rule.rules)?)),
        CorrelationCondition::Extended(_) => return Err("condition: an expression over rules belongs to type `temporal`".to_owned()),
    };
    let (least, below) = bounds(predicates)?;
    let field = || field.as_deref().ok_or_else(|| format!("condition: `{}` needs `field`", rule.correlation_type.as_str()));
    match (rule.correlation_type, below) {
        (CorrelationType::EventCount, Some(below)) if least.is_none() => match below {
            1..=SILENCE_MAX => Ok(Condition::Absent(below)),
            _ => Err(format!("condition: fewer than 1 to {SILENCE_MAX} acts can be waited for")),
        },
        (CorrelationType::EventCount, _) => Ok(Condition::Events(count(least)?)),
        (CorrelationType::ValueCount, _) => Ok(Condition::Distinct(count(least)?, by_base(rule, field()?)?)),
        (CorrelationType::ValueSum, None) => {
            let [field] = field()? else { return Err("condition: `value_sum` adds up one field".to_owned()) };
            let least = least.and_then(|n| i64::try_from(n).ok()).ok_or("condition: `value_sum` needs gte or gt")?;
            Ok(Condition::Sum(least, key_field(rule, field)?.by_base))
        }
        // Without a condition the parser says `gte: 1`: every rule must match.
        (CorrelationType::Temporal, None) => Ok(Condition::Temporal(match least {
            None | Some(1) => Need::All(all()),
            Some(n) => Need::AtLeast(n, all()),
        })),
        (CorrelationType::TemporalOrdered, None) => Ok(Condition::Ordered(bases as u16)),
        (other, Some(_)) => Err(format!("condition: lt and lte are not supported for `{}`", other.as_str())),
        (other, None) => {
            Err(format!("type: `{}` is not supported: an average is no sign of an attack that can be kept in event time", other.as_str()))
        }
    }
}

/// An expression over the rules of a temporal correlation. A `not` could only be judged when the window is over: it is refused.
fn need(expression: &ConditionExpr, rules: &[String]) -> Result<Need, String> {
    let list = |parts: &[ConditionExpr]| parts.iter().map(|p| need(p, rules)).collect::<Result<Vec<_>, _>>();
    match expression {
        ConditionExpr::And(parts) => Ok(Need::All(list(parts)?)),
        ConditionExpr::Or(parts) => Ok(Need::AtLeast(1, list(parts)?)),
        ConditionExpr::Not(_) => Err("condition: `not` over rules is not supported".to_owned()),
        ConditionExpr::Identifier(name) => {
            let at = rules.iter().position(|r| r == name);
            at.map(|i| Need::Base(i as u16)).ok_or_else(|| format!("condition: `{name}` is none of `rules`"))
        }
        ConditionExpr::Selector { quantifier, pattern } => {
            let named = (0..rules.len()).filter(|i| pattern.matches_detection_name(&rules[*i])).map(|i| Need::Base(i as u16));
            let named: Vec<Need> = named.collect();
            match quantifier {
                _ if named.is_empty() => Err(format!("condition: `{pattern}` names none of `rules`")),
                Quantifier::Any => Ok(Need::AtLeast(1, named)),
                Quantifier::All => Ok(Need::All(named)),
                Quantifier::Count(n) => Ok(Need::AtLeast(*n, named)),
            }
        }
    }
}

fn by_base(rule: &CorrelationRule, fields: &[String]) -> Result<Vec<Vec<Field>>, String> {
    let keys = fields.iter().map(|f| key_field(rule, f)).collect::<Result<Vec<_>, _>>()?;
    Ok((0..rule.rules.len()).map(|base| keys.iter().map(|k| k.by_base[base].clone()).collect()).collect())
}
