//! From events to findings: Sigma rules, correlations in event time, episodes that keep their id (DESIGN §2.7, §2.13, §2.14).
//!
//! Pure: (events, now) -> findings. Must never do I/O or read a clock; knows nothing of alerts.

mod acts;
pub mod engine;
mod episode;
mod lanes;
pub mod limits;
mod load;
pub mod matching;
mod names;
mod report;
mod rules;
mod state;
mod suggest;
mod template;
pub mod testing;
mod values;

pub use engine::{Engine, Lane, Origin, RuleSet};
pub use rules::{Rule, RuleProblem, SharedAddress};
pub use state::Stats;
pub use testing::{TestOutcome, run_tests};
