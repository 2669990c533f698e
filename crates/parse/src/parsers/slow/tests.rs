//! Blocks in, columns out.

use event::SourceDefinition;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::trial::{refused, table, tried};
use super::FORMAT;

const T: &str = "2026-03-02T02:00:00.120345Z";

fn fields(block: &str) -> Json {
    tried(&FORMAT, &SourceDefinition::default(), block).unwrap_or_else(|| panic!("refused: {block}"))
}

#[test]
fn a_block_with_everything_awkward() {
    let block = "# Time: 2026-03-02T10:00:00.120345678+08:00\n\
        # Txn_start_ts: 470634335466946560\n\
        # User@Host: app[app] @ shop.example [10.0.0.7]\n\
        # Conn_ID: 7398943596793037429\n\
        # Session_alias: night: job\n\
        # Query_time: 1.25\n\
        # Optimize_time: 0.000333948 Opt_logical: 0.000093199 Opt_physical: 0\n\
        # Prewrite_time: 25.5 Backoff_types: [tikvRPC regionMiss] Slowest_prewrite_rpc_detail: {total:0.3s, region_id: 9, store: a:1} Write_keys: 624\n\
        # DB: shop\n\
        # Index_names: [orders:customer,orders:day]\n\
        # Is_internal: false\n\
        # Stats: orders:17[realtime_count=20;modify_count=0]\n\
        # Cop_proc_avg: 0.007 Cop_proc_addr: 10.0.0.3:20160\n\
        # Warnings: [{\"Level\":\"Warning\",\"Message\":\"Succ: true\",\"IsExtra\":true}]\n\
        # Succ: false\n\
        # Plan: tidb_decode_plan('wgE Xy')\n\
        # Request_unit_v2_detail: total_ru:1.76, executor_l2:{HashAggExec: 2}\n\
        # Session_connect_attrs: {\"_client_name\":\"pymysql\",\"_pid\":\"9\"}\n\
        # Prev_stmt: update t set a = 'Conn_ID: 5';\n\
        use `shop`;\n\
        select *\n  from orders\n where id = 1;";
    assert_eq!(
        fields(block),
        json!({"time": T, "stream": "slow", "product": "tidb", "statement": "select *\n  from orders\n where id = 1", "fields": {
            "Txn_start_ts": "470634335466946560", "User@Host": "app[app] @ shop.example [10.0.0.7]", "Conn_ID": "7398943596793037429",
            "Session_alias": "night: job", "Query_time": "1.25", "Optimize_time": "0.000333948", "Opt_logical": "0.000093199", "Opt_physical": "0",
            "Prewrite_time": "25.5", "Backoff_types": "[tikvRPC regionMiss]", "Slowest_prewrite_rpc_detail": "{total:0.3s, region_id: 9, store: a:1}",
            "Write_keys": "624", "DB": "shop", "Index_names": "[orders:customer,orders:day]", "Is_internal": "false",
            "Stats": "orders:17[realtime_count=20;modify_count=0]", "Cop_proc_avg": "0.007", "Cop_proc_addr": "10.0.0.3:20160",
            "Warnings": "[{\"Level\":\"Warning\",\"Message\":\"Succ: true\",\"IsExtra\":true}]", "Succ": "false", "Plan": "tidb_decode_plan('wgE Xy')",
            "Request_unit_v2_detail": "total_ru:1.76, executor_l2:{HashAggExec: 2}", "Session_connect_attrs": "{\"_client_name\":\"pymysql\",\"_pid\":\"9\"}",
            "Prev_stmt": "update t set a = 'Conn_ID: 5';", "use": "shop"}})
    );
}

