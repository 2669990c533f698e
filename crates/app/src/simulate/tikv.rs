//! TiKV's lines (formats: tikv 8.5).

use std::io;

use super::{Stage, scribe::unified};

fn write(stage: &mut Stage<'_>, kv: &str, level: &str, caller: &str, message: &str, fields: &[(&str, &str)]) -> io::Result<()> {
    let line = unified(stage.now, level, caller, message, fields);
    stage.scribe.write(kv, "", "server", &line)
}

pub fn banner(stage: &mut Stage<'_>, kv: &str) -> io::Result<()> {
    write(stage, kv, "INFO", "lib.rs:93", "Welcome to TiKV", &[("thread_id", "1")])?;
    write(stage, kv, "INFO", "lib.rs:98", "Release Version:   8.5.1", &[("thread_id", "1")])
}

pub fn work(stage: &mut Stage<'_>, kv: &str) -> io::Result<()> {
    let region = (2 + stage.dice.below(9000)).to_string();
    let peer = (100 + stage.dice.below(90_000)).to_string();
    let term = (6 + stage.dice.below(40)).to_string();
    match stage.dice.below(4) {
        0 => write(
            stage,
            kv,
            "INFO",
            "raft.rs:1223",
            "received votes response",
            &[
                ("term", &term),
                ("type", "MsgRequestPreVoteResponse"),
                ("approvals", "2"),
                ("rejections", "0"),
                ("from", &peer),
                ("vote", "true"),
                ("raft_id", &peer),
                ("region_id", &region),
                ("thread_id", "103"),
            ],
        ),
        1 => write(
            stage,
            kv,
            "INFO",
            "apply.rs:1699",
            "execute admin command",
            &[
                ("command", "cmd_type: CompactLog compact_log { compact_index: 8127 compact_term: 6 }"),
                ("index", "8132"),
                ("term", &term),
                ("peer_id", &peer),
                ("region_id", &region),
                ("thread_id", "88"),
            ],
        ),
        2 => write(
            stage,
            kv,
            "INFO",
            "pd.rs:1874",
            "try to transfer leader",
            &[("to_peers", "[]"), ("region_id", &region), ("thread_id", "12")],
        ),
        _ => write(
            stage,
            kv,
            "INFO",
            "scheduler.rs:741",
            "get snapshot failed",
            &[("err", "Error(Request(message: \"peer is not leader\"))"), ("cid", &peer), ("thread_id", "55")],
        ),
    }
}
