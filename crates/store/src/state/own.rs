//! Our own records (class `self`): one JSON object each, `{"kind": K, ...what is said}`. What has a `kind` of its own (a finding) stands under K.

use event::{LogClass, frame::Frame};
use serde_json::{Map, Value};

/// A record of ours as it is stored.
pub fn stored(kind: &str, said: Value) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("kind".to_owned(), Value::String(kind.to_owned()));
    match said {
        Value::Object(said) if !said.contains_key("kind") => object.extend(said),
        said => drop(object.insert(kind.to_owned(), said)),
    }
    Value::Object(object).to_string().into_bytes()
}

/// What was said: a record of ours without what [`stored`] put around it.
pub fn said(mut record: Value) -> Value {
    let kind = record["kind"].as_str().unwrap_or_default().to_owned();
    match record.get_mut(&kind) {
        Some(said) => said.take(),
        None => {
            record.as_object_mut().and_then(|o| o.shift_remove("kind"));
            record
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_of_its_own_is_not_lost() {
        for (kind, said, expected) in [
            ("access", json!({"user": "eve"}), r#"{"kind":"access","user":"eve"}"#),
            ("finding", json!({"id": "f", "kind": "rule"}), r#"{"kind":"finding","finding":{"id":"f","kind":"rule"}}"#),
            ("gap", json!("a word"), r#"{"kind":"gap","gap":"a word"}"#),
        ] {
            let bytes = stored(kind, said.clone());
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
            assert_eq!(super::said(serde_json::from_slice(&bytes).unwrap()), said);
        }
    }

    #[test]
    fn oldest_is_read_from_whatever_lines() {
        assert_eq!(oldest_of_seal(b"{\"sealed\":1,\"oldest\":7}\n{\"later\":1}\n"), 7);
        assert_eq!(oldest_of_seal(b"\xff\n{"), 0);
    }
}
