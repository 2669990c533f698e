//! One record against compiled Sigma detections: what a matcher reads, how values are tested, how candidates are found.
//!
//! Pure. Knows nothing of time, episodes or files; must never allocate per rule for a record that matches nothing.

mod cidr;
mod compile;
mod event_record;
mod index;
pub mod json;
mod modifier;
mod node;
mod pattern;
mod scratch;
mod shape;
mod when;

use event::Field;

pub use cidr::Cidr;
pub use index::{Matcher, MatcherBuilder};
pub use scratch::Scratch;

/// One value of a field. A field of a JSON record may hold several (an array), a repeated key of a line too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'v> {
    /// Present and null.
    Null,
    /// Text.
    Text(&'v str),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// true or false.
    Bool(bool),
}

/// What a matcher reads: our event, or a JSON object in the conformance tests and benchmarks.
pub trait Record {
    /// Hands every value of the field to `each` until it answers true; tells whether it did.
    fn visit(&self, field: &Field, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool;
    /// Hands out every plain key that the record has (`fields.<key>`; the first level of a JSON object). A key may come twice.
    fn each_key(&self, each: &mut dyn FnMut(&str));
    /// Whether the field is there at all, null included.
    fn has(&self, field: &Field) -> bool;
    /// Hands every text that keywords are searched in to `each` until it answers true; tells whether it did.
    fn visit_keywords(&self, each: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool;
}

#[cfg(test)]
mod tests;
