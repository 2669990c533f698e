//! The house's plan: which crate may use which, what crates are called, how many packages the lock file holds.

use super::Tree;

/// Crate -> the crates of ours that its manifest may name (DESIGN §3: the right may use the left).
const MAY_USE: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("parse", &["event"]),
    ("collect", &["event", "parse"]),
    ("store", &["event"]),
    ("query", &["event", "parse", "store"]),
    ("metrics", &["event"]),
    ("detect", &["event"]),
    ("alert", &["event"]),
    ("server", &["event", "parse", "store", "query", "metrics", "detect", "alert"]),
    ("app", &["event", "parse", "collect", "store", "query", "metrics", "detect", "alert", "server"]),
];

/// Names that say nothing.
const FORBIDDEN: &[&str] = &["common", "core", "util", "utils", "types", "helpers", "manager"];

/// Packages in Cargo.lock. Raise it only with a sentence in the commit that says what the packages are for.
const LOCK_PACKAGES_MAX: usize = 580;

/// The names in `[dependencies]` and `[dev-dependencies]` of a manifest.
fn dependencies(manifest: &str, section: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == section;
        } else if inside && let Some(name) = line.split(['.', '=', ' ']).next().filter(|n| !n.is_empty() && !n.starts_with('#')) {
            names.push(name.to_owned());
        }
    }
    names
}

/// No manifest names a crate that stands to its right.
pub fn directions(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in tree.list("crates") {
        let Some((_, allowed)) = MAY_USE.iter().find(|(n, _)| *n == name) else {
            complaints.push(format!("crates/{name} is not in the plan of the house (xtask/src/tidy/house.rs, ARCHITECTURE.md)"));
            continue;
        };
        for used in dependencies(&tree.text(&format!("crates/{name}/Cargo.toml")), "[dependencies]") {
            if MAY_USE.iter().any(|(n, _)| *n == used) && !allowed.contains(&used.as_str()) {
                complaints.push(format!("crates/{name} uses {used}, which it may not"));
            }
        }
    }
    complaints
}

/// No crate and no module is called by a name that says nothing.
pub fn names(tree: &Tree) -> Vec<String> {
    let modules = tree.files("crates", ".rs");
    let stem = |path: &str| path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
    modules.iter().filter(|m| FORBIDDEN.contains(&stem(m).as_str())).map(|m| format!("{m}: name it by what it owns")).collect()
}

/// The lock file's size is a budget: every package costs build time on two cores.
pub fn lock_budget(tree: &Tree) -> Vec<String> {
    let n = tree.text("Cargo.lock").lines().filter(|l| *l == "[[package]]").count();
    (n > LOCK_PACKAGES_MAX).then(|| format!("{n} packages, the budget is {LOCK_PACKAGES_MAX}")).into_iter().collect()
}

/// A member names no version and no feature of its own.
pub fn versions(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in tree.list("crates") {
        let path = format!("crates/{name}/Cargo.toml");
        for (n, line) in tree.text(&path).lines().enumerate() {
            if line.contains(" = \"") && line.contains("version =") || line.contains("= { version") {
                complaints.push(format!("{path}:{}: versions stand in the workspace's Cargo.toml", n + 1));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_from_their_section_only() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nevent.workspace = true\nserde = { workspace = true }\n\n[dev-dependencies]\nstore.workspace = true\n";
        assert_eq!(dependencies(manifest, "[dependencies]"), ["event", "serde"]);
        assert_eq!(dependencies(manifest, "[dev-dependencies]"), ["store"]);
    }
}
