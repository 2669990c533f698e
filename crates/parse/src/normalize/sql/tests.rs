//! The table "SQL" of docs/specs/events.md, row by row, in the spellings of people and of TiDB's own shortened forms.

use super::*;

/// What a case expects: `action | database | object | type | target@host | role | privilege | val | scope`, `-` for none; the end may be left out.
fn shown(sql: &Sql<'_>) -> String {
    let text = |t: &Option<Cow<'_, str>>| t.as_deref().unwrap_or("-").to_owned();
    let target = match (&sql.target_user, &sql.target_host, sql.target_own) {
        (_, _, true) => "own".to_owned(),
        (None, None, _) => "-".to_owned(),
        (user, host, _) => {
            format!("{}{}{}", user.as_deref().unwrap_or(""), if host.is_some() { "@" } else { "" }, host.as_deref().unwrap_or(""))
        }
    };
    let all = [
        sql.activity.map_or("-", |a| a.action).to_owned(),
        text(&sql.database),
        text(&sql.object),
        sql.object_type.unwrap_or("-").to_owned(),
        target,
        text(&sql.role),
        format!("{}{}", text(&sql.privilege), if sql.grant_option { "+" } else { "" }),
        text(&sql.val),
        sql.scope.unwrap_or("-").to_owned(),
    ];
    let line = all.join(" | ");
    line.trim_end_matches(" | -").to_owned()
}

fn check(cases: &[(&str, &str)]) {
    for (text, want) in cases {
        assert_eq!(shown(&read(text)), *want, "{text}");
        // Cut anywhere it never fails; what it finds then is not the point.
        for end in (0..text.len()).filter(|e| text.is_char_boundary(*e)) {
            let _ = read(&text[..end]);
        }
    }
}

#[test]
fn accounts() {
    check(&[
        ("create user svc@'10.%' identified by 'x'", "account_change.create | - | - | - | svc@10.%"),
        (
            "CREATE USER IF NOT EXISTS 'a'@'%' IDENTIFIED WITH 'mysql_native_password' BY \"x\", b",
            "account_change.create | - | - | - | a@%",
        ),
        ("create user {svc@% password = ***}", "account_change.create | - | - | - | svc@%"),
        ("create user @%", "account_change.create | - | - | - | @%"),
        ("create user shadow@%", "account_change.create | - | - | - | shadow@%"),
        ("create user `x` @% identified by ‹clear!text1›", "account_change.create | - | - | - | x@%"),
        ("/* deploy */ create   user u7 identified\n by 'x'", "account_change.create | - | - | - | u7"),
        ("create user u identified by __masked_password__", "account_change.create | - | - | - | u"),
        ("create role r1, 'r2'@'%'", "group_management.create | - | - | - | - | r1, r2"),
        ("alter user u3 identified by 'x' account lock", "account_change.password_change | - | - | - | u3"),
        ("alter user {clerk@% password = ***}", "account_change.password_change | - | - | - | clerk@%"),
        ("alter user clerk@%", "account_change.update | - | - | - | clerk@%"),
        ("ALTER USER 'u'@'%' ACCOUNT LOCK", "account_change.lock | - | - | - | u@%"),
        ("alter user u account unlock", "account_change.unlock | - | - | - | u"),
        ("alter user u failed_login_attempts 3", "account_change.update | - | - | - | u"),
        ("alter user user() identified by 'x'", "account_change.password_change | - | - | - | own"),
        ("set password for user root@%", "account_change.password_change | - | - | - | root@%"),
        ("set password for 'u4'@'%' = 'x'", "account_change.password_change | - | - | - | u4@%"),
        ("SET PASSWORD FOR u5 = PASSWORD('x')", "account_change.password_change | - | - | - | u5"),
        ("set password = 'x'", "account_change.password_change | - | - | - | own"),
        ("set password for ? @% = ?", "account_change.password_change | - | - | - | @%"),
        ("rename user a@'%' to b@'%'", "account_change.update | - | b | - | a@%"),
        ("drop user if exists svc@'%', etl@'%'", "account_change.delete | - | - | - | svc@%"),
        ("drop role shadow", "group_management.delete | - | - | - | - | shadow"),
    ]);
    assert_eq!(read("drop user svc@'%', etl@'%'").targets, ["svc", "etl"]);
    assert_eq!(read("create user {a@% password = ***} {b@% password = ***}").targets, ["a", "b"]);
}

