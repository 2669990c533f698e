//! Which records belong to one act (DESIGN §2.14, docs/specs/events.md). Owns: the table of open acts. Deterministic: content, record time and observed
//! time only, in wal_seq order. Every table is bounded, and what had to go is counted.

mod copies;
mod known;
mod milvus;
mod pieces;
mod place;
pub(crate) mod table;
mod tidb;
mod waits;

use std::{borrow::Cow, fmt};

use event::{Event, Issue, Micros, RecordFlags, RecordMeta, Snapshot, SourceDefinition, Status, Value, action, derive};

use copies::Copies;
pub(crate) use copies::hash;
use known::Name;
use pieces::Pieces;
use place::Places;
use tidb::Tidb;
use waits::Waits;

/// The table of open acts of one store.
#[derive(Debug, Clone, Default)]
pub struct Acts {
    places: Places,
    waits: Waits,
    copies: Copies,
    tidb: Tidb,
    pieces: Pieces,
}

/// Where and when a line stands.
struct At<'n> {
    place: u32,
    cluster: u32,
    source: u32,
    time: Micros,
    observed: Micros,
    name: &'n dyn fmt::Display,
}

impl At<'_> {
    /// The event is a later line of an act. The first act that it joins is its act.
    fn join(&self, event: &mut Event<'_>, act: &Name) {
        if event.act_id.is_none() {
            event.act_id = Some(act.as_str().to_owned());
        }
    }
}

impl Acts {
    /// Gives the event its act, and the columns that its neighbors know (named in `inferred`). `name` is the event's own name.
    pub fn assign(&mut self, event: &mut Event<'_>, definition: &SourceDefinition, meta: &RecordMeta, name: &dyn fmt::Display) {
        if meta.flags.has(RecordFlags::PIECE) {
            self.pieces.piece(event, meta.source, name);
        } else if event.activity.is_none() && event.product.as_deref() != Some("milvus") && !tidb::may_belong(event) {
            // Nearly every line: it is no act and belongs to none.
            return self.pieces.whole(event, meta.source, name);
        }
        if !event.is_marked(&Issue::Forged) && !event.is_marked(&Issue::Unparsed) {
            self.place(event, definition, meta, name);
        }
        self.pieces.whole(event, meta.source, name);
    }

    fn place(&mut self, event: &mut Event<'_>, definition: &SourceDefinition, meta: &RecordMeta, name: &dyn fmt::Display) {
        let Some(time) = event.window_time() else { return };
        let instance = event.instance.as_deref().or(definition.instance.as_deref()).unwrap_or("");
        let Some(place) = self.places.place(&definition.cluster, instance) else { return };
        let Some(source) = self.places.source(meta.source, time) else { return };
        let cluster = self.places.get(place).map_or(0, |p| p.cluster);
        let observed = event.observed_time.unwrap_or(Micros::MIN);
        let at = At { place, cluster, source, time, observed, name };
        match event.product.as_deref() {
            Some("milvus") => milvus::assign(&mut self.waits, &mut self.copies, &mut self.places, event, &at),
            Some("tidb") => self.tidb.assign(&mut self.places, event, &at),
            _ => {}
        }
        self.life(event, place);
    }

    /// A start says whether the instance had said farewell.
    fn life(&mut self, event: &mut Event<'_>, place: u32) {
        let (Some(activity), Some(product)) = (event.activity, event.product.as_deref()) else { return };
        let is_life = *activity == action::APP_START || *activity == action::APP_STOP;
        // A refused SHUTDOWN is no farewell.
        if !is_life || event.status == Some(Status::Failure) || event.is_marked(&Issue::Duplicate) {
            return;
        }
        let Some(known) = self.places.get_mut(place) else { return };
        if *activity == action::APP_STOP {
            return known.farewell(product);
        }
        let farewell = known.start(product);
        if product == "tidb" {
            self.tidb.started(place);
        }
        if let Some(farewell) = farewell {
            let reason = if farewell { "clean" } else { "unclean" };
            event.fields.push((Cow::Borrowed("reason"), Value::Text(Cow::Borrowed(reason))));
            event.inferred.push("fields.reason");
        }
    }

    /// How many lines were forgotten before their time, because a table was full.
    pub fn dropped(&self) -> u64 {
        self.waits.dropped() + self.copies.dropped() + self.tidb.dropped() + self.places.refused()
    }

    /// The open acts, for a snapshot.
    pub fn snapshot(&self) -> Snapshot {
        derive::parts([
            ("places", self.places.snapshot()),
            ("waits", self.waits.snapshot()),
            ("copies", self.copies.snapshot()),
            ("tidb", self.tidb.snapshot()),
            ("pieces", self.pieces.snapshot()),
        ])
    }

    /// Goes on from a snapshot. One that does not read is an empty one.
    pub fn restore(&mut self, snapshot: &serde_json::Value) {
        let part = |name: &str| snapshot.get(name).unwrap_or(&serde_json::Value::Null);
        *self = match Places::restore(part("places")) {
            None => Self::default(),
            Some(places) => Self {
                places,
                waits: Waits::restore(part("waits")),
                copies: Copies::restore(part("copies")),
                tidb: Tidb::restore(part("tidb")),
                pieces: Pieces::restore(part("pieces")),
            },
        };
    }
}

#[cfg(test)]
mod tests;
