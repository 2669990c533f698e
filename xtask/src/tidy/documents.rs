//! Documents, fixtures and content: complete, and true where a machine can tell.

use super::Tree;

/// ARCHITECTURE.md is read in one sitting.
const ARCHITECTURE_LINES_MAX: usize = 300;
/// What a stranger looks for.
const PRESENT: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "Makefile",
    "deny.toml",
    "clippy.toml",
    "rustfmt.toml",
    ".ci/run",
];

/// A fixture is a case with its input and what is expected of it.
pub fn fixtures(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for component in tree.list("fixtures") {
        for case in tree.list(&format!("fixtures/{component}")) {
            for part in ["in.log", "expected.jsonl"] {
                if !tree.has(&format!("fixtures/{component}/{case}/{part}")) {
                    complaints.push(format!("fixtures/{component}/{case} has no {part}"));
                }
            }
        }
    }
    complaints
}

/// The plan of the house names every crate and stays short.
pub fn architecture(tree: &Tree) -> Vec<String> {
    let text = tree.text("ARCHITECTURE.md");
    let mut complaints: Vec<String> = tree
        .list("crates")
        .into_iter()
        .filter(|name| !text.contains(&format!("`crates/{name}`")))
        .map(|name| format!("does not name `crates/{name}`"))
        .collect();
    let n = text.lines().count();
    if n >= ARCHITECTURE_LINES_MAX {
        complaints.push(format!("{n} lines, the cap is {ARCHITECTURE_LINES_MAX}"));
    }
    complaints
}

/// Every rule carries a match and a no-match test in its own file.
pub fn rules(tree: &Tree) -> Vec<String> {
    let files = tree.files("content/rules", ".yml");
    let complete = |text: &str| text.contains("\ntests:") && text.contains("\nnext:");
    files.into_iter().filter(|f| !complete(&tree.text(f))).map(|f| format!("{f}: needs `tests:` and `next:`")).collect()
}

/// The documents that the project promises.
pub fn present(tree: &Tree) -> Vec<String> {
    PRESENT.iter().filter(|p| !tree.has(p)).map(|p| format!("{p} is missing")).collect()
}
