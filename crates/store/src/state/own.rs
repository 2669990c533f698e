//! Our own records (class `self`): one JSON object each, `{"kind": K, K: what is said}`.

use event::{LogClass, frame::Frame};
use serde_json::{Map, Value};

/// A record of ours as it is stored.
pub fn stored(kind: &str, said: Value) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("kind".to_owned(), Value::String(kind.to_owned()));
    object.insert(kind.to_owned(), said);
    Value::Object(object).to_string().into_bytes()
}

/// Our own records in a frame.
pub fn records(frame: &Frame) -> Vec<Value> {
    if !frame.logs.iter().any(|l| l.log.class == LogClass::Own) {
        return Vec::new();
    }
    let own = frame.records().filter(|r| frame.logs[r.log].log.class == LogClass::Own);
    own.filter_map(|r| serde_json::from_slice(r.stored).ok()).collect()
}

/// The lowest segment that stays, as a seal frame names it.
pub fn oldest_of_seal(plain: &[u8]) -> u64 {
    let lines = plain.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice::<Value>(l).ok());
    lines.filter_map(|v| v["oldest"].as_u64()).max().unwrap_or(0)
}
