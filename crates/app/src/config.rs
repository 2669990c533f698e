//! The configuration: TOML with the names of DESIGN §6. Owns: reading, checking, secrets (`env:NAME`, `file:PATH`), and words that help.
//!
//! Must never accept an unknown key, a literal secret, or show a secret in an error.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alert::{Secret, notifiers::Settings};
use event::{
    Redactor, Severity, SourceDefinition,
    id::is_cluster_name,
    redact::{HashKey, Mode, Pattern, RedactConfig, RedactError},
};
use parse::{product::PRODUCTS, time::Zone};
use serde::Deserialize;
use server::site::External;

#[cfg(test)]
mod tests;

/// Everything that `bartizan.toml` can say. See docs/howto/configure.md.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The server itself.
    pub server: Server,
    /// Where logs are read.
    pub source: Vec<Source>,
    /// What counts as a secret.
    pub redact: Redact,
    /// Detection.
    pub rules: Rules,
    /// Who is told.
    pub notify: Vec<Notify>,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The data folder.
    pub data: PathBuf,
    /// Console and API.
    pub listen: std::net::SocketAddr,
    /// Where a TLS proxy on this machine shows the console to others.
    pub external_url: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { data: PathBuf::from("bartizan-data"), listen: std::net::SocketAddr::from(([127, 0, 0, 1], 7700)), external_url: None }
    }
}

/// `[[source]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// file.
    pub kind: String,
    /// A path, with `*` for parts of names.
    pub path: String,
    /// The database cluster.
    #[serde(default = "default_cluster")]
    pub cluster: String,
    /// A family (tidb, milvus) or a product (pd, tikv, ...).
    #[serde(default)]
    pub component: Option<String>,
    /// Which process; else the folder.
    #[serde(default)]
    pub instance: Option<String>,
    /// Zone of times without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The database's own configuration file: formatter of the access log, zone.
    #[serde(default)]
    pub db_config: Option<PathBuf>,
    /// Formatter strings of a Milvus access log.
    #[serde(default)]
    pub access_format: Vec<String>,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

fn default_cluster() -> String {
    "default".to_owned()
}

/// `[redact]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// mask (default), remove, hash.
    pub mode: Option<String>,
    /// More patterns: name to regular expression; the first group, or the whole, is masked.
    pub patterns: BTreeMap<String, String>,
    /// Regular expressions of texts that are never masked.
    pub exceptions: Vec<String>,
}

/// `[rules]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Folders beside the shipped rules.
    pub folders: Vec<PathBuf>,
    /// Ids of rules that are off.
    pub disabled: Vec<String>,
    /// Addresses behind which many accounts stand.
    pub shared_addresses: Vec<String>,
}

/// `[[notify]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// For people and for `alert test`.
    pub name: String,
    /// email, slack, webhook, terminal.
    pub kind: String,
    /// Where to. For slack it is a secret.
    pub target: Option<String>,
    /// Mail: the sender.
    pub from: Option<String>,
    /// Mail: the receivers.
    #[serde(default)]
    pub to: Vec<String>,
    /// Mail: the account.
    pub user: Option<String>,
    /// Mail: the password; webhook: the bearer token.
    pub password: Option<String>,
    /// Alerts below are not sent here.
    pub min_severity: Option<String>,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("reading the configuration {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("reading the configuration {path}: {why}", path = .path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what to do.
        why: String,
    },
}

impl Config {
    /// Reads and checks a file. Relative paths in it are relative to its folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder).map_err(|why| ConfigError::Bad { path: path.to_owned(), why })
    }

    /// The same from text.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|e| explain(text, &e))?;
        config.server.data = folder.join(&config.server.data);
        for path in &mut config.rules.folders {
            *path = folder.join(&*path);
        }
        for source in &mut config.source {
            if let Some(path) = &mut source.db_config {
                *path = folder.join(&*path);
            }
            source.path = folder.join(&source.path).to_string_lossy().into_owned();
        }
        config.check(folder)?;
        Ok(config)
    }

    fn check(&self, folder: &Path) -> Result<(), String> {
        if !self.server.listen.ip().is_loopback() {
            return Err(format!(
                "[server] listen = \"{}\": other addresses than loopback need TLS, which this version does not have; listen on 127.0.0.1, put a TLS proxy in front, and name it in external_url",
                self.server.listen
            ));
        }
        self.external().map_err(|why| format!("[server] external_url = {why}"))?;
        self.source.iter().enumerate().try_for_each(|(i, s)| s.check().map_err(|why| format!("[[source]] {}: {why}", i + 1)))?;
        let mut names: Vec<&str> = self.notify.iter().map(|n| n.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            return Err(format!("[[notify]] name = \"{}\" stands twice; names must differ", twice[0]));
        }
        self.notify.iter().try_for_each(|n| n.settings(folder)?.build().map(|_| ()).map_err(|e| e.to_string()))
    }

    /// The proxy in front.
    pub fn external(&self) -> Result<Option<External>, String> {
        self.server.external_url.as_deref().map(External::parse).transpose()
    }

    /// The settings of every channel, secrets resolved.
    pub fn channels(&self, folder: &Path) -> Result<Vec<Settings>, String> {
        self.notify.iter().map(|n| n.settings(folder)).collect()
    }
}

