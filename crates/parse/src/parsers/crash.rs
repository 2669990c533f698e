//! Go and Rust panics, fatal errors, dumps of goroutines.

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Crash, recognize: |_| false, parse: |_, _, _| false };
