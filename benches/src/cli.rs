//! The commands and their options.

use std::path::Path;

use clap::{Parser, Subcommand};
use tempfile::TempDir;

use crate::Outcome;
use crate::certificate::Certificate;
use crate::document;
use crate::load::Wrk;
use crate::origin::Origin;
use crate::peers::{self, Peer, Running, Setup};
use crate::process::{Cores, open_many_files, stay_on};
use crate::rounds::{self, Plan, Round};
use crate::scenario::Scenario;
use crate::suite;
use crate::table;

/// Measures nginx, HAProxy and SecBeat side by side. Run it from the repository's root.
#[derive(Debug, Parser)]
#[command(name = "secbeat-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything: the tables of docs/benchmarks.md, the raw results in target/bench/results.json
    Run {
        #[command(flatten)]
        plan: Plan,
        /// Idle keep-alive connections
        #[arg(long, default_value_t = 10_000)]
        connections: u32,
        /// A smoke run: two rounds of a second, 500 idle connections; writes no file
        #[arg(long)]
        quick: bool,
        /// The day the tables carry, if it is not today
        #[arg(long)]
        date: Option<String>,
    },
    /// One scenario, all peers, interleaved: the table on standard output
    Compare {
        /// http or tls, then -160, -16k or -1m
        #[arg(long, default_value = "http-160")]
        scenario: Scenario,
        /// Who takes part: nginx, haproxy, secbeat, secbeat-waf
        #[arg(long, value_delimiter = ',', default_values = ["nginx", "haproxy", "secbeat", "secbeat-waf"])]
        peers: Vec<Peer>,
        #[command(flatten)]
        plan: Plan,
    },
    /// One peer under load for a while, for a profiler to look at: one line on standard output
    RunOne {
        /// nginx, haproxy, secbeat or secbeat-waf
        #[arg(long)]
        peer: Peer,
        /// http or tls, then -160, -16k or -1m
        #[arg(long, default_value = "http-160")]
        scenario: Scenario,
        /// Seconds of load
        #[arg(long, default_value_t = 10)]
        seconds: u32,
    },
}

/// Does what the command line says.
pub async fn run() -> Outcome<()> {
    let cli = Cli::parse();
    open_many_files();
    stay_on(Cores::Client)?;
    let dir = memory_dir()?;
    match cli.command {
        Command::Run { plan, connections, quick, date } => {
            let date = date.unwrap_or_else(|| time::OffsetDateTime::now_utc().date().to_string());
            if quick {
                let results = suite::run(dir.path(), date, Plan { rounds: 2, seconds: 1 }, 500).await?;
                print!("{}", document::section(&results));
                return Ok(());
            }
            let results = suite::run(dir.path(), date, plan, connections).await?;
            document::write(&results)
        }
        Command::Compare { scenario, peers, plan } => compare(dir.path(), scenario, &peers, plan).await,
        Command::RunOne { peer, scenario, seconds } => run_one(dir.path(), scenario, peer, seconds).await,
    }
}

async fn compare(dir: &Path, scenario: Scenario, wanted: &[Peer], plan: Plan) -> Outcome<()> {
    let (present, missing) = peers::take_part(wanted);
    missing.iter().for_each(|line| eprintln!("{line}"));
    let origin = Origin::start(dir, Cores::Client).await?;
    let proxies = start(dir, &origin, scenario, &present).await?;
    let all = rounds::interleaved(dir, &proxies, scenario, plan, Cores::Client).await?;
    print!("{}{}", table::CPU_HEADER, table::cpu_lines(scenario, &all));
    Ok(())
}

async fn run_one(dir: &Path, scenario: Scenario, peer: Peer, seconds: u32) -> Outcome<()> {
    let origin = Origin::start(dir, Cores::Client).await?;
    let proxies = start(dir, &origin, scenario, &[peer]).await?;
    for proxy in &proxies {
        eprintln!("{peer} is process {} on {}", proxy.group(), proxy.url(scenario));
        let round = rounds::round(&Wrk::new(dir)?, proxy, scenario, seconds, Cores::Client).await?;
        println!("{}", one_line(scenario, peer, round));
    }
    Ok(())
}

fn one_line(scenario: Scenario, peer: Peer, round: Round) -> String {
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

/// Every proxy of `wanted` on the proxy's core, with one worker.
async fn start(dir: &Path, origin: &Origin, scenario: Scenario, wanted: &[Peer]) -> Outcome<Vec<Running>> {
    let certificate = Certificate::make(dir)?;
    let certificate = peers::certificate_for(scenario.scheme, &certificate);
    let setup = Setup { dir, origin: origin.port, certificate, workers: 1, cores: Cores::Proxy };
    peers::start(wanted, setup).await
}

/// A folder that lies in memory and goes with the run.
fn memory_dir() -> Outcome<TempDir> {
    tempfile::Builder::new()
        .prefix("secbeat-bench-")
        .tempdir_in("/dev/shm")
        .map_err(|e| format!("creating a folder in /dev/shm: {e}"))
}
