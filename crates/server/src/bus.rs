//! The live tail: events to whoever looks. Owns: the bounded channel. A viewer that is too slow misses events and is told how many.

use std::sync::Arc;

use event::{Event, RecordName, json};
use tokio::sync::broadcast;

/// Events kept for slow viewers.
const EVENTS_MAX: usize = 4_096;

/// An event as viewers get it.
#[derive(Debug)]
pub struct Shown {
    /// Its name.
    pub name: RecordName,
    /// Its columns: what a filter looks at.
    pub event: Event<'static>,
    /// One JSON object with log, seq and cluster in front.
    pub json: String,
}

/// Hands events to viewers.
#[derive(Debug, Clone)]
pub struct Bus(broadcast::Sender<Arc<Shown>>);

impl Default for Bus {
    fn default() -> Self {
        Self(broadcast::channel(EVENTS_MAX).0)
    }
}

impl Bus {
    /// Shows an event, if anybody looks.
    pub fn show(&self, name: &RecordName, cluster: &str, event: &Event<'_>) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let mut text = format!("{{\"log\":\"{}\",\"seq\":{},\"cluster\":", name.log, name.seq);
        json::push_string(&mut text, cluster);
        text.push(',');
        let mut rest = String::new();
        json::push_event(&mut rest, event);
        text.push_str(rest.get(1..).unwrap_or("}"));
        let shown = Shown { name: name.clone(), event: event.clone().into_owned(), json: text };
        let _ = self.0.send(Arc::new(shown)); // nobody looks any more: no loss
    }

    /// Looks from now on.
    pub fn look(&self) -> broadcast::Receiver<Arc<Shown>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{LogClass, LogName, NodeId};
    use std::borrow::Cow;

    #[test]
    fn a_line_is_one_json_object_with_its_name() {
        let bus = Bus::default();
        let name = RecordName { log: LogName { node: NodeId(1), cluster: "prod".into(), class: LogClass::Security }, seq: 7 };
        let event = Event { raw: Cow::Borrowed("x"), ..Event::default() };
        bus.show(&name, "prod", &event);
        let mut look = bus.look();
        bus.show(&name, "prod", &event);
        let line: serde_json::Value = serde_json::from_str(&look.try_recv().unwrap().json).unwrap();
        assert_eq!(
            (line["log"].as_str(), line["seq"].as_i64(), line["raw"].as_str()),
            (Some("00000001.prod.security"), Some(7), Some("x"))
        );
        assert!(look.try_recv().is_err());
    }
}
