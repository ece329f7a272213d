//! The prefix that a text stands for.

use ipnet::{IpNet, Ipv4Net};
use secbeat_types::decision::scope_of_address;
use std::net::IpAddr;

/// Reads `192.0.2.7`, `192.0.2.0/24`, `2001:db8::1` or `2001:db8::/32`. A bare IPv6 address stands for its /64
/// (write `/128` for the address alone); host bits are cleared; IPv4-mapped prefixes become IPv4.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_scope(text: &str) -> Result<IpNet, String> {
    let trimmed = text.trim();
    if let Ok(address) = trimmed.parse::<IpAddr>() {
        return Ok(scope_of_address(address));
    }
    trimmed.parse::<IpNet>().map(canonical_scope).map_err(|_| {
        let shown: String = trimmed.chars().take(64).collect();
        format!(
            "{shown:?} is not an address: expected one such as 192.0.2.7 or 2001:db8::1, \
             or a prefix such as 192.0.2.0/24"
        )
    })
}

/// The same prefix with host bits cleared, and as IPv4 where it lies within `::ffff:0:0/96` (RFC 4291 2.5.5.2).
pub fn canonical_scope(scope: IpNet) -> IpNet {
    if let IpNet::V6(v6) = scope
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Some(length) = v6.prefix_len().checked_sub(96)
        && let Ok(net) = Ipv4Net::new(v4, length)
    {
        return IpNet::V4(net.trunc());
    }
    scope.trunc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_way_to_write_a_scope_is_read() {
        for (text, scope) in [
            ("192.0.2.7", "192.0.2.7/32"),
            (" 192.0.2.7/24\n", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:3::4/128", "2001:db8:1:2:3::4/128"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(parse_scope(text).unwrap().to_string(), scope);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in ["", "localhost", "192.0.2", "192.0.2.7/33", "192.0.2.7/-1", "::/129", "1.2.3.4 5.6.7.8"]
        {
            assert!(parse_scope(text).unwrap_err().contains("192.0.2.0/24"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            if let Ok(scope) = parse_scope(&text) {
                prop_assert_eq!(parse_scope(&scope.to_string()), Ok(scope));
            }
        }
    }
}
