//! The pipeline and what people see of it: intake, detection, alerts, delivery, the console and its API.
//!
//! The only sender: nothing else opens a connection to tell somebody. Must never store a byte that did not come through the store.

pub mod bus;
pub mod counts;
pub mod watch;
