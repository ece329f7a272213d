//! Interleaved rounds, and what they found.
//!
//! Every contender is started once for a scheme; in each round each of them is loaded alone for a few
//! seconds. The order turns by one place a round, so that none always follows the same other.

use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::load::{Load, Wrk};
use crate::measure::{self, Cpu};
use crate::peers::{Peer, Running};
use crate::process::Cores;
use crate::scenario::Scenario;
use crate::stats::{self, Estimate};

/// How busy the proxy's core must be for the rate to be the proxy's and not the client's.
pub const BUSY: f64 = 0.95;

/// How long and how often to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::Args)]
pub struct Plan {
    /// Interleaved rounds of each contender
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Seconds of load in a round
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,
}

/// One round of one contender.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Round {
    /// CPU time of the proxy.
    pub cpu: Cpu,
    /// What the clients saw.
    pub load: Load,
    /// Resident memory right after, bytes.
    pub rss: u64,
}

impl Round {
    /// CPU time of the proxy per request, microseconds.
    pub fn cost_us(self) -> f64 {
        self.cpu.total_us() / self.load.requests as f64
    }

    /// The share of one core that the proxy used.
    pub fn busy(self) -> f64 {
        self.cpu.total_us() / 1e6 / self.load.seconds
    }
}

/// All rounds of one contender in one scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// Whose, by name.
    #[serde(serialize_with = "crate::peers::by_name")]
    pub peer: Peer,
    /// In the order they ran.
    pub rounds: Vec<Round>,
}

impl Series {
    /// The median of `figure` over the rounds.
    pub fn median(&self, figure: impl Fn(Round) -> f64) -> f64 {
        stats::median(&self.costs(figure))
    }

    /// `figure` of each round.
    pub fn costs(&self, figure: impl Fn(Round) -> f64) -> Vec<f64> {
        self.rounds.iter().copied().map(figure).collect()
    }
}

/// The rival whose CPU per request is the lowest.
pub fn better_rival(all: &[Series]) -> Option<&Series> {
    all.iter()
        .filter(|series| series.peer.is_rival())
        .min_by(|a, b| a.median(Round::cost_us).total_cmp(&b.median(Round::cost_us)))
}

/// CPU per request of `ours` over that of the better rival.
pub fn ratio(ours: &Series, all: &[Series]) -> Option<Estimate> {
    stats::ratio(&ours.costs(Round::cost_us), &better_rival(all)?.costs(Round::cost_us))
}

/// One load of one contender, measured.
pub async fn round(
    wrk: &Wrk,
    proxy: &Running,
    scenario: Scenario,
    seconds: u32,
    clients: Cores,
) -> Outcome<Round> {
    let before = measure::cpu(proxy.group())?;
    let load = wrk
        .run(clients, &proxy.url(scenario), scenario.size.connections(), seconds)
        .await
        .and_then(|load| load.at_least(scenario.size.bytes()))
        .map_err(|failure| proxy.explain(failure))?;
    let cpu = measure::cpu(proxy.group())?.since(before);
    Ok(Round { cpu, load, rss: measure::rss(proxy.group())? })
}

/// Every contender in `plan.rounds` rounds, after a warm-up of a second each that is thrown away.
pub async fn interleaved(
    dir: &Path,
    proxies: &[Running],
    scenario: Scenario,
    plan: Plan,
    clients: Cores,
) -> Outcome<Vec<Series>> {
    let wrk = Wrk::new(dir)?;
    let mut all: Vec<Series> =
        proxies.iter().map(|proxy| Series { peer: proxy.peer, rounds: Vec::new() }).collect();
    for proxy in proxies {
        round(&wrk, proxy, scenario, 1, clients).await?;
    }
    for number in 0..plan.rounds as usize {
        for place in 0..proxies.len() {
            let turn = (number + place) % proxies.len();
            if let (Some(proxy), Some(series)) = (proxies.get(turn), all.get_mut(turn)) {
                series.rounds.push(round(&wrk, proxy, scenario, plan.seconds, clients).await?);
            }
        }
        eprintln!("{scenario}: round {} of {}", number + 1, plan.rounds);
    }
    Ok(all)
}
