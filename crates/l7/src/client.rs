//! Who the client is, behind proxies that we trust.

use ipnet::IpNet;
use secbeat_http1::{Known, RequestHead};
use secbeat_types::decision::canonical;
use std::net::{IpAddr, SocketAddr};

/// The client's address: the peer's, unless the peer is a trusted proxy; then the last address in `X-Forwarded-For`, or
/// without one in `Forwarded` (RFC 7239), that is not a trusted proxy itself. What an untrusted peer says of itself does not count,
/// and reading stops at the first thing that is not an address: what lies before it was written by nobody we know.
pub fn address(peer: IpAddr, head: &RequestHead, buffer: &[u8], trusted: &[IpNet]) -> IpAddr {
    let peer = canonical(peer);
    if trusted.is_empty() || !is_trusted(peer, trusted) {
        return peer;
    }
    let says =
        |known: Known| head.fields.iter().rev().filter(move |f| f.known == known).map(|f| f.value.of(buffer));
    let forwarded_for = says(Known::XForwardedFor).flat_map(|value| value.rsplit(|b| *b == b',')).map(parse);
    let forwarded =
        says(Known::Forwarded).flat_map(|value| value.rsplit(|b| *b == b',')).map(forwarded_for_of);
    if says(Known::XForwardedFor).next().is_some() {
        last_untrusted(peer, forwarded_for, trusted)
    } else {
        last_untrusted(peer, forwarded, trusted)
    }
}

/// Whether `address` is one of the trusted proxies.
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|prefix| prefix.contains(&address))
}

fn last_untrusted(peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    for hop in hops {
        let Some(hop) = hop else { break };
        client = hop;
        if !is_trusted(hop, trusted) {
            break;
        }
    }
    client
}

/// An address as proxies write it: bare, with a port, or an IPv6 address in brackets.
fn parse(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok())?;
    Some(canonical(address))
}

/// The `for=` of one element of `Forwarded`.
fn forwarded_for_of(element: &[u8]) -> Option<IpAddr> {
    let node = element.split(|b| *b == b';').find_map(|pair| {
        let pair = pair.trim_ascii();
        pair.get(..4).filter(|name| name.eq_ignore_ascii_case(b"for=")).and_then(|_| pair.get(4..))
    })?;
    parse(node.strip_prefix(b"\"").and_then(|quoted| quoted.strip_suffix(b"\"")).unwrap_or(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secbeat_http1::{Limits, Parsed};

    fn client_of(peer: &str, fields: &str) -> String {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let mut head = RequestHead::default();
        assert_eq!(head.parse(request.as_bytes(), &Limits::default()), Ok(Parsed::Complete));
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        address(peer.parse().unwrap(), &head, request.as_bytes(), &trusted).to_string()
    }

    #[test]
    fn an_untrusted_peer_speaks_for_nobody() {
        assert_eq!(client_of("192.0.2.1", "X-Forwarded-For: 127.0.0.1\r\n"), "192.0.2.1");
        assert_eq!(client_of("::ffff:192.0.2.1", "Forwarded: for=127.0.0.1\r\n"), "192.0.2.1");
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_holds_is_the_client() {
        assert_eq!(client_of("10.0.0.1", "X-Forwarded-For: 6.6.6.6, 192.0.2.9, 10.0.0.2\r\n"), "192.0.2.9");
        assert_eq!(
            client_of("10.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.9\r\n"),
            "192.0.2.9"
        );
        assert_eq!(client_of("10.0.0.1", "X-Forwarded-For: 192.0.2.9:4711\r\n"), "192.0.2.9");
        assert_eq!(client_of("2001:db8::1", "X-Forwarded-For: [2a00::1]\r\n"), "2a00::1");
    }

    #[test]
    fn reading_stops_at_what_is_not_an_address() {
        assert_eq!(client_of("10.0.0.1", "X-Forwarded-For: 192.0.2.9, unknown\r\n"), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", "X-Forwarded-For: 192.0.2.9, unknown, 10.0.0.3\r\n"), "10.0.0.3");
    }

    #[test]
    fn forwarded_is_read_where_there_is_no_x_forwarded_for() {
        let both = "Forwarded: for=192.0.2.1;proto=https, For=\"[2a00::1]:80\"\r\n";
        assert_eq!(client_of("10.0.0.1", both), "2a00::1");
        assert_eq!(client_of("10.0.0.1", &format!("{both}X-Forwarded-For: 192.0.2.7\r\n")), "192.0.2.7");
    }
}
