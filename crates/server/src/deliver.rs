//! Sends what the outbox owes: HTTP, SMTP, the terminal. The only place that opens a connection to tell somebody.
//!
//! Owns: timeouts, retries with growing pauses, giving up. At least once, with the same id on every attempt. No secret ever reaches an error.

use std::{sync::Arc, time::Duration};

use alert::{
    Answer, Line, Notice, Outgoing, Secret, Verdict,
    notifiers::{Mail, MailTls},
};
use event::{
    Clock, Micros,
    clock::{DAY, MINUTE, SECOND},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{MultiPart, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    desk::{Channel, Notification},
    state::{Due, State, StateError},
};

/// One attempt takes at most this long.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
/// The first pause; each is twice the one before, up to [`PAUSE_MAX`].
const PAUSE: Micros = SECOND;
const PAUSE_MAX: Micros = 15 * MINUTE;
/// After this long a notification is given up and counted as failed.
const GIVE_UP: Micros = DAY;
/// Taken from the outbox at once.
const BATCH: u32 = 32;
/// An error text in the outbox has at most this many characters.
const ERROR_CHARS_MAX: usize = 300;

/// Writes for the terminal of `serve`.
pub type Print = Arc<dyn Fn(&str) + Send + Sync>;

/// The sender.
pub struct Deliverer {
    state: State,
    channels: Arc<Vec<Channel>>,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    bell: Arc<Notify>,
    print: Print,
    /// Where the console answers.
    console: Option<String>,
}

/// What an attempt met: the answer, and words for the outbox without secrets.
struct Met {
    answer: Answer,
    words: String,
}

impl Deliverer {
    /// A sender; nothing is sent before [`Self::run`].
    pub fn new(
        state: State,
        channels: Arc<Vec<Channel>>,
        clock: Arc<dyn Clock>,
        bell: Arc<Notify>,
        print: Print,
        console: Option<String>,
    ) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .timeout(ATTEMPT_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("bartizan/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| format!("preparing to send over HTTP: {e}"))?;
        Ok(Self { state, channels, http, clock, bell, print, console })
    }

    /// Sends until it is dropped. Every channel goes its own way: one that hangs holds up nobody else.
    pub async fn run(self) {
        let me = Arc::new(self);
        let names: Vec<String> = me.channels.iter().map(|c| c.settings.name.clone()).collect();
        if let Err(e) = me.state.settle_others(&names).await {
            tracing::error!(error = %e, "notifications of channels that are gone cannot be looked up");
        }
        let mut lanes = JoinSet::new();
        for name in names {
            lanes.spawn(Arc::clone(&me).lane(name));
        }
        while lanes.join_next().await.is_some() {}
    }

    /// Sends what one channel is owed.
    async fn lane(self: Arc<Self>, channel: String) {
        loop {
            let rung = self.bell.notified();
            tokio::pin!(rung);
            // From here on no ring is missed, also while the round lasts.
            rung.as_mut().enable();
            let wait = match self.round(&channel).await {
                Ok(wait) => wait,
                Err(e) => {
                    tracing::error!(error = %e, "the outbox cannot be read; it is tried again");
                    Duration::from_secs(5)
                }
            };
            tokio::select! {
                () = rung => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends everything that is due; gives the time until the next.
    async fn round(&self, channel: &str) -> Result<Duration, StateError> {
        loop {
            let due = self.state.due(channel, self.clock.now(), BATCH).await?;
            if due.is_empty() {
                break;
            }
            futures::future::try_join_all(due.iter().map(|d| self.attempt(d))).await?;
        }
        let next = self.state.next_due(channel).await?.map_or(MINUTE, |at| (at - self.clock.now()).clamp(0, MINUTE));
        Ok(Duration::from_micros(next.unsigned_abs()))
    }

    async fn attempt(&self, due: &Due) -> Result<(), StateError> {
        let Some(channel) = self.channels.iter().find(|c| c.settings.name == due.owed.channel) else {
            return self.state.settle(due.id, false, Some("the configuration names no such channel any more")).await;
        };
        let Ok(body) = serde_json::from_str::<Notification>(&due.owed.body) else {
            return self.state.settle(due.id, false, Some("the notification cannot be read")).await;
        };
        let lines: Vec<Line> = body.lines.into_iter().map(|(name, time, raw)| Line { name, time, raw }).collect();
        let notice = Notice { alert: &body.alert, reason: body.reason, lines: &lines, console: self.console.as_deref() };
        let met = self.send(channel.notifier.render(&notice)).await;
        let now = self.clock.now();
        match channel.notifier.verdict(&met.answer) {
            Verdict::Delivered => self.state.settle(due.id, true, None).await,
            Verdict::Refused => {
                tracing::warn!(channel = %due.owed.channel, alert = %due.owed.alert, met = %met.words, "a notification was refused for good");
                self.state.settle(due.id, false, Some(&met.words)).await
            }
            Verdict::Retry(_) if now - due.created > GIVE_UP => {
                tracing::warn!(channel = %due.owed.channel, alert = %due.owed.alert, met = %met.words, "a notification is given up");
                self.state.settle(due.id, false, Some(&met.words)).await
            }
            Verdict::Retry(after) => {
                let pause = (PAUSE << due.attempts.min(20)).min(PAUSE_MAX);
                let asked = after.map_or(0, |s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(SECOND)).min(GIVE_UP);
                self.state.put_off(due.id, now + pause.max(asked), &met.words).await
            }
        }
    }

    async fn send(&self, out: Outgoing) -> Met {
        match out {
            Outgoing::Terminal(text) => {
                (self.print)(&text);
                Met { answer: Answer::Written, words: String::new() }
            }
            Outgoing::Http { url, headers, body } => self.post(&url, &headers, body).await,
            Outgoing::Smtp(mail) => match tokio::time::timeout(ATTEMPT_MAX, smtp(&mail)).await {
                Ok(met) => met,
                Err(_) => {
                    Met { answer: Answer::Nothing, words: format!("the mail server {}:{} did not answer in time", mail.host, mail.port) }
                }
            },
        }
    }

    async fn post(&self, url: &Secret, headers: &[(&'static str, Secret)], body: String) -> Met {
        let mut request = self.http.post(url.expose()).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, value.expose());
        }
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let retry_after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
                Met { answer: Answer::Http { status, retry_after }, words: format!("the receiver answered {status}") }
            }
            Err(e) => Met { answer: Answer::Nothing, words: cut(&chain(&e.without_url(), &[url])) },
        }
    }
}

/// An error with its causes, without these secrets.
fn chain(error: &dyn std::error::Error, secrets: &[&Secret]) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Many errors repeat their cause in their own words.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    secrets.iter().fold(text, |text, secret| secret.scrub(&text))
}

fn cut(text: &str) -> String {
    text.chars().take(ERROR_CHARS_MAX).collect()
}

async fn smtp(mail: &Mail) -> Met {
    match try_smtp(mail).await {
        Ok(()) => Met { answer: Answer::Smtp(250), words: String::new() },
        Err((answer, words)) => Met { answer, words: cut(&words) },
    }
}

async fn try_smtp(mail: &Mail) -> Result<(), (Answer, String)> {
    let secrets: Vec<&Secret> = mail.login.iter().map(|(_, password)| password).collect();
    // A message that cannot be built would never be: a permanent refusal of our own.
    let message = message(mail).map_err(|why| (Answer::Smtp(550), format!("building the mail: {why}")))?;
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.host.clone()).port(mail.port).timeout(Some(ATTEMPT_MAX));
    let parameters = || TlsParameters::new(mail.host.clone()).map_err(|e| (Answer::Nothing, chain(&e, &secrets)));
    let builder = match mail.tls {
        MailTls::Off => builder,
        MailTls::StartTls => builder.tls(Tls::Required(parameters()?)),
        MailTls::Wrapped => builder.tls(Tls::Wrapper(parameters()?)),
    };
    let builder = match &mail.login {
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.expose().to_owned())),
        None => builder,
    };
    builder.build().send(message).await.map(|_| ()).map_err(|e| {
        let code = e.status().map(u16::from);
        (code.map_or(Answer::Nothing, Answer::Smtp), chain(&e, &secrets))
    })
}

fn message(mail: &Mail) -> Result<Message, String> {
    let mailbox = |address: &str| address.parse().map_err(|e| format!("{address}: {e}"));
    let mut builder = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(mail.subject.clone())
        .message_id(Some(mail.message_id.clone()))
        .in_reply_to(mail.thread.clone())
        .references(mail.thread.clone())
        .header(header::MIME_VERSION_1_0);
    for to in &mail.to {
        builder = builder.to(mailbox(to)?);
    }
    builder.multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone())).map_err(|e| e.to_string())
}
