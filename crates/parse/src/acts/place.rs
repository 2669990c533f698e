//! Where lines come from, by number: clusters, instances, sources. Owns: the clock of each source, and what is known of each instance.

use std::collections::HashMap;

use event::{Micros, Snapshot, SourceId, derive, limits};
use serde::{Deserialize, Serialize};

/// Instances with a number; lines of further ones open acts of their own.
pub const PLACES_MAX: usize = 16_384;
/// Sources with a number.
pub const SOURCES_MAX: usize = 65_536;
/// Streams of an instance that can be told apart.
const STREAMS_MAX: usize = 64;

/// One line moves the clock of its source forward by at most this.
const STEP_US: Micros = limits::ACT_LIFE_US / 2;

/// One instance of one cluster.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The cluster's number.
    pub cluster: u32,
    /// Its name in the cluster.
    pub instance: Box<str>,
    /// The sources (by number) whose server lines may be copies of one another.
    pub streams: Vec<u32>,
    /// Whether it has shown a server log, an access log.
    pub has: [bool; 2],
    /// It prints CRUCIAL OPERATION behind the statement's failure: one that stands before is of another statement.
    pub crucial_last: bool,
    /// By product: whether it said farewell since its last start.
    pub lives: Vec<(Box<str>, bool)>,
}

impl Place {
    /// The bit of a source among the streams of this instance; none for too many.
    pub fn stream_bit(&mut self, source: u32) -> Option<u64> {
        let at = match self.streams.iter().position(|s| *s == source) {
            Some(at) => at,
            None if self.streams.len() < STREAMS_MAX => {
                self.streams.push(source);
                self.streams.len() - 1
            }
            None => return None,
        };
        Some(1 << at)
    }

    /// A start of a product: whether it had said farewell; none at the first start seen.
    pub fn start(&mut self, product: &str) -> Option<bool> {
        match self.lives.iter_mut().find(|(p, _)| &**p == product) {
            Some((_, farewell)) => Some(std::mem::take(farewell)),
            None => {
                self.lives.push((Box::from(product), false));
                None
            }
        }
    }

    /// A farewell of a product. Before any start it says nothing.
    pub fn farewell(&mut self, product: &str) {
        if let Some((_, farewell)) = self.lives.iter_mut().find(|(p, _)| &**p == product) {
            *farewell = true;
        }
    }
}

/// The number of a cluster, and those of its instances.
type Instances = (u32, HashMap<Box<str>, u32>);

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Places {
    clusters: HashMap<Box<str>, Instances>,
    names: Vec<Box<str>>,
    places: Vec<Place>,
    sources: HashMap<SourceId, u32>,
    clocks: Vec<Micros>,
    /// Of the line before: most lines come in runs.
    last_place: u32,
    last_source: Option<(SourceId, u32)>,
    refused: u64,
}

impl Places {
    /// Lines that found no number.
    pub fn refused(&self) -> u64 {
        self.refused
    }
    /// The clocks of the sources, by number.
    pub fn clocks(&self) -> &[Micros] {
        &self.clocks
    }
    /// An instance.
    pub fn get(&self, place: u32) -> Option<&Place> {
        self.places.get(place as usize)
    }
    /// An instance, to change it.
    pub fn get_mut(&mut self, place: u32) -> Option<&mut Place> {
        self.places.get_mut(place as usize)
    }

    /// The number of an instance.
    pub fn place(&mut self, cluster: &str, instance: &str) -> Option<u32> {
        let last = self.places.get(self.last_place as usize);
        if last.is_some_and(|p| &*p.instance == instance && self.names.get(p.cluster as usize).is_some_and(|n| &**n == cluster)) {
            return Some(self.last_place);
        }
        let known = self.clusters.get(cluster).and_then(|(_, places)| places.get(instance)).copied();
        let place = match known {
            Some(place) => place,
            None if self.places.len() < PLACES_MAX => self.add(cluster, Place { instance: Box::from(instance), ..Place::default() }),
            None => {
                self.refused += 1;
                return None;
            }
        };
        self.last_place = place;
        Some(place)
    }

    fn add(&mut self, cluster: &str, mut place: Place) -> u32 {
        let next = self.names.len() as u32;
        let (number, places) = self.clusters.entry(Box::from(cluster)).or_insert_with(|| (next, HashMap::new()));
        if *number == next {
            self.names.push(Box::from(cluster));
        }
        place.cluster = *number;
        let id = self.places.len() as u32;
        places.insert(place.instance.clone(), id);
        self.places.push(place);
        id
    }

