//! IPv4 addresses at sight: nearly every address of a log is one, and the standard library's parser is written for all of them. Owns: that look.
//! Never says yes to what the standard library refuses; what is no IPv4 address may still be another.

/// Behind the IPv4 address at `at`: four numbers up to 255 without needless zeros. The byte behind it is not looked at.
pub(crate) fn v4_end(b: &[u8], mut at: usize) -> Option<usize> {
    for part in 0..4 {
        if part > 0 {
            if b.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let (mut value, begin) = (0u32, at);
        while let Some(digit) = b.get(at).map(|c| c.wrapping_sub(b'0')).filter(|d| *d < 10) {
            value = value * 10 + u32::from(digit);
            at += 1;
            if at - begin > 3 {
                return None;
            }
        }
        if at == begin || value > 255 || at - begin > 1 && b[begin] == b'0' {
            return None;
        }
    }
    Some(at)
}

/// Whether all of the text is one.
pub(crate) fn is_v4(text: &str) -> bool {
    v4_end(text.as_bytes(), 0) == Some(text.len())
}

/// `10.0.0.7:4000` and nothing more: the address and its port.
pub(crate) fn v4_port(text: &str) -> Option<(&str, u16)> {
    let b = text.as_bytes();
    let colon = v4_end(b, 0)?;
    let digits = b.get(colon + 1..).filter(|d| b[colon] == b':' && (1..=5).contains(&d.len()))?;
    let mut port = 0_u32;
    for digit in digits.iter().map(|c| c.wrapping_sub(b'0')) {
        if digit > 9 {
            return None;
        }
        port = port * 10 + u32::from(digit);
    }
    Some((&text[..colon], u16::try_from(port).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_an_address_is() {
        for (text, want) in [
            ("10.0.0.7", true),
            ("255.255.255.255", true),
            ("0.0.0.0", true),
            ("256.0.0.1", false),
            ("1.2.3", false),
            ("1.2.3.4.5", false),
            ("01.2.3.4", false),
            ("1.2.3.0004", false),
            ("1..2.3", false),
            ("::1", false),
            ("", false),
        ] {
            assert_eq!(is_v4(text), want, "{text}");
        }
        assert_eq!(v4_end(b"tcp-10.3.0.40:36053", 4), Some(13));
    }

    #[test]
    fn an_address_and_its_port() {
        for (text, want) in [
            ("10.0.0.7:4000", Some(("10.0.0.7", 4000))),
            ("10.0.0.7:65535", Some(("10.0.0.7", 65535))),
            ("10.0.0.7:65536", None),
            ("10.0.0.7:", None),
            ("10.0.0.7", None),
            ("10.0.0.7:40x", None),
            ("10.0.0.7:123456", None),
            ("10.0.0.7 4000", None),
        ] {
            assert_eq!(v4_port(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn says_what_the_standard_library_says(text in "[0-9]{0,4}(\\.[0-9]{0,4}){2,4}") {
            prop_assert_eq!(is_v4(&text), text.parse::<Ipv4Addr>().is_ok());
        }
    }
}
