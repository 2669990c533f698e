//! A value that must never be shown. `Debug` and `Display` say so; [`Secret::expose`] is the one way to its text, so every use can be found.

use std::fmt;

/// A password, a token, or a URL that carries one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The text itself: only for the wire it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }
    /// `text` without this secret: what an error of a library may say. Short values are left, they would hide ordinary words.
    pub fn scrub(&self, text: &str) -> String {
        if self.0.len() < SCRUB_MIN { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

/// A secret below this many bytes is not looked for in error texts.
const SCRUB_MIN: usize = 4;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_is_scrubbed() {
        let s = Secret::new("hunter22");
        assert_eq!(format!("{s:?} {s}"), "*** ***");
        assert_eq!(s.scrub("535 hunter22 refused"), "535 *** refused");
        assert_eq!(s.expose(), "hunter22");
    }
}
