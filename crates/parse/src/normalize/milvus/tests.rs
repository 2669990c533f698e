//! Server lines as a parser hands them over, and the columns that they become.

use std::borrow::Cow;

use event::{Event, Status, Value};

use super::{normalize, proto};
use crate::Format;

/// caller, message, fields, then `action status user target_user role privilege database object reason` (`-` for none).
const LINES: &[(&str, &str, &str, &str)] = &[
    (
        "proxy/impl.go:1",
        "connect received",
        "traceID=0a1b|sdk_type=Python|sdk_version=2.3.8|user=ann|host=box|db=default",
        "authentication.logon success ann - - - default - -",
    ),
    (
        "proxy/impl.go:1",
        "connect failed, failed to list databases",
        "user=ann|db=default|error=x: down",
        "datastore_activity.connect failure ann - - - default - -",
    ),
    (
        "rootcoord/root_coord.go:1",
        "GetCredential query credential failed",
        "role=rootcoord|username=ghost|error=key not found",
        "authentication.logon failure ghost - - - - - unknown_user",
    ),
    ("proxy/util.go:1", "Verify password failed", "error=hashedSecret too short", "authentication.logon failure - - - - - - unknown_user"),
    (
        "proxy/authentication_interceptor.go:1",
        "fail to verify password",
        "username=ann",
        "authentication.logon failure ann - - - - - wrong_password",
    ),
    ("proxy/util.go:1", "fail to verify apikey", "api_key=x|error=bad", "authentication.logon failure - - - - - - bad_api_key"),
    ("proxy/a.go:1", "key not found in header", "", "authentication.logon failure - - - - - - missing_credentials"),
    ("proxy/a.go:1", "fail to decode the token", "error=illegal base64", "authentication.logon failure - - - - - - bad_token"),
    (
        "proxy/a.go:1",
        "invalid token format, length of secrets less than 2",
        "length=1",
        "authentication.logon failure - - - - - - bad_token",
    ),
    (
        "proxy/privilege_interceptor.go:1",
        "permission deny",
        "username=eve|role_names=[reader,public]|object_type=Collection|object_privilege=PrivilegeInsert|db_name=default|object_name=papers",
        "datastore_activity.write failure eve - reader,public PrivilegeInsert default papers permission_denied",
    ),
    (
        "proxy/privilege_interceptor.go:1",
        "permission deny",
        "username=eve|role_names=[\"reader\",\"public\"]|object_type=Global|object_privilege=PrivilegeManageOwnership|object_name=*",
        "user_access.assign_privileges failure eve - reader,public PrivilegeManageOwnership - * permission_denied",
    ),
    (
        "rootcoord/root_coord.go:1",
        "CreateCredential save credential failed",
        "role=rootcoord|username=ann|error=user already exists: ann",
        "account_change.create failure - ann - - - - -",
    ),
    ("proxy/impl.go:1", "illegal password", "username=tim|error=too short", "account_change.create failure - tim - - - - -"),
    (
        "rootcoord/root_coord.go:1",
        "fail to create role",
        "role=rootcoord|in=entity:<name:\"reader\" > |error=role exists",
        "group_management.create failure - - reader - - - -",
    ),
    (
        "rootcoord/root_coord.go:1",
        "fail to drop the role that it has privileges. Use REVOKE API to revoke privileges",
        "role=rootcoord|role_name=reader",
        "group_management.delete failure - - reader - - - -",
    ),
    ("proxy/impl.go:1", "CreateCredential", "username=kim|role=proxy", "account_change.create unknown - kim - - - - -"),
    ("proxy/impl.go:1", "DeleteCredential", "username=kim|role=proxy", "account_change.delete unknown - kim - - - - -"),
    ("rootcoord/root_coord.go:1", "CreateCredential", "username=kim|role=rootcoord", "- - - - - - - - -"),
    (
        "rootcoord/root_coord.go:1",
        "OperateUserRole-AddUserToRole",
        "role=rootcoord|in=username:\"kim\" role_name:\"admin\" ",
        "group_management.add_user unknown - kim admin - - - -",
    ),
    (
        "rootcoord/root_coord.go:1",
        "OperateUserRole-RemoveUserFromRole",
        "in=username:\"kim\"  role_name:\"admin\"  type:RemoveUserFromRole",
        "group_management.remove_user unknown - kim admin - - - -",
    ),
    ("rootcoord/root_coord.go:1", "OperateUserRole-AddUserToRole success", "in=username:\"kim\"", "- - - - - - - - -"),
    (
        "proxy/impl.go:1",
        "OperatePrivilege",
        "req=entity:<role:<name:\"reader\" > object:<name:\"Collection\" > object_name:\"papers\" grantor:<user:<name:\"root\" > privilege:<name:\"Insert\" > > > ",
        "user_access.assign_privileges unknown root - reader Insert - papers -",
    ),
    (
        "proxy/impl.go:1",
        "OperatePrivilege",
        "req=entity:{role:{name:\"reader\"}  object:{name:\"Global\"}  object_name:\"*\"  grantor:{user:{name:\"root\"}  privilege:{name:\"All\"}}}  type:Revoke",
        "user_access.revoke_privileges unknown root - reader All - * -",
    ),
    ("enforcer.go:1", "LoddPolicy update policyinfo", "policyInfo=[]", "device_config_state_change.update success - - - - - rbac_policy -"),
    (
        "rootcoord/root_coord.go:1",
        "received request to drop collection",
        "dbName=default|name=papers",
        "datastore_activity.delete unknown - - - - default papers -",
    ),
    (
        "rootcoord/root_coord.go:1",
        "received request to create partition",
        "collection=papers|partition=p1",
        "datastore_activity.create unknown - - - - - papers -",
    ),
    ("proxy/impl.go:1", "DropDatabase received", "dbName=tenant", "datastore_activity.delete unknown - - - - tenant tenant -"),
    (
        "proxy/impl.go:1",
        "CreateIndex received",
        "db=default|collection=papers|field=vec",
        "datastore_activity.create unknown - - - - default papers -",
    ),
    ("rootcoord/root_coord.go:1", "done to drop collection", "name=papers", "- - - - - - - - -"),
    ("proxy/impl.go:1", "received request to invalidate collection meta cache", "db=default", "- - - - - - - - -"),
    (
        "proxy/impl.go:1",
        "Query failed to WaitToFinish",
        "db=default|collection=papers|error=cannot parse expression: a ==== 1, error: x",
        "datastore_activity.query failure - - - - default papers syntax",
    ),
    (
        "proxy/impl.go:1",
        "CreateCollection failed to WaitToFinish",
        "db=default|collection=papers|error=invalid dimension",
        "datastore_activity.create failure - - - - default papers -",
    ),
    (
        "proxy/impl.go:1",
        "Search slow",
        "db=default|collection=papers|duration=24.6s",
        "datastore_activity.query success - - - - default papers -",
    ),
    ("rootcoord/meta_table.go:1", "db name is empty", "collectionName=papers", "api_activity.read unknown - - - - - papers no_database"),
    ("accesslog/global.go:1", "start enable access log", "", "event_log_activity.enable success - - - - - access_log -"),
    ("accesslog/global.go:1", "start close access log", "", "event_log_activity.disable success - - - - - access_log -"),
    ("accesslog/log_writer.go:1", "start time rotating of access log", "", "- - - - - - - - -"),
    ("accesslog/log_writer.go:1", "seal old log to: a-2026.log", "", "event_log_activity.rotate success - - - - - - -"),
    ("roles/roles.go:1", "starting running Milvus components", "", "application_lifecycle.start success - - - - - - -"),
    ("roles/roles.go:1", "Get signal to exit", "signal=terminated", "application_lifecycle.stop success - - - - - - -"),
    ("session_util.go:1", "connection lost detected, shuting down", "", "application_error.general failure - - - - - - etcd_lost"),
    (
        "data_node.go:1",
        "Data Node disconnected from etcd, process will exit",
        "",
        "application_error.general failure - - - - - - etcd_lost",
    ),
    ("server.go:1", "disconnected from etcd and exited", "", "application_error.general failure - - - - - - etcd_lost"),
    (
        "querynodev2/segment_loader.go:1",
        "load segment failed, OOM if load, maxSegmentSize = 9",
        "",
        "application_error.general failure - - - - - - memory",
    ),
    ("proxy/proxy.go:1", "init access log for Proxy done", "role=proxy", "- - - - - - - - -"),
    ("task_scheduler.go:1", "Failed to pre-execute task: topk", "traceID=0a", "- - - - - - - - -"),
];

