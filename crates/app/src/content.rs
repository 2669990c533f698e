//! The shipped rules, embedded, and rules of the operator's folders beside them. Owns: which documents make the rule set.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use detect::{Engine, RuleProblem, RuleSet};
use rust_embed::RustEmbed;

use crate::config::Rules;

#[derive(RustEmbed)]
#[folder = "../../content/rules"]
struct Shipped;

/// A rule file has at most this many bytes.
const RULE_BYTES_MAX: u64 = 1 << 20;

/// A document: its name for messages, and its text.
pub type Document = (String, String);

/// The shipped rules, sorted by name.
pub fn shipped() -> Vec<Document> {
    let mut names: Vec<String> = Shipped::iter().map(|n| n.into_owned()).collect();
    names.sort();
    let text = |name: String| {
        let file = Shipped::get(&name)?;
        Some((name, String::from_utf8_lossy(&file.data).into_owned()))
    };
    names.into_iter().filter_map(text).collect()
}

/// Every `.yml` or `.yaml` below a folder, or the one file, sorted.
pub fn folder(path: &Path) -> Result<Vec<Document>, RuleProblem> {
    let problem = |path: &Path, what: String| RuleProblem { file: path.display().to_string(), what };
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    if path.is_file() {
        files.push(folders.remove(0));
    }
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| problem(&folder, format!("reading the folder of rules: {e}")))?;
        for path in entries.flatten().map(|e| e.path()) {
            match path.extension().and_then(|e| e.to_str()) {
                Some("yml" | "yaml") if path.is_file() => files.push(path),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return Err(problem(path, "there is no rule in it; rules are files that end in .yml or .yaml".to_owned()));
    }
    files.sort();
    let read = |path: PathBuf| {
        let size = fs::metadata(&path).map_or(0, |m| m.len());
        if size > RULE_BYTES_MAX {
            return Err(problem(&path, format!("{size} bytes are too many for a rule, at most {RULE_BYTES_MAX}")));
        }
        let text = fs::read_to_string(&path).map_err(|e| problem(&path, format!("reading the rule: {e}")))?;
        Ok((path.display().to_string(), text))
    };
    files.into_iter().map(read).collect()
}

/// Only the rules of one folder or file.
pub fn of(path: &Path) -> Result<Arc<RuleSet>, Vec<RuleProblem>> {
    load(&folder(path).map_err(|p| vec![p])?).map(Arc::new)
}

/// The rules in force: the shipped ones and those of these folders, without the disabled. Every problem is told.
pub fn rules(folders: &[PathBuf], disabled: &[String]) -> Result<Arc<RuleSet>, Vec<RuleProblem>> {
    let mut documents = shipped();
    for path in folders {
        documents.extend(folder(path).map_err(|p| vec![p])?);
    }
    let rules = load(&documents)?.without(disabled).map_err(|p| vec![RuleProblem { file: "[rules] disabled".to_owned(), what: p.what }])?;
    Ok(Arc::new(rules))
}

/// These rules at work, with what the configuration says of addresses.
pub fn engine(rules: &Arc<RuleSet>, config: &Rules) -> Result<Engine, Vec<RuleProblem>> {
    let engine = Engine::new(Arc::clone(rules)).with_shared_addresses(config.shared_addresses.iter().map(String::as_str));
    engine.map_err(|what| vec![RuleProblem { file: "[rules] shared_addresses".to_owned(), what }])
}

fn load(documents: &[Document]) -> Result<RuleSet, Vec<RuleProblem>> {
    let rules = RuleSet::load(documents.iter().map(|(name, text)| (name.as_str(), text.as_str())))?;
    if rules.finding() == 0 {
        let file = documents.first().map(|(name, _)| name.clone()).unwrap_or_default();
        return Err(vec![RuleProblem { file, what: "there is no rule that finds anything".to_owned() }]);
    }
    Ok(rules)
}
