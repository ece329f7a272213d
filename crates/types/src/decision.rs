//! Decisions: who is blocked or allowed, until when, by whom and why.

use crate::Timestamp;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What a decision does to the addresses in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// They are let through, whatever else says no.
    Allow,
    /// They are stopped.
    Block,
}

/// Who made a decision. Ordered by precedence, the strongest last: feed < automatic < manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A list from outside.
    Feed,
    /// The product itself.
    Automatic,
    /// A person, by the API or the command line.
    Manual,
}

/// One decision. The unit of the journal, of the API and of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Unique within a node: `dec_` and a number.
    pub id: String,
    /// The addresses concerned, host bits cleared.
    pub scope: IpNet,
    /// What is done to them.
    pub kind: DecisionKind,
    /// Who made it.
    pub origin: Origin,
    /// Why, in the words of who made it; may be empty.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// It waits for somebody to confirm it, and ends at this instant where nobody does; `None`: it waits for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<Timestamp>,
}

impl Decision {
    /// The number in its id; 0 where that is not `dec_` and a number.
    pub fn number(&self) -> u64 {
        self.id.strip_prefix("dec_").and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// Whether it is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        [self.expires_at, self.confirm_by].into_iter().flatten().all(|end| now < end)
    }
}

/// The prefix that a decision about one address covers: the address itself for IPv4, its /64 for IPv6
/// (one customer usually holds a whole /64: RFC 6177), the embedded address for IPv4-mapped IPv6.
pub fn scope_of_address(address: IpAddr) -> IpNet {
    match canonical(address) {
        IpAddr::V4(v4) => IpNet::V4(ipnet::Ipv4Net::from(v4)),
        IpAddr::V6(v6) => {
            let network = std::net::Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX));
            IpNet::V6(ipnet::Ipv6Net::new_assert(network, 64))
        }
    }
}

/// The same host, with IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`, RFC 4291 2.5.5.2) as IPv4.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_stands_for_its_64() {
        let scope = scope_of_address("2001:db8:1:2:3:4:5:6".parse().unwrap());
        assert_eq!(scope.to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        let scope = scope_of_address("::ffff:192.0.2.7".parse().unwrap());
        assert_eq!(scope.to_string(), "192.0.2.7/32");
    }

    #[test]
    fn a_decision_ends_at_its_expiry_or_where_nobody_confirms_it() {
        let decision = Decision {
            id: "dec_1".into(),
            scope: scope_of_address("192.0.2.7".parse().unwrap()),
            kind: DecisionKind::Block,
            origin: Origin::Manual,
            reason: String::new(),
            created_at: Timestamp::from_unix_ms(0),
            expires_at: Some(Timestamp::from_unix_ms(1000)),
            confirm_by: None,
        };
        assert!(decision.is_in_force(Timestamp::from_unix_ms(999)));
        assert!(!decision.is_in_force(Timestamp::from_unix_ms(1000)));
        let waiting = Decision { confirm_by: Some(Timestamp::from_unix_ms(500)), ..decision };
        assert!(waiting.is_in_force(Timestamp::from_unix_ms(499)));
        assert!(!waiting.is_in_force(Timestamp::from_unix_ms(500)), "nobody confirmed it");
    }
}