impl Redact {
    /// The gate. `key` is the store's, for mode hash.
    pub fn redactor(&self, key: Option<store::RedactKey>) -> Result<Redactor, RedactError> {
        let mode = match self.mode.as_deref() {
            None | Some("mask") => Mode::Mask,
            Some("remove") => Mode::Remove,
            Some("hash") => Mode::Hash,
            Some(other) => {
                return Err(RedactError::Pattern { name: "mode".to_owned(), why: format!("{other:?}: use mask, remove or hash") });
            }
        };
        let pattern = |(name, regex): (&String, &String)| Pattern { name: name.clone(), regex: regex.clone() };
        // A check without a store must not fail for want of its key.
        let key = key.map_or(HashKey { id: "check".to_owned(), key: [0; 32] }, |k| HashKey { id: k.id, key: k.key });
        Redactor::new(RedactConfig {
            mode,
            hash_key: Some(key),
            patterns: self.patterns.iter().map(pattern).collect(),
            exceptions: self.exceptions.clone(),
        })
    }
}

impl Source {
    fn check(&self) -> Result<(), String> {
        if self.kind != "file" {
            return Err(format!("kind = \"{}\": this version reads files only; write kind = \"file\"", self.kind));
        }
        if !is_cluster_name(&self.cluster) {
            return Err(format!("cluster = \"{}\": use 1 to 40 of a-z, 0-9 and -, and not bartizan", self.cluster));
        }
        collect::tail::FileSource::check(&self.path).map_err(|e| e.to_string())?;
        if let Some(name) = self.component.as_deref().filter(|name| !PRODUCTS.contains(name)) {
            return Err(format!("component = {name:?}: use one of {}", PRODUCTS.join(", ")));
        }
        if let Some(name) = self.time_zone.as_deref().filter(|name| Zone::parse(name).is_none()) {
            return Err(format!("time_zone = {name:?}: write a name such as Asia/Tokyo or an offset such as +08:00"));
        }
        Ok(())
    }

    /// What is told of its files.
    pub fn definition(&self, extra_formats: Vec<String>) -> SourceDefinition {
        let mut access_formats = self.access_format.clone();
        access_formats.extend(extra_formats);
        SourceDefinition {
            cluster: self.cluster.clone(),
            instance: self.instance.clone(),
            host: hostname(),
            component: self.component.clone(),
            time_zone: self.time_zone.clone(),
            access_formats,
            labels: self.labels.clone(),
            ..SourceDefinition::default()
        }
    }
}

/// The machine's name, as a label.
pub fn hostname() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|h| h.trim().to_owned()).filter(|h| !h.is_empty())
}

impl Notify {
    fn settings(&self, folder: &Path) -> Result<Settings, String> {
        let name = &self.name;
        let in_notify = |key: &str, why: String| format!("[[notify]] {name:?}: {key}: {why}");
        let mut settings = Settings::new(name.clone(), self.kind.clone());
        if let Some(text) = &self.min_severity {
            settings.min_severity = Severity::parse(text)
                .ok_or_else(|| in_notify("min_severity", format!("{text:?}: use info, low, medium, high or critical")))?;
        }
        settings.target = match &self.target {
            // A Slack URL is a secret by itself; other targets may stand in the file.
            Some(text) if self.kind == "slack" => Some(secret(text, folder).map_err(|why| in_notify("target", why))?),
            Some(text) if is_reference(text) => Some(secret(text, folder).map_err(|why| in_notify("target", why))?),
            Some(text) => Some(Secret::new(text.clone())),
            None => None,
        };
        settings.password = self.password.as_deref().map(|t| secret(t, folder)).transpose().map_err(|why| in_notify("password", why))?;
        (settings.from, settings.to, settings.user) = (self.from.clone(), self.to.clone(), self.user.clone());
        Ok(settings)
    }
}

fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

/// Resolves `env:NAME` or `file:PATH`. A literal secret is refused.
fn secret(text: &str, folder: &Path) -> Result<Secret, String> {
    if let Some(name) = text.strip_prefix("env:") {
        let value = std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?;
        return Ok(Secret::new(value));
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = folder.join(path);
        let value = std::fs::read_to_string(&path).map_err(|e| format!("reading {}: {e}", path.display()))?;
        return Ok(Secret::new(value.trim_end().to_owned()));
    }
    Err("a secret must not stand in the configuration; write \"env:NAME\" or \"file:PATH\"".to_owned())
}

/// Keys that documents name and that this version does not have, with what they are for.
const LATER: &[(&str, &str)] = &[
    ("listen", "[[listen]] (syslog, OTLP and other listeners)"),
    ("retention", "[retention] (how long logs are kept)"),
    ("route", "[route] (which alert goes to whom); every alert goes to every [[notify]] whose min_severity it reaches"),
    ("protected_accounts", "protected_accounts (what a playbook must never touch)"),
    ("profile", "profile (how strict the rules are)"),
    ("retired_after", "retired_after (sources that are silent on purpose)"),
];

/// The error of the TOML reader: where, with the key that was meant. Its excerpt of the file is left out because it could show a secret.
fn explain(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim();
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let place = line.map(|n| format!("line {n}: ")).unwrap_or_default();
    let Some((key, known)) = unknown_key(message) else { return format!("{place}{message}") };
    if let Some((_, what)) = LATER.iter().find(|(name, _)| *name == key) {
        return format!("{place}this version does not have {what} yet; take it out");
    }
    let near = known.iter().map(|k| (strsim::jaro_winkler(&key, k), k)).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = near.filter(|(likeness, _)| *likeness > 0.75).map(|(_, name)| format!("; did you mean `{name}`?"));
    format!("{place}{message}{}", hint.unwrap_or_default())
}

/// The key and the known ones of "unknown field `x`, expected one of `a`, `b`".
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}
