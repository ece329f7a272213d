//! What the OWASP Core Rule Set costs: SecBeat beside nginx with ModSecurity 3, the same rules, requests and minutes.
//!
//! | module | what |
//! | --- | --- |
//! | [`requests`] | benign requests of every shape |
//! | [`ways`] | each proxy with and without its firewall, and whether it does its job |
//! | [`cells`] | CPU of a request of each kind through each of them |
//! | [`compile`] | how long the rules take to be compiled |
//! | [`payloads`] | the corpora of payloads |
//! | [`memory`] | what a node needs after them, and after millions of transactions |
//! | [`report`] | promise, figure, held; the table over paranoia levels |

mod cells;
mod compile;
mod memory;
mod payloads;
pub mod report;
mod requests;
mod ways;

use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::machine::{Machine, Others};
use crate::peers::Peer;
use crate::process::{Cores, stay_on};
use crate::rounds::Plan;
use cells::Cells;
use memory::Memory;
use requests::Kind;
use ways::Way;

/// How much of everything.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Extent {
    /// How long and how often CPU is measured.
    pub plan: Plan,
    /// Transactions of the long run.
    pub transactions: usize,
    /// Whether everything is only seen to work: fewer kinds and levels.
    pub quick: bool,
}

impl Extent {
    /// Enough to see that everything works.
    pub fn quick() -> Self {
        Self { plan: Plan { rounds: 2, seconds: 1 }, transactions: 20_000, quick: true }
    }
}

/// All that was measured: the raw results, as written in JSON.
#[derive(Debug, Serialize)]
pub struct Results {
    /// The day, as given or of the clock.
    pub date: String,
    /// How much of everything.
    pub extent: Extent,
    /// Where.
    pub machine: Machine,
    /// Share of all cores (0 to 1) that was used by others than the benchmark while it ran.
    pub others: f64,
    /// Of the rival and the rules.
    pub versions: Vec<String>,
    /// CPU of requests.
    pub cells: Cells,
    /// What the rules add to a check of the configuration, milliseconds.
    pub compile_ms: Vec<f64>,
    /// Memory of a node at each paranoia level that was looked at.
    pub memory: Vec<Memory>,
}

/// Measures everything, in `dir`.
pub async fn run(dir: &Path, date: String, extent: Extent) -> Outcome<Results> {
    for (path, package) in [(ways::RULES, "modsecurity-crs"), (ways::MODULE, "libnginx-mod-http-modsecurity")]
    {
        if !Path::new(path).exists() {
            return Err(format!("there is no {path}; `apt-get install {package}`"));
        }
    }
    let machine = Machine::look(&[Peer::SecbeatWaf])?;
    let watch = Others::watch()?;
    let compile_ms = compile::measure(dir)?;
    let (mut kinds, mut ways) = (Kind::ALL.to_vec(), Way::ALL.to_vec());
    if extent.quick {
        ways.retain(|way| !matches!(way, Way::ModSecurity(2 | 3) | Way::Crs(2 | 3)));
        kinds.retain(|kind| !matches!(kind, Kind::FormVaried | Kind::Args));
    }
    let cells = cells::measure(dir, extent.plan, &kinds, &ways).await?;
    // From here on nothing is pinned: the load, the origin and the node share every core.
    stay_on(Cores::All)?;
    let every = if extent.quick { 100 } else { 1 };
    let memory = memory::measure(&dir.join("memory"), &[1, 4], extent.transactions, every).await?;
    let others = watch.share()?;
    Ok(Results { date, extent, machine, others, versions: ways::versions(), cells, compile_ms, memory })
}
