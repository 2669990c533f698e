//! TiDB's lines: server log and slow log (formats: tidb server 8.5 and 9.0).

use std::io;

use event::Micros;

use super::{
    Stage,
    scribe::{unified, unified_time},
};

/// A client's connection.
#[derive(Debug, Clone)]
pub struct Conn {
    pub id: u64,
    pub user: &'static str,
    pub ip: &'static str,
    pub port: u64,
}

impl Conn {
    pub fn new(stage: &mut Stage<'_>, user: &'static str, ip: &'static str) -> Self {
        Self { id: 2_097_152 + stage.dice.below(900_000) * 2, user, ip, port: 32_768 + stage.dice.below(28_000) }
    }
}

const APP: &str = "10.3.0.21";

fn server(stage: &mut Stage<'_>, db: &str, level: &str, caller: &str, message: &str, fields: &[(&str, &str)]) -> io::Result<()> {
    let line = unified(stage.now, level, caller, message, fields);
    stage.scribe.write(db, "", "server", &line)
}

pub fn banner(stage: &mut Stage<'_>, db: &str) -> io::Result<()> {
    let fields = [
        ("Release Version", "v8.5.1"),
        ("Edition", "Community"),
        ("Git Commit Hash", "fea86c8e35ad4a86a5e1160701f99493c2ee547c"),
        ("Git Branch", "HEAD"),
        ("GoVersion", "go1.23.4"),
        ("Race Enabled", "false"),
        ("Check Table Before Drop", "false"),
    ];
    server(stage, db, "INFO", "printer.go:47", "Welcome to TiDB.", &fields)?;
    stage.wait_ms(3)?;
    server(stage, db, "INFO", "server.go:330", "server is running MySQL protocol", &[("addr", "0.0.0.0:4000")])
}

/// One of the lines that a TiDB writes all day.
pub fn work(stage: &mut Stage<'_>, db: &str) -> io::Result<()> {
    let region = (1000 + stage.dice.below(4000)).to_string();
    let ts = tso(stage.now).to_string();
    match stage.dice.below(5) {
        0 => server(
            stage,
            db,
            "INFO",
            "domain.go:2969",
            "refreshServerIDTTL succeed",
            &[("serverID", "1482"), ("lease id", "6f18930be1a31c2f")],
        ),
        1 => server(
            stage,
            db,
            "INFO",
            "region_cache.go:2531",
            "mark store's regions need be refill",
            &[("id", "4"), ("addr", "tikv-1:20160"), ("error", "rpc error: code = Unavailable desc = connection closed")],
        ),
        2 => server(
            stage,
            db,
            "INFO",
            "gc_worker.go:317",
            "[gc worker] starts the whole job",
            &[("uuid", "63d3f1e2a480007"), ("safePoint", ts.as_str()), ("concurrency", "3")],
        ),
        3 => server(stage, db, "INFO", "2pc.go:1181", "2PC cleanup succeed", &[("txnStartTS", ts.as_str()), ("region", region.as_str())]),
        _ => server(
            stage,
            db,
            "INFO",
            "update.go:1063",
            "auto analyze triggered",
            &[("category", "stats"), ("sql", "analyze table `shop`.`orders`"), ("reason", "too many modifications(42113/80000>0.5)")],
        ),
    }
}

/// A TSO of this time.
pub fn tso(at: Micros) -> u64 {
    (at.unsigned_abs() / 1000) << 18
}

/// What the application runs.
pub fn app_statement(stage: &mut Stage<'_>) -> (Conn, String, f64, u64) {
    let n = stage.dice.below(100_000);
    let sql = match stage.dice.below(4) {
        0 => format!(
            "SELECT `o`.`id`, `o`.`total` FROM `orders` AS `o` JOIN `customers` AS `c` ON `o`.`customer` = `c`.`id` WHERE `c`.`id` = {n} ORDER BY `o`.`created` DESC LIMIT 20"
        ),
        1 => format!("UPDATE `stock` SET `amount` = `amount` - 1 WHERE `article` = {n}"),
        2 => format!("SELECT sum(`total`) FROM `orders` WHERE `created` > now() - interval {} day", n % 90),
        _ => format!("INSERT INTO `orders` (`customer`, `article`, `total`) VALUES ({n}, {}, {}.90)", n % 977, n % 300),
    };
    let conn = Conn::new(stage, "app", APP);
    (conn, sql, 0.3 + stage.dice.below(1700) as f64 / 1000.0, 1 + n % 20)
}

