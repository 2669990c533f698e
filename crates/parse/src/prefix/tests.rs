//! Carried lines in, the product's own words out.

use super::*;

fn own_words(record: &str) -> (String, Carrier) {
    let (text, first) = unwrap(record);
    (text.into_owned(), first.carrier)
}

#[test]
fn prefixes_come_off() {
    let l = "[2026/03/02 10:00:00.120 +00:00] [INFO] [a.go:1] [x]";
    for (prefix, carrier) in [
        ("", Carrier::None),
        ("2026-03-02T10:00:00.769194163Z stdout F ", Carrier::Cri),
        ("2026-03-02T18:00:00.769194163+08:00 ", Carrier::Time),
        ("2026-03-02 18:00:00.586\t", Carrier::Time),
        ("2026-03-02 18:00:00 ", Carrier::Time),
        ("[pod/basic-tidb-0/tidb] ", Carrier::Pod),
        ("[pod/basic-tidb-0/tidb] 2026-03-02T10:00:00.7Z ", Carrier::Pod),
        ("tidb_1  | ", Carrier::Column),
        ("tidb-1  | 2026-03-02T10:00:00.7Z ", Carrier::Column),
        ("Sun, Oct 23 2022 12:11:08 pm | ", Carrier::Column),
        ("274 ", Carrier::Column),
        ("  |   | ", Carrier::Column),
    ] {
        assert_eq!(own_words(&format!("{prefix}{l}")), (l.to_owned(), carrier), "{prefix}");
    }
}

#[test]
fn lines_that_only_look_carried_stay() {
    for l in [
        "",
        "2026-03-02T10:00:00Z",
        "2026/03/02 10:00:00 server.go:219: [info] x",
        "2026-03-02 10:00:00,259 client.rs:115 - INFO  - x",
        "2026-03-02 10:00:00,945 | DEBUG | default | x",
        "[pod/without end",
        "[GIN] 2026/11/21 - 21:28:53 | 401 | 1ms | 10.0.0.1 | GET \"/\"",
        "   /  |/  /  _/ /| | / / / / / __/",
        "select a from t where b | c",
        r#"{"level":"INFO","time":"2026/03/02 10:00:00.120 +00:00","message":"x","log":"y"}"#,
        r#"{"a":1,"log":"y","message":"x"}"#,
        r#"{"log":"never closed"#,
        "# Time: 2026-03-02T10:00:00Z",
    ] {
        assert_eq!(own_words(l), (l.to_owned(), Carrier::None), "{l}");
    }
}

#[test]
fn docker_and_shippers_escape_the_line() {
    let record =
        r#"{"log":"[2026/03/02 10:00:00.120 +00:00] [WARN] [a.go:1] [\"x y\"]\n","stream":"stderr","time":"2026-03-02T10:00:01.5Z"}"#;
    let (text, first) = unwrap(record);
    assert_eq!(text, r#"[2026/03/02 10:00:00.120 +00:00] [WARN] [a.go:1] ["x y"]"#);
    assert_eq!((first.stdio, first.partial, first.time.map(|t| t.offset)), (Some("stderr"), false, Some(Some(0))));
    let loki = r#"{"namespace":"db","pod":"tc-tidb-0","level":"ERROR","container":"tidb","log":"[a.go:1] [x]"}"#;
    let (text, first) = unwrap(loki);
    assert_eq!(
        (&*text, first.namespace, first.pod, first.container, first.partial),
        ("[a.go:1] [x]", Some("db"), Some("tc-tidb-0"), Some("tidb"), false)
    );
}

#[test]
fn pieces_are_joined_and_lines_are_not() {
    let cri =
        "2026-03-02T10:00:00.1Z stdout P [a.go:1] [pass\n2026-03-02T10:00:00.2Z stdout F word]\n2026-03-02T10:00:00.3Z stdout F next\n";
    assert_eq!(own_words(cri).0, "[a.go:1] [password]\nnext");
    let parts: Vec<&str> = content(cri.as_bytes()).ranges.into_iter().map(|r| &cri[r]).collect();
    assert_eq!(parts, ["[a.go:1] [pass", "word]\n", "next\n"]);
    let docker =
        "{\"log\":\"half \",\"stream\":\"stdout\",\"time\":\"\"}\n{\"log\":\"\\\"line\\\"\\n\",\"stream\":\"stdout\",\"time\":\"\"}";
    assert_eq!(own_words(docker).0, "half \"line\"");
    let parts: Vec<&str> = content(docker.as_bytes()).ranges.into_iter().map(|r| &docker[r]).collect();
    assert_eq!(parts, ["half ", "\\\"line\\\"\\n"]);
    assert_eq!(content(b"plain\ntext").ranges.first(), Some(&(0..10)));
    assert_eq!(line(b"2026-03-02T10:00:00.1Z stdout F").content, 31..31);
}
