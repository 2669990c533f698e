//! Networks: `10.0.0.0/8`, `fd00::/8`, or one address.

use std::net::IpAddr;

/// An address with the number of its bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `address/bits` or an address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |b| b.parse().ok())?;
        (bits <= most).then_some(Self { address, bits })
    }
    /// Whether the text is an address within the network. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn holds(&self, text: &str) -> bool {
        let Ok(other) = text.parse::<IpAddr>() else { return false };
        let (a, b) = (self.address.to_canonical(), other.to_canonical());
        let (one, two, width) = match (a, b) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let free = width - u32::from(self.bits).min(width);
        free >= 128 || one >> free == two >> free
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks() {
        for (net, address, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "fd12::1", true),
            ("10.0.0.0/8", "localhost", false),
        ] {
            assert_eq!(Network::parse(net).unwrap().holds(address), expected, "{address} in {net}");
        }
        assert_eq!(Network::parse("10.0.0.0/33"), None);
        assert_eq!(Network::parse("host/8"), None);
    }
}
