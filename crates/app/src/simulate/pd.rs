//! PD's lines (formats: pd 8.5).

use std::io;

use super::{
    Stage,
    scribe::{unified, unified_time},
};

fn write(stage: &mut Stage<'_>, pd: &str, level: &str, caller: &str, message: &str, fields: &[(&str, &str)]) -> io::Result<()> {
    let line = unified(stage.now, level, caller, message, fields);
    stage.scribe.write(pd, "", "server", &line)
}

pub fn banner(stage: &mut Stage<'_>, pd: &str) -> io::Result<()> {
    write(stage, pd, "INFO", "versioninfo.go:89", "Welcome to Placement Driver (PD)", &[])?;
    write(stage, pd, "INFO", "versioninfo.go:90", "PD", &[("release-version", "v8.5.1")])
}

pub fn leader(stage: &mut Stage<'_>, pd: &str) -> io::Result<()> {
    write(stage, pd, "INFO", "server.go:1734", "PD leader is ready to serve", &[("leader-name", pd)])
}

pub fn work(stage: &mut Stage<'_>, pd: &str) -> io::Result<()> {
    let region = (2 + stage.dice.below(9000)).to_string();
    match stage.dice.below(3) {
        0 => write(
            stage,
            pd,
            "INFO",
            "operator_controller.go:488",
            "add operator",
            &[("region-id", &region), ("operator", "\"balance-region {mv peer: store [1] to [4]}\""), ("additional-info", "")],
        ),
        1 => write(stage, pd, "INFO", "region.go:759", "leader changed", &[("region-id", &region), ("from", "1"), ("to", "5")]),
        _ => write(stage, pd, "INFO", "cluster.go:1552", "store heartbeat", &[("store-id", "4"), ("interval", "10s")]),
    }
}

/// A call of PD's API, as its audit log says it.
pub fn audit(stage: &mut Stage<'_>, pd: &str, label: &str, method: &str, ip: &str, body: &str) -> io::Result<()> {
    let time = unified_time(stage.now).replace('/', "-");
    let port = 40_000 + stage.dice.below(20_000);
    let start = format!("{} +0000 UTC", &time[..19]);
    let info = format!(
        "{{ServiceLabel:{label}, Method:{method}, CallerID:anonymous, IP:{ip}, Port:{port}, StartTime:{start}, URLParam:{{}}, BodyParam:{body}}}"
    );
    write(stage, pd, "INFO", "audit.go:126", "audit log", &[("service-info", &info)])
}

pub fn log_level(stage: &mut Stage<'_>, pd: &str, level: &str) -> io::Result<()> {
    write(stage, pd, "WARN", "server.go:1629", "log level changed", &[("level", level)])
}
