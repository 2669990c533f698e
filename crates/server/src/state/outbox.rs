//! The outbox: what is owed to which channel. A row stays after its delivery, so that the same notification is never made twice.

use event::Micros;
use sqlx::Row as _;

use super::{State, StateError, failed};

/// A notification to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The channel's name.
    pub channel: String,
    /// The alert.
    pub alert: String,
    /// Its revision.
    pub revision: u32,
    /// What the notifier renders, as JSON.
    pub body: String,
}

/// One that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The row.
    pub id: i64,
    /// What.
    pub owed: Owed,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub created: Micros,
}

/// How a channel fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ChannelState {
    /// Its name.
    pub name: String,
    /// Delivered.
    pub delivered: u64,
    /// Waiting for the next attempt.
    pub waiting: u64,
    /// Given up.
    pub failed: u64,
    /// What the last one that was not delivered met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl State {
    /// Adds a notification, unless it was made before.
    pub async fn owe(&self, owed: &Owed, now: Micros) -> Result<(), StateError> {
        let put =
            "INSERT INTO outbox (channel, alert, revision, body, due, created) VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT DO NOTHING";
        let put = sqlx::query(put).bind(&owed.channel).bind(&owed.alert).bind(owed.revision).bind(&owed.body).bind(now);
        put.execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }

    /// Notifications of a channel whose time has come, oldest first.
    pub async fn due(&self, channel: &str, now: Micros, limit: u32) -> Result<Vec<Due>, StateError> {
        let find = "SELECT id, channel, alert, revision, body, attempts, created FROM outbox WHERE state = 'waiting' AND channel = ? AND due <= ? ORDER BY due, id LIMIT ?";
        let rows = sqlx::query(find).bind(channel).bind(now).bind(limit).fetch_all(&self.pool).await.map_err(failed("reading"))?;
        let due = |r: &sqlx::sqlite::SqliteRow| Due {
            id: r.get("id"),
            owed: Owed { channel: r.get("channel"), alert: r.get("alert"), revision: r.get("revision"), body: r.get("body") },
            attempts: r.get("attempts"),
            created: r.get("created"),
        };
        Ok(rows.iter().map(due).collect())
    }

    /// When the next one of a channel is due.
    pub async fn next_due(&self, channel: &str) -> Result<Option<Micros>, StateError> {
        let find = "SELECT min(due) AS at FROM outbox WHERE state = 'waiting' AND channel = ?";
        let row = sqlx::query(find).bind(channel).fetch_one(&self.pool).await;
        Ok(row.map_err(failed("reading"))?.get("at"))
    }

    /// Gives up what waits for channels that are none of these.
    pub async fn settle_others(&self, names: &[String]) -> Result<(), StateError> {
        let waiting = sqlx::query("SELECT DISTINCT channel FROM outbox WHERE state = 'waiting'").fetch_all(&self.pool).await;
        let gone = waiting
            .map_err(failed("reading"))?
            .iter()
            .map(|r| r.get::<String, _>("channel"))
            .filter(|c| !names.contains(c))
            .collect::<Vec<_>>();
        for channel in gone {
            let put = "UPDATE outbox SET state = 'failed', error = 'the configuration names no such channel any more' WHERE state = 'waiting' AND channel = ?";
            sqlx::query(put).bind(channel).execute(&self.pool).await.map_err(failed("writing"))?;
        }
        Ok(())
    }

    /// How the notifications of an alert fare: channel, state, what was met. Only those that were tried.
    pub async fn met(&self, alert: &str) -> Result<Vec<(String, String, Option<String>)>, StateError> {
        let find = "SELECT channel, state, error FROM outbox WHERE alert = ? AND attempts > 0 ORDER BY channel";
        let rows = sqlx::query(find).bind(alert).fetch_all(&self.pool).await.map_err(failed("reading"))?;
        Ok(rows.iter().map(|r| (r.get("channel"), r.get("state"), r.get("error"))).collect())
    }

    /// It was delivered, or is given up.
    pub async fn settle(&self, id: i64, delivered: bool, error: Option<&str>) -> Result<(), StateError> {
        let put = "UPDATE outbox SET state = ?, attempts = attempts + 1, error = ? WHERE id = ?";
        let put = sqlx::query(put).bind(if delivered { "delivered" } else { "failed" }).bind(error).bind(id);
        put.execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }

    /// It is tried again at `due`.
    pub async fn put_off(&self, id: i64, due: Micros, error: &str) -> Result<(), StateError> {
        let put = "UPDATE outbox SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?";
        sqlx::query(put).bind(due).bind(error).bind(id).execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }

    /// How the channels fare.
    pub async fn channels(&self) -> Result<Vec<ChannelState>, StateError> {
        let count = "SELECT channel, sum(state = 'delivered') AS delivered, sum(state = 'waiting') AS waiting, sum(state = 'failed') AS failed, \
                     (SELECT error FROM outbox e WHERE e.channel = o.channel AND e.error IS NOT NULL AND e.state <> 'delivered' ORDER BY id DESC LIMIT 1) AS error \
                     FROM outbox o GROUP BY channel ORDER BY channel";
        let rows = sqlx::query(count).fetch_all(&self.pool).await.map_err(failed("reading"))?;
        let number = |r: &sqlx::sqlite::SqliteRow, key: &str| r.get::<i64, _>(key).unsigned_abs();
        let state = |r: &sqlx::sqlite::SqliteRow| ChannelState {
            name: r.get("channel"),
            delivered: number(r, "delivered"),
            waiting: number(r, "waiting"),
            failed: number(r, "failed"),
            last_error: r.get("error"),
        };
        Ok(rows.iter().map(state).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_notification_is_owed_once() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let owed = Owed { channel: "mail".into(), alert: "a1".into(), revision: 1, body: "{}".into() };
        state.owe(&owed, 10).await.unwrap();
        state.owe(&owed, 20).await.unwrap();
        assert_eq!(state.due("mail", 9, 10).await.unwrap(), []);
        let due = state.due("mail", 10, 10).await.unwrap();
        assert_eq!(due.len(), 1);
        state.put_off(due[0].id, 500, "refused").await.unwrap();
        assert_eq!((state.due("mail", 499, 10).await.unwrap().len(), state.next_due("mail").await.unwrap()), (0, Some(500)));
        assert_eq!(state.channels().await.unwrap()[0].last_error.as_deref(), Some("refused"));
        state.settle(due[0].id, true, None).await.unwrap();
        state.owe(&owed, 600).await.unwrap();
        assert_eq!(state.next_due("mail").await.unwrap(), None);
        assert_eq!(state.channels().await.unwrap()[0].delivered, 1);
        assert_eq!(state.met("a1").await.unwrap(), [("mail".to_owned(), "delivered".to_owned(), None)]);
        state.owe(&Owed { channel: "pager".into(), ..owed.clone() }, 700).await.unwrap();
        state.settle_others(&["mail".to_owned()]).await.unwrap();
        assert_eq!((state.next_due("pager").await.unwrap(), state.channels().await.unwrap()[1].failed), (None, 1));
    }
}
