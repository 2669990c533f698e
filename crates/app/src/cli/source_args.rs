//! What `parse`, `detect` and `import` are told of their files: `--component --cluster --instance --time-zone --db-config` (DESIGN §5).
//!
//! Owns: those options and the source definition that they make. Reads the databases' own configuration, never the logs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use event::SourceDefinition;
use parse::{product::PRODUCTS, time::Zone};
use serde::Deserialize;

use crate::exit::{Exit, ExitExt as _};

/// A configuration file is at most this long.
const CONFIG_BYTES_MAX: u64 = 4 << 20;

/// Options about the files' origin.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SourceArgs {
    /// Who wrote the files: a family (tidb, milvus) or one product of it; without it the lines tell
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(PRODUCTS).map(|name| name.to_lowercase()))]
    pub component: Option<String>,
    /// Name of the database cluster
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = cluster_name)]
    pub cluster: String,
    /// Name of the process that wrote the files (without it: their folder)
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Zone of times that carry none: a name such as Asia/Tokyo, or an offset such as +08:00
    #[arg(long, value_name = "ZONE", value_parser = zone_name, allow_hyphen_values = true)]
    pub time_zone: Option<String>,
    /// Configuration of the database itself (Milvus YAML, TiDB TOML): tells formats and products
    #[arg(long, value_name = "FILE")]
    pub db_config: Vec<PathBuf>,
}

fn cluster_name(name: &str) -> Result<String, String> {
    let good = event::id::is_cluster_name(name);
    if good { Ok(name.to_owned()) } else { Err("a cluster's name is 1 to 40 of a-z, 0-9 and -, and not bartizan".to_owned()) }
}

fn zone_name(name: &str) -> Result<String, String> {
    let known = Zone::parse(name).is_some();
    if known { Ok(name.to_owned()) } else { Err("write a name such as Asia/Tokyo or an offset such as +08:00".to_owned()) }
}

impl SourceArgs {
    /// What the options say of every file; [`Self::of_file`] adds what a path says.
    pub fn definition(&self) -> anyhow::Result<SourceDefinition> {
        let mut definition = SourceDefinition {
            cluster: self.cluster.clone(),
            instance: self.instance.clone(),
            component: self.component.clone(),
            time_zone: self.time_zone.clone(),
            ..SourceDefinition::default()
        };
        for path in &self.db_config {
            let text = read_config(path).with_context(|| format!("reading the configuration {}", path.display())).exit(Exit::Io)?;
            let told = understand(&text).with_context(|| format!("reading the configuration {}", path.display())).exit(Exit::Config)?;
            definition.access_formats.extend(told.access_formats);
            if definition.component.is_none() {
                definition.component = told.component.map(str::to_owned);
            }
        }
        Ok(definition)
    }

    /// The definition of one file: one folder is one instance unless told.
    pub fn of_file(definition: &SourceDefinition, path: &Path) -> SourceDefinition {
        let folder = || std::path::absolute(path).ok()?.parent().map(|folder| folder.to_string_lossy().into_owned());
        SourceDefinition {
            instance: definition.instance.clone().or_else(folder),
            path: Some(path.to_string_lossy().into_owned()),
            ..definition.clone()
        }
    }
}

fn read_config(path: &Path) -> anyhow::Result<String> {
    let length = fs::metadata(path)?.len();
    anyhow::ensure!(length <= CONFIG_BYTES_MAX, "it has {length} bytes: no database's configuration is that long");
    Ok(fs::read_to_string(path)?)
}

/// What a configuration tells of the logs.
#[derive(Debug, Default, PartialEq)]
struct Told {
    access_formats: Vec<String>,
    component: Option<&'static str>,
}