/// A block of the slow log. `what` gives connection, SQL, seconds and rows.
pub fn slow(stage: &mut Stage<'_>, db: &str, what: &dyn Fn(&mut Stage<'_>) -> (Conn, String, f64, u64)) -> io::Result<()> {
    let (conn, sql, seconds, rows) = what(stage);
    let digest = format!("{}{}", stage.dice.hex32(), stage.dice.hex32());
    let block = format!(
        "# Time: {}\n# Txn_start_ts: {}\n# User@Host: {user}[{user}] @ {ip} [{ip}]\n# Conn_ID: {}\n# Query_time: {seconds:.9}\n# Parse_time: 0.000061\n# Compile_time: 0.00058\n# Rewrite_time: 0.00021\n\
         # Cop_time: {:.6} Process_time: {:.3} Request_count: 3 Total_keys: {} Process_keys: {}\n# DB: shop\n# Is_internal: false\n# Digest: {digest}\n# Num_cop_tasks: 3\n# Mem_max: {}\n# Prepared: false\n\
         # Plan_from_cache: false\n# Has_more_results: false\n# Result_rows: {rows}\n# Succ: true\n{sql};",
        slow_time(stage.now),
        tso(stage.now),
        conn.id,
        seconds * 0.8,
        seconds * 0.7,
        rows * 3,
        rows * 2,
        40_000 + rows * 100,
        user = conn.user,
        ip = conn.ip,
    );
    stage.scribe.write(db, "-slow", "slow", &block)
}

fn slow_time(at: Micros) -> String {
    let text = unified_time(at);
    let (date, rest) = text.split_at(10);
    format!("{}T{}{:03}Z", date.replace('/', "-"), &rest[1..13], at.rem_euclid(1000))
}

/// A refused or failing statement.
pub fn failed(stage: &mut Stage<'_>, db: &str, conn: &Conn, sql: &str, error: &str) -> io::Result<()> {
    let (id, ts) = (conn.id.to_string(), tso(stage.now).to_string());
    let info = format!("id:{}, addr:{}:{} status:10, collation:utf8mb4_0900_ai_ci, user:{}", conn.id, conn.ip, conn.port, conn.user);
    let fields = [
        ("conn", id.as_str()),
        ("session_alias", ""),
        ("connInfo", info.as_str()),
        ("command", "Query"),
        ("status", "inTxn:0, autocommit:1"),
        ("sql", sql),
        ("txn_mode", "PESSIMISTIC"),
        ("timestamp", ts.as_str()),
        ("err", error),
    ];
    server(stage, db, "WARN", "conn.go:1184", "command dispatched failed", &fields)
}

/// An application that inserts what is there already: a failure of everyday life.
pub fn duplicate_key(stage: &mut Stage<'_>, db: &str) -> io::Result<()> {
    let conn = Conn::new(stage, "app", APP);
    let n = stage.dice.below(5000);
    let sql = format!("INSERT INTO `sessions` (`token`, `customer`) VALUES ('s{n}', {n})");
    failed(stage, db, &conn, &sql, &format!("[kv:1062]Duplicate entry 's{n}' for key 'sessions.PRIMARY'"))
}

/// A refused login: two lines of one act.
pub fn login_failed(stage: &mut Stage<'_>, db: &str, conn: &Conn, known: bool) -> io::Result<()> {
    let id = conn.id.to_string();
    let code = if known { "privilege" } else { "server" };
    let error = format!("[{code}:1045]Access denied for user '{}'@'{}' (using password: YES)", conn.user, conn.ip);
    let remote = format!("{}:{}", conn.ip, conn.port);
    server(stage, db, "WARN", "session.go:2934", "open new session or authentication failure", &[("conn", &id), ("error", &error)])?;
    server(stage, db, "WARN", "server.go:713", "Server.onConn handshake", &[("conn", &id), ("error", &error), ("remote addr", &remote)])
}

/// A login that worked, where connection events are logged.
pub fn login_ok(stage: &mut Stage<'_>, db: &str, conn: &Conn) -> io::Result<()> {
    let (id, remote, user) = (conn.id.to_string(), format!("{}:{}", conn.ip, conn.port), format!("{}@%", conn.user));
    let fields = [
        ("conn", id.as_str()),
        ("session_alias", ""),
        ("event", "login_success"),
        ("user", user.as_str()),
        ("remoteAddr", remote.as_str()),
    ];
    server(stage, db, "INFO", "server.go:740", "connection event", &fields)
}

/// CRUCIAL OPERATION: accounts, privileges, schema.
pub fn crucial(stage: &mut Stage<'_>, db: &str, conn: &Conn, database: &str, sql: &str) -> io::Result<()> {
    let (id, version) = (conn.id.to_string(), (57 + stage.dice.below(9)).to_string());
    let user = format!("{}@%", conn.user);
    server(
        stage,
        db,
        "INFO",
        "session.go:4123",
        "CRUCIAL OPERATION",
        &[("conn", &id), ("schemaVersion", &version), ("cur_db", database), ("sql", sql), ("user", &user)],
    )
}

/// SET GLOBAL, as TiDB says it.
pub fn set_global(stage: &mut Stage<'_>, db: &str, conn: &Conn, name: &str, value: &str) -> io::Result<()> {
    let id = conn.id.to_string();
    server(stage, db, "INFO", "set.go:167", "set global var", &[("conn", &id), ("name", name), ("val", value)])
}
