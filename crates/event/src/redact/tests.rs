//! The gate, held to lines that carry secrets and lines that only look like it.

use super::*;

/// `line` with the secrets between `{{` and `}}` taken as plain text, and what stands there afterwards.
fn gate(line: &str) -> String {
    String::from_utf8(Redactor::default().redact(line.as_bytes()).into_bytes().into_owned()).unwrap()
}

/// In each line the secrets stand between `«` and `»`: the gate must mask exactly them, and nothing else.
fn check(kind: &str, lines: &[&str]) {
    for line in lines {
        let plain: String = line.replace(['«', '»'], "");
        let mut want = String::new();
        let mut rest = *line;
        while let Some((before, tail)) = rest.split_once('«') {
            let (_, after) = tail.split_once('»').unwrap();
            want.push_str(before);
            want.push_str(&format!("__masked_{kind}__"));
            rest = after;
        }
        want.push_str(rest);
        assert_eq!(gate(&plain), want, "\n in: {plain}");
    }
}

#[test]
fn passwords_in_sql() {
    check(
        "password",
        &[
            r#"[sql="create user u1@'%' identified by '«S3cret-1»'"] [txn_mode=X]"#,
            r#"[sql="CREATE USER 'u'@'10.%' IDENTIFIED WITH 'mysql_native_password' BY \"«S3cret»\" ACCOUNT LOCK"] [a=b]"#,
            r#"[sql="create user u identified with caching_sha2_password by '«a''b»'"]"#,
            r#"[sql="create user u identified by '«a\\'b»' account lock"]"#,
            r#"[sql="create user u identified by '«a\\\\»' account lock"]"#,
            r#"[sql="create user u identified by \"«a\\\"b»\" account lock"]"#,
            r#"[sql="create user u identified by \"«a\"\"b»\" account lock"]"#.replace("\"\"b", "\\\"\\\"b").as_str(),
            "create user u identified by '«a\\'b»' account lock;",
            "create user u identified by \"«a'b»\" account lock;",
            r#"[sql="identified\n\tby /* x */ '«pw»'"]"#,
            r#"[sql="create user `x` @% identified by ‹«clear!text1»›"]"#,
            r#"[sql="create user `x` @% identified by ‹'«clear!text1»'›"]"#,
            r#"[sql="create user `x` @% identified by \u2039«clear!text1»\u203a"]"#,
            r#"[sql="set password for 'u4'@'%' = '«pw»'"]"#,
            r#"[sql="SET PASSWORD = '«pw»'"]"#,
            r#"[sql="SET PASSWORD FOR u5 = PASSWORD('«pw»')"]"#,
            r#"[sql="alter user u identified by '«new»' replace '«old»'"]"#,
            r#"[sql="change master to master_host='10.0.0.1', master_user='r', master_password='«pw»'"]"#,
            r#"[sql="update users set password = '«pw»', name = 'x' where id = 3"]"#,
            r#"[sql="update users set password=md5('«pw»') where id = 3"]"#,
            r#"[sql="insert into users (name, password, age) values ('bob', '«pw1»', 3), ('eve', '«pw''2»', 4)"]"#,
            r#"[sql="creat user x@'%' identifed by '«Clear-Text»'"]"#,
            r#"[err="near \"creat user x@'%' identified by '«Clear-Text-6»'\" "]"#,
            r#"{"level":"WARN","sql":"create user u identified by '«pw»'","conn":7}"#,
            r#"{"log":"[2026/03/02 10:00:00.000 +00:00] [WARN] [sql=\"create user u identified by \\\"«p\\\\\\\"w»\\\" account lock\"]\n","stream":"stdout"}"#,
            r#"2026-03-02T10:00:00.1Z stdout F [sql="create user u identified by '«pw»'"]"#,
        ],
    );
    check(
        "password_hash",
        &[
            r#"[sql="alter user u identified with 'mysql_native_password' as '«*0123456789ABCDEF0123456789ABCDEF01234567»'"]"#,
            r#"[sql="alter user u identified with caching_sha2_password as x'«244124303035»'"]"#,
            r#"[sql="alter user u identified with caching_sha2_password as «0x244124303035» require none"]"#,
            r#"[sql="create user u identified by password '«*0123456789abcdef0123456789abcdef01234567»'"]"#,
            r#"[sql="insert into mysql.user (user, authentication_string) values ('u9', '«*0123456789ABCDEF0123456789ABCDEF01234567»')"]"#,
            r#"[encrypted=«$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy»]"#,
        ],
    );
}

#[test]
fn what_only_looks_like_a_secret() {
    check(
        "nothing",
        &[
            r#"[error="[privilege:1045]Access denied for user 'root'@'127.0.0.66' (using password: YES)"]"#,
            r#"["secure text"="create user {u1@% password = ***}"] [user=root@%]"#,
            r#"["set global var"] [name=validate_password.length] [val=8]"#,
            r#"[sql="select user, password from t where a.password = b.password and token = ?"]"#,
            r#"[error="[variable:1238]Variable 'disconnect_on_expired_password' is a read only variable"]"#,
            r#"[config="{\"token-limit\":1000,\"auth-token-jwks\":\"\",\"session-token-signing-key\":\"\",\"disconnect-on-expired-password\":true}"]"#,
            r#"[initial-cluster-token=pd-cluster] [txnStartTS=470643434034429952]"#,
            r#"["Verify password failed"] [error="crypto/bcrypt: hashedSecret too short to be a bcrypted password"]"#,
            r#"[error="key not found[key=by-dev/meta/root-coord/credential/users/jane@x.org]"]"#,
            r#"line 1:3 token recognition error at: ';'"#,
            r#"[sql="create user 'jane@x.org'@'%'"] [user=jane@x.org@%]"#,
            r#"[sql="drop user 'a@b.org', 'jane@x.org'"] [connInfo="id:7, addr:10.0.0.9:5 user:jane@x.org"]"#,
            r#"{"user":"jane@x.org","msg":"permission deny to jane@x.org"}"#,
            r#"[user_name: jane@x.org] <jane@x.org: tcp-10.0.0.1:4>"#,
            "https://10.0.0.1:2379/pd/api/v1/config?x=a@b",
            "/go/pkg/mod/github.com/pingcap/log@v1.1.1-0.20240314/zap.go:20",
        ],
    );
}

#[test]
fn redacting_again_only_doubles_the_marks() {
    for line in ["password=abc", "[sql=\"create user u identified by 'x'\"]", "api_key: abc __masked_x"] {
        let once = gate(line);
        let twice = gate(&once);
        assert_eq!(twice.replace("__masked___masked_", "__masked_"), once, "{line}");
    }
}

#[test]
fn nothing_found_is_borrowed() {
    assert!(matches!(Redactor::default().redact(b"[2026/03/02] [INFO] [a.go:1] [hello]").into_bytes(), Cow::Borrowed(_)));
}
