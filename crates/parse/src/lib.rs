//! From bytes to events: record boundaries, line formats, products, and the standard names of what happened.
//!
//! Owns: everything that knows how a database writes its log. Never does I/O, never reads a clock, never fails: what it cannot read is an event
//! marked `unparsed`. Untrusted bytes come in here, so every loop is linear in the record and every depth is bounded.

pub mod acts;
mod address;
pub mod class;
pub mod deriver;
pub mod framing;
mod intern;
mod names;
mod near;
pub mod normalize;
pub mod own;
pub mod parser;
pub mod parsers;
pub mod prefix;
pub mod product;
pub mod time;

pub use class::class_of;
pub use deriver::Deriver;
pub use framing::{End, Framer, Join, Span};
pub use parser::Parser;
pub use parsers::Format;
pub use prefix::Content;
pub use product::vote;
