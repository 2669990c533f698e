//! The channels: one file each (settings, rendering, which answers are tried again, tests), one line in [`KINDS`].
//!
//! Must never send: a notifier renders an [`Outgoing`]; `server::deliver` takes it from there.

use event::Severity;

use crate::{Notice, Secret};

#[cfg(test)]
mod conformance;
mod email;
mod slack;
mod terminal;
mod webhook;

/// Every kind of notifier. Add one: a file beside this one, a line here; the conformance kit then runs over it.
pub const KINDS: &[Kind] = &[email::KIND, slack::KIND, terminal::KIND, webhook::KIND];

/// One kind of notifier.
#[derive(Clone, Copy)]
pub struct Kind {
    /// `kind = "..."` in the configuration.
    pub name: &'static str,
    /// The keys that it understands beside `name`, `kind`, `min_severity`.
    pub keys: &'static [&'static str],
    /// Checks the settings.
    pub build: fn(&Settings) -> Result<Box<dyn Notifier>, SettingsError>,
}

/// `[[notify]]`, its secrets resolved. Which keys a kind uses stands in its [`Kind::keys`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name that people and `alert test` use.
    pub name: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// Alerts below are not sent here.
    pub min_severity: Severity,
    /// Where to send: a URL. Secret, because that of Slack is one.
    pub target: Option<Secret>,
    /// Mail: the sender.
    pub from: Option<String>,
    /// Mail: the receivers.
    pub to: Vec<String>,
    /// Mail: the account at the server; without it `from`.
    pub user: Option<String>,
    /// Mail: the password. Webhook: the bearer token.
    pub password: Option<Secret>,
}

impl Settings {
    /// Settings of a kind with the default severity and nothing else.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            min_severity: Severity::Medium,
            target: None,
            from: None,
            to: Vec::new(),
            user: None,
            password: None,
        }
    }
    /// The notifier of these settings.
    pub fn build(&self) -> Result<Box<dyn Notifier>, SettingsError> {
        let kind = KINDS.iter().find(|k| k.name == self.kind).ok_or_else(|| SettingsError::Kind {
            name: self.name.clone(),
            kind: self.kind.clone(),
            known: KINDS.iter().map(|k| k.name).collect::<Vec<_>>().join(", "),
        })?;
        for (key, given) in [
            ("target", self.target.is_some()),
            ("from", self.from.is_some()),
            ("to", !self.to.is_empty()),
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
        ] {
            if given && !kind.keys.contains(&key) {
                return Err(SettingsError::Unused { name: self.name.clone(), kind: kind.name, key });
            }
        }
        (kind.build)(self)
    }
    fn bad(&self, key: &'static str, why: impl Into<String>) -> SettingsError {
        SettingsError::Bad { name: self.name.clone(), key, why: why.into() }
    }
    fn url(&self) -> Result<url::Url, SettingsError> {
        let target = self.target.as_ref().ok_or_else(|| self.bad("target", "it is missing"))?;
        url::Url::parse(target.expose()).map_err(|e| self.bad("target", format!("it is no URL: {e}")))
    }
}

/// What is wrong with a `[[notify]]`. Never shows a value: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No such kind.
    #[error("reading notify {name:?}: there is no kind {kind:?}; use one of {known}")]
    Kind {
        /// The `[[notify]]`.
        name: String,
        /// What it says.
        kind: String,
        /// What there is.
        known: String,
    },
    /// A key that the kind would ignore.
    #[error("reading notify {name:?}: kind {kind:?} does not use `{key}`; remove it")]
    Unused {
        /// The `[[notify]]`.
        name: String,
        /// Its kind.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A key that is missing or wrong.
    #[error("reading notify {name:?}: `{key}`: {why}")]
    Bad {
        /// The `[[notify]]`.
        name: String,
        /// The key.
        key: &'static str,
        /// What to do about it.
        why: String,
    },
}

/// What the sender must put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// POST of a JSON body.
    Http {
        /// Where; may carry a secret in its path.
        url: Secret,
        /// Names and values beside Content-Type.
        headers: Vec<(&'static str, Secret)>,
        /// JSON.
        body: String,
    },
    /// A mail.
    Smtp(Mail),
    /// Lines for the terminal of `serve`.
    Terminal(String),
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all: loopback only.
    Off,
    /// Plain first, then STARTTLS, refused if the server does not offer it (smtp://).
    StartTls,
    /// From the first byte (smtps://).
    Wrapped,
}

/// A mail and the server that takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Host name or address.
    pub host: String,
    /// 587, 465, 25 or what the target says.
    pub port: u16,
    /// Protection of the connection.
    pub tls: MailTls,
    /// Account and password.
    pub login: Option<(String, Secret)>,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// Without control characters.
    pub subject: String,
    /// `<...@...>`: the same for the same alert and revision.
    pub message_id: String,
    /// The alert's thread: every mail of one alert refers to it.
    pub thread: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What the other side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status, and Retry-After in seconds.
    Http {
        /// The status.
        status: u16,
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// An SMTP reply; 250 stands for accepted.
    Smtp(u16),
    /// No answer: no connection, a broken one, or none in time.
    Nothing,
    /// It was written (terminal).
    Written,
}

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Delivered,
    /// Try again, not before these seconds if given.
    Retry(Option<u64>),
    /// The same again would be refused again: a person must look at the settings.
    Refused,
}

/// Renders for one channel.
pub trait Notifier: Send + Sync {
    /// What to send. Everything in the alert may come from an attacker.
    fn render(&self, notice: &Notice<'_>) -> Outgoing;
    /// What an answer means.
    fn verdict(&self, answer: &Answer) -> Verdict {
        match *answer {
            Answer::Http { status, retry_after } => http_verdict(status, retry_after),
            Answer::Smtp(code) => smtp_verdict(code),
            Answer::Nothing => Verdict::Retry(None),
            Answer::Written => Verdict::Delivered,
        }
    }
}

/// 2xx is taken; 408, 425, 429 and 5xx (but 501, 505) may pass; the rest, redirects included, would be refused again.
fn http_verdict(status: u16, retry_after: Option<u64>) -> Verdict {
    match status {
        200..=299 => Verdict::Delivered,
        408 | 425 | 429 => Verdict::Retry(retry_after),
        501 | 505 => Verdict::Refused,
        500..=599 => Verdict::Retry(retry_after),
        _ => Verdict::Refused,
    }
}

/// RFC 5321 §4.2.1: 2yz is taken, 4yz may pass, 5yz is for ever.
fn smtp_verdict(code: u16) -> Verdict {
    match code {
        200..=299 => Verdict::Delivered,
        400..=499 => Verdict::Retry(None),
        _ => Verdict::Refused,
    }
}
