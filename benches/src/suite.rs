//! The whole of `make bench`, from the first table to the last.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use serde::Serialize;

use crate::Outcome;
use crate::certificate::Certificate;
use crate::client;
use crate::idle::{self, Idle};
use crate::machine::{Machine, Others};
use crate::open_loop::{self, Latency};
use crate::origin::Origin;
use crate::peers::{self, Peer, Running, Setup};
use crate::process::{Cores, all_cores};
use crate::rounds::{self, Plan, Round, Series};
use crate::scenario::{Scenario, Scheme, Size};
use crate::stats::median;

/// The share of the slowest one's rate at which latency is measured.
pub const LOAD: f64 = 0.7;

/// All that was measured: the raw results, as written in JSON.
#[derive(Debug, Serialize)]
pub struct Results {
    /// The day, as given or of the clock.
    pub date: String,
    /// How long and how often.
    pub plan: Plan,
    /// Where.
    pub machine: Machine,
    /// Share of all cores (0 to 1) that was used by others than the benchmark while it ran.
    pub others: f64,
    /// Who did not take part, and why.
    pub missing: Vec<String>,
    /// CPU, rate and memory under load.
    pub loads: Vec<Compared>,
    /// Latency in the open loop.
    pub latencies: Vec<Delays>,
    /// Small plain requests with every core.
    pub all_cores: Vec<Series>,
    /// Memory of idle connections.
    pub idle: Vec<Idle>,
}

/// The contenders of one scenario.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// Which one.
    #[serde(serialize_with = "by_name")]
    pub scenario: Scenario,
    /// Each contender's rounds.
    pub series: Vec<Series>,
}

/// Latencies of one target at one rate.
#[derive(Debug, Serialize)]
pub struct Delays {
    /// How the client spoke.
    #[serde(serialize_with = "by_name")]
    pub scenario: Scenario,
    /// The proxy, or nobody: straight to the origin.
    #[serde(serialize_with = "peers::by_name_or_direct")]
    pub peer: Option<Peer>,
    /// Requests per second.
    pub rate: f64,
    /// Each round's.
    pub rounds: Vec<Latency>,
}

impl Delays {
    /// The median of `figure` over the rounds, microseconds.
    pub fn median(&self, figure: fn(&Latency) -> f64) -> f64 {
        median(&self.figures(figure))
    }

    /// `figure` of each round, microseconds.
    pub fn figures(&self, figure: fn(&Latency) -> f64) -> Vec<f64> {
        self.rounds.iter().map(figure).collect()
    }
}

/// Measures everything, in `dir`, with `connections` idle ones at the end.
pub async fn run(dir: &Path, date: String, plan: Plan, connections: u32) -> Outcome<Results> {
    let (present, missing) = peers::take_part(&Peer::ALL);
    missing.iter().for_each(|line| eprintln!("{line}"));
    let machine = Machine::look(&present)?;
    let watch = Others::watch()?;
    let mut results = Results {
        date,
        plan,
        machine,
        others: 0.0,
        missing,
        loads: Vec::new(),
        latencies: Vec::new(),
        all_cores: Vec::new(),
        idle: Vec::new(),
    };
    every_scheme(dir, &present, &mut results).await?;
    results.all_cores = every_core(dir, &present, plan).await?;
    results.idle = every_idle(dir, &present, connections).await?;
    results.others = watch.share()?;
    Ok(results)
}

