//! From events to findings: Sigma rules, correlations in event time, episodes that keep their id (DESIGN §2.7, §2.13, §2.14).
//!
//! Pure: (events, now) -> findings. Must never do I/O or read a clock; knows nothing of alerts.

pub mod engine;

pub use engine::{Engine, Lane, Origin, RuleSet};
