//! The shape of a SQL statement: what a rule reads as `statement_shape`. Owns: quotes, comments, redaction marks. Must never look at a byte twice.
//!
//! What stands inside a literal is data, however much it looks like SQL; what an injection adds stands outside. So literals lose their content and comments
//! theirs, and what is left is the structure:
//!
//! | in the statement | in the shape |
//! |---|---|
//! | `'text'`, `"text"`, a text between redaction marks | `'s'`; empty: `''` |
//! | a literal compared with another literal of other content | `'o'` for the second |
//! | a quote that never closes | `'u`, and the shape ends |
//! | `-- comment`, `# comment` | `--`, and `--'` if the comment swallows the quote that should have closed a literal |
//! | `/* comment */` | a blank; `/**/` where it stands in for the blank; `/*` if it never closes |
//! | `/*!50000 executed */` | `/*!` and the content |
//! | `` `name` `` | the name without marks |
//!
//! All in lower case, blanks folded into one.

/// More of a statement is not looked at.
const STATEMENT_BYTES_MAX: usize = 64 * 1024;
/// Characters that may stand between a comment's sign and the quote that it swallows: scanners add a few.
const FILLER_MAX: usize = 8;

/// Appends the shape of the statement.
pub fn push_shape(out: &mut String, statement: &str) {
    let mut end = statement.len().min(STATEMENT_BYTES_MAX);
    while !statement.is_char_boundary(end) {
        end -= 1;
    }
    let mut shaper = Shaper { text: &statement[..end], at: 0, start: out.len(), out, last: "" };
    while shaper.step() {}
}

struct Shaper<'s, 'o> {
    text: &'s str,
    at: usize,
    start: usize,
    out: &'o mut String,
    /// Content of the last literal.
    last: &'s str,
}

const OPEN: &str = "\u{2039}";
const CLOSE: &str = "\u{203a}";

impl<'s> Shaper<'s, '_> {
    fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }
    fn blank(&mut self) {
        if self.out.len() > self.start && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }
    fn stop(&mut self) -> bool {
        self.at = self.text.len();
        false
    }
    /// Reads one element; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let Some(first) = bytes.first().copied() else { return false };
        match first {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => {
                self.blank();
                self.at += 1;
            }
            b'\'' | b'"' => return self.literal(first),
            b'`' => self.name(),
            b'#' => return self.line_comment(1),
            b'-' if bytes.get(1) == Some(&b'-') && bytes.get(2).is_none_or(u8::is_ascii_whitespace) => return self.line_comment(2),
            b'/' if bytes.get(1) == Some(&b'*') => return self.comment(),
            b'*' if bytes.get(1) == Some(&b'/') => {
                self.blank();
                self.at += 2;
            }
            _ if rest.starts_with(OPEN) => self.mark(),
            _ if rest.starts_with(CLOSE) => self.at += CLOSE.len(),
            _ => {
                let n = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let n = if n == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { n };
                super::pattern::push_lower(self.out, &rest[..n]);
                self.at += n;
            }
        }
        true
    }
    fn literal(&mut self, quote: u8) -> bool {
        let from = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = from;
        let end = loop {
            match memchr::memchr2(quote, b'\\', &bytes[at..]) {
                None => break None,
                Some(n) if bytes[at + n] == b'\\' => at = (at + n + 2).min(bytes.len()),
                Some(n) if bytes.get(at + n + 1) == Some(&quote) => at += n + 2,
                Some(n) => break Some(at + n),
            }
        };
        let Some(end) = end else {
            self.out.push_str("'u");
            return self.stop();
        };
        self.at = end + 1;
        self.put(self.text.get(from..end).unwrap_or_default());
        true
    }
    fn put(&mut self, content: &'s str) {
        let other = self.compared() && self.last != content;
        self.out.push_str(if content.is_empty() {
            "''"
        } else if other {
            "'o'"
        } else {
            "'s'"
        });
        self.last = content;
    }
    /// Whether what was written last is a literal and a comparison.
    fn compared(&self) -> bool {
        let before = self.out[self.start..].trim_end_matches([' ', '(']);
        let left = before.strip_suffix('=').or_else(|| before.strip_suffix("like"));
        left.is_some_and(|l| l.trim_end_matches(['<', '>', ' ', ')']).ends_with('\''))
    }
    fn name(&mut self) {
        let rest = &self.rest()[1..];
        let n = memchr::memchr(b'`', rest.as_bytes()).unwrap_or(rest.len());
        for c in rest[..n].chars() {
            self.out.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        }
        self.at = (self.at + n + 2).min(self.text.len());
    }
    /// A redacted literal. A mark at the very beginning holds the whole statement.
    fn mark(&mut self) {
        self.at += OPEN.len();
        if self.out.len() == self.start {
            return;
        }
        let rest = self.rest();
        let n = memchr::memmem::find(rest.as_bytes(), CLOSE.as_bytes()).unwrap_or(rest.len());
        let content = rest[..n].trim_matches('\'');
        if !content.is_empty() && content.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            self.out.push_str(content);
        } else {
            self.put(content);
        }
        self.at = (self.at + n + CLOSE.len()).min(self.text.len());
    }
    fn line_comment(&mut self, sign: usize) -> bool {
        let tail = &self.rest()[sign..];
        let line = memchr::memchr(b'\n', tail.as_bytes()).unwrap_or(tail.len());
        self.blank();
        self.out.push_str(if swallows_a_quote(&tail[..line]) { "--'" } else { "--" });
        self.at += sign + line;
        true
    }
    fn comment(&mut self) -> bool {
        let bytes = self.rest().as_bytes();
        match bytes.get(2) {
            Some(b'!') => {
                let digits = bytes[3..].iter().take_while(|b| b.is_ascii_digit()).count();
                self.out.push_str("/*!");
                self.at += 3 + digits;
                return true;
            }
            // TiDB's own kind: executed, and no trick, because nothing else reads it.
            Some(b'T') if bytes.get(3) == Some(&b'!') => {
                let id = if bytes.get(4) == Some(&b'[') { memchr::memchr(b']', bytes).map_or(4, |n| n + 1) } else { 4 };
                self.blank();
                self.at += id;
                return true;
            }
            _ => {}
        }
        let Some(n) = memchr::memmem::find(&bytes[2..], b"*/") else {
            self.out.push_str("/*");
            return self.stop();
        };
        let glued = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '\'' | '"' | '`' | ')' | '(' | '@' | '_'));
        let after = self.rest()[n + 4..].chars().next();
        if self.out.len() > self.start && glued(self.out.chars().next_back()) && glued(after) {
            self.out.push_str("/**/");
        } else {
            self.blank();
        }
        self.at += n + 4;
        true
    }
}

