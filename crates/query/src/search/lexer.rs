//! The words of a search: where one ends, what is quoted.

/// One word of a search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `OR`
    Or,
    /// `-` or `NOT`: turns what follows around.
    Not,
    /// A word, with what stands before its first colon if that could be a field's name.
    Term { field: Option<String>, text: String, quoted: bool },
    /// `field:(a "b c" d)`: one of several values, with whether each was quoted.
    Values { field: String, values: Values },
}

/// Values, and whether each was quoted.
pub(crate) type Values = Vec<(String, bool)>;

/// Cuts a search into tokens. A parenthesis counts only at the edge of a word and outside quotes: log lines are full of them.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    let mut depth = 0_usize;
    while let Some(first) = rest.chars().next() {
        if first == '(' {
            depth += 1;
            out.push(Token::Open);
            rest = &rest[1..];
        } else if first == ')' && depth > 0 {
            depth -= 1;
            out.push(Token::Close);
            rest = &rest[1..];
        } else if first == '-' && rest[1..].starts_with(|c: char| !c.is_whitespace()) {
            out.push(Token::Not);
            rest = &rest[1..];
            continue; // what follows belongs to the sign: no blank may stand between
        } else {
            let (token, behind) = term(rest, depth > 0)?;
            out.push(token);
            rest = behind;
        }
        rest = rest.trim_start();
    }
    if depth > 0 {
        return Err("a parenthesis is not closed".to_owned());
    }
    Ok(out)
}

fn term(text: &str, in_group: bool) -> Result<(Token, &str), String> {
    if let Some(inner) = text.strip_prefix('"') {
        let (text, behind) = quoted(inner)?;
        return Ok((Token::Term { field: None, text, quoted: true }, behind));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let name = text[..end].split_once(':').map(|(name, _)| name).filter(|name| is_name(name));
    if let Some(name) = name
        && let Some(inner) = text[name.len() + 1..].strip_prefix('"')
    {
        let (value, behind) = quoted(inner)?;
        return Ok((Token::Term { field: Some(name.to_owned()), text: value, quoted: true }, behind));
    }
    if let Some(name) = name
        && let Some(inner) = text[name.len() + 1..].strip_prefix('(')
    {
        let (values, behind) = values(inner)?;
        return Ok((Token::Values { field: name.to_owned(), values }, behind));
    }
    let mut word = &text[..end];
    while in_group && word.ends_with(')') && word.matches(')').count() > word.matches('(').count() {
        word = &word[..word.len() - 1];
    }
    let behind = &text[word.len()..];
    let token = match (word, name) {
        ("OR", _) => Token::Or,
        ("NOT", _) => Token::Not,
        (_, Some(name)) => Token::Term { field: Some(name.to_owned()), text: word[name.len() + 1..].to_owned(), quoted: false },
        _ => Token::Term { field: None, text: word.to_owned(), quoted: false },
    };
    Ok((token, behind))
}

/// Values up to the closing parenthesis; an OR between them says what is meant anyway.
fn values(inner: &str) -> Result<(Values, &str), String> {
    let (mut out, mut rest) = (Values::new(), inner.trim_start());
    loop {
        if let Some(behind) = rest.strip_prefix(')') {
            return Ok((out, behind));
        }
        if let Some(inner) = rest.strip_prefix('"') {
            let (value, behind) = quoted(inner)?;
            out.push((value, true));
            rest = behind.trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(rest.len());
        if end == 0 {
            return Err("a parenthesis is not closed".to_owned());
        }
        if &rest[..end] != "OR" {
            out.push((rest[..end].to_owned(), false));
        }
        rest = rest[end..].trim_start();
    }
}

/// The text up to the closing quote; `\"` and `\\` stand for themselves.
fn quoted(inner: &str) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((out, &inner[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => out.push(c),
                Some((_, c)) => out.extend(['\\', c]),
                None => break,
            },
            c => out.push(c),
        }
    }
    Err("a quotation mark is not closed".to_owned())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && (name.starts_with("fields.") || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}
