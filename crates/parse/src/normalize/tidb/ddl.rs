//! Jobs that change definitions: each act prints many lines, tied by the job's id.

use std::borrow::Cow;

use event::{Activity, Event, Status, Text, action};

use super::move_field;
use crate::normalize::{
    columns::{act, part, put, set_field, split, take},
    errors::set_error,
    sql,
};

/// `ID:143, Type:drop table, State:synced, ..` -> the job's id and type.
fn id_and_type(text: &str) -> (Option<&str>, Option<&str>) {
    let text = text.trim_start_matches(['[', '{']);
    let id = text.strip_prefix("ID:").and_then(|t| t.split_once(',')).map(|(id, _)| id);
    let kind = split(text, " Type:").and_then(|(_, t)| t.split_once(',')).map(|(kind, _)| kind);
    (id.filter(|i| !i.is_empty() && i.bytes().all(|b| b.is_ascii_digit())), kind.filter(|k| !k.is_empty()))
}

/// `fields.job_id` and `fields.job_type`, from `jobID` or from the text of `job`, `jobs`; gives the type.
fn job<'a>(event: &mut Event<'a>) -> Option<Text<'a>> {
    move_field(event, "jobID", "job_id");
    let whole = event.fields.iter().find(|(k, _)| k == "job" || k == "jobs").map(|(_, v)| v.clone())?;
    let whole = crate::normalize::columns::text_of(whole)?;
    let (id, kind) = id_and_type(&whole);
    if let (Some(id), None) = (id, event.field("job_id")) {
        set_field(event, "job_id", part(&whole, id));
    }
    let kind = part(&whole, kind?);
    set_field(event, "job_type", kind.clone());
    Some(kind)
}

/// A line of a job that says nothing of its own.
pub fn step(event: &mut Event<'_>) {
    job(event);
}

/// `DDL job submitted`.
pub fn submitted(event: &mut Event<'_>) {
    job(event);
    event.statement = take(event, "query");
    sql::apply(event, Status::Unknown, None);
}

/// What a job of a type does, and to which type of thing.
fn activity_of(kind: &str) -> (&'static Activity, Option<&'static str>) {
    const THINGS: &[(&str, &str)] = &[
        ("schema", "database"),
        ("table", "table"),
        ("tables", "table"),
        ("view", "view"),
        ("index", "index"),
        ("sequence", "sequence"),
        ("placement policy", "placement policy"),
        ("resource group", "resource group"),
    ];
    let (verb, thing) = kind.split_once(' ').unwrap_or((kind, ""));
    let object = THINGS.iter().find(|(name, _)| *name == thing).map(|(_, of)| *of);
    let activity = match (verb, object) {
        ("create", Some(_)) | ("add", Some("index")) => &action::DATA_CREATE,
        ("drop" | "truncate", Some(_)) => &action::DATA_DELETE,
        _ => &action::DATA_UPDATE,
    };
    (activity, object)
}

fn ended(event: &mut Event<'_>, status: Status) {
    let kind = job(event).unwrap_or(Cow::Borrowed(""));
    let (activity, object) = activity_of(&kind);
    act(event, activity, status);
    if let Some(object) = object {
        set_field(event, "object_type", Cow::Borrowed(object));
    }
}

/// `finish DDL job`: also printed for a job that was rolled back.
pub fn finished(event: &mut Event<'_>) {
    let undone = ["job", "jobs"]
        .iter()
        .filter_map(|k| event.field_text(k))
        .any(|t| t.contains("State:rollback done") || t.contains("State:cancelled"));
    ended(event, super::status_of(undone));
}

/// `DDL job is cancelled normally`, `DDL job is failed`.
pub fn failed(event: &mut Event<'_>) {
    ended(event, Status::Failure);
    if let Some(error) = take(event, "error") {
        set_error(event, &error);
    }
    put(&mut event.status, Some(Status::Failure));
}
