//! Self-lockout: whom a block would hit that must not be hit.

use crate::scope::canonical_scope;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that a block must not hit unless it is forced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    /// The addresses.
    pub scope: IpNet,
    /// Whose they are, to be read after "it would block": `the caller`, `the backend 10.0.1.50:8080`.
    pub label: String,
}

impl Protected {
    /// One host.
    pub fn host(address: IpAddr, label: impl Into<String>) -> Self {
        Protected { scope: IpNet::from(address.to_canonical()), label: label.into() }
    }

    /// A prefix, such as that of trusted proxies.
    pub fn prefix(scope: IpNet, label: impl Into<String>) -> Self {
        Protected { scope: canonical_scope(scope), label: label.into() }
    }

    /// This machine: `127.0.0.0/8` (RFC 1122 3.2.1.3) and `::1` (RFC 4291 2.5.3).
    pub fn loopback() -> [Self; 2] {
        let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        let v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
        [v4.into(), v6.into()].map(|scope| Self::prefix(scope, "loopback"))
    }
}

/// One reason to refuse a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The protected addresses that the block touches.
    pub scope: IpNet,
    /// Whose they are.
    pub label: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.label, self.scope)
    }
}

/// The protected addresses that a block of `scope` would touch, in the order given. Empty: go ahead.
pub fn conflicts(scope: IpNet, protected: &[Protected]) -> Vec<Conflict> {
    let scope = canonical_scope(scope);
    let touched = |p: &&Protected| scope.contains(&p.scope) || p.scope.contains(&scope);
    protected.iter().filter(touched).map(|p| Conflict { scope: p.scope, label: p.label.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scope: &str, protected: &[Protected]) -> Vec<String> {
        conflicts(scope.parse().unwrap(), protected).into_iter().map(|c| c.to_string()).collect()
    }

    #[test]
    fn a_block_says_whom_it_would_hit() {
        let mut protected = vec![
            Protected::host("192.0.2.7".parse().unwrap(), "the caller"),
            Protected::host("10.0.1.50".parse().unwrap(), "the backend 10.0.1.50:8080"),
            Protected::prefix("10.9.0.0/16".parse().unwrap(), "a trusted proxy"),
        ];
        protected.extend(Protected::loopback());
        assert_eq!(labels("198.51.100.0/24", &protected), Vec::<String>::new());
        assert_eq!(labels("192.0.2.0/24", &protected), ["the caller (192.0.2.7/32)"]);
        assert_eq!(labels("::ffff:192.0.2.7/128", &protected), ["the caller (192.0.2.7/32)"]);
        assert_eq!(labels("10.9.3.4/32", &protected), ["a trusted proxy (10.9.0.0/16)"]);
        assert_eq!(labels("127.0.0.1/32", &protected), ["loopback (127.0.0.0/8)"]);
        assert_eq!(labels("::/0", &protected), ["loopback (::1/128)"]);
        assert_eq!(labels("0.0.0.0/0", &protected).len(), 4);
    }

    #[test]
    fn the_64_of_an_ipv6_caller_is_its_own() {
        let caller = [Protected::host("2001:db8::1".parse().unwrap(), "the caller")];
        assert_eq!(labels("2001:db8::/64", &caller), ["the caller (2001:db8::1/128)"]);
        assert_eq!(labels("2001:db8:0:1::/64", &caller), Vec::<String>::new());
    }
}
