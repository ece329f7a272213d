//! Addresses of persons, cut to the network that they are in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address cut to its /24, an IPv6 address to its /48, as web analytics do it.
pub fn anonymized(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_its_network_is_left() {
        for (address, network) in [
            ("192.0.2.77", "192.0.2.0"),
            ("::ffff:192.0.2.77", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ] {
            assert_eq!(anonymized(address.parse().unwrap()).to_string(), network);
        }
    }
}
