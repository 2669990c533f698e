//! The pipeline and what people see of it: intake, detection, alerts, delivery, the console and its API.
//!
//! The only sender: nothing else opens a connection to tell somebody. Must never store a byte that did not come through the store.

pub mod api;
pub mod auth;
pub mod bus;
pub mod counts;
pub mod ctl;
pub mod deliver;
pub mod desk;
pub mod guard;
pub mod intake;
pub mod lines;
pub mod questions;
pub mod site;
pub mod start;
pub mod state;
pub mod watch;
