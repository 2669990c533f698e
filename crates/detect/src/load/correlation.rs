//! A correlation document as a window: its condition, its key, its base rules. What cannot be kept in event time is refused, not guessed.

use event::Field;
use rsigma_parser::{ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType, WindowMode};

use super::extras::micros;
use crate::{
    limits::THRESHOLD_MAX,
    names,
    rules::{Condition, KeyField, SharedAddress, Window},
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

fn condition(rule: &CorrelationRule) -> Result<Condition, String> {
    let CorrelationCondition::Threshold { predicates, field, .. } = &rule.condition else {
        return Err("condition: an expression over rules is not supported for this type".to_owned());
    };
    let mut least = 0;
    for (operator, value) in predicates {
        match operator {
            ConditionOperator::Gte => least = least.max(*value),
            ConditionOperator::Gt => least = least.max(value.saturating_add(1)),
            other => return Err(format!("condition: `{}` is not supported: gte, gt", format!("{other:?}").to_lowercase())),
        }
    }
    if !(1..=THRESHOLD_MAX).contains(&least) {
        return Err(format!("condition: a threshold lies between 1 and {THRESHOLD_MAX}"));
    }
    match rule.correlation_type {
        CorrelationType::EventCount => Ok(Condition::Events(least)),
        CorrelationType::ValueCount => {
            let fields = field.as_ref().ok_or("condition: `value_count` needs `field`")?;
            Ok(Condition::Distinct(least, by_base(rule, fields)?))
        }
        other => Err(format!("type: `{}` is not supported", other.as_str())),
    }
}

fn by_base(rule: &CorrelationRule, fields: &[String]) -> Result<Vec<Vec<Field>>, String> {
    let keys = fields.iter().map(|f| key_field(rule, f)).collect::<Result<Vec<_>, _>>()?;
    Ok((0..rule.rules.len()).map(|base| keys.iter().map(|k| k.by_base[base].clone()).collect()).collect())
}
