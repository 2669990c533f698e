#![allow(clippy::unwrap_used, clippy::expect_used)]
use event::{FindingKind, clock::MINUTE};

use super::*;

fn finding(id: &str, revision: u32, severity: Severity, user: &str) -> Finding {
    Finding {
        id: id.into(),
        revision,
        time: 0,
        kind: FindingKind::Correlation,
        rule: "tidb-bruteforce-ip".into(),
        title: format!("failed logins of {user}"),
        severity,
        attack: vec!["T1110.001".into()],
        subject: BTreeMap::from([("user".into(), user.into())]),
        cluster: Some("prod".into()),
        first_time: MINUTE,
        last_time: 2 * MINUTE,
        count: 5 * u64::from(revision),
        suppressed: 0,
        score: 50,
        evidence: vec![Evidence::Stored { log: "000000ab.prod.security".into(), seq: u64::from(revision) }],
        next: "look".into(),
        delayed: false,
        historical: false,
        merged_into: None,
        withdrawn: false,
    }
}

#[test]
fn one_cause_is_one_alert_and_tells_once() {
    let mut book = Book::default();
    let one = book.take(&finding("f1", 1, Severity::Medium, "root"), 10).unwrap();
    assert_eq!((one.tell, one.kept.alert.count), (Some(Reason::New), 5));
    let grown = book.take(&finding("f1", 2, Severity::Medium, "root"), 11).unwrap();
    assert_eq!((grown.tell, grown.kept.alert.count), (None, 10));
    let second = book.take(&finding("f2", 1, Severity::Medium, "root"), 12).unwrap();
    assert_eq!((second.tell, second.kept.alert.count, &second.kept.alert.id), (None, 15, &one.kept.alert.id));
    let raised = book.take(&finding("f2", 2, Severity::High, "root"), 13).unwrap();
    assert_eq!((raised.tell, raised.kept.alert.severity, raised.kept.alert.revision), (Some(Reason::Raised), Severity::High, 4));
    assert_ne!(book.take(&finding("f3", 1, Severity::Medium, "eve"), 14).unwrap().kept.alert.id, one.kept.alert.id);
}

#[test]
fn a_replay_changes_nothing_also_over_a_restart() {
    let mut book = Book::default();
    let kept = book.take(&finding("f1", 2, Severity::High, "root"), 10).unwrap().kept;
    let json = serde_json::to_string(&kept).unwrap();
    let mut again = Book::default();
    again.restore(serde_json::from_str(&json).unwrap());
    assert_eq!(again.take(&finding("f1", 1, Severity::High, "root"), 20), None);
    assert_eq!(again.take(&finding("f1", 2, Severity::High, "root"), 20), None);
    assert!(again.knows(&finding("f1", 2, Severity::High, "root")));
}

#[test]
fn closed_frees_the_cause_and_a_late_revision_stays_with_it() {
    let mut book = Book::default();
    let id = book.take(&finding("f1", 1, Severity::High, "root"), 10).unwrap().kept.alert.id;
    let said = |state, verdict: Option<&str>| Said { state, by: "ann".into(), note: None, verdict: verdict.map(Into::into) };
    assert_eq!(book.say(&id, said(AlertState::Closed, Some("maybe")), 11), Err(SayError::Verdict("maybe".into())));
    let closed = book.say(&id, said(AlertState::Closed, Some("benign")), 11).unwrap();
    assert_eq!((closed.alert.by.as_deref(), closed.alert.verdict.as_deref()), (Some("ann"), Some("benign")));
    let late = book.take(&finding("f1", 2, Severity::High, "root"), 12).unwrap();
    assert_eq!((late.tell, late.kept.alert.state), (None, AlertState::Closed));
    let next = book.take(&finding("f2", 1, Severity::High, "root"), 13).unwrap();
    assert_eq!(next.tell, Some(Reason::New));
    assert_ne!(next.kept.alert.id, id);
}

#[test]
fn an_import_tells_nobody_until_it_is_live() {
    let mut book = Book::default();
    let old = Finding { historical: true, ..finding("f1", 1, Severity::Critical, "root") };
    let outcome = book.take(&old, 10).unwrap();
    assert_eq!((outcome.tell, outcome.kept.alert.historical), (None, true));
    let live = book.take(&finding("f2", 1, Severity::Medium, "root"), 11).unwrap();
    assert_eq!((live.tell, live.kept.alert.historical), (Some(Reason::New), false));
}

#[test]
fn withdrawn_closes_and_merged_counts_once() {
    let mut book = Book::default();
    book.take(&finding("f1", 1, Severity::High, "root"), 10).unwrap();
    book.take(&finding("f2", 1, Severity::High, "root"), 10).unwrap();
    let merged = Finding { merged_into: Some("f1".into()), ..finding("f2", 2, Severity::High, "root") };
    assert_eq!(book.take(&merged, 11).unwrap().kept.alert.count, 5);
    let gone = Finding { withdrawn: true, ..finding("f1", 2, Severity::High, "root") };
    assert_eq!(book.take(&gone, 12).unwrap().kept.alert.state, AlertState::Closed);
    assert_eq!(book.take(&finding("f3", 1, Severity::High, "root"), 13).unwrap().tell, Some(Reason::New));
}

#[test]
fn comes_back_after_a_quiet_hour() {
    let mut book = Book::default();
    book.take(&finding("f1", 1, Severity::High, "root"), 10).unwrap();
    let later = Finding { first_time: 3 * HOUR, last_time: 3 * HOUR, ..finding("f2", 1, Severity::High, "root") };
    assert_eq!(book.take(&later, 11).unwrap().tell, Some(Reason::Again));
}

#[test]
fn evidence_keeps_first_and_last() {
    let mut have = Vec::new();
    let line = |seq| Evidence::Stored { log: "l".into(), seq };
    merge_evidence(&mut have, &(0..200).map(line).collect::<Vec<_>>());
    assert_eq!((have.len(), &have[0], &have[EVIDENCE_MAX - 1]), (EVIDENCE_MAX, &line(0), &line(199)));
}
