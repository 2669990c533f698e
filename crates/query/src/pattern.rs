//! What "contains the word" and "has the value" mean: the one meaning that SQL functions, search and the live tail share.
//!
//! Word: the text stands in the line, ASCII case ignored, and is not part of a longer word. A word is a run of ASCII letters, digits and `_`;
//! so `1045` is found in `[planner:1045]` and `10.0.0.1` in `10.0.0.1:4000`, but `root` is not found in `rootcoord`. `root*` is.
//! Value: the whole column, ASCII case ignored; `*` stands for any text, and `*` alone for any value that is known.

use regex::bytes::{Regex, RegexBuilder};

/// A compiled pattern may need at most this much memory; a longer one is refused.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A word or a phrase to be found in a line.
#[derive(Debug, Clone)]
pub struct Word(Regex);

/// A value to be compared with a whole column.
#[derive(Debug, Clone)]
pub struct Value {
    text: String,
    pattern: Option<Regex>,
}

impl Word {
    /// Reads a word as it is typed. `quoted` takes `*` literally.
    pub fn new(text: &str, quoted: bool) -> Result<Self, String> {
        let open = |at_end: bool| !quoted && if at_end { text.ends_with('*') } else { text.starts_with('*') };
        let inner = if quoted { text } else { text.trim_matches('*') };
        if inner.is_empty() {
            return Err("there is nothing to look for".to_owned());
        }
        let is_word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let mut pattern = String::with_capacity(inner.len() + 8);
        if is_word(inner.as_bytes().first()) && !open(false) {
            pattern.push_str(r"\b");
        }
        if quoted {
            pattern.push_str(&regex::escape(inner));
        } else {
            pattern.push_str(&inner.split('*').map(regex::escape).collect::<Vec<_>>().join(r"\S*"));
        }
        if is_word(inner.as_bytes().last()) && !open(true) {
            pattern.push_str(r"\b");
        }
        compile(&pattern).map(Self)
    }
    /// Whether the line holds it.
    pub fn is_in(&self, line: &[u8]) -> bool {
        self.0.is_match(line)
    }
}

impl Value {
    /// Reads a value as it is typed. `quoted` takes `*` literally.
    pub fn new(text: &str, quoted: bool) -> Result<Self, String> {
        let pattern = match text.contains('*') && !quoted {
            true => Some(compile(&format!("^(?s:{})$", text.split('*').map(regex::escape).collect::<Vec<_>>().join(".*")))?),
            false => None,
        };
        Ok(Self { text: text.to_owned(), pattern })
    }
    /// Whether the column's value is this one.
    pub fn is(&self, value: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(value.as_bytes()),
            None => self.text.eq_ignore_ascii_case(value),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    // Bytes and ASCII only: a line need not be UTF-8, and Unicode tables would triple the automaton.
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|_| format!("the text is too long to look for ({} bytes)", pattern.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words() {
        for (word, line, expected) in [
            ("root", r#"[user=root]"#, true),
            ("ROOT", r#"[user=root]"#, true),
            ("root", "rootcoord started", false),
            ("root", "the_root", false),
            ("root*", "rootcoord started", true),
            ("*coord", "rootcoord started", true),
            ("r*d", "rootcoord started", true),
            ("r*d", "root failed", false),
            ("10.0.0.1", "from 10.0.0.1:4000", true),
            ("10.0.0.1", "from 10.0.0.12:4000", false),
            ("10.0.0.1", "from 10a0b0c1", false),
            ("x-x", "ax-x-x", true),
            ("[err", "a [err=b]", true),
            ("密码", "用户密码错误", true),
            ("ünder", "ünder", true),
        ] {
            assert_eq!(Word::new(word, false).unwrap().is_in(line.as_bytes()), expected, "{word} in {line}");
        }
        assert!(Word::new("a*b", true).unwrap().is_in(b"SELECT a*b"));
        assert!(!Word::new("a*b", true).unwrap().is_in(b"SELECT a+b"));
        assert!(Word::new("*", false).is_err());
        assert!(Word::new("root", false).unwrap().is_in(b"\xff\xfe root \xc3"));
    }

    #[test]
    fn values() {
        for (pattern, value, expected) in [
            ("root", "root", true),
            ("root", "Root", true),
            ("root", "root2", false),
            ("r*", "root", true),
            ("*", "", true),
            ("user_access.*", "user_access.assign_privileges", true),
            ("user_access.*", "user_accessX", false),
            ("a*z", "a\nz", true),
            ("a_c", "abc", false),
        ] {
            assert_eq!(Value::new(pattern, false).unwrap().is(value), expected, "{pattern} is {value}");
        }
        assert!(!Value::new("r*", true).unwrap().is("root"));
    }
}
