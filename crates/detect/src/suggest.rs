//! "Did you mean": the nearest known spelling.

use strsim::damerau_levenshtein;

/// `: did you mean `x`?`, or nothing where no known name is near.
pub fn hint<'n>(found: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(found, known).map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}

/// The nearest known name within a third of its length.
pub fn nearest<'n>(found: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let found = found.to_lowercase();
    let scored = known.into_iter().map(|k| (damerau_levenshtein(&found, k), k));
    scored.filter(|(d, k)| *d <= (k.chars().count().max(3) / 3).min(4)).min().map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["startswith", "endswith", "contains"];
        assert_eq!(nearest("startwith", known), Some("startswith"));
        assert_eq!(nearest("Contain", known), Some("contains"));
        assert_eq!(nearest("frobnicate", known), None);
    }
}
