//! Sessions that were ended, statements that the server stopped, statements that cost too much.

use event::{Event, Status, Text, action};

use super::part_of_process;
use crate::normalize::{
    columns::{act, move_conn, move_duration, move_txn, name_in, put, set_client, set_conn, set_reason, take, take_any, take_login},
    sql,
};

/// `kill` [conn=victim] [query] [maxExecutionTime] [runawayExceed].
pub fn kill(event: &mut Event<'_>) {
    if event.field_text("maxExecutionTime") == Some("true") {
        set_reason(event, "timeout");
    } else if event.field_text("runawayExceed") == Some("true") {
        set_reason(event, "runaway");
    }
}

/// `processInfo="{id:.., user:.., host:.., db:.., .. info:..}"`: the session whose statement was stopped.
fn process<'a>(event: &mut Event<'a>, whole: &Text<'a>) {
    if let Some(id) = part_of_process(whole, "id") {
        set_conn(event, id);
    }
    put(&mut event.user, part_of_process(whole, "user").and_then(|u| name_in(whole, u)));
    if let Some(host) = part_of_process(whole, "host") {
        set_client(event, whole, host);
    }
    put(&mut event.database, part_of_process(whole, "db").and_then(|d| name_in(whole, d)));
    put(&mut event.statement, part_of_process(whole, "info").and_then(|i| name_in(whole, i)));
}

/// A statement that ran too long.
pub fn stopped(event: &mut Event<'_>) {
    if let Some(info) = take(event, "processInfo") {
        process(event, &info);
    }
    move_duration(event, "costTime");
}

/// `global memory controller tries to kill ..`.
pub fn memory_controller(event: &mut Event<'_>) {
    move_conn(event, "conn");
    event.digest = take(event, "sql digest");
    event.statement = take(event, "sql text");
}

/// `expensive_query`, `expensive_txn`: a statement that still runs.
pub fn expensive(event: &mut Event<'_>) {
    facts(event);
    sql::apply(event, Status::Unknown, None);
}

/// `memory exceeds quota`: the same fields, another meaning.
pub fn expensive_memory(event: &mut Event<'_>) {
    facts(event);
    let activity = event.activity.unwrap_or(&action::APP_ERROR);
    act(event, activity, Status::Unknown);
}

fn facts(event: &mut Event<'_>) {
    take_login(event, "user");
    event.database = take(event, "database");
    event.statement = take_any(event, &["sql", "sql text"]);
    move_conn(event, "conn");
    move_conn(event, "conn_id");
    move_txn(event, "txn_start_ts");
    move_duration(event, "cost_time");
}
