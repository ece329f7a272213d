//! The commands and their options.

use clap::{Parser, Subcommand};
use tempfile::TempDir;

use crate::Outcome;
use crate::crs;
use crate::document;
use crate::peers::Peer;
use crate::process::{Cores, open_many_files, stay_on};
use crate::rounds::Plan;
use crate::scenario::Scenario;
use crate::single;
use crate::steering::{self, Extent};
use crate::suite;

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
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(10..))]
        connections: u32,
        /// A smoke run: two rounds of a second, 500 idle connections; writes no file
        #[arg(long)]
        quick: bool,
        /// The day the tables carry, if it is not today
        #[arg(long)]
        date: Option<String>,
    },
    /// What it costs to be steered: the section "Steering" of docs/benchmarks.md, the raw results in
    /// target/bench/steering.json
    Steering {
        #[command(flatten)]
        plan: Plan,
        /// Clients of the longest run, each of which asks once; the first run has a tenth of them
        #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(10..=500_000_000))]
        clients: u32,
        /// A smoke run: a second a round, 200,000 clients, few calls; writes no file
        #[arg(long)]
        quick: bool,
        /// The day the table carries, if it is not today
        #[arg(long)]
        date: Option<String>,
    },
    /// What the Core Rule Set costs, beside ModSecurity: the section "The Core Rule Set" of docs/benchmarks.md, the raw
    /// results in target/bench/crs.json
    Crs {
        #[command(flatten)]
        plan: Plan,
        /// Transactions of the long run, over which memory must not grow
        #[arg(long, default_value_t = 1_000_000)]
        transactions: usize,
        /// A smoke run: two rounds of a second, fewer kinds and levels, a hundredth of the payloads, 20,000
        /// transactions; writes no file
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
        /// Also the latency in the open loop (scenarios of 160 bytes)
        #[arg(long)]
        latency: bool,
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
            let date = date.unwrap_or_else(today);
            if quick {
                let results = suite::run(dir.path(), date, Plan { rounds: 2, seconds: 1 }, 500).await?;
                print!("{}", document::section(&results));
                return Ok(());
            }
            let results = suite::run(dir.path(), date, plan, connections).await?;
            document::write(&results)
        }
        Command::Steering { plan, clients, quick, date } => {
            let date = date.unwrap_or_else(today);
            let extent = if quick { Extent::quick() } else { Extent { plan, clients, ..Extent::default() } };
            let results = steering::run(dir.path(), date, extent).await?;
            print!("{}", steering::report::section(&results));
            if quick {
                return Ok(());
            }
            document::raw("steering", &results)?;
            document::put("steering", &steering::report::section(&results))
        }
        Command::Crs { plan, transactions, quick, date } => {
            let date = date.unwrap_or_else(today);
            let extent = if quick { crs::Extent::quick() } else { crs::Extent { plan, transactions, quick } };
            let results = crs::run(dir.path(), date, extent).await?;
            print!("{}", crs::report::section(&results));
            if quick {
                return Ok(());
            }
            document::raw("crs", &results)?;
            document::put("crs", &crs::report::section(&results))
        }
        Command::Compare { scenario, peers, latency, plan } => {
            single::compare(dir.path(), scenario, &peers, plan, latency).await
        }
        Command::RunOne { peer, scenario, seconds } => {
            single::run_one(dir.path(), scenario, peer, seconds).await
        }
    }
}

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

/// A folder that lies in memory and goes with the run.
fn memory_dir() -> Outcome<TempDir> {
    tempfile::Builder::new()
        .prefix("secbeat-bench-")
        .tempdir_in("/dev/shm")
        .map_err(|e| format!("creating a folder in /dev/shm: {e}"))
}
