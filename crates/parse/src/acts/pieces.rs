//! Pieces of one record (FORMAT §1): what a container runtime cut, and what came for a record already closed by time.

use std::fmt;

use event::{Event, Snapshot, SourceId, derive};
use serde::{Deserialize, Serialize};

use super::{known::Name, table::Table};
use crate::prefix::{self, Carrier};

/// Records of which more pieces may come.
const OPEN_MAX: usize = 8192;

/// The stream of a source in which a piece stands: a container's stdout and stderr are cut apart from each other.
type Key = (String, String);

/// Records that may go on.
#[derive(Debug, Clone)]
pub struct Pieces {
    /// Cut by a container runtime; the last piece closes it.
    cut: Table<Key, Name>,
    /// The last record of a source whose end does not show.
    tails: Table<Key, Name>,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { cut: Table::new(OPEN_MAX), tails: Table::new(OPEN_MAX) }
    }
}

/// Streams whose records have no visible end.
fn endless(event: &Event<'_>) -> bool {
    matches!(event.stream.as_deref(), Some("slow" | "crash"))
}

impl Pieces {
    /// A piece: opens its record's act or goes on with it.
    pub fn piece(&mut self, event: &mut Event<'_>, source: SourceId, name: &dyn fmt::Display) {
        let (carrier, partial, stdio) = {
            let last_line = event.raw.rsplit('\n').next().unwrap_or("");
            let line = prefix::line(last_line.as_bytes());
            (line.carrier, line.partial, line.stdio.unwrap_or("").to_owned())
        };
        let key = (source.to_string(), stdio);
        let open = match carrier {
            Carrier::None => self.tails.get(&key).cloned(),
            _ if partial => self.cut.get(&key).cloned(),
            _ => self.cut.remove(&key),
        };
        match open {
            Some(act) => event.act_id = Some(act.as_str().to_owned()),
            None if partial => self.cut.insert(key, Name::of_act(event, name)),
            None => {}
        }
    }

    /// A record whose end does not show may go on later.
    pub fn whole(&mut self, event: &Event<'_>, source: SourceId, name: &dyn fmt::Display) {
        if endless(event) {
            self.tails.insert((source.to_string(), String::new()), Name::of_act(event, name));
        }
    }

    /// What may go on, as JSON.
    pub fn snapshot(&self) -> Snapshot {
        derive::parts([("cut", self.cut.snapshot()), ("tails", self.tails.snapshot())])
    }

    /// Goes on from a snapshot.
    pub fn restore(snapshot: &serde_json::Value) -> Self {
        #[derive(Default, Serialize, Deserialize)]
        struct Parts {
            cut: serde_json::Value,
            tails: serde_json::Value,
        }
        let parts = Parts::deserialize(snapshot).unwrap_or_default();
        Self { cut: Table::restore(OPEN_MAX, &parts.cut), tails: Table::restore(OPEN_MAX, &parts.tails) }
    }
}