/// The few keys of Milvus' YAML that matter here.
#[derive(Debug, Default, Deserialize)]
struct MilvusConfig {
    #[serde(default)]
    proxy: Option<MilvusProxy>,
    #[serde(default)]
    etcd: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
struct MilvusProxy {
    #[serde(default, rename = "accessLog")]
    access_log: Option<MilvusAccessLog>,
}

#[derive(Debug, Default, Deserialize)]
struct MilvusAccessLog {
    #[serde(default)]
    formatters: Option<std::collections::BTreeMap<String, MilvusFormatter>>,
}

#[derive(Debug, Default, Deserialize)]
struct MilvusFormatter {
    #[serde(default)]
    format: Option<String>,
}

/// TOML first: what is TOML is TiDB's, PD's, TiKV's, TiFlash's or TiProxy's; anything else must be Milvus' YAML.
fn understand(text: &str) -> anyhow::Result<Told> {
    let as_toml = match text.parse::<toml::Table>() {
        Ok(table) => return Ok(Told { component: product_of_toml(&table), ..Told::default() }),
        Err(e) => e,
    };
    // Milvus' own template repeats no key, but people's copies do, and Milvus takes the last.
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    let config: MilvusConfig = serde_saphyr::from_str_with_options(text, options)
        .map_err(|as_yaml| anyhow::anyhow!("it is neither TOML ({}) nor YAML ({as_yaml})", as_toml.message()))?;
    let milvus = config.proxy.is_some() || config.etcd.is_some();
    let formatters = config.proxy.and_then(|p| p.access_log).and_then(|a| a.formatters).unwrap_or_default();
    let access_formats = formatters.into_values().filter_map(|f| f.format).filter(|f| !f.is_empty()).collect();
    Ok(Told { access_formats, component: milvus.then_some("milvus") })
}

/// Tables that only one product's configuration has.
fn product_of_toml(table: &toml::Table) -> Option<&'static str> {
    const TABLES: &[(&str, &str)] = &[
        ("flash", "tiflash"),
        ("raftstore", "tikv"),
        ("rocksdb", "tikv"),
        ("raftdb", "tikv"),
        ("pd-server", "pd"),
        ("schedule", "pd"),
        ("replication", "pd"),
        ("client-urls", "pd"),
        ("balance", "tiproxy"),
        ("proxy", "tiproxy"),
        ("instance", "tidb"),
        ("performance", "tidb"),
        ("status", "tidb"),
        ("store", "tidb"),
    ];
    TABLES.iter().find(|(key, _)| table.contains_key(*key)).map(|(_, product)| *product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_tell_formats_and_products() {
        let milvus = "etcd:\n  rootPath: x\nproxy:\n  accessLog:\n    enable: true\n    formatters:\n      base:\n        format: \"[$time_now] $user_name\"\n      query:\n        format: \"[$time_now] $method_expr\"\n        methods: [Query, Search]\n      off:\n        format: \"\"\n";
        let formats = vec!["[$time_now] $user_name".to_owned(), "[$time_now] $method_expr".to_owned()];
        for (text, told) in [
            (milvus, Told { access_formats: formats, component: Some("milvus") }),
            ("etcd:\n  rootPath: x\n", Told { component: Some("milvus"), ..Told::default() }),
            ("proxy:\n  accessLog:\n", Told { component: Some("milvus"), ..Told::default() }),
            ("store = \"tikv\"\n[log]\nlevel = \"info\"\n", Told { component: Some("tidb"), ..Told::default() }),
            ("[raftstore]\n[log]\n", Told { component: Some("tikv"), ..Told::default() }),
            ("[schedule]\nmax-snapshot-count = 7\n", Told { component: Some("pd"), ..Told::default() }),
            ("[proxy]\naddr = \"x\"\n", Told { component: Some("tiproxy"), ..Told::default() }),
            ("a: 1\n", Told::default()),
            ("", Told::default()),
        ] {
            assert_eq!(understand(text).unwrap(), told, "{text}");
        }
        for text in ["proxy: [", "just text that is no configuration: : :\n- x"] {
            assert!(understand(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_folder_is_one_instance_unless_told() {
        let given = SourceArgs { instance: Some("a:4000".to_owned()), ..SourceArgs::default() }.definition().unwrap();
        assert_eq!(SourceArgs::of_file(&given, Path::new("/x/y/tidb.log")).instance.as_deref(), Some("a:4000"));
        let none = SourceArgs::default().definition().unwrap();
        let of_file = SourceArgs::of_file(&none, Path::new("/x/y/tidb.log"));
        assert_eq!((of_file.instance.as_deref(), of_file.path.as_deref()), (Some("/x/y"), Some("/x/y/tidb.log")));
    }
}
