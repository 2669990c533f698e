//! Banners that a process prints at its start: one event each.

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Banner, recognize: |_| false, parse: |_, _, _| false };
