//! Titles and hints with `{column}` in them, and the values that an episode keeps for them.

use event::{Event, Field};
use serde::{Deserialize, Serialize};

use crate::{
    limits::{TITLE_VALUES_MAX, VALUE_BYTES_MAX},
    names,
};

/// How many values of a column a title lists.
const LISTED: usize = 3;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    /// Indexes into the shown columns of the rule: the first that is known.
    Columns(Vec<usize>),
    Count,
    Distinct,
    /// Left out where none of its columns is known.
    Optional(Vec<Piece>),
}

/// A sentence with columns in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// The different values of one shown column, in order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shown(Vec<String>);

impl Shown {
    /// Takes a value in, once.
    pub fn add(&mut self, value: &str) {
        if !value.is_empty() && self.0.len() < TITLE_VALUES_MAX && !self.0.iter().any(|v| v == value) {
            self.0.push(value.to_owned());
        }
    }
    /// Takes the values of another in.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|v| self.add(v));
    }
    /// `a, b, c and 4 more`; empty where there is none.
    pub fn text(&self) -> String {
        let listed = self.0.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.0.len() {
            n if n <= LISTED => listed,
            TITLE_VALUES_MAX => format!("{listed} and at least {} more", TITLE_VALUES_MAX - LISTED),
            n => format!("{listed} and {} more", n - LISTED),
        }
    }
}

/// The value of a column, cut to a length that fits a title. Empty where unknown.
pub fn value_of(event: &Event<'_>, field: &Field) -> String {
    let mut out = String::new();
    crate::matching::Record::visit(event, field, &mut |v| {
        match v {
            crate::matching::Scalar::Text(t) => out.push_str(cut(t)),
            crate::matching::Scalar::Int(n) => out.push_str(&n.to_string()),
            crate::matching::Scalar::Float(n) => out.push_str(&n.to_string()),
            crate::matching::Scalar::Bool(b) => out.push_str(if b { "true" } else { "false" }),
            crate::matching::Scalar::Null => {}
        }
        true
    });
    out
}

/// Cuts at a character, keeping at most [`VALUE_BYTES_MAX`].
pub fn cut(text: &str) -> &str {
    if text.len() <= VALUE_BYTES_MAX {
        return text;
    }
    let mut end = VALUE_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Template {
    /// Reads a template; its columns are added to `shown`. `{a|b}` is the first known of them, `[..]` is left out where none inside is known.
    pub fn parse(text: &str, shown: &mut Vec<Field>) -> Result<Self, String> {
        let (mut outer, mut pieces, mut inside) = (Vec::new(), Vec::new(), false);
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}', '[', ']']) {
            plain.push_str(&rest[..at]);
            let (mark, after) = rest[at..].split_at(1);
            if after.starts_with(mark) {
                plain.push_str(mark);
                rest = &after[1..];
                continue;
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            rest = match (mark, inside) {
                ("{", _) => {
                    let (name, after) = after.split_once('}').ok_or_else(|| single(text, mark))?;
                    pieces.push(columns(name, shown)?);
                    after
                }
                ("[", false) => {
                    (outer, inside) = (std::mem::take(&mut pieces), true);
                    after
                }
                ("]", true) => {
                    let optional = std::mem::replace(&mut pieces, std::mem::take(&mut outer));
                    pieces.push(Piece::Optional(optional));
                    inside = false;
                    after
                }
                _ => return Err(single(text, mark)),
            };
        }
        if inside {
            return Err(single(text, "["));
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }
    /// Whether it names a column.
    pub fn names_column(&self) -> bool {
        names_column(&self.pieces)
    }
    /// The sentence with the values in it.
    pub fn render(&self, shown: &[Shown], count: u64, distinct: usize) -> String {
        let mut out = String::new();
        let number = |piece: &Piece| if *piece == Piece::Count { count } else { distinct as u64 };
        render(&self.pieces, shown, &number, &mut out);
        out
    }
}

fn single(text: &str, mark: &str) -> String {
    format!("`{text}`: a single `{mark}`; double it to mean itself")
}

fn columns(names: &str, shown: &mut Vec<Field>) -> Result<Piece, String> {
    Ok(match names {
        "count" => Piece::Count,
        "distinct" => Piece::Distinct,
        list => Piece::Columns(list.split('|').map(|name| names::field(name).map(|f| index(shown, f))).collect::<Result<_, _>>()?),
    })
}

fn names_column(pieces: &[Piece]) -> bool {
    pieces.iter().any(|p| match p {
        Piece::Columns(_) => true,
        Piece::Optional(inner) => names_column(inner),
        Piece::Text(_) | Piece::Count | Piece::Distinct => false,
    })
}

/// Appends the pieces; tells whether a column in them is known.
fn render(pieces: &[Piece], shown: &[Shown], number: &dyn Fn(&Piece) -> u64, out: &mut String) -> bool {
    let mut known = false;
    for piece in pieces {
        match piece {
            Piece::Text(t) => out.push_str(t),
            Piece::Count | Piece::Distinct => out.push_str(&number(piece).to_string()),
            Piece::Columns(list) => match list.iter().filter_map(|i| shown.get(*i)).map(Shown::text).find(|t| !t.is_empty()) {
                Some(text) => {
                    out.push_str(&text);
                    known = true;
                }
                None => out.push_str("unknown"),
            },
            Piece::Optional(inner) => {
                let from = out.len();
                if render(inner, shown, number, out) {
                    known = true;
                } else {
                    out.truncate(from);
                }
            }
        }
    }
    known
}

/// The index of a field in the list, added if it is new.
pub fn index(shown: &mut Vec<Field>, field: Field) -> usize {
    shown.iter().position(|f| *f == field).unwrap_or_else(|| {
        shown.push(field);
        shown.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filled_in() {
        let mut shown = Vec::new();
        let t = Template::parse("{count} of {user} from {src_ip}, {{x}}", &mut shown).unwrap();
        let values = |list: &[&str]| Shown(list.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(t.render(&[values(&["a"]), values(&[])], 4, 0), "4 of a from unknown, {x}");
        assert_eq!(t.render(&[values(&["a", "b", "c", "d", "e"])], 1, 0), "1 of a, b, c and 2 more from unknown, {x}");
        let t = Template::parse("{object|user} dropped[ by {target_user}[[]]][ from {src_ip}]", &mut shown).unwrap();
        assert!(t.names_column());
        let all = |user: &str, ip: &str, object: &str, target: &str| {
            [user, ip, object, target].map(|v| if v.is_empty() { values(&[]) } else { values(&[v]) })
        };
        assert_eq!(t.render(&all("a", "", "", ""), 1, 0), "a dropped");
        assert_eq!(t.render(&all("a", "10.0.0.1", "t", "b"), 1, 0), "t dropped by b[] from 10.0.0.1");
        for bad in ["a [ b", "a ] b", "[a [b] c]", "{a"] {
            assert!(Template::parse(bad, &mut shown).is_err(), "{bad}");
        }
        assert!(Template::parse("{usr}", &mut shown).unwrap_err().contains("did you mean `user`"));
        assert!(Template::parse("a { b", &mut shown).is_err());
        assert!(Template::parse("a } b", &mut shown).is_err());
    }
}
