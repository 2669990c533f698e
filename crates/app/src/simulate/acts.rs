//! The intruder's acts, one function each, and the registry of them. An act is one or more steps whose names begin with its own.

use std::io;

use super::{
    PD, Stage, TIDB, milvus, pd,
    tidb::{self, Conn},
};

/// One act.
pub struct Act {
    /// Its name, on the command line and in `acts.json`.
    pub name: &'static str,
    /// Where it leaves a trace.
    pub trace: &'static str,
    /// What a finding must name.
    pub names: &'static [&'static str],
    /// Plays it.
    pub play: fn(&mut Stage<'_>) -> io::Result<()>,
}

/// All acts, in the order of the demo.
pub const ACTS: &[Act] = &[
    Act { name: "spraying", trace: "tidb: two lines a refused login", names: &["203.0.113.77"], play: spraying },
    Act {
        name: "stolen_account",
        trace: "tidb: refused logins, then connection event",
        names: &["203.0.113.77", "reporting"],
        play: stolen_account,
    },
    Act { name: "injection", trace: "tidb: refused and slow statements", names: &["webshop", "203.0.113.77"], play: injection },
    Act { name: "grant", trace: "tidb: CRUCIAL OPERATION", names: &["maint"], play: grant },
    Act { name: "dump", trace: "tidb: slow log", names: &["reporting"], play: dump },
    Act { name: "vectors", trace: "milvus: server log and access log", names: &["root", "198.51.100.9", "articles_backup"], play: vectors },
    Act {
        name: "tampering",
        trace: "tidb: set global var; pd: audit log, log level changed",
        names: &["tidb_enable_slow_log", "log_level", "SetLogLevel"],
        play: tampering,
    },
];

/// Where the intruder sits (addresses of documentation, RFC 5737).
const INTRUDER: &str = "203.0.113.77";
const SECOND: &str = "198.51.100.9";
const HOSTILE: &str = "hostile";

fn spraying(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("spraying_accounts", HOSTILE, "intruder", stage.now)?;
    for (i, user) in ["admin", "dba", "backup", "test", "oracle", "sa", "mysql", "deploy", "jenkins", "reporting", "analyst", "billing"]
        .into_iter()
        .enumerate()
    {
        let conn = Conn::new(stage, user, INTRUDER);
        tidb::login_failed(stage, TIDB[i % 2], &conn, matches!(user, "reporting" | "analyst" | "billing"))?;
        stage.wait_ms(210)?;
    }
    Ok(())
}

fn stolen_account(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("stolen_account_guesses", HOSTILE, "intruder", stage.now)?;
    for _ in 0..14 {
        let conn = Conn::new(stage, "reporting", INTRUDER);
        tidb::login_failed(stage, TIDB[0], &conn, true)?;
        stage.wait_ms(180)?;
    }
    stage.scribe.step("stolen_account_login", HOSTILE, "intruder", stage.now)?;
    let conn = Conn::new(stage, "reporting", INTRUDER);
    tidb::login_ok(stage, TIDB[0], &conn)?;
    stage.wait_ms(300)
}

fn injection(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("injection_probes", HOSTILE, "intruder", stage.now)?;
    let conn = Conn::new(stage, "webshop", "10.3.0.22");
    let probes = [
        ("SELECT * FROM `articles` WHERE `name` = '' OR 1=1 -- '", "[planner:1054]Unknown column 'name' in 'where clause'"),
        (
            "SELECT `id` FROM `articles` WHERE `id` = 1 UNION SELECT `table_name` FROM `information_schema`.`tables` -- ",
            "[planner:1222]The used SELECT statements have a different number of columns",
        ),
        (
            "SELECT * FROM `articles` WHERE `id` = 1 AND extractvalue(1, concat(0x7e, (select user())))",
            "[expression:1305]FUNCTION extractvalue does not exist",
        ),
        (
            "SELECT * FROM `articles` WHERE `id` = '1''",
            "[parser:1064]You have an error in your SQL syntax; check the manual that corresponds to your TiDB version for the right syntax to use line 1 column 44 near \"'1''\" ",
        ),
    ];
    for (sql, error) in probes {
        tidb::failed(stage, TIDB[1], &conn, sql, error)?;
        stage.wait_ms(240)?;
    }
    stage.scribe.step("injection_blind", HOSTILE, "intruder", stage.now)?;
    let blind = move |_: &mut Stage<'_>| {
        let sql = "SELECT * FROM `articles` WHERE `id` = 7 AND (SELECT SLEEP(5) FROM `customers` WHERE `email` LIKE 'a%') -- x".to_owned();
        (conn.clone(), sql, 5.0, 0)
    };
    tidb::slow(stage, TIDB[1], &blind)?;
    stage.wait_ms(400)
}