/// Each scheme: the loads of every size, then the latency of the smallest.
async fn every_scheme(dir: &Path, present: &[Peer], results: &mut Results) -> Outcome<()> {
    let certificate = Certificate::make(dir)?;
    let origin = Origin::start(dir, Cores::Client).await?;
    for scheme in Scheme::ALL {
        let certificate = peers::certificate_for(scheme, &certificate);
        let setup = Setup { dir, origin: origin.port, certificate, workers: 1, cores: Cores::Proxy };
        let proxies = peers::start(present, setup).await?;
        for size in Size::ALL {
            let scenario = Scenario { scheme, size };
            let series = rounds::interleaved(dir, &proxies, scenario, results.plan, Cores::Client).await?;
            results.loads.push(Compared { scenario, series });
        }
        let small = Scenario { scheme, size: Size::Small };
        let tls = certificate.map(|certificate| client::trust(&certificate.chain)).transpose()?;
        if let Some(load) = results.loads.iter().find(|load| load.scenario == small) {
            let delays = delays(dir, load, &proxies, tls, results.plan).await?;
            results.latencies.extend(delays);
        }
    }
    Ok(())
}

/// Each proxy alone with idle connections.
async fn every_idle(dir: &Path, present: &[Peer], connections: u32) -> Outcome<Vec<Idle>> {
    let origin = Origin::start(&dir.join("idle"), Cores::Client).await?;
    let mut all = Vec::new();
    for &peer in present {
        eprintln!("idle connections: {peer}");
        all.push(idle::measure(dir, &origin, peer, connections).await?);
    }
    Ok(all)
}

/// Small plain requests to each proxy with as many workers as there are cores, nothing pinned.
async fn every_core(dir: &Path, present: &[Peer], plan: Plan) -> Outcome<Vec<Series>> {
    let dir = dir.join("every-core");
    let origin = Origin::start(&dir, Cores::All).await?;
    let setup =
        Setup { dir: &dir, origin: origin.port, certificate: None, workers: all_cores(), cores: Cores::All };
    let proxies = peers::start(present, setup).await?;
    let scenario = Scenario { scheme: Scheme::Http, size: Size::Small };
    rounds::interleaved(&dir, &proxies, scenario, plan, Cores::All).await
}

/// Interleaved open-loop rounds through each proxy, all at 70 % of what the slowest carries, and straight to
/// an origin that has the proxy's core: beside the client it would be delayed by the client itself. The firewall does more than the rivals do: where it is what cannot keep up, it alone is
/// measured at 70 % of its own rate.
pub async fn delays(
    dir: &Path,
    load: &Compared,
    proxies: &[Running],
    tls: Option<Arc<ClientConfig>>,
    plan: Plan,
) -> Outcome<Vec<Delays>> {
    let carried = |series: &Series| series.median(|r: Round| r.load.rate()) * LOAD;
    let common = load
        .series
        .iter()
        .filter(|series| series.peer != Peer::SecbeatWaf)
        .map(carried)
        .min_by(f64::total_cmp)
        .ok_or("nobody takes part: `apt-get install nginx-light haproxy`, or build the node")?;
    let of = |peer: Option<Peer>, rate| Delays { scenario: load.scenario, peer, rate, rounds: Vec::new() };
    let direct = Origin::start(&dir.join(format!("direct-{}", load.scenario)), Cores::Proxy).await?;
    let mut all = vec![(of(None, common), direct.port, None)];
    for (series, proxy) in load.series.iter().zip(proxies) {
        all.push((of(Some(proxy.peer), carried(series).min(common)), proxy.port, tls.clone()));
    }
    let targets = all.len();
    for number in 0..plan.rounds as usize {
        for place in 0..targets {
            let Some((delays, port, tls)) = all.get_mut((number + place) % targets) else { continue };
            let (port, tls, rate) = (*port, tls.clone(), delays.rate);
            let round =
                tokio::task::spawn_blocking(move || open_loop::run(port, tls.as_ref(), rate, plan.seconds))
                    .await
                    .map_err(|e| format!("the open loop has stopped: {e}"))?
                    .map_err(|e| format!("open loop on {:?} in {}: {e}", delays.peer, load.scenario))?;
            delays.rounds.push(round);
        }
        eprintln!("{}, latency: round {} of {}", load.scenario, number + 1, plan.rounds);
    }
    Ok(all.into_iter().map(|(delays, ..)| delays).collect())
}

fn by_name<S: serde::Serializer>(scenario: &Scenario, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(scenario)
}
