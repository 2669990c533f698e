//! Accounts, sessions and the setup link.

use event::Micros;
use sqlx::Row as _;

use super::{State, StateError, failed};

/// An account's name has at most this many characters.
pub const NAME_CHARS_MAX: usize = 64;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Argon2id, PHC string.
    pub hash: String,
}

impl State {
    /// Whether there is any account.
    pub async fn has_accounts(&self) -> Result<bool, StateError> {
        let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM users) AS any").fetch_one(&self.pool).await.map_err(failed("reading"))?;
        Ok(row.get::<i64, _>("any") == 1)
    }

    /// The accounts' names, sorted.
    pub async fn account_names(&self) -> Result<Vec<String>, StateError> {
        let rows = sqlx::query("SELECT name FROM users ORDER BY name").fetch_all(&self.pool).await.map_err(failed("reading"))?;
        Ok(rows.iter().map(|r| r.get("name")).collect())
    }

    /// One account.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StateError> {
        let row = sqlx::query("SELECT name, hash FROM users WHERE name = ?").bind(name).fetch_optional(&self.pool).await;
        Ok(row.map_err(failed("reading"))?.map(|r| Account { name: r.get("name"), hash: r.get("hash") }))
    }

    /// Makes an account or gives it a new password; all its sessions end.
    pub async fn put_account(&self, name: &str, hash: &str, now: Micros) -> Result<(), StateError> {
        let mut change = self.pool.begin().await.map_err(failed("writing"))?;
        put_account(&mut change, name, hash, now).await?;
        change.commit().await.map_err(failed("writing"))
    }

    /// Removes an account and ends its sessions. False if there is none of this name.
    pub async fn remove_account(&self, name: &str) -> Result<bool, StateError> {
        let mut change = self.pool.begin().await.map_err(failed("writing"))?;
        sqlx::query("DELETE FROM sessions WHERE user = ?").bind(name).execute(&mut *change).await.map_err(failed("writing"))?;
        let gone = sqlx::query("DELETE FROM users WHERE name = ?").bind(name).execute(&mut *change).await.map_err(failed("writing"))?;
        change.commit().await.map_err(failed("writing"))?;
        Ok(gone.rows_affected() > 0)
    }

    /// Makes the first account with the setup token. False if the token is not the one, is used, or is too old: then nothing changed.
    pub async fn set_up(&self, token_hash: &[u8], name: &str, hash: &str, now: Micros) -> Result<bool, StateError> {
        let mut change = self.pool.begin().await.map_err(failed("writing"))?;
        let used =
            sqlx::query("DELETE FROM setup WHERE token_hash = ? AND expires > ?").bind(token_hash).bind(now).execute(&mut *change).await;
        if used.map_err(failed("writing"))?.rows_affected() == 0 {
            return Ok(false);
        }
        put_account(&mut change, name, hash, now).await?;
        change.commit().await.map_err(failed("writing"))?;
        Ok(true)
    }

    /// A new setup link replaces the one before.
    pub async fn put_setup(&self, token_hash: &[u8], expires: Micros) -> Result<(), StateError> {
        let put = "INSERT INTO setup (id, token_hash, expires) VALUES (1, ?, ?) \
                   ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, expires = excluded.expires";
        sqlx::query(put).bind(token_hash).bind(expires).execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }

    /// A new session; those that have ended are forgotten.
    pub async fn put_session(&self, token_hash: &[u8], user: &str, now: Micros, expires: Micros) -> Result<(), StateError> {
        sqlx::query("DELETE FROM sessions WHERE expires <= ?").bind(now).execute(&self.pool).await.map_err(failed("writing"))?;
        let put = "INSERT INTO sessions (token_hash, user, created, expires) VALUES (?, ?, ?, ?)";
        sqlx::query(put).bind(token_hash).bind(user).bind(now).bind(expires).execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }

    /// Whose session this is.
    pub async fn session(&self, token_hash: &[u8], now: Micros) -> Result<Option<String>, StateError> {
        let find = "SELECT user FROM sessions WHERE token_hash = ? AND expires > ?";
        let row = sqlx::query(find).bind(token_hash).bind(now).fetch_optional(&self.pool).await.map_err(failed("reading"))?;
        Ok(row.map(|r| r.get("user")))
    }

    /// Ends a session.
    pub async fn end_session(&self, token_hash: &[u8]) -> Result<(), StateError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = ?").bind(token_hash).execute(&self.pool).await.map_err(failed("writing"))?;
        Ok(())
    }
}

/// The account as a part of a change; a name that is refused takes the whole change back.
async fn put_account(change: &mut sqlx::SqliteConnection, name: &str, hash: &str, now: Micros) -> Result<(), StateError> {
    let fine =
        !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && name.chars().all(|c| c.is_alphanumeric() || "._@-".contains(c));
    if !fine {
        return Err(StateError::Refused(format!("making the account {name:?}: use 1 to {NAME_CHARS_MAX} letters, digits and . _ @ -")));
    }
    let put = "INSERT INTO users (name, hash, created) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET hash = excluded.hash";
    sqlx::query(put).bind(name).bind(hash).bind(now).execute(&mut *change).await.map_err(failed("writing"))?;
    sqlx::query("DELETE FROM sessions WHERE user = ?").bind(name).execute(&mut *change).await.map_err(failed("writing"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_setup_link_works_once_and_not_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        assert!(!state.has_accounts().await.unwrap());
        state.put_setup(b"one", 100).await.unwrap();
        assert!(!state.set_up(b"other", "dba", "h", 50).await.unwrap());
        assert!(!state.set_up(b"one", "dba", "h", 100).await.unwrap(), "too late");
        state.put_setup(b"two", 100).await.unwrap();
        assert!(state.set_up(b"two", "d b a", "h", 50).await.is_err(), "no name");
        assert!(state.set_up(b"two", "dba", "h", 50).await.unwrap(), "and the link is still good");
        assert!(!state.set_up(b"two", "eve", "h", 50).await.unwrap(), "used");
        assert_eq!(state.account_names().await.unwrap(), ["dba"]);
    }

    #[tokio::test]
    async fn a_new_password_ends_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        state.put_account("dba", "h", 0).await.unwrap();
        state.put_session(b"t", "dba", 0, 100).await.unwrap();
        assert_eq!(state.session(b"t", 50).await.unwrap().as_deref(), Some("dba"));
        assert_eq!(state.session(b"t", 100).await.unwrap(), None);
        state.put_account("dba", "h2", 1).await.unwrap();
        assert_eq!(state.session(b"t", 50).await.unwrap(), None);
        assert!(state.put_account("a b", "h", 0).await.is_err());
        state.put_session(b"u", "dba", 0, 100).await.unwrap();
        assert!(state.remove_account("dba").await.unwrap() && !state.remove_account("dba").await.unwrap());
        assert_eq!(state.session(b"u", 50).await.unwrap(), None);
    }
}