#[test]
fn privileges_and_roles() {
    check(&[
        ("grant super on *.* to app@'%'", "user_access.assign_privileges | - | *.* | - | app@% | - | SUPER"),
        ("GRANT ALL PRIVILEGES ON *.* TO dba@'%' WITH GRANT OPTION", "user_access.assign_privileges | - | *.* | - | dba@% | - | ALL+"),
        (
            "grant all on `sh``op`.* to u identified by 'x' with grant option",
            "user_access.assign_privileges | sh`op | sh`op.* | - | u | - | ALL+",
        ),
        (
            "grant select, insert (a, b),create user on shop.orders to u",
            "user_access.assign_privileges | shop | shop.orders | - | u | - | SELECT, INSERT, CREATE USER",
        ),
        (
            "grant select on mysql.user to seclog@'127.0.0.14'",
            "user_access.assign_privileges | mysql | mysql.user | - | seclog@127.0.0.14 | - | SELECT",
        ),
        ("grant select on table t to u", "user_access.assign_privileges | - | t | - | u | - | SELECT"),
        ("grant proxy on a to b", "user_access.assign_privileges | - | a | - | b | - | PROXY"),
        ("grant all privileges on *.* to shadow", "user_access.assign_privileges | - | *.* | - | shadow | - | ALL"),
        ("revoke super on *.* from app@'%'", "user_access.revoke_privileges | - | *.* | - | app@% | - | SUPER"),
        ("revoke if exists all privileges, grant option from u", "user_access.revoke_privileges | - | - | - | u | - | ALL, GRANT OPTION"),
        ("grant reporting to analyst@'%'", "group_management.add_user | - | - | - | analyst@% | reporting"),
        ("grant 'a'@'%', b to u with admin option", "group_management.add_user | - | - | - | u | a, b"),
        ("revoke reporting from analyst", "group_management.remove_user | - | - | - | analyst | reporting"),
        ("set default role r1 to u@'%'", "group_management.add_user | - | - | - | u@% | r1"),
        ("set role dba", "-"),
        ("grant super on *.*", "user_access.assign_privileges | - | *.* | - | - | - | SUPER"),
    ]);
}

#[test]
fn definitions() {
    check(&[
        ("create database shop", "datastore_activity.create | shop | shop | database"),
        ("CREATE SCHEMA IF NOT EXISTS `a b`", "datastore_activity.create | a b | a b | database"),
        ("create table t (id int, key(id))", "datastore_activity.create | - | t | table"),
        ("create table if not exists mysql.db (\n\tHost\t\tchar(60))", "datastore_activity.create | mysql | db | table"),
        ("create global temporary table a.b (c int) on commit delete rows", "datastore_activity.create | a | b | table"),
        (
            "create or replace algorithm = merge definer = 'a'@'%' sql security definer view shop.v as select 1",
            "datastore_activity.create | shop | v | view",
        ),
        ("create unique index i on shop.t (a)", "datastore_activity.create | shop | i | index"),
        ("create sequence s", "datastore_activity.create | - | s | sequence"),
        ("create placement policy p followers=2", "datastore_activity.create | - | p | placement policy"),
        ("create resource group if not exists rg ru_per_sec=1", "datastore_activity.create | - | rg | resource group"),
        ("alter table shop.orders drop column b, add c int", "datastore_activity.update | shop | orders | table"),
        ("alter database shop charset utf8mb4", "datastore_activity.update | shop | shop | database"),
        ("rename table shop.a to shop.b", "datastore_activity.update | shop | a | table"),
        ("flashback table shop.t to t2", "datastore_activity.update | shop | t | table"),
        ("recover table by job 7", "datastore_activity.update | - | - | table"),
        ("flashback cluster to timestamp '2026-01-01'", "datastore_activity.update | - | - | cluster"),
        ("flashback database d", "datastore_activity.update | d | d | database"),
        ("DROP /*!40101 TABLE */ IF EXISTS `t`;", "datastore_activity.delete | - | t | table"),
        ("dr/**/op table t", "-"),
        ("drop/**/table shop.t, b", "datastore_activity.delete | shop | t | table"),
        ("drop database staging", "datastore_activity.delete | staging | staging | database"),
        ("drop view shop.v_cards", "datastore_activity.delete | shop | v_cards | view"),
        ("drop index email on customers", "datastore_activity.delete | - | email | index"),
        ("truncate table shop.secrets", "datastore_activity.delete | shop | secrets | table"),
        ("truncate secrets", "datastore_activity.delete | - | secrets | table"),
    ]);
    assert_eq!(read("drop table a.x, y").objects, ["x", "y"]);
    assert_eq!(read("create index i on shop.t (a)").table.as_deref(), Some("t"));
}

