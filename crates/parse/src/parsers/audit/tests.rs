//! Lines in, columns out.

use serde_json::json;

use super::super::trial::{refused, table};
use super::{EXTENSION, PLUGIN};

const T: &str = "2026-03-02T10:00:00.120Z";

#[test]
fn extension() {
    table(
        &EXTENSION,
        &[
            (
                r#"[2026/03/02 18:00:00.120 +08:00] [INFO] [ID=2eda-0002] [EVENT="[CONNECTION,CONNECT]"] [USER=root] [ROLES="[]"] [CONNECTION_ID=26004] [TABLES="[]"] [STATUS_CODE=0] [REASON="[privilege:1045]Access denied"] [CLIENT_IP=10.0.0.9] [CONN_ATTRS="{\"_os\":\"linux\"}"]"#,
                json!({"time": T, "level": "INFO", "stream": "audit", "product": "tidb", "fields": {"ID": "2eda-0002", "EVENT": "[CONNECTION,CONNECT]", "USER": "root",
                    "ROLES": "[]", "CONNECTION_ID": "26004", "TABLES": "[]", "STATUS_CODE": "0", "REASON": "[privilege:1045]Access denied", "CLIENT_IP": "10.0.0.9",
                    "CONN_ATTRS": "{\"_os\":\"linux\"}"}}),
            ),
            (
                r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [ID=a-1] [EVENT="[QUERY,QUERY_DDL]"] [USER=] [SQL_TEXT="create table `t` (a varchar(9) default ']')"]"#,
                json!({"time": T, "level": "INFO", "stream": "audit", "product": "tidb", "fields": {"ID": "a-1", "EVENT": "[QUERY,QUERY_DDL]", "USER": "",
                    "SQL_TEXT": "create table `t` (a varchar(9) default ']')"}}),
            ),
            (
                r#"{"TIME":"2026/03/02 10:00:00.120 +00:00","ID":"a-2","EVENT":["AUDIT","AUDIT_DISABLE"],"USER":"dba","CONNECTION_ID":7398943596793037429,"STATUS_CODE":1,"TABLES":["`a`.`b`"]}"#,
                json!({"time": T, "stream": "audit", "product": "tidb", "fields": {"ID": "a-2", "EVENT": ["AUDIT", "AUDIT_DISABLE"], "USER": "dba",
                    "CONNECTION_ID": "7398943596793037429", "STATUS_CODE": 1, "TABLES": ["`a`.`b`"]}}),
            ),
            // Cut by its writer; repeated; a time that is none.
            (
                r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [ID=a-3] [EVENT="[QUERY,SELECT]"] [USER=a] [USER=b] [SQL_TEXT="select 1"#,
                json!({"time": T, "level": "INFO", "stream": "audit", "product": "tidb", "issues": ["repeated_key", "truncated"],
                    "fields": {"ID": "a-3", "EVENT": "[QUERY,SELECT]", "USER": ["a", "b"], "SQL_TEXT": "select 1"}}),
            ),
            (
                r#"{"TIME":"noon","ID":"a-2","EVENT":["AUDIT"]}"#,
                json!({"stream": "audit", "product": "tidb", "issues": ["bad_time"], "fields": {"ID": "a-2", "EVENT": ["AUDIT"]}}),
            ),
        ],
    );
    refused(
        &EXTENSION,
        &[
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [x] [EVENT="[CONNECTION,CONNECT]"]"#,
            r"[2026/03/02 10:00:00.120 +00:00] [INFO] [logger.go:77] [ID=17] [TIMESTAMP=2026/03/02 18:00:00.120 +08:10] [EVENT_CLASS=GENERAL]",
            "[2026/03/02 10:00:00.120 +00:00] [INFO] [ID=1]",
            r#"{"TIME":"2026/03/02 10:00:00.120 +00:00","ID":"a"}"#,
            r#"{"TIME":"2026/03/02 10:00:00.120 +00:00","ID":"a","EVENT":["A"#,
            "{",
        ],
    );
}

#[test]
fn plugin() {
    table(
        &PLUGIN,
        &[(
            r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [logger.go:77] [ID=17] [TIMESTAMP=2026/03/02 18:00:00.120 +08:10] [EVENT_CLASS=GENERAL] [EVENT_SUBCLASS=] [STATUS_CODE=0] [USER=root] [SQL_TEXT="select \"[=]\""] [EVENT=STARTING]"#,
            json!({"time": T, "level": "INFO", "caller": "logger.go:77", "stream": "audit", "product": "tidb", "fields": {"ID": "17",
                "TIMESTAMP": "2026/03/02 18:00:00.120 +08:10", "EVENT_CLASS": "GENERAL", "EVENT_SUBCLASS": "", "STATUS_CODE": "0", "USER": "root",
                "SQL_TEXT": "select \"[=]\"", "EVENT": "STARTING"}}),
        )],
    );
    refused(&PLUGIN, &[r#"[2026/03/02 10:00:00.120 +00:00] [INFO] [ID=a-1] [EVENT="[QUERY]"] [EVENT_CLASS=GENERAL]"#, "[2", "[2026/03/02"]);
}
