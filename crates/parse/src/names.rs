//! A handful of names, told at sight: most keys of a line are none of them, and that costs one look. Owns: that look. Knows no names of its own.

/// Places of the look; a power of two.
const PLACES: usize = 256;

/// Names of interest.
#[derive(Debug)]
pub(crate) struct Names {
    names: &'static [&'static str],
    places: [bool; PLACES],
}

const fn place(name: &[u8]) -> usize {
    let n = name.len();
    if n == 0 {
        return 0;
    }
    (n * 37 + name[0] as usize * 5 + name[n - 1] as usize * 17 + name[n / 2] as usize * 29) % PLACES
}

impl Names {
    /// Made at compile time.
    pub(crate) const fn new(names: &'static [&'static str]) -> Self {
        let (mut places, mut i) = ([false; PLACES], 0);
        while i < names.len() {
            places[place(names[i].as_bytes())] = true;
            i += 1;
        }
        Self { names, places }
    }
    /// Whether it may be one of them.
    pub(crate) fn maybe(&self, name: &str) -> bool {
        self.places[place(name.as_bytes())]
    }
    /// Whether it is one of them.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.maybe(name) && self.names.contains(&name)
    }
    /// Which one it is.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        if self.maybe(name) { self.names.iter().position(|known| *known == name) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_names_are_found() {
        static SOME: Names = Names::new(&["DB", "User", "User@Host", ""]);
        for (name, at) in
            [("DB", Some(0)), ("User", Some(1)), ("User@Host", Some(2)), ("", Some(3)), ("BD", None), ("Useful", None), ("user", None)]
        {
            assert_eq!((SOME.position(name), SOME.contains(name)), (at, at.is_some()), "{name}");
        }
    }
}
