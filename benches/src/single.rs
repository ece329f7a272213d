//! One scenario by itself: the quick look between two changes, and the steady load under a profiler.

use std::path::Path;

use crate::Outcome;
use crate::certificate::Certificate;
use crate::client;
use crate::load::Wrk;
use crate::origin::Origin;
use crate::peers::{self, Peer, Setup};
use crate::process::Cores;
use crate::rounds::{self, Plan, Round};
use crate::scenario::{Scenario, Size};
use crate::suite::{self, Compared};
use crate::table;

/// Prints how those of `wanted` that are there compare in `scenario`, and if asked their `latency`.
pub async fn compare(
    dir: &Path,
    scenario: Scenario,
    wanted: &[Peer],
    plan: Plan,
    latency: bool,
) -> Outcome<()> {
    if latency && scenario.size != Size::Small {
        return Err(format!(
            "latency is measured with small answers: say http-160 or tls-160, not {scenario}"
        ));
    }
    let (present, missing) = peers::take_part(wanted);
    missing.iter().for_each(|line| eprintln!("{line}"));
    let certificate = Certificate::make(dir)?;
    let certificate = peers::certificate_for(scenario.scheme, &certificate);
    let origin = Origin::start(dir, Cores::Client).await?;
    let setup = Setup { dir, origin: origin.port, certificate, workers: 1, cores: Cores::Proxy };
    let proxies = peers::start(&present, setup).await?;
    let series = rounds::interleaved(dir, &proxies, scenario, plan, Cores::Client).await?;
    print!("{}{}", table::CPU_HEADER, table::cpu_lines(scenario, &series));
    if latency {
        let tls = certificate.map(|certificate| client::trust(&certificate.chain)).transpose()?;
        let load = Compared { scenario, series };
        print!("\n{}", table::latency(&suite::delays(dir, &load, &proxies, tls, plan).await?));
    }
    Ok(())
}

/// Loads one peer for a while and prints one line; its process group is on standard error.
pub async fn run_one(dir: &Path, scenario: Scenario, peer: Peer, seconds: u32) -> Outcome<()> {
    let certificate = Certificate::make(dir)?;
    let certificate = peers::certificate_for(scenario.scheme, &certificate);
    let origin = Origin::start(dir, Cores::Client).await?;
    let setup = Setup { dir, origin: origin.port, certificate, workers: 1, cores: Cores::Proxy };
    let proxy = peer.start(setup).await?;
    eprintln!("{peer} is process {} on {}", proxy.group(), proxy.url(scenario));
    let round = rounds::round(&Wrk::new(dir)?, &proxy, scenario, seconds, Cores::Client).await?;
    println!("{}", line(scenario, peer, round));
    Ok(())
}

fn line(scenario: Scenario, peer: Peer, round: Round) -> String {
    let requests = round.load.requests as f64;
    format!(
        "{scenario} {} {:.2} CPU-µs/request ({:.2} user, {:.2} kernel), {:.0} requests/s at {:.0} % of the core, {} RSS",
        peer.name(),
        round.cost_us(),
        round.cpu.user_us / requests,
        round.cpu.kernel_us / requests,
        round.load.rate(),
        round.busy() * 100.0,
        table::mib(round.rss as f64),
    )
}
