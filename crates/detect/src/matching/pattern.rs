//! A text pattern with Sigma's wildcards, compiled to the cheapest test. Linear in the text: no backtracking.

use memchr::memmem::Finder;
use regex::Regex;
use rsigma_parser::{SpecialChar, StringPart};

/// Appends the text in lower case. Character by character, so that the lower case of a part is a part of the lower case.
pub fn push_lower(out: &mut String, text: &str) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        out[from..].make_ascii_lowercase();
    } else {
        text.chars().for_each(|c| out.extend(c.to_lowercase()));
    }
}

/// The text in lower case, as [`push_lower`] makes it.
pub fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_lower(&mut out, text);
    out
}

/// How a text is tested.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// `*`.
    Anything,
    /// No wildcard.
    Equals(String),
    /// Literals in order between `*`: what begins, what lies between, what ends. The ends are empty where `*` stands there.
    Glob(String, Vec<Finder<'static>>, String),
    /// With `?`.
    Regex(Regex, String),
}

impl Pattern {
    /// Compiles; the caller has lowered the parts if case does not count.
    pub fn new(parts: &[StringPart]) -> Result<Self, String> {
        let single = |p: &StringPart| matches!(p, StringPart::Special(SpecialChar::WildcardSingle));
        if parts.iter().any(single) {
            return Self::with_single(parts);
        }
        let mut pieces = vec![String::new()];
        for part in parts {
            match part {
                StringPart::Plain(text) => pieces.last_mut().into_iter().for_each(|p| p.push_str(text)),
                StringPart::Special(_) => pieces.push(String::new()),
            }
        }
        if pieces.len() == 1 {
            return Ok(Self::Equals(pieces.swap_remove(0)));
        }
        if pieces.iter().all(String::is_empty) {
            return Ok(Self::Anything);
        }
        let last = pieces.pop().unwrap_or_default();
        let first = pieces.remove(0);
        let middle = pieces.iter().filter(|p| !p.is_empty()).map(|p| Finder::new(p.as_str()).into_owned()).collect();
        Ok(Self::Glob(first, middle, last))
    }
    fn with_single(parts: &[StringPart]) -> Result<Self, String> {
        let mut text = String::from(r"(?s)\A");
        let mut longest = "";
        for part in parts {
            match part {
                StringPart::Plain(t) => {
                    text.push_str(&regex::escape(t));
                    longest = if t.len() > longest.len() { t } else { longest };
                }
                StringPart::Special(SpecialChar::WildcardSingle) => text.push('.'),
                StringPart::Special(SpecialChar::WildcardMulti) => text.push_str(".*"),
            }
        }
        text.push_str(r"\z");
        Regex::new(&text).map(|r| Self::Regex(r, longest.to_owned())).map_err(|e| e.to_string())
    }
    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Equals(t) => text == t,
            Self::Regex(r, _) => r.is_match(text),
            Self::Glob(first, middle, last) => {
                let (bytes, end) = (text.as_bytes(), text.len().wrapping_sub(last.len()));
                if text.len() < first.len() + last.len() || !text.starts_with(first.as_str()) || !text.ends_with(last.as_str()) {
                    return false;
                }
                let mut at = first.len();
                middle.iter().all(|m| match m.find(&bytes[at..end]) {
                    Some(i) => {
                        at += i + m.needle().len();
                        true
                    }
                    None => false,
                })
            }
        }
    }
    /// The longest literal that a fitting text must hold, and whether it must be the whole text.
    pub fn literal(&self) -> Option<(&str, bool)> {
        match self {
            Self::Anything => None,
            Self::Equals(t) => Some((t, true)),
            Self::Regex(_, longest) => Some((longest, false)),
            Self::Glob(first, middle, last) => {
                let middles = middle.iter().filter_map(|m| std::str::from_utf8(m.needle()).ok());
                middles.chain([first.as_str(), last.as_str()]).max_by_key(|t| t.len()).map(|t| (t, false))
            }
        }
    }
    /// The literal of a plain "contains", for sets of many.
    pub fn contained(&self) -> Option<&str> {
        match self {
            Self::Glob(first, middle, last) if first.is_empty() && last.is_empty() && middle.len() == 1 => {
                std::str::from_utf8(middle[0].needle()).ok()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsigma_parser::SigmaString;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(&SigmaString::new(pattern).parts).unwrap().matches(text)
    }

    #[test]
    fn wildcards_and_their_escapes() {
        for (pattern, yes, no) in [
            ("abc", "abc", "abcd"),
            ("a*c", "a\nc", "acd"),
            ("a*b*c", "a-b-b-c", "acb"),
            ("*b*b*", "abab", "ab"),
            ("ab*ba", "abba", "aba"),
            ("a?c", "aäc", "ac"),
            (r"a\*c", "a*c", "abc"),
            (r"a\?c", "a?c", "abc"),
            (r"c:\\*", r"c:\x", "c:x"),
            ("", "", "x"),
        ] {
            assert!(fits(pattern, yes), "{pattern} {yes}");
            assert!(!fits(pattern, no), "{pattern} {no}");
        }
        assert!(fits("*", "") && fits("**", "x"));
    }

    #[test]
    fn the_literal_is_needed() {
        let literal = |p: &str| Pattern::new(&SigmaString::new(p).parts).unwrap().literal().map(|(t, w)| (t.to_owned(), w));
        assert_eq!(literal("ab*cde*"), Some(("cde".into(), false)));
        assert_eq!(literal("abc"), Some(("abc".into(), true)));
        assert_eq!(literal("*"), None);
        assert_eq!(literal("?xyz*"), Some(("xyz".into(), false)));
    }

    #[test]
    fn lower_case_is_by_character() {
        assert_eq!(lower("ПАРОЛЬ Σ"), "пароль σ");
        assert_eq!(lower("SELECT"), "select");
    }
}
