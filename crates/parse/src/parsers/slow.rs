//! Blocks of TiDB's slow log (tidb.md §1.3).

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Slow, recognize: |_| false, parse: |_, _, _| false };
