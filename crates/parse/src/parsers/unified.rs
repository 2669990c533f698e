//! The unified log format in its Go, Rust and C++ dialects (tidb.md §1, milvus.md §2).

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Unified, recognize: |_| false, parse: |_, _, _| false };
