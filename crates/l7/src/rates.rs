//! How often it may be asked: `waf.rate_limit_rps` (or the site's) for each client, and every `[[rate_limits]]`.
//!
//! A request counts in every limit that is for it, in the order of the file, up to the first that refuses it: that one does
//! not count it, those before it have. Who is on the allowlist is not counted. A limit in monitor mode, and every limit while the
//! kill switch says so, tells what it would have refused, at most once a second, and lets it pass.

mod condition;
mod limit;
mod path;

pub use limit::Limit;

use crate::connection::Connection;
use crate::facts::Facts;
use crate::host;
use crate::kill_switch::Stance;
use crate::outcome::Stop;
use crate::policy::Policy;
use crate::record;
use crate::refusal::Refusal;
use crate::scratch::Scratch;
use crate::shared::Shared;
use crate::stage::flag;
use condition::{Asked, Conditional};
use secbeat_intel::rate::limit_id;
use secbeat_intel::{Rate, RateKey, RetryAfter, Usage};
use secbeat_settings::Settings;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Every limit of a policy.
pub struct Rates {
    /// Of each client, at each site; the first is that of hosts without a site.
    of_clients: Vec<Option<Limit>>,
    /// `[[rate_limits]]`.
    of_requests: Vec<Conditional>,
}

impl Rates {
    /// The limits that `settings` ask for.
    pub fn new(settings: &Settings) -> Self {
        let everywhere = settings.waf.rate_limit_rps;
        let of_site = |site: &secbeat_settings::Site| match site.rate_limit_rps {
            Some(rps) => Limit::of_clients(&format!("sites.{}.rate_limit_rps", site.label()), rps),
            None => Limit::of_clients(limit::OF_CLIENTS, everywhere),
        };
        let first = Limit::of_clients(limit::OF_CLIENTS, everywhere);
        let of_clients = std::iter::once(first).chain(settings.sites.iter().map(of_site)).collect();
        Rates { of_clients, of_requests: settings.rate_limits.iter().map(Conditional::new).collect() }
    }

    /// The limits of each client, at every site, and those of `[[rate_limits]]` that count by address alone, whatever
    /// they are for; each once.
    pub fn by_address(&self) -> impl Iterator<Item = &Limit> {
        let of_clients = self.of_clients.iter().flatten();
        let is_repeated = |at: usize, limit: &Limit| {
            self.of_clients.iter().flatten().take(at).any(|before| before.name == limit.name)
        };
        of_clients
            .enumerate()
            .filter(move |(at, limit)| !is_repeated(*at, limit))
            .map(|(_, limit)| limit)
            .chain(self.of_requests.iter().filter(|own| own.is_by_address()).map(|own| &own.limit))
    }

    /// What `client` has used of each limit [`by_address`](Self::by_address), at `now_ns` of [`Shared::since_start_ns`].
    pub fn usage<'r>(
        &'r self,
        shared: &'r Shared,
        client: IpAddr,
        now_ns: u64,
    ) -> impl Iterator<Item = (Arc<str>, Usage)> + 'r {
        self.by_address().map(move |limit| {
            let key = limit.key(shared).address(client).finish();
            (limit.name.clone(), shared.rates.peek(key, &limit.rate, now_ns))
        })
    }
}

/// The stage: counts the request, or refuses it.
pub fn check(
    connection: &Connection,
    policy: &Policy,
    scratch: &Scratch,
    facts: &mut Facts,
) -> Result<(), Stop> {
    if facts.is_allowed || facts.stance == Stance::Off {
        return Ok(());
    }
    let rates = &policy.rates;
    let of_client = rates.of_clients.get(facts.site).or(rates.of_clients.first()).and_then(Option::as_ref);
    if of_client.is_none() && rates.of_requests.is_empty() {
        return Ok(());
    }
    let shared = &connection.worker.shared;
    // Not when the request began: a head that comes slowly would be counted in a past when the client had asked for less.
    let now_ns = shared.since_start_ns(Instant::now());
    if let Some(limit) = of_client {
        let key = limit.key(shared).address(facts.client_ip).finish();
        count(connection, scratch, facts, limit, key, now_ns)?;
    }
    if rates.of_requests.is_empty() {
        return Ok(());
    }
    let bytes = scratch.head_bytes();
    let asked = Asked::new(&scratch.head, bytes, host::name(scratch.head.authority(bytes)), facts.client_ip);
    for own in &rates.of_requests {
        if let Some(key) = own.key(shared, &asked) {
            count(connection, scratch, facts, &own.limit, key, now_ns)?;
        }
    }
    Ok(())
}

/// Counts the request by `key`; refuses it where it comes too early, or only tells of it.
fn count(
    connection: &Connection,
    scratch: &Scratch,
    facts: &mut Facts,
    limit: &Limit,
    key: RateKey,
    now_ns: u64,
) -> Result<(), Stop> {
    let shared = &connection.worker.shared;
    let Err(retry) = shared.rates.check(key, &limit.rate, now_ns) else { return Ok(()) };
    connection.worker.metrics.rate_limited();
    if !limit.is_monitored && facts.stance == Stance::Normal {
        return Err(Refusal::Rate { limit: limit.name.clone(), retry_after_s: retry.seconds() }.into());
    }
    facts.flags |= flag::LOGGED;
    if let Some(seen) = limit.over.tell(now_ns) {
        let reason = format!("the limit {} is used up; let through, since it only logs: {seen}", limit.name);
        record::rate_seen(connection, scratch, facts, reason);
    }
    Ok(())
}

/// Counts a request of `client` that a firewall rule with the action `rate_limit` matched. Each rule and each client (an IPv6
/// /64) counts apart, whatever the rule's rate becomes.
///
/// # Errors
/// [`RetryAfter`] where the client makes more such requests than `rate` allows; the request is not counted.
pub fn check_rule(
    shared: &Shared,
    rule_id: &str,
    rate: &Rate,
    client: IpAddr,
    now_ns: u64,
) -> Result<(), RetryAfter> {
    // With a dot: no `[[rate_limits]]` has this name.
    let rules = limit_id("waf.rules");
    let key = shared.rates.key(rules).bytes(rule_id.as_bytes()).address(client).finish();
    shared.rates.check(key, rate, now_ns)
}
