//! Dumps of a crash: a Go panic, a fatal error of the runtime, a Rust panic without a header.

use std::borrow::Cow;

use event::{Event, Status, action};

use super::{
    columns::{act, part, put},
    errors::first_sentence,
};

/// See docs/specs/events.md.
pub fn normalize(event: &mut Event<'_>) {
    act(event, &action::APP_CRASH, Status::Failure);
    let whole: Cow<'_, str> = match &event.message {
        Some(message) => message.clone(),
        None => event.raw.clone(),
    };
    let sentence = first_sentence(&whole);
    if !sentence.is_empty() {
        put(&mut event.error, Some(part(&whole, sentence)));
    }
}
