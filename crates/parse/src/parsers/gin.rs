//! `[GIN]` rows of Milvus's REST servers.

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Gin, recognize: |_| false, parse: |_, _, _| false };
