//! Reads logs where they lie: files with every rotation, plain and compressed. The only reader of hosts and networks.
//!
//! Owns: sources, framing into batches, identity by content. Ships redacted batches through [`Ship`]; must never keep an offset of its own
//! (position and data are one write, DESIGN §2.2).

mod error;
pub mod feed;
pub mod identify;
pub mod import;
#[cfg(test)]
mod memory;
pub mod open;
pub mod ship;
pub mod tail;

pub use error::CollectError;
pub use ship::{Ship, ShipError, Shipped};
