//! What a node is filled with: decisions of every kind of scope, and exceptions of every kind. None of them concerns a
//! client or a request of the benchmark, so that both nodes do the same job.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use secbeat_intel::{Decisions, NewDecision};
use secbeat_types::{DecisionKind, Origin, Timestamp};
use serde_json::{Value, json};

use crate::Outcome;
use crate::steering::api::Api;

/// Knuth's multiplier: odd, so each number below 2³² becomes another one, all over the range.
const SPREAD: u32 = 2_654_435_761;
/// Everything lasts longer than the benchmark.
const DURATION: Duration = Duration::from_secs(86_400);

/// The address of client `number`, another one for each, all over IPv4; `None` where it is loopback's, nobody's,
/// multicast, or in 198.18.0.0/15, which is kept for the clients that are watched.
pub fn address(number: u32) -> Option<Ipv4Addr> {
    let address = Ipv4Addr::from(number.wrapping_mul(SPREAD));
    match address.octets() {
        [0 | 127 | 224.., ..] | [198, 18 | 19, ..] => None,
        _ => Some(address),
    }
}

/// Writes the journal of `count` decisions into `data`, as a list from outside would make them: of a hundred, 94 about
/// an address, two each about a /24, a /20 and an IPv6 /64.
pub fn decisions(data: &Path, count: u32) -> Outcome<()> {
    let now = Timestamp::now();
    let (decisions, warnings) =
        Decisions::open(data, now).map_err(|e| format!("opening the journal in {}: {e}", data.display()))?;
    warnings.iter().for_each(|line| eprintln!("{line}"));
    let listed = scopes(count as usize).map(|scope| NewDecision {
        scope,
        kind: DecisionKind::Block,
        origin: Origin::Feed,
        reason: "a list from outside".into(),
        duration: Some(DURATION),
        confirm: None,
    });
    let written = decisions
        .put_many(listed.collect(), now)
        .map_err(|e| format!("making {count} decisions in {}: {e}", data.display()))?;
    match written.not_durable {
        None => Ok(()),
        Some(why) => Err(format!("the journal in {} is not on the disk: {why}", data.display())),
    }
}

/// `count` scopes, each another.
fn scopes(count: usize) -> impl Iterator<Item = IpNet> {
    let mut seen = HashSet::with_capacity(count);
    (0..u32::MAX).filter_map(scope).filter(move |scope| seen.insert(*scope)).take(count)
}

fn scope(number: u32) -> Option<IpNet> {
    let address = address(number)?;
    let (address, length) = match number % 100 {
        0 | 1 => (IpAddr::from(address), 24),
        2 | 3 => (IpAddr::from(address), 20),
        4 | 5 => (IpAddr::from(Ipv6Addr::from((0x2000 << 112) | (u128::from(u32::from(address)) << 64))), 64),
        _ => (IpAddr::from(address), 32),
    };
    IpNet::new(address, length).ok().map(|prefix| prefix.trunc())
}

/// Sets `count` exceptions on the node of `api`, a quarter each about a place in requests, a path, a host and a client.
pub fn exceptions(api: Api, count: u32) -> Outcome<()> {
    let exceptions: Vec<Value> = (0..count).map(exception).collect();
    api.post("/api/v1/waf/exceptions", &json!({ "exceptions": exceptions })).map(drop)
}

fn exception(number: u32) -> Value {
    let id = format!("exc-{number}");
    let rule = format!("sb-sqli-{:03}", number % 20 + 1);
    match number % 4 {
        0 => json!({ "id": id, "rules": [rule], "parameters": [format!("query:comment-{number}")] }),
        1 => json!({ "id": id, "categories": ["sql_injection"], "paths": [format!("/shop/{number}/*")] }),
        2 => json!({ "id": id, "rules": [rule], "hosts": [format!("shop-{number}.example")] }),
        _ => json!({ "id": id, "clients": [format!("10.{}.{}.0/24", number >> 8 & 255, number & 255)] }),
    }
}

/// An error unless the node of `api` has `decisions` decisions and `exceptions` exceptions in force.
pub fn check(api: Api, decisions: u32, exceptions: u32) -> Outcome<()> {
    let listed = api.get("/api/v1/blocked-ips?limit=1")?.json()?;
    let status = api.get("/api/v1/status")?.json()?;
    let found = (listed["total"].as_u64(), status["waf"]["exceptions"].as_u64());
    let expected = (Some(u64::from(decisions)), Some(u64::from(exceptions)));
    match found == expected {
        true => Ok(()),
        false => {
            Err(format!("the node has (decisions, exceptions) {found:?} in force, expected {expected:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scope_comes_twice_and_none_concerns_the_benchmark() {
        let scopes: HashSet<IpNet> = scopes(100_000).collect();
        assert_eq!(scopes.len(), 100_000);
        let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(198, 18, 0, 1).into()];
        assert!(own.iter().all(|own| scopes.iter().all(|scope| !scope.contains(own))));
    }
}
