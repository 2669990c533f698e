//! TiProxy.

use super::check;

#[test]
fn messages() {
    check(
        "tiproxy",
        &[
            (
                r#"[2026/11/22 06:03:38.218 +00:00] [WARN] [main.proxy.conn] [client/client_conn.go:65] [new connection failed] [connID=40] [client_addr=10.0.0.66:36257] [addr=10.0.0.1:6000] [client_version=1.2.4] [client_name=pymysql] [capability=3842565] [proxy-protocol=false] [backend_addr=10.0.0.1:4000] [create_time=2026-11-22 06:03:38.21681298 +0000 UTC] [quit_source="auth fail"] [error="Authentication fails: ERROR 1045 (28000): Access denied for user 'root'@'10.0.0.1' (using password: YES)"]"#,
                "authentication.logon failure",
                &[
                    ("user", "root"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "36257"),
                    ("dst_ip", "10.0.0.1"),
                    ("dst_port", "6000"),
                    ("client", "pymysql 1.2.4"),
                    ("conn_id", "40"),
                    ("error_code", "1045"),
                    ("error", "Access denied for user 'root'@'10.0.0.1' (using password: YES)"),
                    ("fields.reason", "access_denied"),
                    ("fields.quit_source", "auth fail"),
                ],
            ),
            (
                r#"{"level":"WARN","ts":"2026/11/22 06:06:42.987 +00:00","logger":"main.proxy.conn","caller":"client/client_conn.go:65","msg":"new connection failed","connID":41,"client_addr":"10.0.0.66:1","quit_source":"auth fail","error":"Authentication fails: ERROR 1045 (28000): Access denied for user 'a'@'10.0.0.1' (using password: NO)"}"#,
                "authentication.logon failure",
                &[
                    ("user", "a"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "1"),
                    ("conn_id", "41"),
                    ("error_code", "1045"),
                    ("error", "Access denied for user 'a'@'10.0.0.1' (using password: NO)"),
                    ("fields.reason", "no_password"),
                ],
            ),
            (
                r#"[2026/11/22 06:03:38.218 +00:00] [WARN] [main.proxy.conn] [client/client_conn.go:65] [new connection failed] [connID=65] [client_addr=10.0.0.69:54063] [quit_source="malformed packet"] [error="Malform packet error: Fails to handshake with the client"]"#,
                "network_activity.fail failure",
                &[
                    ("src_ip", "10.0.0.69"),
                    ("src_port", "54063"),
                    ("conn_id", "65"),
                    ("error", "Malform packet error: Fails to handshake with the client"),
                    ("fields.reason", "handshake"),
                ],
            ),
            (
                r#"[2026/11/22 06:03:38.218 +00:00] [WARN] [main.proxy.conn] [client/client_conn.go:65] [new connection failed] [connID=65] [client_addr=10.0.0.69:54063] [quit_source="get backend fail"] [error="No available TiDB instances, please make sure TiDB is available"]"#,
                "network_activity.fail failure",
                &[
                    ("src_ip", "10.0.0.69"),
                    ("src_port", "54063"),
                    ("conn_id", "65"),
                    ("error", "No available TiDB instances, please make sure TiDB is available"),
                    ("fields.reason", "no_backend"),
                ],
            ),
            (
                r#"[2026/11/22 06:04:46.451 +00:00] [WARN] [main.proxy.conn] [client/client_conn.go:65] [fails to relay the connection] [connID=112] [client_addr=10.0.0.7:59535] [quit_source="backend network break"] [error="EOF"]"#,
                "network_activity.reset failure",
                &[("src_ip", "10.0.0.7"), ("src_port", "59535"), ("conn_id", "112"), ("error", "EOF"), ("fields.reason", "backend_lost")],
            ),
            (
                r#"[2026/11/22 06:04:11.210 +00:00] [WARN] [main.proxy] [proxy/proxy.go:206] [too many connections]  ["max connections"=2] [client_addr=10.0.0.7:43173]"#,
                "network_activity.refuse failure",
                &[("src_ip", "10.0.0.7"), ("src_port", "43173"), ("fields.reason", "too_many_connections")],
            ),
            (
                r#"[2026/11/22 06:04:11.210 +00:00] [WARN] [main.proxy] [proxy/proxy.go:206] [reject connection due to high memory usage]  [client_addr=10.0.0.7:43173]"#,
                "network_activity.refuse failure",
                &[("src_ip", "10.0.0.7"), ("src_port", "43173"), ("fields.reason", "memory")],
            ),
            (
                r#"[2026/11/22 06:04:10.276 +00:00] [INFO] [main.lgmgr] [logger/manager.go:80] [current config]  [cfg="{}"]"#,
                "device_config_state_change.update success",
                &[("object", "config"), ("fields.cfg", "{}")],
            ),
            (r#"[2026/11/22 06:02:57.707 +00:00] [INFO] [main] [server/server.go:226] [current config]  [cfg="{}"]"#, "-", &[]),
            (
                r#"[2026/11/22 06:04:15.440 +00:00] [INFO] [main.replay] [manager/manager.go:126] [start capture]  [job="{}"]"#,
                "api_activity.create success",
                &[("object", "traffic_capture")],
            ),
            (
                r#"[2026/11/22 06:04:17.501 +00:00] [INFO] [main.api] [api/traffic.go:168] [request: traffic replay]  [cfg="{\"Username\":\"root\"}"]"#,
                "api_activity.create success",
                &[("object", "traffic_replay")],
            ),
            (
                r#"[2026/11/22 06:04:16.698 +00:00] [INFO] [main.api] [api/traffic.go:205] [request: traffic cancel]  [cfg="{\"Type\":1,\"Graceful\":false}"]"#,
                "api_activity.delete success",
                &[("object", "traffic_capture")],
            ),
            (
                r#"[2026/11/22 06:05:33.742 +00:00] [INFO] [main.nsmgr.observer] [observer/backend_observer.go:214] [update backend] [namespace=default] [addr=default/10.0.0.1:4000] [prev="healthy"] [cur="down, err: connect status port failed"]"#,
                "entity_management.update success",
                &[("object", "default/10.0.0.1:4000"), ("fields.reason", "backend_down")],
            ),
            (
                r#"[2026/11/22 06:05:33.742 +00:00] [INFO] [main.nsmgr.observer] [observer/backend_observer.go:200] [update backend] [namespace=default] [addr=default/10.0.0.1:4000] [prev=<nil>] [cur="healthy"]"#,
                "entity_management.update success",
                &[("object", "default/10.0.0.1:4000"), ("fields.reason", "-")],
            ),
            (
                r#"[2026/11/22 06:05:15.742 +00:00] [INFO] [main.nsmgr.router] [router/group.go:72] [new group created] [namespace=default]"#,
                "entity_management.create success",
                &[("object", "default")],
            ),
            (
                r#"[2026/11/22 06:04:13.023 +00:00] [WARN] [main.api] [api/server.go:204] [/api/admin/config/]  [status=500] [method=PUT] [query=] [ip=10.0.0.6] [user-agent=] [latency=280.468µs]"#,
                "http_activity.put failure",
                &[("object", "/api/admin/config/"), ("src_ip", "10.0.0.6"), ("error_code", "500"), ("fields.http_status", "500")],
            ),
            (
                r#"[2026/11/22 06:02:57.706 +00:00] [INFO] [main] [server/server.go:225] [Welcome to TiProxy.]  ["Release Version"=v1.4.0] ["Git Branch"=main]"#,
                "application_lifecycle.start success",
                &[("version", "v1.4.0")],
            ),
            (
                r#"[2026/11/22 06:06:24.486 +00:00] [INFO] [main.proxy] [proxy/proxy.go:333] [SQL server is shutting down]  [graceful_close=5] [conn_count=0]"#,
                "application_lifecycle.stop success",
                &[],
            ),
        ],
    );
}
