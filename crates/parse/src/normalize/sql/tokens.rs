//! A statement cut into tokens, as TiDB's lexer would read it. Owns: comments, quotes, marks of redaction. Never allocates, never looks twice at a byte.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bare word: keyword, name, number.
    Word,
    /// A name in backquotes, without them.
    Name,
    /// A text in single or double quotes, without them, escapes as written.
    Text,
    /// Any other single character.
    Symbol,
}

/// One token: a part of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: &'s str,
}

impl Token<'_> {
    /// Whether it is this keyword (given in upper case).
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }
    /// Whether it is one of these keywords.
    pub fn is_any(&self, keywords: &[&str]) -> bool {
        self.kind == Kind::Word && keywords.iter().any(|k| self.text.eq_ignore_ascii_case(k))
    }
    /// Whether it is this character.
    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == Kind::Symbol && self.text.as_bytes() == [symbol]
    }
    /// Whether it may be a name.
    pub fn is_name(&self) -> bool {
        self.kind != Kind::Symbol
    }
}

/// Reads tokens; `Copy`, so a look ahead is a copy.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'s> {
    text: &'s str,
    at: usize,
}

const fn word_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let c = b as u8;
        table[b] = c.is_ascii_alphanumeric() || c == b'_' || c == b'$' || c >= 0x80;
        b += 1;
    }
    table
}
static WORD: [bool; 256] = word_bytes();

/// `‹` and `›`, the marks that a redacting TiDB puts around a literal: E2 80 B9 and E2 80 BA.
fn is_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0xe2, 0x80, 0xb9 | 0xba, ..])
}

impl<'s> Tokens<'s> {
    /// At the start of a statement.
    pub fn new(text: &'s str) -> Self {
        Self { text, at: 0 }
    }
    /// What has not been read.
    pub fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }
    /// The next token without taking it.
    pub fn peek(&self) -> Option<Token<'s>> {
        let mut ahead = *self;
        ahead.next()
    }
    /// Takes the next token if it is this keyword.
    pub fn eat(&mut self, keyword: &str) -> bool {
        self.eat_if(|t| t.is(keyword))
    }
    /// Takes the next token if it is this character.
    pub fn eat_symbol(&mut self, symbol: u8) -> bool {
        self.eat_if(|t| t.is_symbol(symbol))
    }
    /// Takes the next token if it is as wanted.
    pub fn eat_if(&mut self, wanted: impl Fn(&Token<'s>) -> bool) -> bool {
        let mut ahead = *self;
        let yes = ahead.next().is_some_and(|t| wanted(&t));
        if yes {
            *self = ahead;
        }
        yes
    }
    /// Takes these keywords, all or none.
    pub fn eat_all(&mut self, keywords: &[&str]) -> bool {
        let mut ahead = *self;
        let yes = keywords.iter().all(|k| ahead.eat(k));
        if yes {
            *self = ahead;
        }
        yes
    }
    /// Takes `IF EXISTS`, `IF NOT EXISTS`.
    pub fn eat_if_exists(&mut self) {
        let _ = self.eat_all(&["IF", "EXISTS"]) || self.eat_all(&["IF", "NOT", "EXISTS"]);
    }
    /// Skips blanks and sets the position to `n` bytes further.
    pub fn advance(&mut self, n: usize) {
        self.at = (self.at + n).min(self.text.len());
    }

    /// Skips blanks, comments, marks of redaction, and the frame of a comment that is executed (`/*!40101 ..*/`, `/*T![x] ..*/`).
    pub fn skip_blanks(&mut self) {
        let bytes = self.text.as_bytes();
        loop {
            let rest = &bytes[self.at..];
            match rest {
                [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, ..] => self.at += 1,
                [b'/', b'*', b'!', tail @ ..] => self.at += 3 + tail.iter().take_while(|b| b.is_ascii_digit()).count(),
                [b'/', b'*', b'T', b'!', b'[', tail @ ..] => self.at += 5 + memchr::memchr(b']', tail).map_or(tail.len(), |n| n + 1),
                [b'/', b'*', b'T', b'!', ..] => self.at += 4,
                [b'/', b'*', tail @ ..] => self.at += 2 + memchr::memmem::find(tail, b"*/").map_or(tail.len(), |n| n + 2),
                [b'*', b'/', ..] => self.at += 2,
                [b'#', tail @ ..] => self.at += 1 + memchr::memchr(b'\n', tail).map_or(tail.len(), |n| n + 1),
                [b'-', b'-'] => self.at += 2,
                [b'-', b'-', b' ' | b'\t' | b'\n' | b'\r', ..] => {
                    self.at += 2 + memchr::memchr(b'\n', &rest[2..]).map_or(rest.len() - 2, |n| n + 1)
                }
                _ if is_mark(rest) => self.at += 3,
                _ => return,
            }
        }
    }

    /// The end of a quoted text that begins behind the quote: a doubled quote and (save in backquotes) a backslash keep it open.
    fn quoted(&self, from: usize, quote: u8) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        loop {
            let found = if quote == b'`' { memchr::memchr(quote, &bytes[at..]) } else { memchr::memchr2(quote, b'\\', &bytes[at..]) };
            let Some(n) = found else { return bytes.len() };
            at += n;
            if bytes[at] == b'\\' {
                at = (at + 2).min(bytes.len());
            } else if bytes.get(at + 1) == Some(&quote) {
                at += 2;
            } else {
                return at;
            }
        }
    }
}

