//! Our event as a matcher reads it. Every value of a repeated key counts; keywords are searched in `raw`.

use event::{Event, Field, FieldRef, Value};

use super::{Record, Scalar};

impl Record for Event<'_> {
    fn visit(&self, field: &Field, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match field {
            Field::Column(column) => match column.get(self) {
                FieldRef::Missing => false,
                FieldRef::Text(t) => each(Scalar::Text(t)),
                FieldRef::Number(n) => each(Scalar::Int(n)),
                FieldRef::Issues(issues) => issues.iter().any(|i| each(Scalar::Text(&i.to_string()))),
                FieldRef::List(list) => list.iter().any(|t| each(Scalar::Text(t))),
            },
            Field::Key(key) => self.fields.iter().filter(|(k, _)| k == key).any(|(_, v)| {
                each(match v {
                    Value::Null => Scalar::Null,
                    Value::Bool(b) => Scalar::Bool(*b),
                    Value::Text(t) | Value::Number(t) | Value::Json(t) => Scalar::Text(t),
                })
            }),
        }
    }
    fn each_key(&self, each: &mut dyn FnMut(&str)) {
        self.fields.iter().for_each(|(key, _)| each(key));
    }
    fn has(&self, field: &Field) -> bool {
        match field {
            Field::Column(column) => match column.get(self) {
                FieldRef::Missing => false,
                FieldRef::Issues(issues) => !issues.is_empty(),
                FieldRef::List(list) => !list.is_empty(),
                FieldRef::Text(_) | FieldRef::Number(_) => true,
            },
            Field::Key(key) => self.field(key).is_some(),
        }
    }
    fn visit_keywords(&self, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        each(Scalar::Text(&self.raw))
    }
}