#[test]
fn pieces_old_forms_and_other_databases() {
    table(
        &FORMAT,
        &[
            // The old time, the old user, an honest repeat, line ends of Windows.
            (
                "# Time: 2026-03-02-10:00:00.120345 +0800\r\n# User: root@127.0.0.1\r\n# Cop_time: 0.3 Request_count: 1\r\n# LockKeys_time: 1.7 Request_count: 1\r\nselect 1;\r\n",
                json!({"time": T, "stream": "slow", "product": "tidb", "statement": "select 1", "fields": {
                    "User": "root@127.0.0.1", "Cop_time": "0.3", "Request_count": ["1", "1"], "LockKeys_time": "1.7"}}),
            ),
            // An internal statement: nobody ran it.
            (
                "# Time: 2026-03-02T02:00:00.120345Z\n# Is_internal: true\n# Succ: true\nselect variable_value from mysql.tidb;",
                json!({"time": T, "stream": "slow", "product": "tidb", "statement": "select variable_value from mysql.tidb",
                    "fields": {"Is_internal": "true", "Succ": "true"}}),
            ),
            // Pieces of a block that server lines interrupted.
            (
                "# Mem_max: 13096\n# Succ: true",
                json!({"stream": "slow", "product": "tidb", "fields": {"Mem_max": "13096", "Succ": "true"}}),
            ),
            (
                "# Unpacked_bytes_sent_tikv_total: 477\nuse shop;\nselect 2;",
                json!({"stream": "slow", "product": "tidb", "statement": "select 2", "fields": {"Unpacked_bytes_sent_tikv_total": "477", "use": "shop"}}),
            ),
            ("# Time: 2026-03-02T02:00:00.120345Z", json!({"time": T, "stream": "slow"})),
            // A value that is empty, with and without its blank.
            (
                "# Time: 2026-03-02T02:00:00.120345Z\n# DB: \n# Index_names:\n# Query_time: 1\ncommit;",
                json!({"time": T, "stream": "slow", "product": "tidb", "statement": "commit", "fields": {"DB": "", "Index_names": "", "Query_time": "1"}}),
            ),
            // `use` alone is the statement.
            ("# Query_time: 1\nuse shop;", json!({"stream": "slow", "statement": "use shop", "fields": {"Query_time": "1"}})),
            // MySQL: two blanks, a timestamp; nothing proves TiDB.
            (
                "# Time: 2026-03-02T02:00:00.120345Z\n# User@Host: a[a] @  [10.0.0.9]  Id:     8\n# Query_time: 2.0  Lock_time: 0.1 Rows_sent: 1\nSET timestamp=1795296000;\nselect 3;",
                json!({"time": T, "stream": "slow", "statement": "select 3", "fields": {"User@Host": "a[a] @  [10.0.0.9]  Id:     8", "Query_time": "2.0",
                    "Lock_time": "0.1", "Rows_sent": "1", "SET timestamp": "1795296000"}}),
            ),
            // The server cut the statement; a time that is none.
            (
                "# Time: 2026-03-02T02:00:00.120345Z\nselect 'aaaa(len:4097);",
                json!({"time": T, "stream": "slow", "statement": "select 'aaaa", "issues": ["truncated"]}),
            ),
            (
                "# Time: yesterday\nselect 1",
                json!({"stream": "slow", "statement": "select 1", "fields": {"Time": "yesterday"}, "issues": ["bad_time"]}),
            ),
            // Marks of the redaction are values like others.
            (
                "# Query_time: 1\ncreate user x identified by '__masked_password__';",
                json!({"stream": "slow", "statement": "create user x identified by '__masked_password__'", "fields": {"Query_time": "1"}}),
            ),
        ],
    );
}

#[test]
fn a_statement_cannot_write_headers() {
    // Behind the first line of the statement nothing is a header any more; a header that is repeated in front of it marks the block.
    let block = "# Time: 2026-03-02T02:00:00.120345Z\n# User@Host: eve[eve] @ h [10.0.0.66]\n# Succ: false\nselect '\n# User@Host: root[root] @ h [10.0.0.1]\n# Succ: true\n';";
    let got = fields(block);
    assert_eq!(got["fields"], json!({"User@Host": "eve[eve] @ h [10.0.0.66]", "Succ": "false"}));
    assert_eq!(got.get("issues"), None);
    let twice = fields("# User@Host: eve[eve] @ h [10.0.0.66]\n# Session_alias: x\n# User@Host: root[root] @ h [10.0.0.1]\nselect 1;");
    assert_eq!(twice["issues"], json!(["repeated_key"]));
    assert_eq!(twice["fields"]["User@Host"][0], "eve[eve] @ h [10.0.0.66]");
}

#[test]
fn comments_and_headings_are_no_blocks() {
    refused(
        &FORMAT,
        &["# a comment: of a script", "# Heading", "#", "# ", "# : x", "# Note: x", "#Time: 2026-03-02T02:00:00Z", "# 9Time: 1"],
    );
}

#[test]
fn a_block_without_end_takes_linear_time() {
    let block = format!("# Time: 2026-03-02T02:00:00.1Z\n# Query_time: 1\n{}", "select 1\n".repeat(200_000));
    assert_eq!(fields(&block)["statement"].as_str().map(str::len), Some("select 1\n".len() * 200_000 - 1));
    let colons = format!("# Query_time: {}\n# Backoff_types: {}", "a: ".repeat(100_000), "[".repeat(100_000));
    assert_eq!(fields(&colons)["issues"], json!(["unparsed"]));
}

proptest! {
    #[test]
    fn never_panics(text in "(# (Time|Plan|Conn_ID|Stats|x)?:? ?[\\[\\]{}a-z: 0-9é\\n]{0,20}\n?){0,6}[ -~é\n]{0,40}") {
        let _ = tried(&FORMAT, &SourceDefinition::default(), &text);
    }
}
