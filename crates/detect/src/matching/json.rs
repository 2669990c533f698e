//! A JSON object as a record, for the conformance tests and benchmarks: any field name, dots descend, arrays count by their members.

use event::Field;
use serde_json::Value;

use super::{Record, Scalar};

/// Field names of JSON records: any.
pub fn any_name(name: &str) -> Result<Field, String> {
    Ok(Field::Key(name.to_owned()))
}

/// A JSON object under test.
pub struct JsonRecord<'j>(pub &'j Value);

fn scalar(value: &Value) -> Option<Scalar<'_>> {
    Some(match value {
        Value::Null => Scalar::Null,
        Value::Bool(b) => Scalar::Bool(*b),
        Value::String(t) => Scalar::Text(t),
        Value::Number(n) => n.as_i64().map(Scalar::Int).or_else(|| n.as_f64().map(Scalar::Float))?,
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Every value under a dotted path: a whole name first, then descending at each dot.
fn descend(value: &Value, path: &str, each: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::Array(members) => members.iter().any(|m| descend(m, path, each)),
        Value::Object(map) => {
            if map.get(path).is_some_and(|v| leaf(v, each)) {
                return true;
            }
            path.char_indices()
                .filter(|(_, c)| *c == '.')
                .any(|(i, _)| map.get(&path[..i]).is_some_and(|v| descend(v, &path[i + 1..], each)))
        }
        _ => false,
    }
}

fn leaf(value: &Value, each: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::Array(members) => members.iter().any(|m| leaf(m, each)),
        other => each(other),
    }
}

fn everything(value: &Value, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Array(members) => members.iter().any(|m| everything(m, each)),
        Value::Object(map) => map.values().any(|v| everything(v, each)),
        other => scalar(other).is_some_and(each),
    }
}

fn name(field: &Field) -> &str {
    match field {
        Field::Column(c) => c.name(),
        Field::Key(k) => k,
    }
}

impl Record for JsonRecord<'_> {
    fn visit(&self, field: &Field, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        descend(self.0, name(field), &mut |v| scalar(v).is_some_and(&mut *each))
    }
    fn each_key(&self, each: &mut dyn FnMut(&str)) {
        self.0.as_object().into_iter().flat_map(|o| o.keys()).for_each(|key| each(key));
    }
    fn has(&self, field: &Field) -> bool {
        descend(self.0, name(field), &mut |_| true)
    }
    fn visit_keywords(&self, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        everything(self.0, each)
    }
}
