//! Values that no event can have: a rule that waits for one would be silent for ever, and nobody would know.
//!
//! Owns: which columns have a closed set of values. Looks only at plain values: what a pattern or a modifier means is not for this page.

use event::action::ACTIVITIES;
use rsigma_parser::{Detection, DetectionItem, Detections, SigmaValue};

use crate::suggest;

/// The values of `status`, as [`event::Status`] spells them.
const STATUS: [&str; 3] = ["success", "failure", "unknown"];

/// Refuses a detection that compares a closed column with what it never holds.
pub fn check(detections: &Detections) -> Result<(), String> {
    detections.named.iter().try_for_each(|(name, detection)| walk(detection).map_err(|e| format!("{name}: {e}")))
}

fn walk(detection: &Detection) -> Result<(), String> {
    match detection {
        Detection::AllOf(items) => items.iter().try_for_each(item),
        Detection::AnyOf(list) | Detection::And(list) => list.iter().try_for_each(walk),
        _ => Ok(()),
    }
}

fn item(item: &DetectionItem) -> Result<(), String> {
    if !item.field.modifiers.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = match item.field.name.as_deref() {
        Some("action") => ACTIVITIES.iter().map(|a| a.action).collect(),
        Some("status") => STATUS.to_vec(),
        _ => return Ok(()),
    };
    let field = item.field.name.as_deref().unwrap_or_default();
    for value in &item.values {
        let SigmaValue::String(text) = value else { continue };
        let plain = !text.original.contains(['*', '?', '\\']);
        if plain && !known.iter().any(|k| k.eq_ignore_ascii_case(&text.original)) {
            return Err(format!("no event has {field} `{}`{}", text.original, suggest::hint(&text.original, known.iter().copied())));
        }
    }
    Ok(())
}
