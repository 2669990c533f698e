//! Configurations that are taken, and what is said of those that are not.

use std::path::Path;

use super::Config;

fn said(text: &str) -> String {
    Config::parse(text, Path::new("/etc/bartizan")).err().unwrap_or_default()
}

#[test]
fn a_whole_configuration_is_taken() {
    let text = r#"
[server]
data = "store"
listen = "127.0.0.1:7700"
[[source]]
kind = "file"
path = "/var/log/tidb/*.log*"
cluster = "prod"
component = "tidb"
labels = { rack = "7" }
[redact]
mode = "hash"
patterns = { ticket = "TICKET-([0-9]+)" }
[rules]
folders = ["rules.d"]
disabled = ["tidb-schema-change"]
[[notify]]
name = "oncall"
kind = "email"
target = "smtp://127.0.0.1:2525"
from = "bartizan@example.org"
to = ["oncall@example.org"]
min_severity = "high"
"#;
    let config = Config::parse(text, Path::new("/etc/bartizan")).unwrap();
    assert_eq!(config.server.data, Path::new("/etc/bartizan/store"));
    assert_eq!(config.source[0].definition(Vec::new()).component.as_deref(), Some("tidb"));
    assert_eq!(config.channels(Path::new("/")).unwrap()[0].min_severity, event::Severity::High);
}

#[test]
fn what_is_wrong_is_said_with_what_was_meant() {
    let cases = [
        ("[sorces]\n", "sorces"),
        ("[sorces]\n", "did you mean `source`?"),
        ("[server]\nlisten = \"0.0.0.0:7700\"\n", "TLS"),
        ("[[source]]\nkind = \"file\"\npath = \"/x\"\ncluster = \"Prod\"\n", "a-z"),
        ("[[source]]\nkind = \"journal\"\npath = \"/x\"\n", "kind = \"file\""),
        ("[[notify]]\nname = \"a\"\nkind = \"slack\"\ntarget = \"https://hooks.slack.com/services/T/B/x\"\n", "env:NAME"),
        ("[[notify]]\nname = \"a\"\nkind = \"pigeon\"\n", "pigeon"),
        ("[server]\n\nlisten = 7700\n", "line 3: "),
        ("[server]\nexternal_url = \"http://watch.example.org\"\n", "https://"),
        ("[[source]]\nkind = \"file\"\npath = \"/x\"\ncomponent = \"mysql\"\n", "use one of tidb, pd"),
        ("[[source]]\nkind = \"file\"\npath = \"/x\"\ntime_zone = \"Mars\"\n", "+08:00"),
        ("[rules]\nprofile = \"balanced\"\n", "line 2: this version does not have profile"),
        ("[retention.prod.security]\nmax_age = \"400d\"\n", "does not have [retention]"),
        ("[[notify]]\nname = \"a\"\nkind = \"terminal\"\n[[notify]]\nname = \"a\"\nkind = \"terminal\"\n", "twice"),
    ];
    for (text, word) in cases {
        assert!(said(text).contains(word), "{text}: {}", said(text));
    }
}

#[test]
fn a_literal_secret_is_not_repeated() {
    let text = "[[notify]]\nname = \"a\"\nkind = \"email\"\ntarget = \"smtp://127.0.0.1\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\npassword = \"hunter22\"\n";
    assert!(said(text).contains("env:NAME") && !said(text).contains("hunter22"), "{}", said(text));
}
