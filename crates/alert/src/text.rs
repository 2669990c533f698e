//! Text that a stranger wrote (log lines, account names) made fit to stand in a message: nothing in it may act, hide or reorder.

use std::fmt::Write as _;

/// `text` with control and direction-changing characters as escapes; line ends and tabs become spaces.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// Characters that change the direction of text or have no width: a name could pass for another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{61c}')
}

/// At most `max` characters, the last one an ellipsis where something is missing.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Text for HTML, attribute values included.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// How long something took, for people: `41 s`, `3 min`, `2 h 5 min`.
pub fn span(us: i64) -> String {
    let s = us.max(0) / event::clock::SECOND;
    match s {
        0 => "under 1 s".to_owned(),
        1..=119 => format!("{s} s"),
        120..=7199 => format!("{} min", s / 60),
        _ => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_or_acts() {
        assert_eq!(visible("a\r\nBcc: x\u{202e}y\u{1b}[2J"), "a  Bcc: x\\u{202e}y\\u{1b}[2J");
        assert_eq!(visible("Größe 大小"), "Größe 大小");
        assert_eq!(html("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }

    #[test]
    fn cuts_by_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }

    #[test]
    fn spans_read_well() {
        for (us, want) in [(0, "under 1 s"), (41_000_000, "41 s"), (180_000_000, "3 min"), (7_500_000_000, "2 h 5 min"), (-5, "under 1 s")]
        {
            assert_eq!(span(us), want);
        }
    }
}