    /// The number of a source, whose clock this line may move.
    pub fn source(&mut self, id: SourceId, time: Micros) -> Option<u32> {
        let number = match self.last_source {
            Some((last, number)) if last == id => number,
            _ => match self.sources.get(&id) {
                Some(number) => *number,
                None if self.clocks.len() < SOURCES_MAX => {
                    let number = self.clocks.len() as u32;
                    self.sources.insert(id, number);
                    self.clocks.push(Micros::MIN);
                    number
                }
                None => {
                    self.refused += 1;
                    return None;
                }
            },
        };
        self.last_source = Some((id, number));
        if let Some(clock) = self.clocks.get_mut(number as usize) {
            // One line with a time far ahead must not end the life of everything that waits; the next line sets the clock right again.
            *clock = if *clock == Micros::MIN { time } else { time.min(clock.saturating_add(STEP_US)) };
        }
        Some(number)
    }

    /// All of them as JSON.
    pub fn snapshot(&self) -> Snapshot {
        let mut sources: Vec<(u32, String, Micros)> =
            self.sources.iter().map(|(id, n)| (*n, id.to_string(), self.clocks.get(*n as usize).copied().unwrap_or_default())).collect();
        sources.sort_unstable();
        derive::parts([
            ("clusters", derive::snapshot(&self.names)),
            ("places", derive::snapshot(&self.places)),
            ("sources", derive::snapshot(&sources)),
        ])
    }

    /// Goes on from a snapshot. One that does not read is none: numbers in the tables beside it would mean something else.
    pub fn restore(snapshot: &serde_json::Value) -> Option<Self> {
        let mut all = Self::default();
        let names = Vec::<Box<str>>::deserialize(snapshot.get("clusters")?).ok()?;
        for place in Vec::<Place>::deserialize(snapshot.get("places")?).ok()? {
            let (cluster, instance) = (names.get(place.cluster as usize)?, place.instance.clone());
            let number = place.cluster;
            let id = all.add(cluster, place);
            if all.place(cluster, &instance)? != id || all.get(id)?.cluster != number {
                return None;
            }
        }
        for (n, (number, id, clock)) in Vec::<(u32, String, Micros)>::deserialize(snapshot.get("sources")?).ok()?.into_iter().enumerate() {
            let id = SourceId::parse(&id).filter(|_| number as usize == n)?;
            all.source(id, clock)?;
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_over_a_snapshot() {
        let mut p = Places::default();
        let (a, b) = (p.place("c1", "x"), p.place("c2", "x"));
        assert_eq!((a, b, p.place("c1", "x"), p.place("c1", "y")), (Some(0), Some(1), Some(0), Some(2)));
        assert_eq!(
            (p.source(SourceId([1; 16]), 50), p.source(SourceId([2; 16]), 7), p.source(SourceId([1; 16]), 40)),
            (Some(0), Some(1), Some(0))
        );
        assert_eq!(p.clocks(), [40, 7]);
        if let Some(place) = p.get_mut(2) {
            assert_eq!((place.stream_bit(5), place.stream_bit(9), place.stream_bit(5)), (Some(1), Some(2), Some(1)));
        }
        let mut back = Places::restore(&serde_json::from_str(p.snapshot().get()).unwrap()).unwrap();
        assert_eq!(back.snapshot().get(), p.snapshot().get());
        assert_eq!((back.place("c1", "y"), back.source(SourceId([2; 16]), 0), back.place("c3", "")), (Some(2), Some(1), Some(3)));
        assert!(
            Places::restore(&serde_json::json!({"clusters": [], "places": [{"cluster": 4, "instance": "x"}], "sources": []})).is_none()
        );
    }

    #[test]
    fn one_line_ahead_does_not_run_away_with_the_clock() {
        let mut p = Places::default();
        let clock = |p: &mut Places, time| {
            p.source(SourceId([1; 16]), time);
            p.clocks()[0]
        };
        assert_eq!(clock(&mut p, 1_000), 1_000);
        assert_eq!(clock(&mut p, Micros::MAX), 1_000 + STEP_US);
        assert_eq!(clock(&mut p, 2_000), 2_000);
    }

    #[test]
    fn a_start_tells_whether_there_was_a_farewell() {
        let mut place = Place::default();
        place.farewell("milvus");
        assert_eq!(place.start("milvus"), None);
        assert_eq!(place.start("milvus"), Some(false));
        place.farewell("milvus");
        assert_eq!(place.start("milvus"), Some(true));
        assert_eq!((place.start("milvus"), place.start("tidb")), (Some(false), None));
    }
}
