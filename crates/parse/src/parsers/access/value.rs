//! What Milvus puts in the place of a placeholder. Owns: the list of placeholders, and which values are possible. A value that is missing reads `Unknown`.

use crate::time;

/// In the place of a value that is missing.
pub(super) const UNKNOWN: &str = "Unknown";

/// The same of newer placeholders.
const NOT_ANY: &str = "n/a";

/// What a placeholder's value can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `2026/11/21 21:17:08.075 +00:00`.
    Time,
    /// A gRPC method's name, or the path of a REST request.
    Method,
    /// `OK`, `Successful`, `Failed`, `GrpcUnauthenticated`, `HttpError404`.
    Word,
    /// A number, perhaps negative.
    Number,
    /// `tcp-127.0.0.1:47042`, `10.0.0.1`.
    Address,
    /// 32 hex digits, or the name that a client gave its request.
    Trace,
    /// `1.303213ms`.
    Duration,
    /// One line of the server's making, or of the client's within the server's limits: an SDK, a level, a list of numbers.
    Line,
    /// The client's text: anything.
    Free,
    /// The same, quoted by newer versions.
    Quotable,
}

/// The placeholders of 2.3 to 2.6, without their `$`.
pub(super) const PLACEHOLDERS: &[(&str, Kind)] = &[
    ("method_name", Kind::Method),
    ("method_status", Kind::Word),
    ("trace_id", Kind::Trace),
    ("user_addr", Kind::Address),
    ("user_name", Kind::Free),
    ("response_size", Kind::Number),
    ("error_code", Kind::Number),
    ("error_msg", Kind::Quotable),
    ("error_type", Kind::Word),
    ("database_name", Kind::Free),
    ("collection_name", Kind::Free),
    ("partition_name", Kind::Free),
    ("time_cost", Kind::Duration),
    ("time_now", Kind::Time),
    ("time_start", Kind::Time),
    ("time_end", Kind::Time),
    ("method_expr", Kind::Quotable),
    ("output_fields", Kind::Free),
    ("sdk_version", Kind::Line),
    ("cluster_prefix", Kind::Line),
    ("consistency_level", Kind::Line),
    ("anns_field", Kind::Free),
    ("nq", Kind::Line),
    ("search_params", Kind::Free),
    ("query_params", Kind::Free),
    ("template_value_length", Kind::Free),
    ("client_request_time", Kind::Line),
    ("partial_update", Kind::Word),
];

impl Kind {
    /// Whether a value of this kind may be of any length and hold line ends.
    pub(super) fn is_free(self) -> bool {
        matches!(self, Self::Free | Self::Quotable)
    }

    /// How much of a row a value may take, in bytes. Paths of REST requests are the longest.
    pub(super) const fn bytes_max(self) -> usize {
        match self {
            Self::Time => 40,
            Self::Number | Self::Word | Self::Duration => 64,
            Self::Address | Self::Trace => 128,
            Self::Line => 512,
            Self::Method => 2048,
            Self::Free | Self::Quotable => usize::MAX,
        }
    }

    /// Whether this text can be a value of the kind.
    pub(super) fn takes(self, text: &str) -> bool {
        match self {
            Self::Free | Self::Quotable => true,
            _ if text.len() > self.bytes_max() => false,
            _ if text == UNKNOWN || text == NOT_ANY => true,
            Self::Time => time::scan(text).is_some_and(|s| s.len == text.len()),
            Self::Method => is_method(text),
            Self::Word => text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'(' | b')')),
            Self::Number => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|c| c.is_ascii_digit())
            }
            Self::Address => is_address(text),
            Self::Trace => !text.bytes().any(|c| c < b' ' || matches!(c, b'[' | b']' | 0x7f)),
            Self::Duration => is_duration(text),
            Self::Line => !holds_control(text),
        }
    }
}

impl Kind {
    /// Whether this text can be the beginning of a value of the kind.
    pub(super) fn begins(self, text: &str) -> bool {
        let only = |extra: &[u8]| text.bytes().all(|c| c.is_ascii_alphanumeric() || extra.contains(&c));
        match self {
            Self::Free | Self::Quotable => true,
            _ if text.len() > self.bytes_max() => false,
            Self::Time => only(b"/:.+- "),
            Self::Number => only(b"-"),
            Self::Address => only(b".:[]%-_/@"),
            Self::Duration => text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | 'µ' | 'μ')),
            Self::Method => text.is_empty() || self.takes(text),
            Self::Word | Self::Trace | Self::Line => self.takes(text),
        }
    }
}

/// Whether a text holds a line end or another control character.
pub(super) fn holds_control(text: &str) -> bool {
    text.bytes().any(|c| c < b' ' || c == 0x7f)
}

/// `Search`, `/v2/vectordb/entities/search`. Never a level: that is a server line which a loose formatter would take.
fn is_method(text: &str) -> bool {
    if text.starts_with('/') {
        return !holds_control(text);
    }
    let word = !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    word && (text.bytes().any(|c| c.is_ascii_lowercase()) || super::super::level(text).is_none())
}

/// An address with its network in front and its port behind, any of them missing. A name of a host has no place here.
fn is_address(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let address = text.strip_prefix("tcp-").or_else(|| text.strip_prefix("tcp4-")).or_else(|| text.strip_prefix("tcp6-")).unwrap_or(text);
    if text.starts_with("unix-") || text.starts_with("bufconn") || text.starts_with("pipe-") {
        return !text.contains([' ', '\n', '<', '>', '[', ']']);
    }
    let host = match address.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((host, port)) if port.is_empty() || is_port(port) => host,
            _ => return false,
        },
        None => match address.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => address,
            Some((host, _)) if is_port(&address[host.len()..]) => host,
            Some(_) => return false,
            None => address,
        },
    };
    // A zone (`fe80::1%eth0`) is no part of the address.
    host.split('%').next().unwrap_or(host).parse::<std::net::IpAddr>().is_ok()
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|p| (1..=5).contains(&p.len()) && p.bytes().all(|c| c.is_ascii_digit()))
}

/// `1m2.5s`, `149.546µs`, `0s`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if behind.len() == rest.len() || rest.starts_with('.') {
            return false;
        }
        // The longer units first: `ms` is no minute.
        let Some(next) = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].iter().find_map(|u| behind.strip_prefix(u)) else { return false };
        rest = next;
    }
    true
}

/// A trace id as Milvus makes it itself (zeros where an interceptor refused the call; 16 digits before 2.3).
pub(super) fn is_own_trace_id(text: &str) -> bool {
    let hex = |c: u8| (c.wrapping_sub(b'0') < 10) | ((c | 0x20).wrapping_sub(b'a') < 6);
    let all_hex = |id: &[u8]| id.as_chunks::<16>().0.iter().all(|part| part.iter().fold(true, |all, c| all & hex(*c)));
    text == UNKNOWN || matches!(text.len(), 16 | 32) && all_hex(text.as_bytes())
}
