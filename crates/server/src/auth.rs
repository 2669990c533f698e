//! Who may in: passwords (Argon2id), sessions, the one-use setup link, and how fast one may guess. Must never log or return a secret.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use event::{
    Micros,
    clock::{HOUR, MINUTE},
};
use sha2::{Digest as _, Sha256};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Semaphore, SemaphorePermit},
    task::JoinHandle,
};

/// A session ends after this long.
pub const SESSION_US: Micros = 12 * HOUR;
/// The setup link works for this long.
pub const SETUP_US: Micros = 15 * MINUTE;
/// A password has at least and at most so many bytes.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 12..=1024;
/// After so many wrong passwords in a row an answer takes longer, twice as long each time, up to [`WAIT_MAX`].
const FREE_TRIES: u32 = 3;
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Names whose wrong passwords are counted; beyond it the oldest half is forgotten.
const NAMES_MAX: usize = 10_000;

/// A random token of 256 bits as text, and the hash under which it is kept.
pub fn new_token() -> Result<(String, Vec<u8>), String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| format!("the system gave no random bytes: {e}"))?;
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let hash = token_hash(&token);
    Ok((token, hash))
}

/// The hash under which a token is kept.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Hashes a password; takes some 50 ms, so on a blocking thread.
pub async fn hash(password: String) -> Result<String, String> {
    if !PASSWORD_BYTES.contains(&password.len()) {
        return Err(format!("the password must have {} to {} bytes", PASSWORD_BYTES.start(), PASSWORD_BYTES.end()));
    }
    let made = on_hasher(move || {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|e| format!("the system gave no random bytes: {e}"))?;
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(|e| e.to_string())?;
        Ok(hash.to_string())
    });
    made.await.map_err(|e| e.to_string())?
}

/// So many passwords are hashed at a time, 19 MiB each; more wait up to [`HASH_WAIT`].
const HASHERS: usize = 2;
static HASHING: Semaphore = Semaphore::const_new(HASHERS);
const HASH_WAIT: Duration = Duration::from_secs(5);

/// Threads that do nothing but hash, and never end: the memory of a hash stays with the allocator's part for its thread, so any thread that ever hashed
/// would keep some.
static HASHER: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let threads =
        Builder::new_current_thread().max_blocking_threads(HASHERS).thread_keep_alive(Duration::MAX).thread_name("passwords").build();
    threads.ok()
});

fn on_hasher<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match &*HASHER {
        Some(threads) => threads.spawn_blocking(work),
        None => tokio::task::spawn_blocking(work),
    }
}

/// A turn to hash; none where too many others want one.
pub async fn turn() -> Option<SemaphorePermit<'static>> {
    tokio::time::timeout(HASH_WAIT, HASHING.acquire()).await.ok()?.ok()
}

/// Whether a password belongs to a hash. Without a hash (no such account) it takes as long and says no.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let checked = on_hasher(move || {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        let fits = PasswordHash::new(&text).is_ok_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok());
        fits && known
    });
    checked.await.unwrap_or(false)
}

/// The hash of no password: 32 zero bytes never come out of Argon2 in practice.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How often somebody was wrong in a row. An attempt counts as wrong from its beginning, so that attempts side by side are no way around the wait.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<String, (u32, Instant)>>);

impl Throttle {
    /// Begins an attempt for this name, or says how long the next one must wait.
    pub fn begin(&self, name: &str) -> Result<(), Duration> {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((n, since)) = wrong.get(name)
            && let Some(over) = n.checked_sub(FREE_TRIES + 1)
        {
            let wait = Duration::from_secs(1 << over.min(5)).min(WAIT_MAX).saturating_sub(since.elapsed());
            if !wait.is_zero() {
                return Err(wait);
            }
        }
        if wrong.len() >= NAMES_MAX {
            let mut times: Vec<Instant> = wrong.values().map(|(_, t)| *t).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            wrong.retain(|_, (_, t)| *t > middle);
        }
        let entry = wrong.entry(name.to_owned()).or_insert((0, Instant::now()));
        *entry = (entry.0.saturating_add(1), Instant::now());
        Ok(())
    }
    /// The attempt was right.
    pub fn right(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_only() {
        let made = hash("correct horse".into()).await.unwrap();
        assert!(made.starts_with("$argon2id$"));
        assert!(verify("correct horse".into(), Some(made.clone())).await);
        assert!(!verify("correct horsE".into(), Some(made)).await);
        assert!(!verify("correct horse".into(), None).await);
        assert!(hash("short".into()).await.is_err());
        assert!(PasswordHash::new(NOBODY).is_ok(), "a guess at nobody must cost the same");
    }

    #[test]
    fn wrong_passwords_are_answered_slower() {
        let throttle = Throttle::default();
        for _ in 0..=FREE_TRIES {
            assert_eq!(throttle.begin("dba"), Ok(()));
        }
        assert!(throttle.begin("dba").is_err());
        assert_eq!(throttle.begin("other"), Ok(()));
        throttle.right("dba");
        assert_eq!(throttle.begin("dba"), Ok(()));
    }

    #[test]
    fn tokens_differ_and_are_kept_as_hashes() {
        let (a, hash) = new_token().unwrap();
        assert_ne!(a, new_token().unwrap().0);
        assert_eq!(token_hash(&a), hash);
        assert!(a.len() >= 43);
    }
}
