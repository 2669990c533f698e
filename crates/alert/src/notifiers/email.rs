//! Mail: plain text and HTML side by side, one thread an alert. `target` is smtp://host[:587] (STARTTLS) or smtps://host[:465]; plain only to loopback.

use std::fmt::Write as _;

use super::{Kind, Mail, MailTls, Notifier, Outgoing, Settings, SettingsError};
use crate::{Notice, Secret, text};

/// The line of the registry.
pub const KIND: Kind = Kind { name: "email", keys: &["target", "from", "to", "user", "password"], build };

/// A mail goes to at most this many receivers.
const RECEIVERS_MAX: usize = 50;
/// A subject line has at most this many characters: RFC 5322 §2.1.1 wants lines below 78, folded ones may be longer.
const SUBJECT_CHARS_MAX: usize = 150;

struct Email {
    host: String,
    port: u16,
    tls: MailTls,
    login: Option<(String, Secret)>,
    from: String,
    to: Vec<String>,
}

fn build(s: &Settings) -> Result<Box<dyn Notifier>, SettingsError> {
    let url = s.url()?;
    let host = url.host_str().filter(|h| !h.is_empty()).ok_or_else(|| s.bad("target", "it names no host; write smtp://host:587"))?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let (tls, port) = match url.scheme() {
        "smtp" if is_loopback(&host) => (MailTls::Off, 25),
        "smtp" => (MailTls::StartTls, 587),
        "smtps" => (MailTls::Wrapped, 465),
        _ => return Err(s.bad("target", "write smtp://host:587 (STARTTLS) or smtps://host:465")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(s.bad("target", "it carries an account; write `user` and `password = \"env:NAME\"` instead"));
    }
    let from = s.from.clone().ok_or_else(|| s.bad("from", "it is missing; write the sender's address"))?;
    check_address(s, "from", &from)?;
    if s.to.is_empty() || s.to.len() > RECEIVERS_MAX {
        return Err(s.bad("to", format!("write 1 to {RECEIVERS_MAX} addresses")));
    }
    s.to.iter().try_for_each(|to| check_address(s, "to", to))?;
    if s.user.is_some() && s.password.is_none() {
        return Err(s.bad("password", "it is missing; write `password = \"env:NAME\"`"));
    }
    let login = s.password.clone().map(|p| (s.user.clone().unwrap_or_else(|| from.clone()), p));
    Ok(Box::new(Email { host, port: url.port().unwrap_or(port), tls, login, from, to: s.to.clone() }))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// One address without a display name. The sender parses it in full; here only what could become a second header or receiver is refused.
fn check_address(s: &Settings, key: &'static str, address: &str) -> Result<(), SettingsError> {
    let fine = address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
        && !address.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"'));
    if fine { Ok(()) } else { Err(s.bad(key, format!("{:?} is no mail address", text::visible(address)))) }
}

impl Notifier for Email {
    fn render(&self, notice: &Notice<'_>) -> Outgoing {
        let domain = self.from.rsplit_once('@').map_or("localhost", |(_, d)| d);
        let subject = format!("[{}] {}", notice.alert.severity.as_str().to_uppercase(), notice.title());
        Outgoing::Smtp(Mail {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            login: self.login.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            subject: text::cut(&subject, SUBJECT_CHARS_MAX),
            message_id: format!("<{}@{domain}>", notice.idempotency()),
            thread: format!("<bartizan-{}@{domain}>", notice.alert.id),
            text: plain(notice),
            html: html(notice),
        })
    }
}

fn plain(notice: &Notice<'_>) -> String {
    let mut out = format!("{}\n\n", notice.title());
    for (label, value) in notice.facts() {
        let _ = writeln!(out, "{label:<13}{value}");
    }
    let lines = notice.evidence();
    if !lines.is_empty() {
        out.push_str("\nLines (first and last)\n");
        for line in lines {
            let _ = writeln!(out, "  {line}");
        }
    }
    let _ = write!(out, "\nWhat to do next\n  {}\n", notice.next());
    if let Some(link) = notice.link() {
        let _ = write!(out, "\n{link}\n");
    }
    out
}

/// Inline styles only: mail programs drop the rest. No image, no script, nothing is loaded from anywhere.
fn html(notice: &Notice<'_>) -> String {
    let mut out = String::from("<!doctype html><html><body style=\"font-family:sans-serif;font-size:14px;color:#1a1b1e\">");
    let _ = write!(out, "<h2 style=\"font-size:17px\">{}</h2><table style=\"border-collapse:collapse\">", text::html(&notice.title()));
    for (label, value) in notice.facts() {
        let _ = write!(
            out,
            "<tr><td style=\"padding:2px 16px 2px 0;color:#5c5f66\">{label}</td><td style=\"padding:2px 0\">{}</td></tr>",
            text::html(&value)
        );
    }
    out.push_str("</table>");
    let lines = notice.evidence();
    if !lines.is_empty() {
        out.push_str("<p style=\"color:#5c5f66\">Lines (first and last)</p>");
        for line in lines {
            let _ = write!(
                out,
                "<pre style=\"margin:4px 0;padding:6px 8px;background:#f1f3f5;white-space:pre-wrap;word-break:break-all;font-size:12px\">{}</pre>",
                text::html(&line)
            );
        }
    }
    let _ = write!(out, "<p><b>What to do next</b><br>{}</p>", text::html(&notice.next()));
    if let Some(link) = notice.link() {
        let _ = write!(out, "<p><a href=\"{0}\">{0}</a></p>", text::html(&link));
    }
    out.push_str("</body></html>");
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::conformance::{hostile_alert, notice, settings};
    use super::*;

    fn mail(settings: &Settings) -> Mail {
        let alert = hostile_alert();
        match settings.build().unwrap().render(&notice(&alert)) {
            Outgoing::Smtp(mail) => mail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn targets() {
        for (target, host, port, tls) in [
            ("smtp://mail.example.org", "mail.example.org", 587, MailTls::StartTls),
            ("smtps://mail.example.org", "mail.example.org", 465, MailTls::Wrapped),
            ("smtp://mail.example.org:25", "mail.example.org", 25, MailTls::StartTls),
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, MailTls::Off),
            ("smtp://[::1]:2525", "::1", 2525, MailTls::Off),
        ] {
            let m = mail(&Settings { target: Some(Secret::new(target)), ..settings("email") });
            assert_eq!((m.host.as_str(), m.port, m.tls), (host, port, tls), "{target}");
        }
    }

    #[test]
    fn headers_hold_one_line_and_html_no_markup() {
        let m = mail(&settings("email"));
        assert!(!m.subject.contains(['\r', '\n']) && m.subject.starts_with("[HIGH] "), "{}", m.subject);
        assert_eq!(m.message_id, "<bartizan-0a1b2c3d4e5f-3@example.org>");
        assert!(!m.html.contains("<script") && m.html.contains("&lt;script"));
        assert!(m.text.contains("What to do next\n  Lock the account"), "{}", m.text);
    }

    #[test]
    fn what_could_be_a_second_receiver_is_refused() {
        for bad in ["a@b, c@d", "a", "a@", "a@b\r\nBcc: c@d", "\"x\" <a@b>"] {
            assert!(Settings { to: vec![bad.into()], ..settings("email") }.build().is_err(), "{bad}");
        }
    }
}
