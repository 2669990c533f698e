//! TiKV.

use super::check;

#[test]
fn messages() {
    check(
        "tikv",
        &[
            (r#"["update security config"] [config=x]"#, "device_config_state_change.update success", &[("object", "security")]),
            (r#"["update the whole wide config"]"#, "-", &[]),
            (r#"["update something else"]"#, "-", &[]),
            (r#"["rocksdb config changed"] [config=x]"#, "device_config_state_change.update success", &[("object", "rocksdb")]),
            (r#"["encryption: rotate data key."]"#, "device_config_state_change.update success", &[("object", "encryption")]),
            (r#"["encryption: failed to load key dictionary."]"#, "device_config_state_change.update failure", &[("object", "encryption")]),
            (r#"["encryption is enabled. method = Aes256Ctr"]"#, "device_config_state_change.update success", &[("object", "encryption")]),
            (r#"["Failed to reload TLS certificate: no such file"]"#, "device_config_state_change.update failure", &[("object", "tls")]),
            (r#"["dump cpu profile successfully"]"#, "api_activity.read success", &[("object", "cpu_profile")]),
            (r#"["dump or get heap profile successfully"]"#, "api_activity.read success", &[("object", "heap_profile")]),
            (r#"["debug fail point API start"]"#, "api_activity.update success", &[("object", "fail_point")]),
            (
                r#"["Status server error: TLS handshake error"] [err=x]"#,
                "network_activity.fail failure",
                &[("error", "x"), ("fields.reason", "handshake")],
            ),
            (
                r#"["unexpected request with different cluster id is received"] [req="x"]"#,
                "network_activity.refuse failure",
                &[("fields.reason", "cluster_id_mismatch")],
            ),
            (
                r#"[slow-query] [connection_id=9] [query_digest=ab12] [region_id=7] [remote_host=ipv4:10.0.0.2:47584] [total_lifetime=1.505s] [txn_start_ts=470634325312798720]"#,
                "datastore_activity.read success",
                &[
                    ("conn_id", "9"),
                    ("digest", "ab12"),
                    ("src_ip", "10.0.0.2"),
                    ("src_port", "47584"),
                    ("duration_us", "1505000"),
                    ("txn_ts", "470634325312798720"),
                    ("fields.region_id", "7"),
                ],
            ),
            (r#"["Welcome to TiKV"]"#, "application_lifecycle.start success", &[]),
            (r#"["Release Version:   7.6.0-alpha"]"#, "-", &[("version", "7.6.0-alpha")]),
            (r#"["receive signal 15, stopping server..."]"#, "application_lifecycle.stop success", &[("fields.signal", "15")]),
            (
                r#"[2019/10/29 09:46:37.783 +08:00] [FATAL] [lib.rs:499] ["called `Option::unwrap()` on a `None` value"] [backtrace="stack"] [location=a.rs:1] [thread_name=raftstore-6-0]"#,
                "application_lifecycle.crash failure",
                &[("error", "called `Option::unwrap()` on a `None` value")],
            ),
            (r#"["failed to send"] [err="Grpc(RpcFailure(..))"] [err_code=KV:Unknown]"#, "-", &[("error", "Grpc(RpcFailure(..))")]),
        ],
    );
}
