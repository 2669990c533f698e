//! From tokens to the syntax tree: what is a field, what is a word, and what is said when it is neither.

use event::{Micros, field::ColumnType};

use super::{
    DEPTH_MAX, Node, Place, Search, TERMS_MAX, Test,
    lexer::{self, Token},
    time,
};
use crate::{
    QueryError,
    error::closest,
    network::Network,
    pattern::{Value, Word},
};

/// What is wrong, and what to write instead.
type Wrong = (String, String);

/// Levels from the mildest to the worst, as `level:>=warn` orders them. `level` holds them in upper case.
const LEVELS: &[&str] = &["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "DPANIC", "PANIC", "FATAL"];

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    now: Micros,
    terms: usize,
    since: Option<Micros>,
    until: Option<Micros>,
    own: bool,
    notes: Vec<String>,
}

pub(super) fn parse(text: &str, now: Micros) -> Result<Search, QueryError> {
    let tokens = lexer::tokens(text).map_err(|e| QueryError::search(text, e, "quote text that holds such marks: \"a (b\""))?;
    let mut parser =
        Parser { tokens: tokens.into_iter().peekable(), now, terms: 0, since: None, until: None, own: false, notes: Vec::new() };
    let tree = parser.either(0).map_err(|(problem, advice)| QueryError::search(text, problem, advice))?;
    Ok(Search { tree, since: parser.since, until: parser.until, own: parser.own, notes: parser.notes })
}

impl Parser {
    /// `a b OR c d`: OR binds looser than standing side by side.
    fn either(&mut self, depth: usize) -> Result<Node, Wrong> {
        if depth > DEPTH_MAX {
            return Err((format!("parentheses and negations nest deeper than {DEPTH_MAX}"), String::new()));
        }
        let mut sides = vec![self.row(depth)?];
        while self.tokens.next_if_eq(&Token::Or).is_some() {
            sides.push(self.row(depth)?);
        }
        if sides.len() > 1 && sides.iter().any(|s| matches!(s, Node::All(parts) if parts.is_empty())) {
            return Err((
                "OR stands without a word on each of its sides".to_owned(),
                "to look for the word itself, quote it: \"OR\"".to_owned(),
            ));
        }
        Ok(if sides.len() == 1 { sides.remove(0) } else { Node::Any(sides) })
    }

    fn row(&mut self, depth: usize) -> Result<Node, Wrong> {
        let mut parts = Vec::new();
        while let Some(token) = self.tokens.next_if(|t| !matches!(t, Token::Or | Token::Close)) {
            if let Some(part) = self.part(token, depth)? {
                parts.push(part);
            }
        }
        Ok(Node::All(parts))
    }

    /// One part; none for `since:` and `until:`, which hold for the whole search.
    fn part(&mut self, token: Token, depth: usize) -> Result<Option<Node>, Wrong> {
        match token {
            Token::Open => {
                let inner = self.either(depth + 1)?;
                let _closed = self.tokens.next_if_eq(&Token::Close);
                Ok(Some(inner))
            }
            Token::Not => {
                let next = self.tokens.next_if(|t| !matches!(t, Token::Or | Token::Close));
                let next = next.ok_or_else(|| ("nothing follows the negation".to_owned(), "write -word or -field:value".to_owned()))?;
                if depth >= DEPTH_MAX {
                    return Err((format!("parentheses and negations nest deeper than {DEPTH_MAX}"), String::new()));
                }
                let part = self.part(next, depth + 1)?;
                Ok(part.map(|p| Node::Not(Box::new(p))))
            }
            Token::Term { field: Some(name), text, quoted } => self.field(&name, text, quoted, depth),
            Token::Values { field, values } => self.values(&field, values, depth).map(Some),
            Token::Term { field: None, text, quoted } => self.word(text, quoted).map(Some),
            Token::Or | Token::Close => Ok(None), // never handed in
        }
    }

    fn word(&mut self, text: String, quoted: bool) -> Result<Node, Wrong> {
        self.count()?;
        let word = Word::new(&text, quoted).map_err(|e| (format!("{e} in {text:?}"), String::new()))?;
        Ok(Node::Word { text, quoted, word })
    }

    fn count(&mut self) -> Result<(), Wrong> {
        self.terms += 1;
        if self.terms > TERMS_MAX { Err((format!("more than {TERMS_MAX} words"), "search for less at a time".to_owned())) } else { Ok(()) }
    }

    /// `user:(root dba)`: any of them.
    fn values(&mut self, name: &str, values: Vec<(String, bool)>, depth: usize) -> Result<Node, Wrong> {
        if Place::parse(name).is_none() {
            let near =
                closest(&name.to_ascii_lowercase(), Place::names()).map_or_else(String::new, |near| format!("did you mean {near}:?"));
            return Err((format!("there is no field {name:?}"), near));
        }
        if values.is_empty() {
            return Err((format!("{name}:() has no value"), format!("write {name}:(a b), or {name}:* for any")));
        }
        let any = values.into_iter().map(|(text, quoted)| self.field(name, text, quoted, depth));
        any.filter_map(Result::transpose).collect::<Result<_, _>>().map(Node::Any)
    }

