//! The tables by ends, held to the lists that they are made of.

use proptest::prelude::*;

use super::*;

#[test]
fn every_text_is_found_by_its_end() {
    let all = |n: usize, table: &[u64; 256], text: &str| bits(table[usize::from(*text.as_bytes().last().unwrap())]).any(|i| i == n);
    for (n, w) in WORDS.iter().enumerate() {
        assert!(all(n, &WORDS_BY_END, w.text), "{}", w.text);
    }
    for (n, suffix) in SUFFIXES.iter().enumerate() {
        assert!(if suffix.is_empty() { SUFFIXES_BY_END.iter().all(|set| set & 1 << n != 0) } else { all(n, &SUFFIXES_BY_END, suffix) });
    }
    for (n, exception) in EXCEPTIONS.iter().enumerate() {
        assert!(all(n, &EXCEPTIONS_BY_END, exception), "{exception}");
    }
}

proptest! {
    /// The first suffix in order with the first word in order, as the lists say.
    #[test]
    fn ends_are_told_in_the_order_of_the_lists(parts in proptest::collection::vec((0..WORDS.len(), 0..SUFFIXES.len(), "[a-z]{0,2}"), 1..3)) {
        let flat: String = parts.iter().map(|(w, s, more)| format!("{}{}{more}", WORDS[*w].text, SUFFIXES[*s])).collect();
        let plain = |texts: &[&str]| texts.iter().enumerate().filter(|(_, t)| flat.ends_with(*t)).map(|(i, _)| i).collect::<Vec<_>>();
        let texts: Vec<&str> = WORDS.iter().map(|w| w.text).collect();
        let told_words: Vec<usize> = words(flat.as_bytes()).filter(|i| flat.ends_with(WORDS[*i].text)).collect();
        let told = |table: &[u64; 256], texts: &[&str]| ends(table, flat.as_bytes()).filter(|i| flat.ends_with(texts[*i])).collect::<Vec<_>>();
        prop_assert_eq!(told_words, plain(&texts));
        prop_assert_eq!(told(&SUFFIXES_BY_END, SUFFIXES), plain(SUFFIXES));
        prop_assert_eq!(told(&EXCEPTIONS_BY_END, EXCEPTIONS), plain(EXCEPTIONS));
    }
}
