//! TiDB's slow log.

use super::check;

#[test]
fn blocks() {
    check(
        "tidb",
        &[
            (
                "# Time: 2026-03-02T10:00:00.22465054Z\n# Txn_start_ts: 470634335466946560\n# User@Host: analyst[analyst] @ db1.example [10.0.0.8]\n# Conn_ID: 2097288\n# Query_time: 0.610083964\n# Parse_time: 0.00007369\n# DB: shop\n# Is_internal: false\n# Digest: A04C37\n# Result_rows: 12\n# Succ: true\n# Session_connect_attrs: {\"_client_name\":\"pymysql\",\"_client_version\":\"1.2.4\",\"_pid\":\"25598\"}\nuse shop;\nselect sleep(0.6), count(*) from orders;",
                "datastore_activity.query success",
                &[
                    ("user", "analyst"),
                    ("src_ip", "10.0.0.8"),
                    ("src_host", "db1.example"),
                    ("conn_id", "2097288"),
                    ("txn_ts", "470634335466946560"),
                    ("duration_us", "610083"),
                    ("database", "shop"),
                    ("object", "orders"),
                    ("digest", "a04c37"),
                    ("rows", "12"),
                    ("client", "pymysql 1.2.4"),
                    ("statement", "select sleep(0.6), count(*) from orders"),
                    ("stream", "slow"),
                    ("fields.Query_time", "-"),
                    ("fields.Parse_time", "0.00007369"),
                ],
            ),
            (
                "# Time: 2026-03-02T10:00:00.2Z\n# User@Host: root[root] @ localhost [127.0.0.1]\n# Conn_ID: 9\n# Query_time: 2\n# Is_internal: false\n# Succ: false\ncommit;",
                "datastore_activity.query failure",
                &[
                    ("user", "root"),
                    ("src_ip", "127.0.0.1"),
                    ("src_host", "localhost"),
                    ("conn_id", "9"),
                    ("duration_us", "2000000"),
                    ("statement", "commit"),
                ],
            ),
            (
                "# Time: 2026-03-02T10:00:00.2Z\n# Txn_start_ts: 0\n# Query_time: 0.5\n# Is_internal: true\n# Succ: true\nselect * from mysql.user;",
                "-",
                &[("duration_us", "500000"), ("statement", "select * from mysql.user")],
            ),
            (
                "# Time: 2019-03-18-12:10:19.513961 +0800\n# User: root@10.0.0.7\n# Conn_ID: 9\n# Query_time: 1e-05\ntruncate table a.b;",
                "datastore_activity.delete unknown",
                &[
                    ("user", "root"),
                    ("src_ip", "10.0.0.7"),
                    ("conn_id", "9"),
                    ("duration_us", "10"),
                    ("database", "a"),
                    ("object", "b"),
                    ("statement", "truncate table a.b"),
                ],
            ),
            (
                "# Time: 2026-03-02T10:00:00.2Z\n# User@Host: x[x] @ 10.0.0.7 [10.0.0.7]\n# Conn_ID: 9\n# Query_time: 1\n# Succ: true\n‹insert into t values (1);›",
                "datastore_activity.write success",
                &[
                    ("user", "x"),
                    ("src_ip", "10.0.0.7"),
                    ("conn_id", "9"),
                    ("duration_us", "1000000"),
                    ("object", "t"),
                    ("statement", "‹insert into t values (1);›"),
                ],
            ),
        ],
    );
}
