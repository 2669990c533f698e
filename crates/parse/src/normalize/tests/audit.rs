//! TiDB's audit logs.

use super::check;

#[test]
fn extension() {
    check(
        "tidb",
        &[
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=2eda2307-54c1-49e5-9e65-eebf340b6d8f-0002] [EVENT="[CONNECTION,CONNECT]"] [USER=root] [ROLES="[]"] [CONNECTION_ID=260047206] [SESSION_ALIAS=] [TABLES="[]"] [STATUS_CODE=1] [CURRENT_DB=test] [CONNECTION_TYPE=TCP] [PID=454064] [SSL_VERSION=] [HOST_IP=10.0.0.1] [HOST_PORT=4000] [CLIENT_IP=10.0.0.9] [CLIENT_PORT=49366] [AUTH_METHOD=mysql_native_password]"#,
                "authentication.logon success",
                &[
                    ("user", "root"),
                    ("src_ip", "10.0.0.9"),
                    ("src_port", "49366"),
                    ("dst_ip", "10.0.0.1"),
                    ("dst_port", "4000"),
                    ("conn_id", "260047206"),
                    ("database", "test"),
                    ("auth_method", "mysql_native_password"),
                    ("stream", "audit"),
                ],
            ),
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=a-1] [EVENT="[CONNECTION,CONNECT]"] [USER=nobody] [CONNECTION_ID=5] [STATUS_CODE=0] [REASON="[privilege:1045]Access denied for user 'nobody'@'10.0.0.9' (using password: YES)"] [CLIENT_IP=10.0.0.9]"#,
                "authentication.logon failure",
                &[
                    ("user", "nobody"),
                    ("src_ip", "10.0.0.9"),
                    ("conn_id", "5"),
                    ("error_code", "privilege:1045"),
                    ("error", "Access denied for user 'nobody'@'10.0.0.9' (using password: YES)"),
                    ("fields.reason", "wrong_password"),
                ],
            ),
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=a-2] [EVENT="[CONNECTION,DISCONNECT]"] [USER=root] [CONNECTION_ID=5] [STATUS_CODE=1]"#,
                "authentication.logoff success",
                &[("user", "root"), ("conn_id", "5")],
            ),
            (
                r#"[2026/01/08 19:44:11.099 +08:00] [INFO] [ID=f-9] [EVENT="[QUERY,QUERY_DDL]"] [USER=root] [ROLES="[`r1`@`%`]"] [CONNECTION_ID=5] [TABLES="[`test`.`t`]"] [STATUS_CODE=1] [CURRENT_DB=test] [SQL_TEXT="DROP TABLE t"]"#,
                "datastore_activity.delete success",
                &[("user", "root"), ("role", "r1"), ("conn_id", "5"), ("database", "test"), ("object", "t"), ("statement", "DROP TABLE t")],
            ),
            (
                r#"[2026/01/08 19:44:11.099 +08:00] [INFO] [ID=f-9] [EVENT="[QUERY,QUERY_DML,INSERT]"] [USER=root] [CONNECTION_ID=5] [TABLES="[`test`.`t`,`test`.`u`]"] [STATUS_CODE=0] [CURRENT_DB=] [SQL_TEXT=] [AFFECTED_ROWS=3]"#,
                "datastore_activity.write failure",
                &[("user", "root"), ("conn_id", "5"), ("database", "test"), ("object", "t"), ("rows", "3")],
            ),
            (
                r#"{"TIME":"2026/01/08 19:44:27.746 +08:00","ID":"a-3","EVENT":["AUDIT","AUDIT_DISABLE"],"USER":"root","ROLES":[],"CONNECTION_ID":"5","TABLES":[],"STATUS_CODE":1,"AUDIT_OP_TARGET":"tidb_audit_enabled"}"#,
                "event_log_activity.disable success",
                &[("user", "root"), ("conn_id", "5"), ("object", "tidb_audit_enabled")],
            ),
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=a-4] [EVENT="[AUDIT,AUDIT_FUNC_CALL]"] [USER=root] [STATUS_CODE=1] [AUDIT_OP_TARGET=AUDIT_LOG_REMOVE_FILTER]"#,
                "event_log_activity.update success",
                &[("user", "root"), ("object", "AUDIT_LOG_REMOVE_FILTER")],
            ),
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=a-5] [EVENT="[AUDIT,AUDIT_ENABLE]"] [USER=root] [STATUS_CODE=1]"#,
                "event_log_activity.enable success",
                &[("user", "root")],
            ),
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=a-6] [EVENT="[DATA_OPERATION]"] [USER=root] [STATUS_CODE=1] [SECURITY_INFO="Component: BR, Result: ok, OutputDir: s3://b"]"#,
                "datastore_activity.read success",
                &[("user", "root")],
            ),
            (
                r#"[2026/01/08 19:44:27.746 +08:00] [INFO] [ID=a-6] [EVENT="[DATA_OPERATION]"] [USER=root] [STATUS_CODE=1] [SECURITY_INFO="Component: lightning, Result: ok, InputDir: s3://b"]"#,
                "datastore_activity.write success",
                &[("user", "root")],
            ),
        ],
    );
}

