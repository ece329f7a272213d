//! What requests are told apart by: patterns of hosts, and the keys of rate limits.

use crate::address::{Host, parsed};
use crate::key::{Key, Kind};
use crate::value::{Raw, Value, mismatch, quote};
use std::fmt;

/// The hosts that something is for, in lower case, without a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `shop.example`: this host alone. IPv6 addresses stand without brackets.
    Exact(String),
    /// `*.shop.example`, held as `shop.example`: every name below it, however deep, and not itself.
    Suffix(String),
}

impl HostPattern {
    /// Reads it; a final dot is dropped. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        let host = |text: &str| Host::parse(text).map(|host| host.as_str().to_owned());
        match bare.strip_prefix("*.") {
            Some(parent) => {
                let is_address = parent.parse::<std::net::IpAddr>().is_ok();
                host(parent).filter(|_| !is_address).map(HostPattern::Suffix)
            }
            None => host(bare).map(HostPattern::Exact),
        }
    }

    /// Whether it is for `host`, in any case of letters, without a port; brackets and a final dot do not matter.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            HostPattern::Exact(name) => host.eq_ignore_ascii_case(name),
            HostPattern::Suffix(parent) => {
                let (host, parent) = (host.as_bytes(), parent.as_bytes());
                host.len().checked_sub(parent.len()).and_then(|at| host.split_at_checked(at)).is_some_and(
                    |(below, end)| {
                        end.eq_ignore_ascii_case(parent) && below.len() > 1 && below.ends_with(b".")
                    },
                )
            }
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::Exact(name) => f.write_str(name),
            HostPattern::Suffix(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// A part of a request that a rate limit counts apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RateKey {
    /// `address`: the client, an IPv4 address or an IPv6 /64.
    Address,
    /// `host`: the host asked for.
    Host,
    /// `path`: the path without its query.
    Path,
    /// `method`: the method.
    Method,
    /// `user_agent`: the field `User-Agent`.
    UserAgent,
    /// `header:<name>`: this field, its name in lower case.
    Header(String),
    /// `cookie:<name>`: this cookie; case matters (RFC 6265, 4.1.1).
    Cookie(String),
}

impl RateKey {
    /// Reads it. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        // The characters of an RFC 9110 token (5.6.2), which names of fields and of cookies are.
        let is_token = |name: &str| {
            (1..=256).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        match text.split_once(':') {
            Some(("header", name)) if is_token(name) => Some(RateKey::Header(name.to_ascii_lowercase())),
            Some(("cookie", name)) if is_token(name) => Some(RateKey::Cookie(name.to_owned())),
            Some(_) => None,
            None => match text {
                "address" => Some(RateKey::Address),
                "host" => Some(RateKey::Host),
                "path" => Some(RateKey::Path),
                "method" => Some(RateKey::Method),
                "user_agent" => Some(RateKey::UserAgent),
                _ => None,
            },
        }
    }
}

impl fmt::Display for RateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RateKey::Address => f.write_str("address"),
            RateKey::Host => f.write_str("host"),
            RateKey::Path => f.write_str("path"),
            RateKey::Method => f.write_str("method"),
            RateKey::UserAgent => f.write_str("user_agent"),
            RateKey::Header(name) => write!(f, "header:{name}"),
            RateKey::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

parsed!(HostPattern, Kind::HostPattern, |value| value.to_string());
parsed!(RateKey, Kind::RateKey, |value| value.to_string());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_matches_itself_in_any_case() {
        let shop = HostPattern::parse("Shop.Example.").unwrap();
        assert_eq!(shop, HostPattern::Exact("shop.example".into()));
        for host in ["shop.example", "SHOP.example", "shop.example."] {
            assert!(shop.matches(host), "{host}");
        }
        for host in ["", "a.shop.example", "shop.example:80", "shop.exampl", "xshop.example"] {
            assert!(!shop.matches(host), "{host}");
        }
        assert!(HostPattern::parse("[::1]").unwrap().matches("[::1]"));
    }

    #[test]
    fn a_star_is_every_name_below_and_not_the_name_itself() {
        let shops = HostPattern::parse("*.Shop.example").unwrap();
        for host in ["a.shop.example", "A.B.SHOP.EXAMPLE", "a.shop.example."] {
            assert!(shops.matches(host), "{host}");
        }
        for host in ["shop.example", ".shop.example", "ashop.example", "shop.example.a", "", "ä.example"] {
            assert!(!shops.matches(host), "{host}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_of_hosts_is_refused() {
        for text in ["", "*", "*.", "a.*.b", "**.a", "shop.example:80", "http://a", "*.10.0.0.1", "a b"] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_key_of_a_rate_limit_is_read_and_written_back() {
        for text in ["address", "host", "path", "method", "user_agent", "header:x-api-key", "cookie:SID"] {
            assert_eq!(RateKey::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(RateKey::parse("header:X-Key"), Some(RateKey::Header("x-key".into())));
        for text in ["", "ip", "header:", "header:a b", "cookie:a=b", "query:a", "Address"] {
            assert_eq!(RateKey::parse(text), None, "{text}");
        }
    }
}
