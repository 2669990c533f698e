//! TiDB's server and general log.

use super::{check, parse};

#[test]
fn refused_logins() {
    check(
        "tidb",
        &[
            (
                r#"["open new session or authentication failure"] [conn=2097290] [error="[privilege:1045]Access denied for user 'root'@'10.0.0.66' (using password: YES)"]"#,
                "authentication.logon failure",
                &[
                    ("user", "root"),
                    ("src_ip", "10.0.0.66"),
                    ("conn_id", "2097290"),
                    ("error_code", "privilege:1045"),
                    ("error", "Access denied for user 'root'@'10.0.0.66' (using password: YES)"),
                    ("fields.reason", "wrong_password"),
                    ("fields.conn", "-"),
                    ("fields.error", "-"),
                ],
            ),
            (
                r#"["failed to check the user authplugin"] [conn=7] [error="[server:1045]Access denied for user 'admin'@'client.example' (using password: YES)"]"#,
                "authentication.logon failure",
                &[
                    ("user", "admin"),
                    ("src_host", "client.example"),
                    ("conn_id", "7"),
                    ("error_code", "server:1045"),
                    ("error", "Access denied for user 'admin'@'client.example' (using password: YES)"),
                    ("fields.reason", "unknown_user"),
                ],
            ),
            (
                r#"["Server.onConn handshake"] [conn=7] [error="[privilege:1045]Access denied for user ''@'10.0.0.66' (using password: NO)"] ["remote addr"=10.0.0.66:49635]"#,
                "authentication.logon failure",
                &[
                    ("user", "-"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "49635"),
                    ("conn_id", "7"),
                    ("error_code", "privilege:1045"),
                    ("error", "Access denied for user ''@'10.0.0.66' (using password: NO)"),
                    ("fields.reason", "no_password"),
                    ("fields.remote addr", "-"),
                ],
            ),
            (
                r#"["Server.onConn handshake"] [conn=7] [error="[privilege:3955]Access denied for user 'kiosk'@'%'. Account is blocked for 1 day(s) (1 day(s) remaining) due to 3 consecutive failed logins."] ["remote addr"="[2001:db8::7]:49635"]"#,
                "authentication.logon failure",
                &[
                    ("user", "kiosk"),
                    ("src_ip", "2001:db8::7"),
                    ("src_port", "49635"),
                    ("conn_id", "7"),
                    ("error_code", "privilege:3955"),
                    ("error", "Access denied for user 'kiosk'@'%'."),
                    ("fields.reason", "account_blocked"),
                ],
            ),
            (
                r#"["Server.onConn handshake"] [conn=7] [error="[privilege:3118]Access denied for user 'old'@'10.0.0.66'. Account is locked."] ["remote addr"=10.0.0.66:49635]"#,
                "authentication.logon failure",
                &[
                    ("user", "old"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "49635"),
                    ("conn_id", "7"),
                    ("error_code", "privilege:3118"),
                    ("error", "Access denied for user 'old'@'10.0.0.66'."),
                    ("fields.reason", "account_locked"),
                ],
            ),
            (
                r#"["Server.onConn handshake"] [conn=7] [error="[server:3159]Connections using insecure transport are prohibited while --require_secure_transport=ON."] ["remote addr"=10.0.0.66:49635]"#,
                "authentication.logon failure",
                &[
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "49635"),
                    ("conn_id", "7"),
                    ("error_code", "server:3159"),
                    ("error", "Connections using insecure transport are prohibited while --require_secure_transport=ON."),
                    ("fields.reason", "insecure_transport"),
                ],
            ),
            (
                r#"["Server.onConn handshake"] [conn=7] [error="[executor:1044]Access denied for user 'app'@'%' to database 'payroll'"] ["remote addr"=10.0.0.66:49635]"#,
                "authentication.logon failure",
                &[
                    ("user", "app"),
                    ("database", "payroll"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "49635"),
                    ("conn_id", "7"),
                    ("error_code", "executor:1044"),
                    ("error", "Access denied for user 'app'@'%' to database 'payroll'"),
                    ("fields.reason", "no_such_database"),
                ],
            ),
            (
                // A name that was chosen to look like another client's refusal.
                r#"["Server.onConn handshake"] [conn=7] [error="[server:1045]Access denied for user 'x'@'1.2.3.4' (using password: YES)'@'10.0.0.66' (using password: YES)"] ["remote addr"=10.0.0.66:49635]"#,
                "authentication.logon failure",
                &[
                    ("user", "x'@'1.2.3.4' (using password: YES)"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "49635"),
                    ("conn_id", "7"),
                    ("error_code", "server:1045"),
                    ("error", "Access denied for user 'x'@'1.2.3.4' (using password: YES)'@'10.0.0.66' (using password: YES)"),
                    ("fields.reason", "unknown_user"),
                ],
            ),
        ],
    );
}

