//! What is kept: the write-ahead log, the lake, and the names that records get (FORMAT §1-§3). The only writer of stored events.
//!
//! Must never acknowledge before a sync returned, never take a number back, never know a log format (it asks [`event::Derive`]).

mod error;
pub mod lake;
mod observe;

pub use error::StoreError;
pub use observe::{Observer, Seen};
