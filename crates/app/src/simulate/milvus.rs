//! Milvus's lines: server log and access log (formats: milvus 2.3).

use std::io;

use super::{
    MILVUS, Stage,
    scribe::{unified, unified_time},
};

const SDK: &str = "Python-2.3.8";
const APP: &str = "10.3.0.40";
const NO_TRACE: &str = "00000000000000000000000000000000";

fn server(stage: &mut Stage<'_>, level: &str, caller: &str, message: &str, fields: &[(&str, &str)]) -> io::Result<()> {
    let line = unified(stage.now, level, caller, message, fields);
    stage.scribe.write(MILVUS, "", "server", &line)
}

/// A row of the access log.
pub struct Row<'r> {
    pub user: &'r str,
    pub ip: &'r str,
    pub method: &'r str,
    pub status: &'r str,
    pub code: i64,
    pub message: &'r str,
    pub trace: &'r str,
    pub tail: &'r str,
}

impl Row<'_> {
    pub fn write(&self, stage: &mut Stage<'_>) -> io::Result<()> {
        let (port, cost) = (30_000 + stage.dice.below(30_000), 1 + stage.dice.below(9_000));
        let line = format!(
            "[{}] [ACCESS] <{}: tcp-{}:{port}> {} [status: {}] [code: {}] [sdk: {SDK}] [msg: {}] [traceID: {}] [timeCost: {}.{:03}ms]{}",
            unified_time(stage.now),
            self.user,
            self.ip,
            self.method,
            self.status,
            self.code,
            self.message,
            self.trace,
            cost / 1000,
            cost % 1000,
            self.tail
        );
        stage.scribe.write(MILVUS, "-access", "access", &line)
    }
}

pub fn banner(stage: &mut Stage<'_>) -> io::Result<()> {
    server(stage, "INFO", "roles/roles.go:226", "starting running Milvus components", &[])?;
    server(stage, "INFO", "accesslog/access_log.go:77", "start access log", &[("filename", "access.log")])
}

/// A call that worked.
pub fn ok(stage: &mut Stage<'_>, user: &str, ip: &str, method: &str, tail: &str) -> io::Result<()> {
    let trace = stage.dice.hex32();
    Row { user, ip, method, status: "OK", code: 0, message: "", trace: &trace, tail }.write(stage)
}

pub fn work(stage: &mut Stage<'_>) -> io::Result<()> {
    let n = stage.dice.below(5000);
    let tail = format!(" [database: default] [collection: articles] [partitions: []] [expr: shop == {}]", n % 40);
    match stage.dice.below(6) {
        0 => server(
            stage,
            "INFO",
            "datacoord/compaction_trigger.go:331",
            "compaction check",
            &[("collectionID", "445566778899001122"), ("segments", "3")],
        ),
        1 => server(
            stage,
            "DEBUG",
            "querynodev2/services.go:702",
            "search done",
            &[("collectionID", "445566778899001122"), ("nq", "1"), ("topk", "10")],
        ),
        2 => ok(stage, "vector_app", APP, "Insert", ""),
        3 => ok(stage, "vector_app", APP, "Query", &tail),
        _ => ok(stage, "vector_app", APP, "Search", &tail),
    }
}

/// A guessed password: a server line and an access row of one act.
pub fn login_failed(stage: &mut Stage<'_>, user: &str, ip: &str) -> io::Result<()> {
    server(stage, "WARN", "proxy/authentication_interceptor.go:91", "fail to verify password", &[("username", user)])?;
    let message = "rpc error: code = Unauthenticated desc = auth check failure, please check username and password are correct";
    Row { user, ip, method: "Connect", status: "GrpcUnauthenticated", code: 65_535, message, trace: NO_TRACE, tail: "" }.write(stage)
}

/// A login that worked.
pub fn login_ok(stage: &mut Stage<'_>, user: &str, ip: &str) -> io::Result<()> {
    let trace = stage.dice.hex32();
    let fields = [
        ("traceID", trace.as_str()),
        ("sdk_type", "Python"),
        ("sdk_version", "2.3.8"),
        ("local_time", "now"),
        ("user", user),
        ("host", "build-7"),
        ("db", "default"),
    ];
    server(stage, "INFO", "proxy/impl.go:5119", "connect received", &fields)?;
    Row { user, ip, method: "Connect", status: "OK", code: 0, message: "", trace: &trace, tail: "" }.write(stage)
}

/// A refused call.
pub fn denied(stage: &mut Stage<'_>, user: &str, ip: &str, method: &str, privilege: &str, collection: &str) -> io::Result<()> {
    let fields = [
        ("username", user),
        ("role_names", "[readonly,public]"),
        ("object_type", "Collection"),
        ("object_privilege", privilege),
        ("db_name", "default"),
        ("object_index", "3"),
        ("object_name", collection),
    ];
    server(stage, "INFO", "proxy/privilege_interceptor.go:176", "permission deny", &fields)?;
    let message = format!("rpc error: code = PermissionDenied desc = {privilege}: permission deny to {user}");
    Row { user, ip, method, status: "GrpcPermissionDenied", code: 65_535, message: &message, trace: NO_TRACE, tail: "" }.write(stage)
}

/// A collection goes.
pub fn drop_collection(stage: &mut Stage<'_>, user: &str, ip: &str, name: &str) -> io::Result<()> {
    let trace = stage.dice.hex32();
    let fields = [("traceID", trace.as_str()), ("role", "rootcoord"), ("dbName", "default"), ("name", name)];
    server(stage, "INFO", "rootcoord/root_coord.go:1043", "received request to drop collection", &fields)?;
    Row { user, ip, method: "DropCollection", status: "OK", code: 0, message: "", trace: &trace, tail: "" }.write(stage)
}
