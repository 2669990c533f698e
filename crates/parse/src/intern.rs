//! Texts that stand in every event of a source (its process, its machine, its version), kept once for the life of the program, so that an event borrows them.
//!
//! Owns: the bounds of that. What does not fit is copied as before; nothing depends on whether a text is kept.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
};

use event::Text;

/// So many texts are kept.
const TEXTS_MAX: usize = 16_384;
/// A longer text is not kept.
const TEXT_BYTES_MAX: usize = 512;

static KEPT: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// The text, borrowed from what is kept where it can be.
pub fn text(text: &str) -> Text<'static> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(same) = kept.get(text) {
        return Text::Borrowed(same);
    }
    if kept.len() >= TEXTS_MAX || text.len() > TEXT_BYTES_MAX {
        return Text::Owned(text.to_owned());
    }
    let same: &'static str = Box::leak(text.to_owned().into_boxed_str());
    kept.insert(same);
    Text::Borrowed(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_a_long_one_not_at_all() {
        let (a, b) = (text("db-7:4000"), text("db-7:4000"));
        assert!(matches!((&a, &b), (Text::Borrowed(a), Text::Borrowed(b)) if std::ptr::eq(*a, *b)));
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(matches!(text(&long), Text::Owned(same) if same == long));
    }
}
