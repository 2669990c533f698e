//! `cargo xtask tidy`: what a reviewer would otherwise have to remember. Every check is a function of the tree that returns complaints.

mod documents;
mod house;
mod source;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The tree under test: its root, read once.
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// A file as text; a missing one is empty.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }
    /// Whether a path exists.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
    /// Names of the entries of a folder, sorted; a missing one is empty.
    pub fn list(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join(path)) else { return Vec::new() };
        let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
    /// Every file below a folder with this ending, as paths relative to the root, sorted.
    pub fn files(&self, under: &str, ending: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.root.join(under), &mut |path| {
            if path.to_string_lossy().ends_with(ending) {
                let relative = path.strip_prefix(&self.root).unwrap_or(path);
                found.push(relative.to_string_lossy().into_owned());
            }
        });
        found.sort();
        found
    }
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "node_modules" && name != "dist" && name != "target" {
                walk(&path, visit);
            }
        } else {
            visit(&path);
        }
    }
}

/// A check: its name and what it complains about.
type Check = (&'static str, fn(&Tree) -> Vec<String>);

/// All checks. One line each.
const CHECKS: &[Check] = &[
    ("crates depend in one direction", house::directions),
    ("crate names", house::names),
    ("Cargo.lock stays within its budget", house::lock_budget),
    ("versions stand in the workspace only", house::versions),
    ("file length", source::file_caps),
    ("function length", source::function_caps),
    ("file headers", source::headers),
    ("spelling", source::spelling),
    ("fixtures are complete", documents::fixtures),
    ("ARCHITECTURE.md", documents::architecture),
    ("rules carry their tests", documents::rules),
    ("documents that must exist", documents::present),
];

/// Runs every check on this checkout.
pub fn run(_args: &[String]) -> Result<(), String> {
    let tree = Tree { root: crate::root()? };
    let mut complaints = 0;
    for (name, check) in CHECKS {
        for complaint in check(&tree) {
            complaints += 1;
            eprintln!("tidy: {name}: {complaint}");
        }
    }
    if complaints > 0 {
        return Err(format!("tidy: {complaints} complaints"));
    }
    println!("tidy: {} checks passed, 0 failed", CHECKS.len());
    Ok(())
}