#[test]
fn settings() {
    check(&[
        ("set global tidb_general_log = 1", "event_log_activity.enable | - | tidb_general_log | - | - | - | - | 1 | global"),
        ("SET @@GLOBAL.`tidb_general_log`=_UTF8MB4'ON'", "event_log_activity.enable | - | tidb_general_log | - | - | - | - | ON | global"),
        (
            "set @@global.TIDB_ENABLE_SLOW_LOG := off",
            "event_log_activity.disable | - | tidb_enable_slow_log | - | - | - | - | off | global",
        ),
        (
            "set session a = 1, @b = 'x,y', global local_infile = on, persist tidb_redact_log = 'OFF'",
            "event_log_activity.update | - | tidb_redact_log | - | - | - | - | OFF | persist",
        ),
        (
            "set global validate_password.length = 4",
            "device_config_state_change.update | - | validate_password.length | - | - | - | - | 4 | global",
        ),
        ("set global x = concat('a', 'b'), y = 2", "device_config_state_change.update | - | x | - | - | - | - | concat('a', 'b') | global"),
        (
            "set global transaction isolation level read committed",
            "device_config_state_change.update | - | transaction_isolation | - | - | - | - | - | global",
        ),
        (
            "set config tikv `split.qps-threshold` = 1000",
            "device_config_state_change.update | - | split.qps-threshold | - | - | - | - | 1000",
        ),
        ("set config \"10.0.0.1:20180\" log.level = 'error'", "device_config_state_change.update | - | log.level | - | - | - | - | error"),
        ("alter instance reload tls", "device_config_state_change.update | - | tls"),
        ("create global binding for select 1 using select 1", "device_config_state_change.update | - | binding | binding"),
        ("set binding disabled for select 1", "device_config_state_change.update | - | binding | binding"),
        ("drop session binding for select 1", "device_config_state_change.update | - | binding | binding"),
        ("kill tidb query 2097478", "network_activity.close | - | 2097478"),
        ("shutdown", "application_lifecycle.stop"),
        ("set names utf8mb4", "-"),
        ("set session tidb_general_log = 1", "-"),
        ("set autocommit=0", "-"),
        ("set @@session.a = 1", "-"),
        ("set @x = 1", "-"),
        ("set glob(len:49)", "-"),
        ("set", "-"),
    ]);
}

