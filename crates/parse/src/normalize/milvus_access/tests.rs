//! Rows as a parser hands them over, and the columns that they become.

use std::borrow::Cow;

use event::{Event, Issue, Value};

use super::normalize;

/// The row's placeholders, then what the columns must say (`action status user src_ip:port code reason privilege object`, `-` for none).
const ROWS: &[(&str, &str)] = &[
    (
        "user_name=ann|user_addr=tcp-10.0.0.5:4711|method_name=Connect|method_status=OK|error_code=0|sdk_version=Unknown|error_msg=|trace_id=0a1b",
        "authentication.logon success ann 10.0.0.5:4711 - - - -",
    ),
    (
        "user_name=ann|user_addr=tcp-10.0.0.5:4711|method_name=Connect|method_status=GrpcUnauthenticated|error_code=65535|error_msg=rpc error: code = Unauthenticated desc = auth check failure, please check username and password are correct|trace_id=00000000000000000000000000000000",
        "authentication.logon failure ann 10.0.0.5:4711 65535 access_denied - -",
    ),
    (
        "user_name=Unknown|user_addr=tcp-[fd00::7]:4711|method_name=Search|method_status=GrpcUnauthenticated|error_code=65535|error_msg=rpc error: code = Unauthenticated desc = missing authorization in header",
        "authentication.logon failure - fd00::7:4711 65535 missing_credentials - -",
    ),
    (
        "user_name=Unknown|user_addr=10.0.0.6|method_name=Query|method_status=GrpcUnauthenticated|error_code=65535|error_msg=auth check failure, please check api key is correct",
        "authentication.logon failure - 10.0.0.6:- 65535 bad_api_key - -",
    ),
    (
        "user_name=eve|user_addr=tcp-10.0.0.7:1|method_name=OperateUserRole|method_status=GrpcPermissionDenied|error_code=65535|error_msg=rpc error: code = PermissionDenied desc = PrivilegeManageOwnership: permission deny to eve in the `default` database",
        "group_management.add_user failure eve 10.0.0.7:1 65535 permission_denied PrivilegeManageOwnership -",
    ),
    (
        "user_name=eve|user_addr=tcp-10.0.0.7:1|method_name=Insert|method_status=GrpcPermissionDenied",
        "datastore_activity.write failure eve 10.0.0.7:1 - permission_denied - -",
    ),
    (
        "user_name=ann|user_addr=tcp-10.0.0.5:9|method_name=Query|method_status=Failed|error_code=1100|error_msg=cannot parse expression: a === 1, error: x\nsecond|collection_name=papers|database_name=default|method_expr=a === 1",
        "datastore_activity.query failure ann 10.0.0.5:9 1100 syntax - papers",
    ),
    (
        "user_name=ann|user_addr=tcp-10.0.0.5:9|method_name=Insert|method_status=Failed|error_code=9|error_msg=quota exceeded",
        "datastore_activity.write failure ann 10.0.0.5:9 9 rate_limited - -",
    ),
    (
        "user_name=ann|user_addr=tcp-10.0.0.5:9|method_name=Connect|method_status=Failed|error_code=65535|error_msg=find no available rootcoord",
        "datastore_activity.connect failure ann 10.0.0.5:9 65535 - - -",
    ),
    (
        "user_name=root|user_addr=bufconn|method_name=/v2/vectordb/roles/grant_privilege|method_status=HttpError401",
        "user_access.assign_privileges failure root -:- - - - -",
    ),
    ("user_name=root|method_name=DropCollection|error_code=0", "datastore_activity.delete success root -:- - - - -"),
    ("user_name=root|method_name=DropCollection", "datastore_activity.delete unknown root -:- - - - -"),
    ("user_name=root|method_status=OK", "- - root -:- - - - -"),
];

fn row<'a>(text: &'a str) -> Event<'a> {
    let mut event = Event::default();
    for pair in text.split('|') {
        let (key, value) = pair.split_once('=').unwrap();
        event.fields.push((Cow::Borrowed(key), Value::Text(Cow::Borrowed(value))));
    }
    event
}

fn said(e: &Event<'_>) -> String {
    let dash = |t: Option<&str>| t.unwrap_or("-").to_owned();
    [
        dash(e.action()),
        dash(e.status.map(event::Status::as_str)),
        dash(e.user.as_deref()),
        format!("{}:{}", dash(e.src_ip.as_deref()), e.src_port.map_or("-".to_owned(), |p| p.to_string())),
        dash(e.error_code.as_deref()),
        dash(e.field_text("reason")),
        dash(e.privilege.as_deref()),
        dash(e.object.as_deref()),
    ]
    .join(" ")
}

#[test]
fn rows_become_columns() {
    for (text, want) in ROWS {
        let mut event = row(text);
        normalize(&mut event);
        assert_eq!(said(&event), *want, "{text}");
    }
}

#[test]
fn the_rest_of_a_row_has_its_columns_too() {
    let mut e = row(
        "method_name=Query|method_status=Successful|time_cost=1.303213ms|response_size=512|sdk_version=Python-2.3.8|trace_id=0a1b|method_expr=id in [1]|partition_name=[]",
    );
    normalize(&mut e);
    assert_eq!(
        (e.duration_us, e.bytes, e.client.as_deref(), e.trace_id.as_deref()),
        (Some(1303), Some(512), Some("Python-2.3.8"), Some("0a1b"))
    );
    assert_eq!(
        (e.statement.as_deref(), e.field_text("method"), e.field_text("partition_name")),
        (Some("id in [1]"), Some("Query"), Some("[]"))
    );
    let mut zero = row("method_name=Query|method_status=OK|trace_id=00000000000000000000000000000000|time_cost=soon|response_size=big");
    normalize(&mut zero);
    assert_eq!(
        (zero.trace_id.as_deref(), zero.field_text("time_cost"), zero.field_text("response_size")),
        (None, Some("soon"), Some("big"))
    );
}

#[test]
fn a_forged_row_is_not_believed() {
    for issue in [Issue::Forged, Issue::Unparsed] {
        let mut e = row("user_name=root|method_name=DropCollection|method_status=OK");
        e.mark(issue);
        crate::normalize::normalize(&mut e, crate::Format::Access);
        assert_eq!((e.action(), e.status, e.user), (None, None, None));
    }
}