/// Whether a comment begins with the rest of a literal: a few characters at most, then a quote that no word follows.
fn swallows_a_quote(comment: &str) -> bool {
    let tail = comment.trim_start();
    let filler = tail.bytes().take(FILLER_MAX + 1).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_')).count();
    let tail = tail[filler..].trim_start();
    let mut chars = tail.chars();
    filler <= FILLER_MAX && matches!(chars.next(), Some('\'' | '"')) && !chars.next().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(statement: &str) -> String {
        let mut out = String::from("before ");
        push_shape(&mut out, statement);
        out.split_off(7)
    }

    #[test]
    fn what_literals_and_comments_hold_is_gone() {
        for (statement, want) in [
            ("SELECT 'it''s', \"a\\\"b\",  ''", "select 's', 's', ''"),
            ("insert into t values (1, 'Rob''); DROP TABLE s;-- hi')", "insert into t values (1, 's')"),
            ("select a /* app:web, it's */ from `My Table`", "select a from my_table"),
            ("select a from t -- don't forget\nwhere b = 1", "select a from t -- where b = 1"),
            ("select 1--1", "select 1--1"),
            ("select /*+ max_execution_time(10) */ 1", "select 1"),
            ("create table t (a int) /*T![ttl] ttl = b + interval 1 day */", "create table t (a int) ttl = b + interval 1 day "),
            ("select /*!40001 SQL_NO_CACHE */ * from t", "select /*! sql_no_cache * from t"),
            ("größe = 'é'", "größe = 's'"),
            ("'\\", "'u"),
            ("/*", "/*"),
            ("/*T![", "["),
            ("", ""),
        ] {
            assert_eq!(shape(statement), want, "{statement}");
        }
    }

    #[test]
    fn what_an_injection_adds_stays() {
        for (statement, want) in [
            ("select a from t where b = 'x' or '1'='1' limit 2", "select a from t where b = 's' or 's'='s' limit 2"),
            ("b = 'x' or 'x' = '' or ('a') like ('a')", "b = 's' or 's' = '' or ('s') like ('s')"),
            ("b = 'x' or 'x' = 'y'", "b = 's' or 's' = 'o'"),
            ("b = 'x' or 1=1 -- ' limit 20", "b = 's' or 1=1 --'"),
            ("b = 'x' or 1=1 -- wXyZ') limit 20", "b = 's' or 1=1 --'"),
            ("b = 'x'/**/or/**/1=1#' limit 20", "b = 's'/**/or/**/1=1 --'"),
            ("b = 'x'/*!50000union*/select 1", "b = 's'/*!union select 1"),
            ("b = 'x'' limit 20", "b = 'u"),
            ("b = 1 or 1=1 -- ", "b = 1 or 1=1 --"),
            ("-- 'quoted' words", "--"),
            ("-- users.id is 'x'", "--"),
        ] {
            assert_eq!(shape(statement), want, "{statement}");
        }
    }

    #[test]
    fn redacted_statements_keep_their_shape() {
        for (statement, want) in [
            ("select c from t where id = ‹1› or ‹x› = ‹x›", "select c from t where id = 1 or 's' = 's'"),
            ("‹select c from t where id = 1 or 'a' = 'a'›", "select c from t where id = 1 or 's' = 's'"),
            ("select `c` from `t` where `id` = ? or ? = ?", "select c from t where id = ? or ? = ?"),
            ("a = ‹1", "a = 1"),
        ] {
            assert_eq!(shape(statement), want, "{statement}");
        }
    }
}
