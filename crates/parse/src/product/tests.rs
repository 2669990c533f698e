//! Lines in, the product out.

use super::*;

#[test]
fn one_line_may_decide() {
    for (line, product, decisive) in [
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [printer.go:34] [\"Welcome to TiDB.\"] [\"Release Version\"=v8.5.0]", "tidb", true),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [x.go:34] [\"audit log\"] [service-info=\"{ServiceLabel:x}\"]", "pd", true),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [store_config.go:34] [x]", "pd", false),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [privileges.go:34] [x]", "tidb", false),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [apply.rs:34] [x]", "tikv", true),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [Reader.cpp:34] [x] [thread_id=3]", "tiflash", true),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [main.proxy] [client/conn.go:34] [x y]", "tiproxy", true),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [proxy/impl.go:34] [x]", "milvus", true),
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [segment.go:34] [x] [segmentID=7]", "milvus", true),
        ("{\"level\":\"info\",\"ts\":\"2026-06-19T02:26:04.861Z\",\"caller\":\"embed/etcd.go:7\",\"msg\":\"x\"}", "etcd", true),
        (
            "{\"level\":\"INFO\",\"ts\":\"2026/06/19 02:26:04.861 +00:00\",\"logger\":\"main.x\",\"caller\":\"a/b.go:7\",\"msg\":\"x\"}",
            "tiproxy",
            true,
        ),
        ("{\"level\":\"INFO\",\"time\":\"2026/06/19 02:26:04.861 +00:00\",\"caller\":\"proxy/x.go:7\",\"message\":\"x\"}", "milvus", true),
        ("\tgithub.com/milvus-io/milvus/internal/datacoord/server.go:305 +0x2b", "milvus", false),
        ("I20240107 17:16:04.767038    27 Chunk.cpp:222] [SEGCORE][PreCheck][milvus] start", "milvus", false),
    ] {
        assert_eq!(ballot(line), Some(Signal { product, decisive }), "{line}");
    }
}

#[test]
fn most_lines_say_nothing() {
    for line in [
        "",
        "[2026/03/02 10:00:00.120 +00:00] [INFO] [server.go:34] [x]",
        "[2026/03/02 10:00:00.120 +00:00] [INFO] [main.go:34] [x]",
        "{\"level\":\"warn\",\"ts\":\"2026-06-19T02:26:04.861Z\",\"logger\":\"etcd-client\",\"caller\":\"v3@v3.5.0/retry.go:62\",\"msg\":\"x\"}",
        "goroutine 389 [IO wait]:",
        "\t/usr/local/go/src/runtime/proc.go:381 +0xd6",
    ] {
        assert_eq!(ballot(line), None, "{line}");
    }
}

#[test]
fn the_vote_needs_a_majority_and_a_path_only_breaks_ties() {
    let (tidb, pd) =
        ("[2026/03/02 10:00:00.120 +00:00] [INFO] [privileges.go:34] [x]\n", "[2026/03/02 10:00:00.120 +00:00] [INFO] [tso.go:34] [x]\n");
    let server = "[2026/03/02 10:00:00.120 +00:00] [INFO] [server.go:34] [x]\n";
    for (text, component, path, product) in [
        (tidb.to_owned(), None, None, Some("tidb")),
        (format!("{tidb}{pd}{pd}"), None, Some("/x/tidb.log"), Some("pd")),
        (format!("{tidb}{pd}"), None, None, None),
        (format!("{tidb}{pd}"), None, Some("/tidb/pd.log"), Some("pd")),
        (server.to_owned(), None, Some("/x/tidb.log"), None),
        (server.to_owned(), Some("tidb"), None, Some("tidb")),
        (server.to_owned(), Some("tikv"), None, Some("tikv")),
        (pd.to_owned(), Some("tidb"), None, Some("pd")),
        (pd.to_owned(), Some("milvus"), None, Some("milvus")),
        (String::new(), Some("nginx"), None, None),
    ] {
        assert_eq!(vote(text.as_bytes(), component, path), product, "{text} {component:?} {path:?}");
    }
}

#[test]
fn the_tables_are_sorted_and_disjoint() {
    let mut all: Vec<&str> = Vec::new();
    for (product, files) in GO_FILES {
        assert!(files.is_sorted(), "{product}");
        all.extend(*files);
    }
    let names = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), names, "a file of two products says nothing");
}

#[test]
fn a_role_that_a_client_names_says_nothing() {
    for (value, want) in [("`dba`@`%`", None), ("dba", None), ("proxy", Some("milvus"))] {
        let line = format!("[2026/03/02 10:00:00.120 +00:00] [ERROR] [server.go:945] [\"find role failed\"] [role={value}]");
        assert_eq!(ballot(&line).map(|s| s.product), want, "{value}");
    }
}