#[test]
fn broken_handshakes_and_connections() {
    check(
        "tidb",
        &[
            (
                r#"["Server.onConn handshake"] [conn=7] [error="read tcp 10.0.0.1:4000->10.0.0.66:5: read: connection reset by peer"] ["remote addr"=10.0.0.66:5]"#,
                "network_activity.fail failure",
                &[
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "5"),
                    ("conn_id", "7"),
                    ("error", "read tcp 10.0.0.1:4000->10.0.0.66:5: read: connection reset by peer"),
                    ("fields.reason", "handshake"),
                ],
            ),
            (
                r#"["Server.onConn handshake"] [conn=7] [error="[server:8052]invalid sequence, received 32 while expecting 1"] ["remote addr"=@]"#,
                "network_activity.fail failure",
                &[
                    ("conn_id", "7"),
                    ("error_code", "server:8052"),
                    ("error", "invalid sequence, received 32 while expecting 1"),
                    ("fields.reason", "handshake"),
                ],
            ),
            (
                r"[got malformed handshake response] [conn=7] [packetData=\ufffd]",
                "network_activity.fail failure",
                &[("conn_id", "7"), ("fields.reason", "handshake")],
            ),
            (
                r#"["read handshake response failure after upgrade to TLS"] [conn=7]"#,
                "network_activity.fail failure",
                &[("conn_id", "7"), ("fields.reason", "handshake")],
            ),
            (
                r#"["ClientProtocol41 flag is not set"] [conn=7]"#,
                "network_activity.fail failure",
                &[("conn_id", "7"), ("fields.reason", "handshake")],
            ),
            (
                r#"["too many connections"] ["max connections"=100] [error="[server:1040]Too many connections"]"#,
                "network_activity.refuse failure",
                &[("error_code", "server:1040"), ("error", "Too many connections"), ("fields.reason", "too_many_connections")],
            ),
            (
                r#"["new connection"] [conn=7] [remoteAddr=10.0.0.7:61000]"#,
                "network_activity.open success",
                &[("conn_id", "7"), ("src_ip", "10.0.0.7"), ("src_port", "61000")],
            ),
            (r#"["connection closed"] [conn=7]"#, "network_activity.close success", &[("conn_id", "7")]),
            (
                r#"["read packet timeout, close this connection"] [conn=7] [idle=8h0m0s]"#,
                "network_activity.close success",
                &[("conn_id", "7")],
            ),
            (r#"["read packet timeout because of killed connection"] [conn=7]"#, "network_activity.close success", &[("conn_id", "7")]),
            (
                r#"["read packet failed, close this connection"] [conn=7] [error="read: connection reset by peer"]"#,
                "network_activity.close success",
                &[("conn_id", "7"), ("error", "read: connection reset by peer")],
            ),
            (
                r#"["connection event"] [conn=7] [event=login_success] [user=root@%] [remoteAddr=10.0.0.7:53589]"#,
                "authentication.logon success",
                &[("user", "root"), ("fields.user_host", "%"), ("conn_id", "7"), ("src_ip", "10.0.0.7"), ("src_port", "53589")],
            ),
            (
                r#"["connection event"] [conn=7] [session_alias=] [event=logout] [user=app@10.0.0.%] [remoteAddr=/tmp/tidb.sock]"#,
                "authentication.logoff success",
                &[("user", "app"), ("fields.user_host", "10.0.0.%"), ("conn_id", "7")],
            ),
            (r#"["connection event"] [conn=7] [event=renamed]"#, "-", &[("conn_id", "7")]),
        ],
    );
}

#[test]
fn lines_that_say_why_a_login_will_be_refused() {
    check(
        "tidb",
        &[
            (
                r#"["Access denied for authUser 'clerk'@'%'. Account is locked."]"#,
                "authentication.logon unknown",
                &[("user", "clerk"), ("fields.reason", "account_locked")],
            ),
            (
                r#"["Access denied for user 'kiosk'@'%'. Account is blocked for unlimited day(s) (unlimited day(s) remaining) due to 3 consecutive failed logins."]"#,
                "account_change.lock success",
                &[("target_user", "kiosk"), ("fields.target_host", "%"), ("fields.reason", "account_blocked")],
            ),
            (r#"["Access denied for user 'x'. Whatever."]"#, "-", &[]),
            (
                r#"["get authUser privilege record fail"] [authUser=nobody] [authHost=10.0.0.9]"#,
                "authentication.logon unknown",
                &[("user", "nobody"), ("src_ip", "10.0.0.9"), ("fields.reason", "unknown_user")],
            ),
            (
                r#"["get user privilege record fail"] [user=nobody] [host=%]"#,
                "authentication.logon unknown",
                &[("user", "nobody"), ("fields.reason", "unknown_user")],
            ),
            (
                r#"["ssl check failure, require ssl but not use ssl"] [user=app] [host=10.0.0.9] [require=ssl]"#,
                "authentication.logon unknown",
                &[("user", "app"), ("src_ip", "10.0.0.9"), ("fields.reason", "insecure_transport")],
            ),
            (
                r#"["ssl check failure for subject"] [user=app] [host=db1] [require=a] [given=b]"#,
                "authentication.logon unknown",
                &[("user", "app"), ("src_host", "db1"), ("fields.reason", "certificate")],
            ),
            (
                r#"["verify through LDAP SASL failed"] [username=app] [error="ldap: no"]"#,
                "authentication.logon unknown",
                &[("user", "app"), ("error", "ldap: no"), ("fields.reason", "external_auth")],
            ),
            (
                r#"["Failed socket auth"] [authUser=root] [socket_user=www] [authentication_string=__masked_password__]"#,
                "authentication.logon unknown",
                &[("user", "root"), ("fields.reason", "external_auth")],
            ),
            (
                r#"["verify JWT failed"] [error=expired]"#,
                "authentication.logon unknown",
                &[("error", "expired"), ("fields.reason", "external_auth")],
            ),
            (r#"["verify session token failed"]"#, "authentication.logon unknown", &[("fields.reason", "external_auth")]),
            (r#"["verify through extension auth plugin failed"]"#, "authentication.logon unknown", &[("fields.reason", "external_auth")]),
            (r#"["unknown authentication plugin"] [plugin=x]"#, "authentication.logon unknown", &[("fields.reason", "external_auth")]),
            (r#"["empty authentication"]"#, "authentication.logon unknown", &[("fields.reason", "external_auth")]),
            (r#"["check claims failed"]"#, "authentication.logon unknown", &[("fields.reason", "external_auth")]),
        ],
    );
}

#[test]
fn privileged_statements() {
    check(
        "tidb",
        &[
            (
                r#"["CRUCIAL OPERATION"] [conn=9] [schemaVersion=65] ["secure text"="create user {svc@% password = ***}"] [user=root@%]"#,
                "account_change.create unknown",
                &[
                    ("user", "root"),
                    ("fields.user_host", "%"),
                    ("target_user", "svc"),
                    ("fields.target_host", "%"),
                    ("conn_id", "9"),
                    ("statement", "create user {svc@% password = ***}"),
                    ("fields.secure text", "-"),
                    ("fields.schemaVersion", "65"),
                ],
            ),
            (
                r#"["CRUCIAL OPERATION"] [conn=9] [schemaVersion=65] ["secure text"="grant all privileges on *.* to dba@'%' with grant option"] [user=root@%]"#,
                "user_access.assign_privileges unknown",
                &[
                    ("user", "root"),
                    ("target_user", "dba"),
                    ("privilege", "ALL"),
                    ("object", "*.*"),
                    ("fields.grant_option", "true"),
                    ("conn_id", "9"),
                    ("statement", "grant all privileges on *.* to dba@'%' with grant option"),
                ],
            ),
            (
                r#"["CRUCIAL OPERATION"] [conn=9] [schemaVersion=77] [cur_db=shop] [sql="drop table `orders`"] [user=etl@10.0.0.11]"#,
                "datastore_activity.delete unknown",
                &[
                    ("user", "etl"),
                    ("fields.user_host", "10.0.0.11"),
                    ("database", "shop"),
                    ("object", "orders"),
                    ("fields.object_type", "table"),
                    ("conn_id", "9"),
                    ("statement", "drop table `orders`"),
                ],
            ),
            (
                r#"["CRUCIAL OPERATION"] [conn=0] [schemaVersion=4] [cur_db=] [sql="CREATE TABLE IF NOT EXISTS mysql.db (\n\tHost\t\tCHAR(60))"] [user=]"#,
                "datastore_activity.create unknown",
                &[
                    ("database", "mysql"),
                    ("object", "db"),
                    ("statement", "CREATE TABLE IF NOT EXISTS mysql.db (\n\tHost\t\tCHAR(60))"),
                    ("fields.conn", "0"),
                    ("fields.user", "-"),
                ],
            ),
            (
                r#"["CRUCIAL OPERATION"] [conn=9] [cur_db=] [sql="something new"] [user=root@%]"#,
                "-",
                &[("user", "root"), ("conn_id", "9"), ("statement", "something new")],
            ),
            (
                r#"{"level":"INFO","time":"2026/11/22 14:57:33.390 +09:00","caller":"session.go:5089","message":"CRUCIAL OPERATION","conn":7398943596793037429,"schemaVersion":1,"secure text":"set password for user ","user":"root@%"}"#,
                "account_change.password_change unknown",
                &[("user", "root"), ("target_user", "root"), ("conn_id", "7398943596793037429"), ("statement", "set password for user ")],
            ),
            (
                r#"["CRUCIAL OPERATION"] [conn=18446744073709551615] [sql="drop user a, b"] [user=root@%]"#,
                "account_change.delete unknown",
                &[
                    ("user", "root"),
                    ("target_user", "a"),
                    ("fields.target_users", "a, b"),
                    ("statement", "drop user a, b"),
                    ("issues", "id_out_of_range"),
                    ("fields.conn", "18446744073709551615"),
                ],
            ),
        ],
    );
}

#[test]
fn failed_statements() {
    check(
        "tidb",
        &[
            (
                r#"["command dispatched failed"] [conn=9] [session_alias=] [connInfo="id:9, addr:10.0.0.8:47069 status:10, collation:utf8mb4_general_ci, user:analyst"] [command=Query] [status="inTxn:0, autocommit:1"] [sql="grant super on *.* to app@'%'"] [txn_mode=PESSIMISTIC] [timestamp=470634331111948288] [err="[planner:8121]privilege check for 'Grant Option' fail\ngithub.com/pingcap/errors.(*Error).GenWithStackByArgs\n\tx.go:1"]"#,
                "user_access.assign_privileges failure",
                &[
                    ("user", "analyst"),
                    ("src_ip", "10.0.0.8"),
                    ("src_port", "47069"),
                    ("conn_id", "9"),
                    ("txn_ts", "470634331111948288"),
                    ("target_user", "app"),
                    ("object", "*.*"),
                    ("privilege", "SUPER"),
                    ("error_code", "planner:8121"),
                    ("error", "privilege check for 'Grant Option' fail"),
                    ("fields.reason", "permission_denied"),
                    ("statement", "grant super on *.* to app@'%'"),
                    ("fields.connInfo", "-"),
                    ("fields.command", "Query"),
                ],
            ),
            (
                r#"["command dispatched failed"] [conn=9] [connInfo="id:9, addr:[::1]:47069 status:10, collation:x, user:app"] [command=Query] [sql="select * from mysql.user"] [timestamp=0] [err="[planner:1142]SELECT command denied to user 'app'@'%' for table 'user'"]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "app"),
                    ("src_ip", "::1"),
                    ("src_port", "47069"),
                    ("conn_id", "9"),
                    ("database", "mysql"),
                    ("object", "user"),
                    ("privilege", "SELECT"),
                    ("error_code", "planner:1142"),
                    ("error", "SELECT command denied to user 'app'@'%' for table 'user'"),
                    ("fields.reason", "permission_denied"),
                    ("statement", "select * from mysql.user"),
                ],
            ),
            (
                // The refused table is not the statement's first.
                r#"["compile SQL failed"] [conn=9] [error="[planner:1142]SELECT command denied to user 'app'@'%' for table 'user'"] [SQL="select id from customers where 1 = 2 union select user from mysql.user"]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "app"),
                    ("conn_id", "9"),
                    ("database", "mysql"),
                    ("object", "user"),
                    ("privilege", "SELECT"),
                    ("error_code", "planner:1142"),
                    ("error", "SELECT command denied to user 'app'@'%' for table 'user'"),
                    ("fields.reason", "permission_denied"),
                    ("statement", "select id from customers where 1 = 2 union select user from mysql.user"),
                ],
            ),
            (
                r#"["command dispatched failed"] [conn=9] [connInfo="id:9, addr:10.0.0.8:1 status:10, collation:x, user:app"] [sql="selct 1"] [err="[parser:1064]You have an error in your SQL syntax; check the manual near \"selct 1\" "]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "app"),
                    ("src_ip", "10.0.0.8"),
                    ("src_port", "1"),
                    ("conn_id", "9"),
                    ("error_code", "parser:1064"),
                    ("error", "You have an error in your SQL syntax; check the manual near \"selct 1\""),
                    ("fields.reason", "syntax"),
                    ("statement", "selct 1"),
                ],
            ),
            (
                r#"["command dispatched failed"] [conn=9] [connInfo="id:9, addr:/tmp/tidb.sock status:10, collation:x, user:root"] [sql="set glob(len:49)"] [err="[variable:1238]Variable 'a' is a read only variable"]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "root"),
                    ("conn_id", "9"),
                    ("error_code", "variable:1238"),
                    ("error", "Variable 'a' is a read only variable"),
                    ("statement", "set glob(len:49)"),
                    ("issues", "truncated"),
                    ("fields.reason", "-"),
                ],
            ),
            (
                r#"["command dispatched failed"] [conn=9] [connInfo="id:9, addr:localhost:1 status:10, collation:x, user:root"] [sql="kill tidb 5"] [err="[planner:1227]Access denied; you need (at least one of) the SUPER or CONNECTION_ADMIN privilege(s) for this operation"]"#,
                "network_activity.close failure",
                &[
                    ("user", "root"),
                    ("src_host", "localhost"),
                    ("src_port", "1"),
                    ("conn_id", "9"),
                    ("object", "5"),
                    ("privilege", "SUPER, CONNECTION_ADMIN"),
                    ("error_code", "planner:1227"),
                    ("error", "Access denied; you need (at least one of) the SUPER or CONNECTION_ADMIN privilege(s) for this operation"),
                    ("fields.reason", "permission_denied"),
                    ("statement", "kill tidb 5"),
                ],
            ),
            (
                r#"["run statement failed"] [schemaVersion=65] [error="[executor:1044]Access denied for user 'app'@'%' to database 'payroll'"] [session="{\n  \"currDBName\": \"\",\n  \"id\": 2097298,\n  \"status\": 2,\n  \"user\": {\n    \"Username\": \"app\",\n    \"Hostname\": \"10.0.0.7\",\n    \"AuthUsername\": \"app\",\n    \"AuthHostname\": \"%\"\n  }\n}"]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "app"),
                    ("fields.user_host", "%"),
                    ("src_ip", "10.0.0.7"),
                    ("conn_id", "2097298"),
                    ("database", "payroll"),
                    ("error_code", "executor:1044"),
                    ("error", "Access denied for user 'app'@'%' to database 'payroll'"),
                    ("fields.reason", "permission_denied"),
                    ("fields.session", "-"),
                ],
            ),
            (
                r#"["compile SQL failed"] [conn=9] [session_alias=] [error="[schema:1146]Table 'shop.no_such' doesn't exist"] [SQL="update no_such set a = 1"]"#,
                "datastore_activity.write failure",
                &[
                    ("conn_id", "9"),
                    ("object", "no_such"),
                    ("error_code", "schema:1146"),
                    ("error", "Table 'shop.no_such' doesn't exist"),
                    ("statement", "update no_such set a = 1"),
                ],
            ),
            (
                r#"["parse SQL failed"] [conn=9] [error="fail to parse SQL, and must redact the whole error when enable log redaction"] [SQL=]"#,
                "datastore_activity.query failure",
                &[("conn_id", "9"), ("error", "fail to parse SQL, and must redact the whole error when enable log redaction")],
            ),
        ],
    );
}

#[test]
fn variables_and_other_effects() {
    check(
        "tidb",
        &[
            (
                r#"["set global var"] [conn=9] [name=TiDB_enable_slow_log] [val=OFF]"#,
                "event_log_activity.disable success",
                &[
                    ("conn_id", "9"),
                    ("object", "tidb_enable_slow_log"),
                    ("fields.val", "OFF"),
                    ("fields.scope", "global"),
                    ("fields.name", "-"),
                ],
            ),
            (
                r#"["set instance var"] [conn=9] [name=tidb_general_log] [val=1]"#,
                "event_log_activity.enable success",
                &[("conn_id", "9"), ("object", "tidb_general_log"), ("fields.val", "1"), ("fields.scope", "instance")],
            ),
            (
                r#"["set global var"] [conn=9] [name=require_secure_transport] [val=OFF]"#,
                "device_config_state_change.update success",
                &[("conn_id", "9"), ("object", "require_secure_transport"), ("fields.val", "OFF")],
            ),
            (r#"["set session var"] [conn=9] [name=a] [val=3]"#, "-", &[("conn_id", "9")]),
            (r#"["execute reload tls"] [NoRollbackOnError=false]"#, "device_config_state_change.update unknown", &[("object", "tls")]),
            (
                r#"["reload TLS fail but keep working without TLS due to 'no rollback on error'"]"#,
                "device_config_state_change.update failure",
                &[("object", "tls")],
            ),
            (r#"["Rotating automatically created TLS Certificates"]"#, "device_config_state_change.update success", &[("object", "tls")]),
            (
                r#"["[BIG_TXN]"] [session=9] ["key sample"=74] [size=1747610] [keys=40000] [puts=1] [dels=0] [txnStartTS=470634325312798720]"#,
                "datastore_activity.write unknown",
                &[("conn_id", "9"), ("txn_ts", "470634325312798720"), ("fields.keys", "40000")],
            ),
            (
                r#"["commit one task success"] [conn=9] ["commit time usage"=305.726µs] ["keys processed"=1]"#,
                "datastore_activity.write success",
                &[("conn_id", "9"), ("fields.keys", "1")],
            ),
            (r#"["get job importer"] [param="a"]"#, "datastore_activity.write success", &[]),
            (
                r#"["load snapshot info schema"] [conn=9] [SnapshotTS=470634325312798720]"#,
                "datastore_activity.read success",
                &[("conn_id", "9"), ("txn_ts", "470634325312798720")],
            ),
            (r#"["http api /debug/traceevent called"] [config=x]"#, "api_activity.update success", &[("object", "/debug/traceevent")]),
            (r#"["change ddl hook success"]"#, "api_activity.update success", &[("object", "ddl_hook")]),
        ],
    );
}

#[test]
fn definition_jobs() {
    check(
        "tidb",
        &[
            (
                r#"["DDL job submitted"] [category=ddl] [job="ID:143, Type:drop table, State:queueing, SchemaState:none, SchemaID:114, Err:<nil>"] [query="drop table shop.secrets"]"#,
                "datastore_activity.delete unknown",
                &[
                    ("database", "shop"),
                    ("object", "secrets"),
                    ("statement", "drop table shop.secrets"),
                    ("fields.job_id", "143"),
                    ("fields.job_type", "drop table"),
                    ("fields.object_type", "table"),
                ],
            ),
            (
                r#"["[ddl] start DDL job"] [job="ID:55, Type:drop schema, State:none"] [query="drop database if exists testdb;"]"#,
                "datastore_activity.delete unknown",
                &[("database", "testdb"), ("object", "testdb"), ("statement", "drop database if exists testdb;"), ("fields.job_id", "55")],
            ),
            (
                r#"["finish DDL job"] [category=ddl] [jobID=143] [conn=9] [job="ID:143, Type:drop table, State:synced, SchemaState:none"]"#,
                "datastore_activity.delete success",
                &[("conn_id", "9"), ("fields.job_id", "143"), ("fields.job_type", "drop table"), ("fields.object_type", "table")],
            ),
            (
                r#"["[ddl] finish DDL job"] [worker="worker 3, tp general"] [job="ID:55, Type:rename table, State:synced"]"#,
                "datastore_activity.update success",
                &[("fields.job_id", "55"), ("fields.job_type", "rename table")],
            ),
            (
                r#"["finish DDL job"] [jobID=7] [conn=9] [job="ID:7, Type:add index, State:rollback done, SchemaState:none"]"#,
                "datastore_activity.create failure",
                &[("conn_id", "9"), ("fields.job_id", "7"), ("fields.object_type", "index")],
            ),
            (
                r#"["DDL job is failed"] [category=ddl] [jobID=7] [error="[ddl:1050]Table 'a' already exists"]"#,
                "datastore_activity.update failure",
                &[("fields.job_id", "7"), ("error_code", "ddl:1050"), ("error", "Table 'a' already exists")],
            ),
            (
                r#"["DDL job is cancelled normally"] [jobID=7] [error=cancelled]"#,
                "datastore_activity.update failure",
                &[("fields.job_id", "7"), ("error", "cancelled")],
            ),
            (
                r#"["add DDL jobs"] [category=ddl] ["batch count"=1] [jobs="ID:143, Type:drop table, State:queueing; "]"#,
                "-",
                &[("fields.job_id", "143"), ("fields.job_type", "drop table")],
            ),
            (
                r#"["run one job step"] [category=ddl] [jobID=143] [conn=9] [category=ddl]"#,
                "-",
                &[("conn_id", "9"), ("fields.job_id", "143")],
            ),
            (r#"["[ddl] run DDL job"] [job="ID:8, Type:create view, State:none"]"#, "-", &[("fields.job_id", "8")]),
            (r#"["DDL job is finished"] [category=ddl] [jobID=143]"#, "-", &[("fields.job_id", "143")]),
        ],
    );
}

#[test]
fn ended_sessions_and_costly_statements() {
    check(
        "tidb",
        &[
            (
                r"[kill] [conn=9] [query=true] [maxExecutionTime=false] [runawayExceed=false]",
                "network_activity.close success",
                &[("conn_id", "9"), ("fields.query", "true"), ("fields.reason", "-")],
            ),
            (
                r"[kill] [conn=9] [query=true] [maxExecutionTime=true] [runawayExceed=false]",
                "network_activity.close success",
                &[("conn_id", "9"), ("fields.reason", "timeout")],
            ),
            (
                r"[kill] [conn=9] [query=true] [maxExecutionTime=false] [runawayExceed=true]",
                "network_activity.close success",
                &[("conn_id", "9"), ("fields.reason", "runaway")],
            ),
            (
                r#"["kill initiated"] ["connection ID"=9] [reason="[executor:1317]Query execution was interrupted"]"#,
                "-",
                &[("conn_id", "9")],
            ),
            (r#"["kill finished"] [conn=9]"#, "-", &[("conn_id", "9")]),
            (
                r#"["Killing connection in current instance redirected from remote TiDB"] [conn=9] [query=false] [sourceAddr=10.0.0.2]"#,
                "network_activity.close unknown",
                &[("conn_id", "9")],
            ),
            (r#"["Killed remote connection"] [serverID=2] [conn=9] [query=false]"#, "network_activity.close success", &[("conn_id", "9")]),
            (
                r#"["Kill failed: Received a 32bits truncated ConnectionID, expect 64bits."] [conn=1]"#,
                "network_activity.close failure",
                &[("conn_id", "1")],
            ),
            (
                r#"["execution timeout, kill it"] [costTime=1.511090625s] [maxExecutionTime=1.5s] [processInfo="{id:9, user:app, host:10.0.0.7:55545, db:shop, command:Query, time:1, state:autocommit, info:select a, b from orders, info:x}"]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "app"),
                    ("src_ip", "10.0.0.7"),
                    ("src_port", "55545"),
                    ("conn_id", "9"),
                    ("database", "shop"),
                    ("statement", "select a, b from orders, info:x"),
                    ("duration_us", "1511090"),
                    ("fields.reason", "timeout"),
                    ("fields.processInfo", "-"),
                ],
            ),
            (
                r#"["runaway query timeout"] [costTime=2s] [groupName=g] [processInfo="{id:9, user:app, host:localhost, info:select 1}"]"#,
                "datastore_activity.query failure",
                &[
                    ("user", "app"),
                    ("src_host", "localhost"),
                    ("conn_id", "9"),
                    ("statement", "select 1"),
                    ("duration_us", "2000000"),
                    ("fields.reason", "runaway"),
                ],
            ),
            (
                r#"["global memory controller tries to kill the top1 memory consumer"] [conn=9] ["sql digest"=ab] ["sql text"="select 1"]"#,
                "datastore_activity.query failure",
                &[("conn_id", "9"), ("digest", "ab"), ("statement", "select 1"), ("fields.reason", "memory")],
            ),
            (
                r#"[expensive_query] [cost_time=60.004793286s] [conn=9] [user=app] [database=shop] [txn_start_ts=470634325312798720] [mem_max="5 Bytes (5 Bytes)"] [sql="delete from shop.orders"]"#,
                "datastore_activity.write unknown",
                &[
                    ("user", "app"),
                    ("database", "shop"),
                    ("object", "orders"),
                    ("conn_id", "9"),
                    ("txn_ts", "470634325312798720"),
                    ("duration_us", "60004793"),
                    ("statement", "delete from shop.orders"),
                ],
            ),
            (
                r#"["memory exceeds quota, spill to disk now."] [conn=9] [consumed=1] [quota=1]"#,
                "application_error.general unknown",
                &[("conn_id", "9"), ("fields.reason", "memory")],
            ),
            (
                r#"["tidb-server has the risk of OOM because of memory usage exceeds alarm ratio. Running profiles will be recorded in record path"] ["system memory usage"=1]"#,
                "application_error.general unknown",
                &[("fields.reason", "memory")],
            ),
            (
                r#"["connection running loop panic"] [conn=9] [lastSQL="select 1"] [err="runtime error: index out of range"] [stack="goroutine 7"]"#,
                "application_error.general failure",
                &[("conn_id", "9"), ("statement", "select 1"), ("error", "runtime error: index out of range"), ("fields.reason", "panic")],
            ),
        ],
    );
}

#[test]
fn general_log() {
    check(
        "tidb",
        &[
            (
                r#"[GENERAL_LOG] [conn=9] [session_alias=] [user=dba@10.0.0.9] [schemaVersion=81] [txnStartTS=470634325312798720] [forUpdateTS=0] [isReadConsistency=false] [currentDB=shop] [sql="SET @@GLOBAL.`tidb_general_log`=_UTF8MB4'ON'"]"#,
                "event_log_activity.enable unknown",
                &[
                    ("user", "dba"),
                    ("src_ip", "10.0.0.9"),
                    ("conn_id", "9"),
                    ("txn_ts", "470634325312798720"),
                    ("database", "shop"),
                    ("object", "tidb_general_log"),
                    ("fields.val", "ON"),
                    ("statement", "SET @@GLOBAL.`tidb_general_log`=_UTF8MB4'ON'"),
                    ("stream", "general"),
                ],
            ),
            (
                r#"[GENERAL_LOG] [conn=9] [user=root@%] [txnStartTS=0] [current_db=shop] [txn_mode=OPTIMISTIC] [sql="select c from sbtest1 where id=? [arguments: 5]"]"#,
                "datastore_activity.query unknown",
                &[
                    ("user", "root"),
                    ("fields.user_host", "%"),
                    ("conn_id", "9"),
                    ("database", "shop"),
                    ("object", "sbtest1"),
                    ("statement", "select c from sbtest1 where id=? [arguments: 5]"),
                ],
            ),
            (
                r#"{"level":"INFO","time":"2025/03/14 08:19:41.635 +01:00","caller":"session.go:4137","message":"GENERAL_LOG","conn":2436890632,"session_alias":"","user":"app@client1","txnStartTS":0,"currentDB":"","sql":"use `shop`"}"#,
                "-",
                &[("user", "app"), ("src_host", "client1"), ("conn_id", "2436890632"), ("statement", "use `shop`")],
            ),
        ],
    );
}

#[test]
fn the_process() {
    check(
        "tidb",
        &[
            (
                r#"["Welcome to TiDB."] ["Release Version"=v9.0.0] [Edition=Community]"#,
                "application_lifecycle.start success",
                &[("version", "v9.0.0")],
            ),
            (r#"["got signal to exit"] [signal=terminated]"#, "application_lifecycle.stop success", &[("fields.signal", "terminated")]),
            (
                r#"["execute shutdown statement"] [conn=9]"#,
                "application_lifecycle.stop unknown",
                &[("conn_id", "9"), ("fields.reason", "shutdown_statement")],
            ),
        ],
    );
    check(
        "ticdc",
        &[(
            r#"["Welcome to Change Data Capture (CDC)"] [release-version=v8.1.0]"#,
            "application_lifecycle.start success",
            &[("version", "v8.1.0")],
        )],
    );
}

#[test]
fn what_means_nothing_keeps_its_fields() {
    check(
        "tidb",
        &[
            (
                r#"["commit failed"] [conn=8] ["finished txn"="Txn{state=invalid}"] [error="[domain:8028]Information schema is changed during the execution of the statement(for example, x). If you see this error often, try y."]"#,
                "-",
                &[
                    ("conn_id", "8"),
                    ("error_code", "domain:8028"),
                    ("error", "Information schema is changed during the execution of the statement(for example, x)."),
                    ("fields.finished txn", "Txn{state=invalid}"),
                ],
            ),
            (r#"["info message"] [conn=conn1] ["str key"=val]"#, "-", &[("fields.conn", "conn1"), ("fields.str key", "val")]),
        ],
    );
}

#[test]
fn an_unparsed_line_names_nobody() {
    for line in ["Access denied for user 'root'@'10.0.0.9' (using password: YES)", "drop table t", "[user=root]"] {
        let event = parse("tidb", line);
        assert_eq!((event.action(), event.status, event.user), (None, None, None), "{line}");
    }
}
