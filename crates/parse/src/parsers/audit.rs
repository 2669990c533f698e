//! TiDB's audit logs: the Enterprise extension (text and JSON), the older plugin, TiDB Cloud (tidb.md §1.7).

use super::{Format, LineFormat};

/// The Enterprise extension.
pub const EXTENSION: LineFormat = LineFormat { format: Format::AuditExtension, recognize: |_| false, parse: |_, _, _| false };
/// The older plugin, and TiDB Cloud Dedicated.
pub const PLUGIN: LineFormat = LineFormat { format: Format::AuditPlugin, recognize: |_| false, parse: |_, _, _| false };