#[test]
fn rows() {
    check(&[
        ("select * from shop.orders where id = 1", "datastore_activity.query | shop | orders"),
        ("(select a from t1) union (select b from t2)", "datastore_activity.query | - | t1"),
        ("SELECT extract(day from d), (select max(x) from inner_t) FROM `t` o JOIN u", "datastore_activity.query | - | t"),
        ("select a from (select b from (select c from deep.t) x) y", "datastore_activity.query | deep | t"),
        ("select trim(both 'x' from y)", "datastore_activity.query"),
        ("select (select a from sub.t)", "datastore_activity.query | sub | t"),
        ("select 1", "datastore_activity.query"),
        ("select 'x from y' -- from z", "datastore_activity.query"),
        ("with c as (select * from real_t) select * from c", "datastore_activity.query | - | real_t"),
        ("with c as (select 1 from x) delete from shop.t where id in (select * from c)", "datastore_activity.write | shop | t"),
        ("table shop.t", "datastore_activity.query | shop | t"),
        ("explain analyze format='brief' select * from t", "datastore_activity.query | - | t"),
        ("desc shop.t", "datastore_activity.list | shop | t"),
        ("show create table shop.t", "datastore_activity.list | shop | t"),
        ("show full columns from t", "datastore_activity.list | - | t"),
        ("show tables from shop like 'a'", "datastore_activity.list | shop"),
        ("show grants for dba@'%'", "datastore_activity.list"),
        ("insert into shop.orders values (1)", "datastore_activity.write | shop | orders"),
        ("insert into `t` values ( ‹1› ) , ( ‹1› )", "datastore_activity.write | - | t"),
        ("REPLACE LOW_PRIORITY INTO t SET a=1", "datastore_activity.write | - | t"),
        ("update /*+ x */ shop.t set a = 1", "datastore_activity.write | shop | t"),
        (" UPDATE t1 SET t='newval' WHERE id = 1;", "datastore_activity.write | - | t1"),
        ("delete from mysql.user where user = 'x'", "datastore_activity.write | mysql | user"),
        ("delete a, b from a join b", "datastore_activity.write | - | a"),
        ("batch on id limit 100 delete from t", "datastore_activity.write | - | t"),
        ("load data local infile '/in.csv' into table shop.s", "datastore_activity.write | shop | s"),
        ("import into shop.t from 's3://b/f.csv'", "datastore_activity.write | shop | t"),
        ("BACKUP DATABASE `shop` TO 'local:///bk'", "datastore_activity.read | shop | shop | database"),
        ("backup database * to 's3://b'", "datastore_activity.read | - | * | database"),
        ("restore table shop.t from 's3://b'", "datastore_activity.write | shop | t | table"),
        ("load stats '/x'", "-"),
        ("flush privileges", "-"),
        ("admin show ddl jobs", "-"),
        ("begin", "-"),
        ("use `shop`", "-"),
        ("prepare s from 'drop table t'", "-"),
        ("selct 1", "-"),
        ("", "-"),
        ("\u{1}\u{0}\u{0}", "-"),
        ("averyveryverylongword x", "-"),
    ]);
}

#[test]
fn several_statements_give_the_first_that_matters() {
    check(&[
        ("select 1; drop table shop.t; grant super on *.* to x", "datastore_activity.delete | shop | t | table"),
        ("select ';drop table t' from a; select 2 from b", "datastore_activity.query | - | a"),
        ("begin; insert into t values (1); commit", "datastore_activity.write | - | t"),
        ("select * from customers where name = 'x'; drop table customers -- '", "datastore_activity.delete | - | customers | table"),
        (";;;", "-"),
    ]);
}

#[test]
fn a_long_text_takes_linear_time_and_is_looked_at_within_bounds() {
    for piece in ["select 1;", "(", "from (select ", "a,", "set global x=1,", "'", "`a`.", "/*", "grant a,", "--\n", "‹", "{", "@", "u@"]
    {
        for head in ["", "select ", "grant ", "create user ", "set ", "drop table ", "with "] {
            let text = format!("{head}{}", piece.repeat(LOOK_BYTES_MAX / piece.len() + 64));
            let _ = read(&text);
        }
    }
    let late = format!("select '{}'; drop table t", "x".repeat(LOOK_BYTES_MAX));
    assert_eq!(shown(&read(&late)), "datastore_activity.query");
}

#[test]
fn a_cut_statement_is_marked() {
    for (text, cut) in
        [("set glob(len:49)", true), ("‹selec(len:41);", true), ("select f(len:x)", false), ("select 1", false), ("(len:)", false)]
    {
        assert_eq!(is_cut(text), cut, "{text}");
    }
}
