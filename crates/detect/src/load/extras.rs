//! The keys that our rule documents have beside Sigma's (docs/specs/rules.md).

use event::{Micros, clock::SECOND};
use rsigma_parser::Timespan;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{limits::SPAN_MAX, rules::SharedAddress, suggest, testing::RuleTest};

/// Their names.
pub const KEYS: &[&str] = &["tests", "next", "needs", "subject", "episode", "shared_address", "generate"];

/// A text or a list of texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

/// The extra keys of a document.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extras {
    /// Its tests.
    pub tests: Vec<RuleTest>,
    /// What the analyst does next.
    pub next: Option<String>,
    needs: Option<Texts>,
    subject: Option<Texts>,
    episode: Option<String>,
    /// What happens at shared addresses.
    pub shared_address: Option<SharedAddress>,
    /// Whether a rule that a correlation stands on makes findings of its own.
    pub generate: Option<bool>,
}

fn texts(found: &Option<Texts>) -> Vec<String> {
    match found {
        None => Vec::new(),
        Some(Texts::One(t)) => vec![t.clone()],
        Some(Texts::Many(list)) => list.clone(),
    }
}

impl Extras {
    /// Takes the known keys out of a document's own ones; a key that nearly is one of them is a mistake, any other is somebody else's.
    pub fn read(own: Value) -> Result<Self, String> {
        let Value::Object(own) = own else { return Ok(Self::default()) };
        let mut known = Map::new();
        for (key, value) in own {
            if KEYS.contains(&key.as_str()) {
                known.insert(key, value);
            } else if let Some(near) = suggest::nearest(&key, KEYS.iter().copied()) {
                return Err(format!("unknown key `{key}`: did you mean `{near}`?"));
            }
        }
        serde_json::from_value(Value::Object(known)).map_err(|e| e.to_string())
    }
    /// What configuration of the database the rule depends on.
    pub fn needs(&self) -> Vec<String> {
        texts(&self.needs)
    }
    /// Columns of the subject, where the document names them.
    pub fn subject(&self) -> Option<Vec<String>> {
        self.subject.as_ref().map(|_| texts(&self.subject))
    }
    /// The length of an episode's gap, where the document names it.
    pub fn episode(&self) -> Result<Option<Micros>, String> {
        self.episode.as_deref().map(|t| span("episode", t)).transpose()
    }
}

/// Reads a duration as Sigma writes it: `30s`, `5m`, `24h`, `7d`.
pub fn span(key: &str, text: &str) -> Result<Micros, String> {
    let parsed = Timespan::parse(text).map_err(|_| format!("{key}: `{text}` is no duration (30s, 5m, 24h, 7d)"))?;
    micros(key, &parsed)
}

/// A parsed duration in microseconds, within bounds.
pub fn micros(key: &str, span: &Timespan) -> Result<Micros, String> {
    let micros = i64::try_from(span.seconds).ok().and_then(|s| s.checked_mul(SECOND)).filter(|m| (1..=SPAN_MAX).contains(m));
    micros.ok_or_else(|| format!("{key}: `{}` is out of bounds (1s to {}d)", span.original, SPAN_MAX / (86_400 * SECOND)))
}
