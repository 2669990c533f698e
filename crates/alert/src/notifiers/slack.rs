//! Slack: an incoming webhook with Block Kit. The webhook's URL is the secret; Slack has no other.

use serde_json::{Value, json};

use super::{Kind, Notifier, Outgoing, Settings, SettingsError};
use crate::{Notice, Secret, text};

/// The line of the registry.
pub const KIND: Kind = Kind { name: "slack", keys: &["target"], build };

/// Slack refuses a header block of more characters.
const HEADER_CHARS_MAX: usize = 150;
/// Slack refuses a section of more characters; the rest is room for the markup.
const SECTION_CHARS_MAX: usize = 2_900;
/// Slack refuses a field of more characters (2,000) and a section of more than 10 fields.
const FIELD_CHARS_MAX: usize = 1_900;
/// Fields of a section.
const FIELDS_MAX: usize = 10;

struct Slack {
    url: Secret,
}

fn build(s: &Settings) -> Result<Box<dyn Notifier>, SettingsError> {
    super::webhook::check_url(s, &s.url()?)?;
    Ok(Box::new(Slack { url: s.target.clone().unwrap_or_default() }))
}

/// Slack's three control characters (api.slack.com, "escaping text"): without them no link, no mention, no `<!channel>` is possible.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A header has a limit that escapes would exceed: look-alikes stand for the characters that act.
fn header(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('&', "＆")
}

/// Inside of a code block: a backquote could end it.
fn code(text: &str) -> String {
    escape(&text.replace('`', "'"))
}

/// Markup of a value: `*`, `_`, `~` and backquotes would format, so it stands in code.
fn value(text: &str) -> String {
    format!("`{}`", text::cut(&code(text), FIELD_CHARS_MAX))
}

impl Notifier for Slack {
    fn render(&self, notice: &Notice<'_>) -> Outgoing {
        let severity = notice.alert.severity.as_str().to_uppercase();
        let title = format!("[{severity}] {}", notice.title());
        let mut blocks = vec![
            json!({"type": "header", "text": {"type": "plain_text", "emoji": false, "text": text::cut(&header(&title), HEADER_CHARS_MAX)}}),
        ];
        let fields: Vec<Value> =
            notice.facts().iter().take(FIELDS_MAX).map(|(label, v)| mrkdwn(format!("*{label}*\n{}", value(v)))).collect();
        blocks.push(json!({"type": "section", "fields": fields}));
        let lines = notice.evidence();
        if !lines.is_empty() {
            let text = text::cut(&code(&lines.join("\n")), SECTION_CHARS_MAX);
            blocks.push(json!({"type": "section", "text": mrkdwn(format!("```{text}```"))}));
        }
        let next = text::cut(&escape(&notice.next()), SECTION_CHARS_MAX);
        blocks.push(json!({"type": "section", "text": mrkdwn(format!("*What to do next*\n{next}"))}));
        if let Some(link) = notice.link() {
            blocks.push(json!({"type": "section", "text": mrkdwn(format!("<{}|Open in Bartizan>", escape(&link)))}));
        }
        let body = json!({"text": escape(&title), "unfurl_links": false, "unfurl_media": false, "blocks": blocks}).to_string();
        Outgoing::Http { url: self.url.clone(), headers: Vec::new(), body }
    }
}

/// `verbatim`: Slack makes no links or mentions of its own from names and addresses in the text.
fn mrkdwn(text: String) -> Value {
    json!({"type": "mrkdwn", "verbatim": true, "text": text})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::conformance::{hostile_alert, notice, settings};
    use super::*;

    #[test]
    fn a_hostile_name_mentions_nobody_and_ends_no_code() {
        let alert = hostile_alert();
        let Outgoing::Http { body, .. } = settings("slack").build().unwrap().render(&notice(&alert)) else { panic!("not HTTP") };
        assert!(!body.contains("<!channel>") && body.contains("&lt;!channel&gt;"), "{body}");
        let v: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(v["blocks"][0]["type"], "header");
        assert!(v["blocks"][0]["text"]["text"].as_str().unwrap().chars().count() <= HEADER_CHARS_MAX);
        let lines = v["blocks"][2]["text"]["text"].as_str().unwrap();
        assert_eq!(lines.matches("```").count(), 2, "{lines}");
        assert!(v["blocks"].as_array().unwrap().last().unwrap()["text"]["text"].as_str().unwrap().contains("/alerts/0a1b2c3d4e5f|"));
    }
}