#[test]
fn plugin() {
    check(
        "tidb",
        &[
            (
                r#"[2025/09/06 17:03:53.720 +08:00] [INFO] [logger.go:77] [ID=17571494330] [TIMESTAMP=2025/09/06 17:03:53.720 +08:10] [EVENT_CLASS=GENERAL] [EVENT_SUBCLASS=] [STATUS_CODE=0] [COST_TIME=1336.083] [HOST=10.0.0.9] [CLIENT_IP=10.0.0.9] [USER=root] [DATABASES="[shop]"] [TABLES="[orders]"] [SQL_TEXT="update orders set a = 1"] [ROWS=4] [CONNECTION_ID=3695181836] [CLIENT_PORT=63912] [PID=61215] [COMMAND=Query] [SQL_STATEMENTS=Update] [EXECUTE_PARAMS="[]"] [CURRENT_DB=test] [EVENT=COMPLETED]"#,
                "datastore_activity.write success",
                &[
                    ("user", "root"),
                    ("src_ip", "10.0.0.9"),
                    ("src_port", "63912"),
                    ("conn_id", "3695181836"),
                    ("duration_us", "1336"),
                    ("rows", "4"),
                    ("database", "test"),
                    ("object", "orders"),
                    ("statement", "update orders set a = 1"),
                ],
            ),
            (
                r#"[2025/09/06 17:03:53.720 +08:00] [INFO] [logger.go:77] [ID=1] [TIMESTAMP=2025/09/06 17:03:53.720 +08:10] [EVENT_CLASS=GENERAL] [EVENT_SUBCLASS=] [STATUS_CODE=0] [COST_TIME=13] [USER=root] [SQL_TEXT="drop table t"] [CONNECTION_ID=5] [EVENT=STARTING]"#,
                "-",
                &[("user", "root"), ("conn_id", "5"), ("duration_us", "13"), ("statement", "drop table t")],
            ),
            (
                r#"[2025/09/06 17:03:53.720 +08:00] [INFO] [logger.go:77] [ID=1] [TIMESTAMP=2025/09/06 17:03:53.720 +08:10] [EVENT_CLASS=TABLE_ACCESS] [EVENT_SUBCLASS=Select] [STATUS_CODE=1142] [USER=app] [DATABASES="[mysql]"] [TABLES="[user]"] [SQL_TEXT=] [CONNECTION_ID=abc] [SQL_STATEMENTS=Select] [EVENT=COMPLETED]"#,
                "datastore_activity.query failure",
                &[("user", "app"), ("database", "mysql"), ("object", "user"), ("fields.CONNECTION_ID", "abc")],
            ),
            (
                r#"[2025/09/08 21:15:35.621 +08:00] [INFO] [logger.go:77] [ID=1] [TIMESTAMP=2025/09/08 21:15:35.621 +08:10] [EVENT_CLASS=CONNECTION] [EVENT_SUBCLASS=Disconnect] [STATUS_CODE=0] [COST_TIME=0] [HOST=10.0.0.9] [CLIENT_IP=10.0.0.9] [USER=root] [DATABASES="[test]"] [TABLES="[]"] [SQL_TEXT=] [ROWS=0] [CLIENT_PORT=49278] [CONNECTION_ID=5] [SERVER_PORT=4000] [Reason=]"#,
                "authentication.logoff success",
                &[
                    ("user", "root"),
                    ("src_ip", "10.0.0.9"),
                    ("src_port", "49278"),
                    ("dst_port", "4000"),
                    ("conn_id", "5"),
                    ("database", "test"),
                    ("rows", "0"),
                    ("duration_us", "0"),
                ],
            ),
            (
                r#"[2025/09/08 21:15:35.621 +08:00] [INFO] [logger.go:77] [ID=1] [TIMESTAMP=2025/09/08 21:15:35.621 +08:10] [EVENT_CLASS=CONNECTION] [EVENT_SUBCLASS=Reject] [STATUS_CODE=0] [HOST=10.0.0.9] [USER=root] [CONNECTION_ID=5] [Reason="Access denied"]"#,
                "authentication.logon failure",
                &[("user", "root"), ("src_ip", "10.0.0.9"), ("conn_id", "5"), ("error", "Access denied")],
            ),
            (
                r#"[2025/09/08 21:15:35.621 +08:00] [INFO] [logger.go:77] [ID=1] [TIMESTAMP=2025/09/08 21:15:35.621 +08:10] [EVENT_CLASS=CONNECTION] [EVENT_SUBCLASS=Connected] [STATUS_CODE=0] [USER=root] [CONNECTION_ID=5]"#,
                "authentication.logon success",
                &[("user", "root"), ("conn_id", "5")],
            ),
        ],
    );
}