fn line<'a>(caller: &'a str, message: &'a str, fields: &'a str) -> Event<'a> {
    let mut e = Event { caller: Some(caller.into()), message: Some(message.into()), ..Event::default() };
    for (key, value) in fields.split('|').filter_map(|pair| pair.split_once('=')) {
        e.fields.push((Cow::Borrowed(key), Value::Text(Cow::Borrowed(value))));
    }
    e
}

fn said(e: &Event<'_>) -> String {
    let columns = [
        e.action(),
        e.status.map(Status::as_str),
        e.user.as_deref(),
        e.target_user.as_deref(),
        e.role.as_deref(),
        e.privilege.as_deref(),
        e.database.as_deref(),
        e.object.as_deref(),
        e.field_text("reason"),
    ];
    columns.map(|c| c.unwrap_or("-")).join(" ")
}

#[test]
fn messages_become_columns() {
    for (caller, message, fields, want) in LINES {
        let mut e = line(caller, message, fields);
        normalize(&mut e, Format::Unified);
        assert_eq!(said(&e), *want, "{message} {fields}");
    }
}

#[test]
fn a_login_names_its_client() {
    let mut e = line("proxy/impl.go:1", "connect received", "traceID=0a1b|sdk_type=Python|sdk_version=2.3.8|user=ann|host=box|db=default");
    normalize(&mut e, Format::Json);
    assert_eq!((e.client.as_deref(), e.src_host.as_deref(), e.trace_id.as_deref()), (Some("Python-2.3.8"), Some("box"), Some("0a1b")));
    assert_eq!(e.component.as_deref(), Some("proxy"));
    assert!(e.fields.is_empty(), "what moved into a column leaves fields: {:?}", e.fields);
}

