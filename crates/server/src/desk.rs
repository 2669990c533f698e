//! The alert desk: findings become alerts, people say what they think of them, and channels get told.
//!
//! Owns: the book and its copy in the state. A notification is owed before its alert is kept, and owed before it is sent: whatever ends the process,
//! the finding comes again (it is a record of `self`), and the outbox knows the notification by its revision.

use std::sync::Arc;

use alert::{Book, Kept, Line, Notifier, Reason, Said, SayError, Settings};
use event::{Alert, Clock, Finding, clock::DAY};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify};

use crate::{
    lines::Lines,
    state::{Owed, State, StateError},
};

/// Closed alerts stay in the working set for so long: late revisions of their findings are no news.
const CLOSED_KEPT_US: i64 = 7 * DAY;
/// Lines of evidence in a notification: the first ones and the last.
const LINES_MAX: usize = 5;

/// One channel: its settings and what renders for it.
pub struct Channel {
    /// The `[[notify]]`.
    pub settings: Settings,
    /// Renders.
    pub notifier: Box<dyn Notifier>,
}

/// What waits in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The alert as it was.
    pub alert: Alert,
    /// Why somebody is told.
    pub reason: Reason,
    /// Lines of evidence: (name, time, text).
    pub lines: Vec<(String, Option<i64>, String)>,
}

/// Why a word about an alert was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// It makes no sense.
    #[error(transparent)]
    Say(#[from] SayError),
    /// It could not be kept.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The desk.
pub struct Desk {
    book: Mutex<Book>,
    state: State,
    channels: Arc<Vec<Channel>>,
    lines: Arc<dyn Lines>,
    clock: Arc<dyn Clock>,
    /// Rung when something is owed.
    bell: Arc<Notify>,
}

impl Desk {
    /// A desk with what was kept over a restart.
    pub async fn open(
        state: State,
        channels: Arc<Vec<Channel>>,
        lines: Arc<dyn Lines>,
        clock: Arc<dyn Clock>,
        bell: Arc<Notify>,
    ) -> Result<Self, StateError> {
        let mut book = Book::default();
        for kept in state.working_set(clock.now() - CLOSED_KEPT_US).await? {
            book.restore(kept);
        }
        Ok(Self { book: Mutex::new(book), state, channels, lines, clock, bell })
    }

    /// Takes one finding. Known revisions change nothing.
    pub async fn take(&self, finding: &Finding) -> Result<(), StateError> {
        let mut book = self.book.lock().await;
        let now = self.clock.now();
        // A closed alert that has left the working set must not be opened again by a replay.
        if !book.knows(finding)
            && let Some(kept) = self.forgotten(finding).await?
        {
            book.restore(kept);
        }
        let Some(outcome) = book.take(finding, now) else { return Ok(()) };
        if let Some(reason) = outcome.tell {
            self.owe(&outcome.kept.alert, reason, None).await?;
        }
        // Last: if the process ends before this, the finding comes again and the outbox knows the notification by its revision.
        self.state.put_alert(&outcome.kept).await
    }

    async fn forgotten(&self, finding: &Finding) -> Result<Option<Kept>, StateError> {
        let filter = crate::state::AlertFilter {
            states: vec![event::AlertState::Closed],
            rule: Some(finding.rule.clone()),
            limit: 100,
            ..crate::state::AlertFilter::default()
        };
        let (closed, _) = self.state.alerts(&filter).await?;
        Ok(closed.into_iter().find(|k| k.alert.findings.contains_key(&finding.id)))
    }

    /// What a person says of an alert.
    pub async fn say(&self, id: &str, said: Said) -> Result<Kept, DeskError> {
        let mut book = self.book.lock().await;
        if book.get(id).is_none()
            && let Some(kept) = self.state.alert(id).await?
        {
            book.restore(kept);
        }
        let kept = book.say(id, said, self.clock.now())?;
        self.state.put_alert(&kept).await?;
        Ok(kept)
    }

    /// Sends a test to one channel, or to all; gives the test's id and the channels' names.
    pub async fn test(&self, channel: Option<&str>) -> Result<(String, Vec<String>), StateError> {
        let names: Vec<String> = self.channels.iter().map(|c| c.settings.name.clone()).filter(|n| channel.is_none_or(|c| c == n)).collect();
        let test = test_alert(self.clock.now());
        for name in &names {
            self.owe(&test, Reason::Test, Some(name)).await?;
        }
        Ok((test.id, names))
    }

    /// Owes a notification to every channel that wants this severity, or to one.
    async fn owe(&self, alert: &Alert, reason: Reason, only: Option<&str>) -> Result<(), StateError> {
        let wants = |c: &&Channel| only.map_or(alert.severity >= c.settings.min_severity, |name| name == c.settings.name);
        let wanted: Vec<&Channel> = self.channels.iter().filter(wants).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let lines = self.lines.of(&few(alert)).await;
        let lines = lines.into_iter().map(|Line { name, time, raw }| (name, time, raw)).collect();
        let body = serde_json::to_string(&Notification { alert: alert.clone(), reason, lines })
            .map_err(|e| StateError::Row(format!("writing a notification: {e}")))?;
        for channel in wanted {
            let owed =
                Owed { channel: channel.settings.name.clone(), alert: alert.id.clone(), revision: alert.revision, body: body.clone() };
            self.state.owe(&owed, self.clock.now()).await?;
        }
        self.bell.notify_waiters();
        Ok(())
    }

    /// Lets go of what was closed long ago.
    pub async fn forget(&self) {
        self.book.lock().await.forget(self.clock.now() - CLOSED_KEPT_US);
    }

    /// Findings that got no alert because the working set is full.
    pub async fn refused(&self) -> u64 {
        self.book.lock().await.refused()
    }
}

/// The evidence that a message shows.
fn few(alert: &Alert) -> Vec<event::Evidence> {
    let n = alert.evidence.len();
    let last = n.saturating_sub(1);
    alert.evidence.iter().enumerate().filter(|(i, _)| *i < LINES_MAX - 1 || *i == last).map(|(_, e)| e.clone()).collect()
}

fn test_alert(now: event::Micros) -> Alert {
    Alert {
        id: format!("test{now:x}"),
        state: event::AlertState::Open,
        rule: "bartizan-test".to_owned(),
        title: "This is a test of this channel: nothing happened".to_owned(),
        severity: event::Severity::Info,
        attack: Vec::new(),
        cluster: None,
        subject: std::collections::BTreeMap::new(),
        first_time: now,
        last_time: now,
        count: 1,
        findings: std::collections::BTreeMap::new(),
        evidence: Vec::new(),
        next: "Nothing. If you can read this, alerts will reach you here.".to_owned(),
        by: None,
        note: None,
        verdict: None,
        revision: 1,
        historical: false,
        created: now,
        updated: now,
    }
}