fn grant(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("grant_backdoor", HOSTILE, "intruder", stage.now)?;
    let conn = Conn::new(stage, "reporting", INTRUDER);
    tidb::crucial(stage, TIDB[0], &conn, "", "create user `maint`@`%` identified by '******'")?;
    stage.wait_ms(150)?;
    tidb::crucial(stage, TIDB[0], &conn, "", "GRANT ALL PRIVILEGES ON *.* TO `maint`@`%` WITH GRANT OPTION")?;
    stage.wait_ms(400)
}

fn dump(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("dump_customers", HOSTILE, "intruder", stage.now)?;
    for table in ["customers", "payments", "orders"] {
        let conn = Conn::new(stage, "reporting", INTRUDER);
        let whole = move |_: &mut Stage<'_>| (conn.clone(), format!("SELECT * FROM `shop`.`{table}`"), 14.2, 812_340);
        tidb::slow(stage, TIDB[0], &whole)?;
        stage.wait_ms(500)?;
    }
    Ok(())
}

fn vectors(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("vectors_guesses", HOSTILE, "intruder", stage.now)?;
    for _ in 0..16 {
        milvus::login_failed(stage, "root", SECOND)?;
        stage.wait_ms(150)?;
    }
    stage.scribe.step("vectors_login", HOSTILE, "intruder", stage.now)?;
    milvus::login_ok(stage, "root", SECOND)?;
    stage.wait_ms(200)?;
    stage.scribe.step("vectors_backdoor", HOSTILE, "intruder", stage.now)?;
    milvus::ok(stage, "root", SECOND, "CreateCredential", "")?;
    milvus::ok(stage, "root", SECOND, "OperateUserRole", "")?;
    stage.wait_ms(200)?;
    stage.scribe.step("vectors_denied", HOSTILE, "intruder", stage.now)?;
    for method in ["DropCollection", "CreateCredential", "OperateUserRole", "DropCollection", "Insert", "Delete"] {
        milvus::denied(stage, "guest", SECOND, method, &format!("Privilege{method}"), "articles")?;
        stage.wait_ms(120)?;
    }
    stage.scribe.step("vectors_drop", HOSTILE, "intruder", stage.now)?;
    milvus::drop_collection(stage, "root", SECOND, "articles_backup")?;
    stage.wait_ms(300)
}

fn tampering(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.scribe.step("tampering_slow_log_off", HOSTILE, "intruder", stage.now)?;
    let conn = Conn::new(stage, "reporting", INTRUDER);
    tidb::set_global(stage, TIDB[0], &conn, "tidb_enable_slow_log", "OFF")?;
    stage.wait_ms(200)?;
    tidb::set_global(stage, TIDB[0], &conn, "tidb_general_log", "OFF")?;
    stage.wait_ms(200)?;
    stage.scribe.step("tampering_log_level", HOSTILE, "intruder", stage.now)?;
    pd::audit(stage, PD[0], "SetLogLevel", "HTTP/1.1/POST:/pd/api/v1/admin/log", INTRUDER, "\"fatal\"")?;
    pd::log_level(stage, PD[0], "fatal")?;
    stage.wait_ms(300)
}