#[test]
fn the_component_is_the_part_that_wrote_the_line() {
    for (caller, fields, want, left) in [
        ("proxy/impl.go:1", "", Some("proxy"), None),
        ("querycoordv2/services.go:1", "", Some("querycoord"), None),
        ("retry/retry.go:1", "role=datanode", Some("datanode"), None),
        ("retry/retry.go:1", "role=reader", None, Some("reader")),
        ("root_coord.go:1865", "", None, None),
    ] {
        let mut e = line(caller, "something else", fields);
        normalize(&mut e, Format::Unified);
        assert_eq!((e.component.as_deref(), e.field_text("role")), (want, left), "{caller} {fields}");
    }
}

#[test]
fn errors_lose_stacks_and_repeats() {
    for (error, want) in [
        ("user already exists: ann", "user already exists: ann"),
        (
            "stack trace: /src/a.go:5 f\n/src/b.go:7 g: attempt #0: empty client: no rootcoord: attempt #1: empty client",
            "empty client: no rootcoord",
        ),
        ("failed to search: attempt #0: no channel\n => more: attempt #1: no channel", "no channel"),
    ] {
        let mut e = line("proxy/impl.go:1", "Search failed to WaitToFinish", "");
        e.fields.push(("error".into(), Value::Text(error.into())));
        normalize(&mut e, Format::Unified);
        assert_eq!(e.error.as_deref(), Some(want));
    }
}

#[test]
fn protobuf_text_is_read_in_both_styles() {
    for (text, path, want) in [
        ("username:\"kim\" role_name:\"admin\" ", "role_name", Some("admin")),
        ("user_name:\"kim\"", "name", None),
        ("entity:{role:{name:\"r\"}}", "role.name", Some("r")),
        ("entity:<role:<name:\"r\" > >", "role.name", Some("r")),
        ("name:\"open", "name", None),
        ("name:3", "name", None),
        ("name:\"\"", "name", None),
        ("", "name", None),
        ("n\u{e4}me:\"x\"", "name", None),
    ] {
        assert_eq!(proto(text, path).as_deref(), want, "{text}");
    }
}

#[test]
fn dumps_are_crashes_unless_a_stop_made_them() {
    for (raw, want) in [
        ("panic: runtime error: invalid memory address\n\ngoroutine 1 [running]:", "application_lifecycle.crash"),
        ("panic: context canceled\n\ngoroutine 1 [running]:", "application_error.general"),
    ] {
        let mut e = Event { raw: raw.into(), ..Event::default() };
        normalize(&mut e, Format::Crash);
        assert_eq!((e.action(), e.status), (Some(want), Some(Status::Failure)));
        assert_eq!(e.error.as_deref(), raw.lines().next());
    }
}
