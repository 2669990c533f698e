//! Address ranges (`cidr`): IPv4 and IPv6, each only against its own kind; a mapped IPv4 address counts as IPv4.

use std::net::IpAddr;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    v6: bool,
    network: u128,
    mask: u128,
}

fn bits(address: IpAddr) -> (bool, u128) {
    match address.to_canonical() {
        IpAddr::V4(a) => (false, u128::from(u32::from(a))),
        IpAddr::V6(a) => (true, u128::from(a)),
    }
}

impl Cidr {
    /// Reads `address/length`, or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let (v6, network) = bits(address.trim().parse().ok()?);
        let width = if v6 { 128 } else { 32 };
        let length = length.map_or(Some(width), |l| l.trim().parse::<u32>().ok())?;
        if length > width {
            return None;
        }
        let host = width - length;
        let mask = if host == 128 { 0 } else { (u128::MAX >> (128 - width)) & (u128::MAX << host) };
        Some(Self { v6, network: network & mask, mask })
    }
    /// Whether the text is an address within the range.
    pub fn contains(&self, text: &str) -> bool {
        text.parse().is_ok_and(|address| {
            let (v6, value) = bits(address);
            v6 == self.v6 && value & self.mask == self.network
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_own_kind_only() {
        for (range, address, inside) in [
            ("10.0.0.0/8", "10.9.9.9", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true),
            ("fe80::/10", "fe80::1", true),
            ("fe80::/10", "2001::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("10.0.0.0/8", "db-1.example.org", false),
        ] {
            assert_eq!(Cidr::parse(range).unwrap().contains(address), inside, "{range} {address}");
        }
        for bad in ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "10.0.0.0/"] {
            assert_eq!(Cidr::parse(bad), None, "{bad}");
        }
    }
}
