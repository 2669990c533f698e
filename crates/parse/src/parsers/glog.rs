//! C++ glog and easylogging of Milvus's C++ core.

use super::{Format, LineFormat};

/// See the registry.
pub const FORMAT: LineFormat = LineFormat { format: Format::Glog, recognize: |_| false, parse: |_, _, _| false };
