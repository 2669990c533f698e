//! Names of things on disk (FORMAT §1): node, cluster, class, log, record, source, generation.

use std::fmt;

/// 8 hex digits, made at `init`; a restored node gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl NodeId {
    /// Reads 8 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; 16]);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
        impl $name {
            /// Reads 32 hex digits.
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() != 32 || !text.is_ascii() {
                    return None;
                }
                let mut id = [0; 16];
                for (i, byte) in id.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
                }
                Some(Self(id))
            }
        }
    };
}

id128!(
    /// A source: random when first seen; paths are its labels, not its identity.
    SourceId
);
id128!(
    /// One file as the writer made it, or one life of a listener.
    Generation
);

/// The class of a record, decided once before the WAL. It gives the record its log and its retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogClass {
    /// Sign-in, accounts, privileges, schema, configuration, start and stop, the databases' audit; what does not parse in a stream that carries such.
    Security,
    /// Who read or wrote which data.
    Access,
    /// Text of the slow and the general log.
    Statement,
    /// The rest.
    Server,
    /// Our own records.
    Own,
}

impl LogClass {
    /// All classes, in the order of their spelling on disk.
    pub const ALL: [Self; 5] = [Self::Security, Self::Access, Self::Statement, Self::Server, Self::Own];

    /// The spelling in log names and partitions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Access => "access",
            Self::Statement => "statement",
            Self::Server => "server",
            Self::Own => "self",
        }
    }
    /// Reads a spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}

impl fmt::Display for LogClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The cluster name of our own records.
pub const OWN_CLUSTER: &str = "bartizan";

/// Whether `name` may name a database cluster: `[a-z0-9-]{1,40}` and not our own.
pub fn is_cluster_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name != OWN_CLUSTER && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// `<node>.<cluster>.<class>`: the records of one class of one cluster that one node received, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogName {
    /// The node that received the records.
    pub node: NodeId,
    /// The database cluster; `bartizan` for our own records.
    pub cluster: String,
    /// The class.
    pub class: LogClass,
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.node, self.cluster, self.class)
    }
}

impl LogName {
    /// The log of our own records on a node.
    pub fn own(node: NodeId) -> Self {
        Self { node, cluster: OWN_CLUSTER.to_owned(), class: LogClass::Own }
    }
    /// Reads `<node>.<cluster>.<class>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (node, rest) = text.split_once('.')?;
        let (cluster, class) = rest.rsplit_once('.')?;
        let (node, class) = (NodeId::parse(node)?, LogClass::parse(class)?);
        let own = class == LogClass::Own && cluster == OWN_CLUSTER;
        (own || (class != LogClass::Own && is_cluster_name(cluster))).then(|| Self { node, cluster: cluster.to_owned(), class })
    }
}

/// `log:seq`: a record's name, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordName {
    /// The log.
    pub log: LogName,
    /// Counts from 0 in its log.
    pub seq: u64,
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.log, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let log = LogName { node: NodeId(0xab), cluster: "prod-1".into(), class: LogClass::Security };
        assert_eq!(log.to_string(), "000000ab.prod-1.security");
        assert_eq!(LogName::parse("000000ab.prod-1.security"), Some(log));
        assert_eq!(LogName::parse("000000ab.bartizan.self"), Some(LogName::own(NodeId(0xab))));
    }

    #[test]
    fn bad_names_are_refused() {
        for bad in
            ["", "ab.prod.security", "000000ab.Prod.security", "000000ab.bartizan.security", "000000ab.prod.self", "000000ab.prod.secret"]
        {
            assert_eq!(LogName::parse(bad), None, "{bad}");
        }
        assert_eq!(Generation::parse("zz"), None);
    }
}
