//! The documents of a file, and where in it a problem lies.

use crate::{names, rules::RuleProblem, suggest};

/// One YAML document of a file.
pub struct Document<'d> {
    /// The file.
    pub file: &'d str,
    /// Its text.
    pub text: &'d str,
    line: usize,
}

impl Document<'_> {
    /// A problem, placed at the line that holds what it quotes.
    pub fn problem(&self, what: impl Into<String>) -> RuleProblem {
        let what = what.into();
        let quoted = what.split(['`', '\'']).nth(1).filter(|t| t.len() > 2);
        let place = quoted.and_then(|t| self.text.lines().position(|l| l.contains(t))).unwrap_or(0);
        RuleProblem { file: format!("{}:{}", self.file, self.line + place), what }
    }
}

/// Cuts a file at its `---` lines, so that a problem has a place and one bad document does not hide the others.
pub fn documents<'d>(file: &'d str, text: &'d str) -> Vec<Document<'d>> {
    let mut found = Vec::new();
    let (mut from, mut at, mut line, mut first) = (0, 0, 1, 1);
    for l in text.split_inclusive('\n') {
        let end = at + l.len();
        if l.trim_end() == "---" {
            found.push(Document { file, text: &text[from..at], line: first });
            (from, first) = (end, line + 1);
        }
        (at, line) = (end, line + 1);
    }
    found.push(Document { file, text: &text[from..], line: first });
    let blank = |t: &str| t.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
    found.retain(|d| !blank(d.text));
    found
}

/// The parser's complaint, with a suggestion where it names a word that we know better.
pub fn explain(what: &str) -> String {
    if what.starts_with("invalid level") {
        return format!("{what}: informational, low, medium, high or critical");
    }
    let Some(word) = what.strip_prefix("Unknown modifier '").and_then(|r| r.strip_suffix('\'')) else { return what.to_owned() };
    let near = suggest::hint(word, names::MODIFIERS.iter().copied());
    let near = if near.is_empty() { format!(": one of {}", names::MODIFIERS.join(", ")) } else { near };
    format!("unknown modifier `{word}`{near}")
}
