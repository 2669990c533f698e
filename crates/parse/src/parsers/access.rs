//! Milvus's access log, compiled from the configured formatter string (milvus.md §3).

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Access, recognize: |_| false, parse: |_, _, _| false };

/// Compiled formatters, tried in order.
#[derive(Debug, Clone, Default)]
pub struct Formatters {}

impl Formatters {
    /// Compiles the configured strings; none given means the defaults of 2.3, 2.4, 2.5 and 2.6.
    pub fn compile(_configured: &[String]) -> Self {
        Self::default()
    }
}
