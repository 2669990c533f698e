//! From findings to what people are told: one cause, one alert; and what each channel is sent.
//!
//! Owns: grouping, states, when somebody is told, and the text of every message. Pure: must never open a socket, read a clock, a file or the
//! environment. `server::deliver` sends what is rendered here.

pub mod book;
pub mod notice;
pub mod notifiers;
pub mod secret;
pub mod text;

pub use book::{Book, Kept, Outcome, Reason, Said, SayError};
pub use notice::{Line, Notice};
pub use notifiers::{Answer, Notifier, Outgoing, Settings, SettingsError, Verdict};
pub use secret::Secret;
