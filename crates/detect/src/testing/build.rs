//! Events of a rule's test from maps of columns: names as in rules, times relative to the event before.

use std::borrow::Cow;

use event::{Event, Field, Issue, Micros, Status, Text, Value as EventValue, action, clock::SECOND, field::Column};
use serde_json::{Map, Value};

use crate::{load::span, names, rules::Rule};

/// 2026-01-01T00:00:00Z: when the first event of a test happens if it does not say.
const START: Micros = 1_767_225_600 * SECOND;

/// Makes one event after the other.
pub struct Builder {
    product: Option<String>,
    stream: Option<String>,
    at: Micros,
    made: u64,
}

impl Builder {
    /// Product and stream are those of the rule where the map does not say.
    pub fn new(rule: &Rule) -> Self {
        Self { product: rule.product.clone(), stream: rule.stream.clone(), at: START - SECOND, made: 0 }
    }
    /// One event.
    pub fn event(&mut self, map: &Map<String, Value>) -> Result<Event<'static>, String> {
        let mut event = Event { byte_start: self.made, byte_end: self.made + 1, ..Event::default() };
        self.made += 1;
        event.product = self.product.clone().map(Cow::Owned);
        event.stream = self.stream.clone().map(Cow::Owned);
        self.at = match map.get("time") {
            None => self.at + SECOND,
            Some(Value::String(t)) => match t.strip_prefix('+') {
                Some(later) => self.at + span("time", later)?,
                None => {
                    t.parse::<jiff::Timestamp>().map_err(|_| format!("time: `{t}` is no RFC 3339 time and no `+30s`"))?.as_microsecond()
                }
            },
            Some(other) => return Err(format!("time: `{other}` is no RFC 3339 time and no `+30s`")),
        };
        event.time = Some(self.at);
        for (name, value) in map.iter().filter(|(name, _)| *name != "time") {
            set(&mut event, name, value).map_err(|e| format!("{name}: {e}"))?;
        }
        Ok(event)
    }
}

fn text(value: &Value) -> Text<'static> {
    Cow::Owned(match value {
        Value::String(t) => t.clone(),
        other => other.to_string(),
    })
}

fn set(event: &mut Event<'static>, name: &str, value: &Value) -> Result<(), String> {
    let column = match names::field(name)? {
        Field::Column(column) => column,
        Field::Key(key) => {
            let value = match value {
                Value::Null => EventValue::Null,
                Value::Bool(b) => EventValue::Bool(*b),
                Value::Number(n) => EventValue::Number(Cow::Owned(n.to_string())),
                Value::String(t) => EventValue::Text(Cow::Owned(t.clone())),
                other => EventValue::Json(Cow::Owned(other.to_string())),
            };
            event.fields.push((Cow::Owned(key), value));
            return Ok(());
        }
    };
    if value.is_null() {
        return Ok(());
    }
    let number = || match value {
        Value::Number(n) => n.as_i64(),
        Value::String(t) => t.parse().ok(),
        _ => None,
    };
    let number = || number().ok_or_else(|| format!("`{value}` is no whole number"));
    match column {
        Column::Action => {
            let action = text(value);
            event.activity = Some(action::by_action(&action).ok_or_else(|| {
                format!("no action `{action}`{}", crate::suggest::hint(&action, action::ACTIVITIES.iter().map(|a| a.action)))
            })?);
        }
        Column::Status => {
            let all = [Status::Success, Status::Failure, Status::Unknown];
            event.status = Some(all.into_iter().find(|s| s.as_str() == text(value)).ok_or("success, failure or unknown")?);
        }
        Column::Issues => {
            let one = [value.clone()];
            for issue in value.as_array().map_or(&one[..], Vec::as_slice) {
                event.mark(Issue::parse(&text(issue)).ok_or_else(|| format!("no issue `{issue}`"))?);
            }
        }
        Column::ActId => event.act_id = Some(text(value).into_owned()),
        Column::Raw => event.raw = text(value),
        Column::ObservedTime
        | Column::AgentTime
        | Column::ByteStart
        | Column::ByteEnd
        | Column::Inferred
        | Column::ClassUid
        | Column::ActivityId => {
            return Err("not set in tests: use time, action".to_owned());
        }
        Column::SrcPort => event.src_port = i32::try_from(number()?).ok(),
        Column::DstPort => event.dst_port = i32::try_from(number()?).ok(),
        Column::ConnId => event.conn_id = Some(number()?),
        Column::TxnTs => event.txn_ts = Some(number()?),
        Column::DurationUs => event.duration_us = Some(number()?),
        Column::Rows => event.rows = Some(number()?),
        Column::Bytes => event.bytes = Some(number()?),
        other => *text_column(event, other).ok_or("not set in tests")? = Some(text(value)),
    }
    Ok(())
}

fn text_column<'e>(event: &'e mut Event<'static>, column: Column) -> Option<&'e mut Option<Text<'static>>> {
    Some(match column {
        Column::Product => &mut event.product,
        Column::Component => &mut event.component,
        Column::Version => &mut event.version,
        Column::Instance => &mut event.instance,
        Column::Host => &mut event.host,
        Column::Namespace => &mut event.namespace,
        Column::Pod => &mut event.pod,
        Column::Container => &mut event.container,
        Column::Labels => &mut event.labels,
        Column::Stream => &mut event.stream,
        Column::Level => &mut event.level,
        Column::User => &mut event.user,
        Column::TargetUser => &mut event.target_user,
        Column::Role => &mut event.role,
        Column::Privilege => &mut event.privilege,
        Column::AuthMethod => &mut event.auth_method,
        Column::Client => &mut event.client,
        Column::SrcIp => &mut event.src_ip,
        Column::SrcHost => &mut event.src_host,
        Column::DstIp => &mut event.dst_ip,
        Column::Database => &mut event.database,
        Column::Object => &mut event.object,
        Column::Statement => &mut event.statement,
        Column::Digest => &mut event.digest,
        Column::TraceId => &mut event.trace_id,
        Column::ErrorCode => &mut event.error_code,
        Column::Error => &mut event.error,
        Column::Message => &mut event.message,
        Column::Caller => &mut event.caller,
        _ => return None,
    })
}
