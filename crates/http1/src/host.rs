//! The grammar of `Host`: `uri-host [":" port]`, RFC 9110 7.2.

use crate::bytes::is_unreserved;
use std::net::Ipv6Addr;

/// A name of the domain name system is at most 253 characters; RFC 3986 3.2.2 allows 255.
const HOST_BYTES_MAX: usize = 255;

/// Whether `text` is a host with an optional port. Narrower than RFC 3986: a name is letters, digits and `-._~`
/// (no `%41`, no `!$&'()*+,;=`, no raw UTF-8), a bracketed address is IPv6 without a zone, and a port is 1 to 65535 —
/// whatever two programs could read differently is out.
pub fn is_valid(text: &[u8]) -> bool {
    let (host, port) = match text.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|&byte| byte == b']') else { return false };
            let (address, rest) = rest.split_at(end);
            if !is_ipv6(address) {
                return false;
            }
            (&b"v6"[..], rest.get(1..).unwrap_or_default())
        }
        None => text.split_at(text.iter().position(|&byte| byte == b':').unwrap_or(text.len())),
    };
    is_name(host) && (port.is_empty() || port.strip_prefix(b":").is_some_and(is_port))
}

fn is_name(host: &[u8]) -> bool {
    !host.is_empty() && host.len() <= HOST_BYTES_MAX && is_unreserved(host)
}

fn is_ipv6(address: &[u8]) -> bool {
    std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

fn is_port(digits: &[u8]) -> bool {
    let port = digits.iter().try_fold(0u32, |port, byte| match byte {
        b'0'..=b'9' if port <= 65_535 => Some(port * 10 + u32::from(byte - b'0')),
        _ => None,
    });
    port.is_some_and(|port| (1..=65_535).contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_ports_are_hosts() {
        for host in [
            "a",
            "example.com",
            "EXAMPLE.com:8443",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[::1]:1",
            "a_b.c~d.:65535",
        ] {
            assert!(is_valid(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        let wrong = [
            "",
            ":80",
            "a:",
            "a:0",
            "a:65536",
            "a:+80",
            "a:8 0",
            "a:80:80",
            "a b",
            "a,b",
            "a/b",
            "a@b",
            "a%2eb",
            "é",
            "[",
            "[]",
            "[::1",
            "[::1]80",
            "[::1]:",
            "[1.2.3.4]",
            "[fe80::1%eth0]",
            "::1",
            "a?b",
            "a#b",
            "a\\b",
        ];
        for host in wrong {
            assert!(!is_valid(host.as_bytes()), "{host}");
        }
        assert!(!is_valid(&[b'a'; 256]));
        assert!(!is_valid(format!("a:{}", "9".repeat(40)).as_bytes()));
    }
}
