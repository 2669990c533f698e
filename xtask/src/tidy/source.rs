//! Source files: length, function length, headers, spelling. Longer ones stand in a list that may only shrink.

use super::Tree;

/// A production file's hard cap in lines, tests not counted (DESIGN §3).
const FILE_LINES_MAX: usize = 800;
/// A function's cap in lines.
const FUNCTION_LINES_MAX: usize = 70;
/// Functions that are longer today, as `path name lines`: the ratchet. A line here may shrink or go, never grow or come without a reason.
const ALLOWED: &str = include_str!("allowed.txt");
/// British spellings that creep in; the project writes American English.
const BRITISH: &[&str] = &["normalise", "colour", "behaviour", "serialise", "initialise", "recognise", "analyse(", "catalogue"];

fn sources(tree: &Tree) -> Vec<String> {
    let mut files = tree.files("crates", ".rs");
    files.extend(tree.files("xtask", ".rs"));
    files.retain(|f| !is_test(f));
    files
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("tests.rs")
}

/// The lines before the inline test module.
fn production(text: &str) -> Vec<&str> {
    text.lines().take_while(|l| !l.starts_with("#[cfg(test)]")).collect()
}

/// No production file is over the cap.
pub fn file_caps(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in sources(tree) {
        let n = production(&tree.text(&path)).len();
        if n > FILE_LINES_MAX {
            complaints.push(format!("{path}: {n} lines, the cap is {FILE_LINES_MAX}: split it by what it owns"));
        }
    }
    complaints
}

/// (name, first line, length) of every function, by rustfmt's indentation.
fn functions(lines: &[&str]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let head = body
            .strip_prefix("pub(crate) ")
            .or_else(|| body.strip_prefix("pub(super) "))
            .or_else(|| body.strip_prefix("pub "))
            .unwrap_or(body);
        let head = head.strip_prefix("async ").or_else(|| head.strip_prefix("const ")).unwrap_or(head);
        let Some(rest) = head.strip_prefix("fn ") else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(n) = lines[i..].iter().position(|l| *l == close) {
            found.push((name, i + 1, n + 1));
        }
    }
    found
}

/// No function is over the cap, save those on the shrinking list.
pub fn function_caps(tree: &Tree) -> Vec<String> {
    let allowed: Vec<Vec<&str>> = ALLOWED.lines().filter(|l| !l.starts_with('#')).map(|l| l.split_whitespace().collect()).collect();
    let mut complaints = Vec::new();
    for path in sources(tree) {
        let text = tree.text(&path);
        for (name, line, n) in functions(&production(&text)) {
            let cap = allowed
                .iter()
                .find(|a| a.len() == 3 && a[0] == path && a[1] == name)
                .and_then(|a| a[2].parse().ok())
                .unwrap_or(FUNCTION_LINES_MAX);
            if n > cap {
                complaints.push(format!("{path}:{line}: fn {name} has {n} lines, the cap is {cap}"));
            }
        }
    }
    complaints
}

/// Every file says what it owns.
pub fn headers(tree: &Tree) -> Vec<String> {
    sources(tree)
        .into_iter()
        .filter(|p| !tree.text(p).starts_with("//!"))
        .map(|p| format!("{p}: begin with `//!`: what it owns, what it must never do"))
        .collect()
}

/// American spelling.
pub fn spelling(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in sources(tree).into_iter().filter(|p| !p.starts_with("xtask")) {
        let text = tree.text(&path).to_lowercase();
        for word in BRITISH {
            if let Some(n) = text.lines().position(|l| l.contains(word)) {
                complaints.push(format!("{path}:{}: {word}: American spelling", n + 1));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_by_their_closing_brace() {
        let text = "pub fn a() {\n    b();\n}\n\nimpl X {\n    async fn c(&self) {\n        d();\n        e();\n    }\n}\n";
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(functions(&lines), [("a".to_owned(), 1, 3), ("c".to_owned(), 6, 4)]);
    }

    #[test]
    fn tests_do_not_count() {
        assert_eq!(production("a\n#[cfg(test)]\nmod tests {}\n").len(), 1);
    }
}
