//! PD.

use super::check;

#[test]
fn calls_of_the_api() {
    check(
        "pd",
        &[
            (
                r#"["audit log"] [service-info="{ServiceLabel:SetConfig, Method:HTTP/1.1/POST:/pd/api/v1/config, CallerID:anonymous, IP:10.0.0.66, Port:49163, StartTime:2026-11-22 06:10:18 +0000 UTC, URLParam:{}, BodyParam:{\"max-snapshot-count\": 7}}"]"#,
                "api_activity.update unknown",
                &[
                    ("object", "SetConfig"),
                    ("src_ip", "10.0.0.66"),
                    ("src_port", "49163"),
                    ("fields.method", "POST"),
                    ("fields.path", "/pd/api/v1/config"),
                    ("fields.body", "{\"max-snapshot-count\": 7}"),
                    ("fields.forwarded", "-"),
                    ("fields.service-info", "-"),
                ],
            ),
            (
                r#"["audit log"] [service-info="{ServiceLabel:GetRegions, Method:HTTP/1.1/GET:/pd/api/v1/regions, CallerID:pd-ctl, IP:10.0.0.1, Port:, StartTime:2026-11-22 06:10:39 +0000 UTC, URLParam:{}, BodyParam:}"]"#,
                "api_activity.read unknown",
                &[("object", "GetRegions"), ("user", "pd-ctl"), ("src_ip", "10.0.0.1"), ("fields.forwarded", "true"), ("fields.body", "-")],
            ),
            (
                r#"["audit log"] [service-info="{ServiceLabel:DeleteStore, Method:HTTP/1.1/DELETE:/pd/api/v1/store/4, CallerID:anonymous, IP:10.0.0.66, Port:1, StartTime:2026-11-22 06:10:24 +0000 UTC, URLParam:{}, BodyParam:}"]"#,
                "api_activity.delete unknown",
                &[("object", "DeleteStore"), ("src_ip", "10.0.0.66"), ("src_port", "1")],
            ),
            (
                r#"["audit log"] [service-info="{ServiceLabel:CreateScheduler, Method:HTTP/1.1/POST:/x, CallerID:anonymous, IP:::1, Port:1, StartTime:2026-11-22 06:10:24 +0000 UTC, URLParam:{\"debug\":[\"1\"]}, BodyParam:}"]"#,
                "api_activity.create unknown",
                &[("object", "CreateScheduler"), ("src_ip", "::1"), ("src_port", "1"), ("fields.parameters", "{\"debug\":[\"1\"]}")],
            ),
            (
                r#"["audit log"] [service-info="{ServiceLabel:SetLogLevel, Method:HTTP/1.1/POST:/pd/api/v1/admin/log, CallerID:anonymous, IP:10.0.0.66, Port:1, StartTime:2026-11-22 06:10:40 +0000 UTC, URLParam:{}, BodyParam:\"fatal\"}"]"#,
                "event_log_activity.disable unknown",
                &[("object", "SetLogLevel"), ("src_ip", "10.0.0.66"), ("src_port", "1"), ("fields.val", "fatal")],
            ),
            (
                r#"["audit log"] [service-info="{ServiceLabel:SetLogLevel, Method:HTTP/1.1/POST:/pd/api/v1/admin/log, CallerID:anonymous, IP:10.0.0.66, Port:1, StartTime:2026-11-22 06:10:40 +0000 UTC, URLParam:{}, BodyParam:\"debug\"}"]"#,
                "event_log_activity.update unknown",
                &[("object", "SetLogLevel"), ("src_ip", "10.0.0.66"), ("src_port", "1"), ("fields.val", "debug")],
            ),
            (
                r#"["audit log"] [service-info="{ServiceLabel:SetServiceMiddlewareConfig, Method:HTTP/1.1/POST:/x, CallerID:anonymous, IP:10.0.0.66, Port:1, StartTime:2026-11-22 06:10:34 +0000 UTC, URLParam:{}, BodyParam:{\"audit.enable-audit\": \"false\"}}"]"#,
                "event_log_activity.disable unknown",
                &[("object", "SetServiceMiddlewareConfig"), ("src_ip", "10.0.0.66"), ("src_port", "1")],
            ),
            (
                // A caller's name that was chosen to look like an address: neither it nor the address counts.
                r#"["audit log"] [service-info="{ServiceLabel:SetConfig, Method:HTTP/1.1/POST:/x, CallerID:me, IP:9.9.9.9, Port:7, StartTime:2026-11-22 06:10:18 +0000 UTC, URLParam:{}, BodyParam:, IP:10.0.0.66, Port:49163, StartTime:2026-11-22 06:10:18 +0000 UTC, URLParam:{}, BodyParam:}"]"#,
                "api_activity.update unknown",
                &[("object", "SetConfig"), ("fields.forwarded", "true")],
            ),
            (r#"["audit log"] [service-info=nonsense]"#, "-", &[("fields.service-info", "nonsense")]),
        ],
    );
}

#[test]
fn effects() {
    check(
        "pd",
        &[
            (
                r#"["log level changed"] [level=debug]"#,
                "event_log_activity.update success",
                &[("object", "log_level"), ("fields.level", "debug")],
            ),
            (r#"["log level changed"] [level=fatal]"#, "event_log_activity.disable success", &[("object", "log_level")]),
            (
                r#"{"level":"WARN","time":"2026/11/22 14:57:33.390 +09:00","caller":"server.go:1857","message":"log level changed","level":"error"}"#,
                "event_log_activity.disable success",
                &[("object", "log_level"), ("level", "WARN"), ("issues", "repeated_key")],
            ),
            (
                r#"["audit config is updated"] [new="{\"enable-audit\":\"false\"}"] [old="{\"enable-audit\":\"true\"}"]"#,
                "event_log_activity.disable success",
                &[("object", "audit")],
            ),
            (
                r#"["audit config is updated"] [new="{\"enable-audit\":\"true\"}"]"#,
                "event_log_activity.enable success",
                &[("object", "audit")],
            ),
            (r#"["audit config is updated"] [new="{}"]"#, "event_log_activity.update success", &[("object", "audit")]),
            (
                r#"["schedule config is updated"] [new="{}"] [old="{}"]"#,
                "device_config_state_change.update success",
                &[("object", "schedule"), ("fields.new", "{}")],
            ),
            (r#"["replication config is updated"] [new=1]"#, "device_config_state_change.update success", &[("object", "replication")]),
            (r#"["PD server config is updated"]"#, "device_config_state_change.update success", &[("object", "pd server")]),
            (r#"["rate limit config is updated"]"#, "device_config_state_change.update success", &[("object", "rate limit")]),
            (r#"["label property config is updated"]"#, "device_config_state_change.update success", &[("object", "label property")]),
            (r#"["replication mode config is updated"]"#, "device_config_state_change.update success", &[("object", "replication mode")]),
            (r#"["store config is updated"]"#, "device_config_state_change.update success", &[("object", "store")]),
            (r#"["placement rule updated"] [rule=x]"#, "device_config_state_change.update success", &[("object", "placement rule")]),
            (
                r#"["cluster version is updated"] [new-version=9]"#,
                "device_config_state_change.update success",
                &[("object", "cluster version")],
            ),
            (
                r#"["add scheduler successfully"] [scheduler-name=shuffle-leader-scheduler]"#,
                "entity_management.create success",
                &[("object", "shuffle-leader-scheduler")],
            ),
            (
                r#"["remove scheduler successfully"] [scheduler-name=balance-leader-scheduler]"#,
                "entity_management.delete success",
                &[("object", "balance-leader-scheduler")],
            ),
            (
                r#"["store has been offline"] [store-id=4] [store-address=10.0.0.104:20160] [physically-destroyed=false]"#,
                "entity_management.delete success",
                &[("object", "10.0.0.104:20160"), ("fields.store-id", "4")],
            ),
            (r#"["store has been Tombstone"] [store-id=4] [store-address=a:1]"#, "entity_management.delete success", &[("object", "a:1")]),
            (r#"["delete store succeeded"] [store-address=a:1]"#, "entity_management.delete success", &[("object", "a:1")]),
            (r#"["store has been up"] [store-address=a:1]"#, "entity_management.update success", &[("object", "a:1")]),
            (r#"["store has changed to serving"] [store-address=a:1]"#, "entity_management.update success", &[("object", "a:1")]),
            (r#"["put store ok"] [store=x]"#, "entity_management.update success", &[]),
            (r#"["PD leader is ready to serve"] [leader-name=pd-1]"#, "entity_management.update success", &[("object", "leader")]),
            (r#"["start to campaign PD leader"]"#, "entity_management.update success", &[("object", "leader")]),
            (r#"["etcd leader changed, resigns pd leadership"]"#, "entity_management.update success", &[("object", "leader")]),
            (r#"["mark snapshot recovering"]"#, "api_activity.update success", &[("object", "snapshot_recovering")]),
            (r#"["mark pitr restore mode"]"#, "api_activity.update success", &[("object", "pitr_restore_mode")]),
            (r#"["clock offset"] [] [jet-lag=2s]"#, "application_error.general failure", &[]),
            (r#"["Welcome to Placement Driver (PD)"]"#, "application_lifecycle.start success", &[]),
            (r"[PD] [release-version=v5.4.1]", "-", &[("version", "v5.4.1")]),
            (r#"["got signal to exit"] [signal=terminated]"#, "application_lifecycle.stop success", &[("fields.signal", "terminated")]),
            (r#"["Got signal to exit"] [signal=terminated]"#, "application_lifecycle.stop success", &[("fields.signal", "terminated")]),
            (
                r#"["run server failed"] [error="[PD:server:ErrCancelStartEtcd]etcd start canceled"]"#,
                "-",
                &[("error_code", "PD:server:ErrCancelStartEtcd"), ("error", "etcd start canceled")],
            ),
        ],
    );
}
