//! Evidence by name, joined with its text: what an alert's page and its notifications show. Reads only.

use alert::Line;
use event::Evidence;
use futures::future::BoxFuture;

/// Finds lines by their names.
pub trait Lines: Send + Sync {
    /// The lines of these pieces of evidence, in order; those that are gone are left out.
    fn of<'a>(&'a self, evidence: &'a [Evidence]) -> BoxFuture<'a, Vec<Line>>;
}