    fn field(&mut self, name: &str, text: String, quoted: bool, depth: usize) -> Result<Option<Node>, Wrong> {
        let lower = name.to_ascii_lowercase();
        if lower == "since" || lower == "until" {
            if depth > 0 {
                return Err((
                    format!("{lower}: stands inside parentheses or a negation"),
                    "it holds for the whole search: put it outside".to_owned(),
                ));
            }
            let at = time::read(&text, self.now).ok_or_else(|| (format!("{lower}:{text} is no time"), time::TIMES.to_owned()))?;
            *(if lower == "since" { &mut self.since } else { &mut self.until }) = Some(at);
            return Ok(None);
        }
        let Some(place) = Place::parse(name) else {
            if let Some(near) = closest(&lower, Place::names()) {
                return Err((
                    format!("there is no field {name:?}"),
                    format!("did you mean {near}:? To look for the text, quote it: \"{name}:{text}\""),
                ));
            }
            // A path, a time of day, `planner:1227`: text.
            self.notes.push(format!("there is no field {name:?}, so {:?} was looked for as text", format!("{name}:{text}")));
            return self.word(if quoted { format!("{name}:\"{text}") } else { format!("{name}:{text}") }, quoted).map(Some);
        };
        self.count()?;
        if text.is_empty() && !quoted {
            return Err((format!("{name}: has no value"), format!("write {name}:value, or {name}:* for any")));
        }
        self.own |= place == Place::Class && text.eq_ignore_ascii_case("self");
        let test = test(&place, name, &text, quoted, self.now)?;
        Ok(Some(Node::Field(place, test)))
    }
}

fn test(place: &Place, name: &str, text: &str, quoted: bool, now: Micros) -> Result<Test, Wrong> {
    if text == "*" && !quoted {
        return Ok(Test::Known);
    }
    match place.column_type() {
        ColumnType::Int | ColumnType::Long => number(name, text),
        ColumnType::Time => times(name, text, now),
        ColumnType::Binary => Err((format!("{name} holds bytes"), "search raw instead".to_owned())),
        ColumnType::Text | ColumnType::TextList => {
            if !quoted && let Some(levels) = levels(place, text)? {
                return Ok(levels);
            }
            if !quoted && text.contains('/') && matches!(place.column(), "src_ip" | "dst_ip") {
                let net = Network::parse(text).ok_or_else(|| (format!("{text} is no network"), "write 10.0.0.0/8".to_owned()))?;
                return Ok(Test::Network(net));
            }
            let value = Value::new(text, quoted).map_err(|e| (e, String::new()))?;
            Ok(Test::Text(vec![(text.to_owned(), quoted, value)]))
        }
    }
}

/// `level:>=warn`, and the spellings that people use for levels.
fn levels(place: &Place, text: &str) -> Result<Option<Test>, Wrong> {
    if place.column() != "level" {
        return Ok(None);
    }
    let (op, word) = split_operator(text);
    let upper = match word.to_ascii_uppercase().as_str() {
        "WARNING" => "WARN".to_owned(),
        "ERR" => "ERROR".to_owned(),
        other => other.to_owned(),
    };
    let Some(at) = LEVELS.iter().position(|l| *l == upper) else {
        return if op.is_empty() {
            Ok(None)
        } else {
            Err((format!("{word} is no level"), format!("levels are {}", LEVELS.join(", ").to_lowercase())))
        };
    };
    let chosen = match op {
        ">=" => &LEVELS[at..],
        ">" => &LEVELS[at + 1..],
        "<=" => &LEVELS[..=at],
        "<" => &LEVELS[..at],
        _ => &LEVELS[at..=at],
    };
    let values = chosen.iter().filter_map(|l| Value::new(l, true).ok().map(|v| ((*l).to_owned(), true, v)));
    Ok(Some(Test::Text(values.collect())))
}

fn split_operator(text: &str) -> (&str, &str) {
    let len = if text.starts_with(">=") || text.starts_with("<=") { 2 } else { usize::from(text.starts_with(['>', '<', '='])) };
    text.split_at(len)
}

fn number(name: &str, text: &str) -> Result<Test, Wrong> {
    let read = |t: &str| {
        t.parse::<i64>().map_err(|_| (format!("{name} is a number, {t:?} is none"), format!("write {name}:5, {name}:>=5 or {name}:5..10")))
    };
    if let Some((from, to)) = text.split_once("..") {
        return Ok(Test::Number(if from.is_empty() { i64::MIN } else { read(from)? }, if to.is_empty() { i64::MAX } else { read(to)? }));
    }
    let (op, word) = split_operator(text);
    let n = read(word)?;
    Ok(match op {
        ">=" => Test::Number(n, i64::MAX),
        ">" => Test::Number(n.saturating_add(1), i64::MAX),
        "<=" => Test::Number(i64::MIN, n),
        "<" => Test::Number(i64::MIN, n.saturating_sub(1)),
        _ => Test::Number(n, n),
    })
}

fn times(name: &str, text: &str, now: Micros) -> Result<Test, Wrong> {
    let (op, word) = split_operator(text);
    let at = time::read(word, now).ok_or_else(|| (format!("{name}:{text} is no time"), time::TIMES.to_owned()))?;
    Ok(match op {
        ">=" => Test::Time(at, Micros::MAX),
        ">" => Test::Time(at.saturating_add(1), Micros::MAX),
        "<=" => Test::Time(Micros::MIN, at.saturating_add(1)),
        "<" => Test::Time(Micros::MIN, at),
        _ => Test::Time(at, at.saturating_add(1)),
    })
}
