//! How often a client may ask: `waf.rate_limit_rps` and every `[[rate_limits]]`.
//!
//! A request counts in every limit that is for it, in order, up to the first that refuses it: that one does not count it, those
//! before it have. Who is on the allowlist is not counted at all.

use crate::connection::Connection;
use crate::facts::Facts;
use crate::outcome::Stop;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::scratch::Scratch;
use crate::shared::Shared;
use secbeat_intel::rate::limit_id;
use secbeat_intel::{Rate, RateKey, RetryAfter};
use secbeat_settings::Settings;
use std::net::IpAddr;
use std::sync::Arc;

/// The name of the limit that every client has.
pub const OF_CLIENT: &str = "waf.rate_limit_rps";

/// Every limit of a policy.
pub struct Rates {
    of_client: Option<Limit>,
}

/// A rate under its name.
pub struct Limit {
    /// `waf.rate_limit_rps`, or the name of a `[[rate_limits]]`.
    pub name: Arc<str>,
    /// The rate.
    pub rate: Rate,
    id: u64,
}

impl Rates {
    /// The limits that `settings` ask for.
    pub fn new(settings: &Settings) -> Self {
        Rates { of_client: Limit::of_clients(OF_CLIENT, settings.waf.rate_limit_rps) }
    }
}

impl Limit {
    /// A limit under a name that counts apart what `rate` allows.
    pub fn new(name: &str, rate: Rate) -> Self {
        Limit { name: name.into(), rate, id: limit_id(name) }
    }

    /// A limit of each client's requests a second, with bursts of twice as many; `None` for 0: any number.
    pub fn of_clients(name: &str, per_second: u64) -> Option<Self> {
        (per_second > 0).then(|| Self::new(name, Rate::per_second(per_second)))
    }

    /// What `client` is counted by.
    pub fn key_of(&self, shared: &Shared, client: IpAddr) -> RateKey {
        shared.rates.key(self.id).address(client).finish()
    }
}

/// The stage: counts the request, or refuses it.
pub fn check(
    connection: &Connection,
    policy: &Policy,
    _scratch: &Scratch,
    facts: &Facts,
) -> Result<(), Stop> {
    let shared = &connection.worker.shared;
    let now_ns = shared.since_start_ns(facts.started);
    if let Some(limit) = &policy.rates.of_client {
        let key = limit.key_of(shared, facts.client_ip);
        let refused = |retry: RetryAfter| Refusal::Rate {
            limit: limit.name.clone(),
            retry_after_s: retry.seconds(),
        };
        shared.rates.check(key, &limit.rate, now_ns).map_err(refused)?;
    }
    Ok(())
}

/// Counts a request of `client` that a firewall rule with the action `rate_limit` matched. Each rule counts apart.
///
/// # Errors
/// [`RetryAfter`] where the client makes more such requests than `rate` allows.
pub fn check_rule(
    shared: &Shared,
    rule_id: &str,
    rate: &Rate,
    client: IpAddr,
    now_ns: u64,
) -> Result<(), RetryAfter> {
    // No limit of the configuration has this character in its name.
    let rule = limit_id("rule");
    let key = shared.rates.key(rule).bytes(rule_id.as_bytes()).address(client).finish();
    shared.rates.check(key, rate, now_ns)
}
