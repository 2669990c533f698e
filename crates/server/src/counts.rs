//! What arrived, for the overview and `/metrics`: events a minute by product, and what each source last said. Owns: these counters, in memory only.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use event::{
    Event, Micros, SourceDefinition, SourceId,
    clock::{MINUTE, SECOND},
};
use serde::Serialize;

/// Minutes kept.
pub const MINUTES: usize = 60;
/// "Now" is this many seconds.
const RECENT_SECONDS: i64 = 10;
/// A source that had something to say and says nothing for so long is silent.
pub const SILENT_AFTER: Micros = 5 * MINUTE;
/// Products with counters of their own; more are counted together as `other`.
const SERIES_MAX: usize = 256;
/// Sources with a line of their own; more are counted, not listed.
const SOURCES_MAX: usize = 20_000;

/// Events a minute of one product in one cluster; the last is the minute that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The product, `unknown` where none was told.
    pub product: String,
    /// The cluster.
    pub cluster: String,
    /// One count a minute, oldest first; null before the first event ever.
    pub counts: Vec<Option<u64>>,
}

/// A source as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceLine {
    /// Its id, 32 hex digits.
    pub source: String,
    /// The cluster.
    pub cluster: String,
    /// The product of its last event.
    pub product: Option<String>,
    /// The process.
    pub instance: Option<String>,
    /// The file.
    pub path: Option<String>,
    /// Arrival of its last event.
    #[serde(serialize_with = "rfc3339")]
    pub last_event: Option<Micros>,
    /// Event time of its last event.
    #[serde(serialize_with = "rfc3339")]
    pub last_time: Option<Micros>,
    /// Events since the start.
    pub events: u64,
    /// It had something to say and says nothing now.
    pub silent: bool,
}

fn rfc3339<S: serde::Serializer>(at: &Option<Micros>, s: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => s.serialize_str(&event::clock::rfc3339(*at)),
        None => s.serialize_none(),
    }
}

#[derive(Debug, Default)]
struct Inner {
    /// (cluster, product) to (minute, count), rising.
    minutes: BTreeMap<(String, String), VecDeque<(i64, u64)>>,
    /// product to (second, count), rising.
    seconds: BTreeMap<String, VecDeque<(i64, u64)>>,
    sources: HashMap<SourceId, SourceLine>,
    events: u64,
    unlisted: u64,
    findings_waiting: u64,
    first_minute: Option<i64>,
}

/// The counters.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Inner>);

fn bump(series: &mut VecDeque<(i64, u64)>, slot: i64, keep: usize) {
    match series.back_mut() {
        Some((last, n)) if *last >= slot => *n += 1,
        _ => series.push_back((slot, 1)),
    }
    while series.len() > keep {
        series.pop_front();
    }
}

impl Counts {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A finding that the desk had no room for.
    pub fn finding_waits(&self) {
        self.inner().findings_waiting += 1;
    }

    /// Findings that become alerts only at the next start.
    pub fn findings_waiting(&self) -> u64 {
        self.inner().findings_waiting
    }

    /// One event arrived at `at`.
    pub fn event(&self, event: &Event<'_>, source: SourceId, definition: &SourceDefinition, at: Micros) {
        let product = event.product.as_deref().unwrap_or("unknown");
        let mut inner = self.inner();
        inner.events += 1;
        let minute = at.div_euclid(MINUTE);
        inner.first_minute.get_or_insert(minute);
        let full = inner.minutes.len() >= SERIES_MAX;
        let key = (definition.cluster.clone(), product.to_owned());
        let key = if full && !inner.minutes.contains_key(&key) { (definition.cluster.clone(), "other".to_owned()) } else { key };
        bump(inner.minutes.entry(key).or_default(), minute, MINUTES);
        bump(inner.seconds.entry(product.to_owned()).or_default(), at.div_euclid(SECOND), 2 * RECENT_SECONDS as usize);
        if inner.sources.len() >= SOURCES_MAX && !inner.sources.contains_key(&source) {
            inner.unlisted += 1;
            return;
        }
        let line = inner.sources.entry(source).or_insert_with(|| SourceLine {
            source: source.to_string(),
            cluster: definition.cluster.clone(),
            product: None,
            instance: definition.instance.clone(),
            path: definition.path.clone(),
            last_event: None,
            last_time: None,
            events: 0,
            silent: false,
        });
        line.events += 1;
        line.last_event = Some(at);
        line.last_time = event.time.or(line.last_time);
        if let Some(product) = &event.product
            && line.product.as_deref() != Some(product)
        {
            line.product = Some(product.clone().into_owned());
        }
    }

    /// Events since the start.
    pub fn events(&self) -> u64 {
        self.inner().events
    }

    /// Events of sources beyond the limit of listed ones.
    pub fn unlisted(&self) -> u64 {
        self.inner().unlisted
    }

    /// Events a minute over the last hour.
    pub fn series(&self, now: Micros) -> Vec<Series> {
        let inner = self.inner();
        let last = now.div_euclid(MINUTE);
        let first = last - MINUTES as i64 + 1;
        let since = inner.first_minute.unwrap_or(last);
        let of = |(key, have): (&(String, String), &VecDeque<(i64, u64)>)| {
            let count = |m: i64| have.iter().find(|(at, _)| *at == m).map_or(0, |(_, n)| *n);
            let counts = (first..=last).map(|m| (m >= since).then(|| count(m))).collect();
            Series { cluster: key.0.clone(), product: key.1.clone(), counts }
        };
        inner.minutes.iter().map(of).collect()
    }

    /// Events a second by product, over the last whole seconds.
    pub fn per_second(&self, now: Micros) -> Vec<(String, f64)> {
        let second = now.div_euclid(SECOND);
        let recent = |have: &VecDeque<(i64, u64)>| {
            let n: u64 = have.iter().filter(|(at, _)| (second - RECENT_SECONDS..second).contains(at)).map(|(_, n)| n).sum();
            (n as f64) / (RECENT_SECONDS as f64)
        };
        self.inner().seconds.iter().map(|(product, have)| (product.clone(), recent(have))).collect()
    }

    /// The sources, silent ones first.
    pub fn sources(&self, now: Micros) -> Vec<SourceLine> {
        let mut lines: Vec<SourceLine> = self.inner().sources.values().cloned().collect();
        for line in &mut lines {
            line.silent = line.last_event.is_some_and(|at| now - at > SILENT_AFTER);
        }
        lines.sort_by(|a, b| (!a.silent, &a.cluster, &a.path).cmp(&(!b.silent, &b.cluster, &b.path)));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn counts_by_minute_and_second_and_says_who_is_silent() {
        let counts = Counts::default();
        let definition = SourceDefinition { cluster: "prod".into(), ..SourceDefinition::default() };
        let event = Event { product: Some(Cow::Borrowed("tidb")), ..Event::default() };
        let start = 1_000 * MINUTE;
        for i in 0..30 {
            counts.event(&event, SourceId([1; 16]), &definition, start + i * SECOND);
        }
        let series = &counts.series(start + 2 * MINUTE)[0];
        assert_eq!(series.counts.len(), MINUTES);
        assert_eq!(series.counts[MINUTES - 4..], [None, Some(30), Some(0), Some(0)]);
        assert_eq!(counts.per_second(start + 30 * SECOND), [("tidb".to_owned(), 1.0)]);
        assert!(!counts.sources(start + 3 * MINUTE)[0].silent);
        assert!(counts.sources(start + 7 * MINUTE)[0].silent);
    }
}