impl<'s> Iterator for Tokens<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        self.skip_blanks();
        let bytes = self.text.as_bytes();
        let (from, first) = (self.at, *bytes.get(self.at)?);
        if WORD[usize::from(first)] {
            let mut end = from;
            while end < bytes.len() && WORD[usize::from(bytes[end])] && !(bytes[end] == 0xe2 && is_mark(&bytes[end..])) {
                end += 1;
            }
            self.at = end;
            return Some(Token { kind: Kind::Word, text: &self.text[from..end] });
        }
        if matches!(first, b'\'' | b'"' | b'`') {
            let end = self.quoted(from + 1, first);
            self.at = (end + 1).min(bytes.len());
            // An escape at the very end of a cut statement may stand inside a character.
            let text = self.text.get(from + 1..end).unwrap_or_default();
            return Some(Token { kind: if first == b'`' { Kind::Name } else { Kind::Text }, text });
        }
        self.at = from + 1;
        Some(Token { kind: Kind::Symbol, text: &self.text[from..self.at] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        Tokens::new(text).map(|t| t.text).collect()
    }

    #[test]
    fn comments_vanish_and_executed_comments_do_not() {
        for (text, want) in [
            ("/* a */ drop/**/table -- x\n t # y", vec!["drop", "table", "t"]),
            ("/*!40101 SET */ x", vec!["SET", "x"]),
            ("create /*T![ttl] table */ t", vec!["create", "table", "t"]),
            ("select /*+ HINT(a) */ 1", vec!["select", "1"]),
            ("a--1", vec!["a", "-", "-", "1"]),
            ("select ‹1›, ‹‹'x'››", vec!["select", "1", ",", "x"]),
            ("'it''s' \"a\\\"b\" `we``ird`", vec!["it''s", "a\\\"b", "we``ird"]),
            ("'open", vec!["open"]),
            ("'end\\", vec!["end\\"]),
            ("'\\é", vec!["\\é"]),
            ("/* open", vec![]),
            ("größe.x", vec!["größe", ".", "x"]),
        ] {
            assert_eq!(all(text), want, "{text}");
        }
    }

    #[test]
    fn a_name_in_quotes_is_no_keyword() {
        assert!(!Tokens::new("`drop`").next().unwrap().is("DROP"));
        assert!(Tokens::new("DrOp").next().unwrap().is("DROP"));
    }
}
