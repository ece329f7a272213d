//! What it costs a node to be steered: by a million decisions and ten thousand exceptions, by ten million clients, by
//! calls of its API and by the kill switch while every core is busy.
//!
//! | module | what |
//! | --- | --- |
//! | [`node`] | a node with the firewall on, and how long its start took |
//! | [`api`] | calls of its API, timed |
//! | [`filling`] | the million decisions and the ten thousand exceptions |
//! | [`background`] | load that goes on while something else is measured, and what came of its requests |
//! | [`cost`] | CPU of a request of one node against that of another |
//! | [`clients`] | memory and exactness of the rates under millions of clients |
//! | [`regulars`] | clients that keep asking more often than they may |
//! | [`calls`] | how long calls of the API take under load |
//! | [`kill_switch`] | how long until the kill switch is in force, under load |
//! | [`report`] | promise, figure, held |

mod api;
mod background;
mod calls;
mod clients;
mod cost;
mod filling;
mod kill_switch;
mod node;
mod regulars;
pub mod report;

use std::path::Path;

use serde::Serialize;
use tempfile::TempDir;

use crate::Outcome;
use crate::machine::{Machine, Others};
use crate::origin::Origin;
use crate::peers::Peer;
use crate::process::{Cores, stay_on};
use crate::rounds::Plan;
use calls::Latencies;
use clients::Crowd;
use cost::{Filled, Recording};
use kill_switch::Turns;

/// How much of everything.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Extent {
    /// How long and how often CPU is measured.
    pub plan: Plan,
    /// Clients of the longest run.
    pub clients: u32,
    /// Decisions in the journal.
    pub decisions: u32,
    /// Exceptions.
    pub exceptions: u32,
    /// Calls of each kind.
    pub calls: u32,
    /// Turns of the kill switch.
    pub turns: u32,
}

impl Default for Extent {
    fn default() -> Self {
        Self {
            plan: Plan { rounds: 9, seconds: 3 },
            clients: 10_000_000,
            decisions: 1_000_000,
            exceptions: 10_000,
            calls: 500,
            turns: 20,
        }
    }
}

impl Extent {
    /// Enough to see that everything works.
    pub fn quick() -> Self {
        let plan = Plan { rounds: 2, seconds: 1 };
        Self { plan, clients: 200_000, calls: 20, turns: 2, ..Self::default() }
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
    /// A node with everything in place against one with nothing.
    pub filled: Filled,
    /// Recorder and access log.
    pub recording: Recording,
    /// A tenth of the clients, then all.
    pub crowds: Vec<Crowd>,
    /// Each call of the API.
    pub calls: Latencies,
    /// The kill switch.
    pub turns: Turns,
}

/// Measures everything; files of the journal go to the disk, others to `dir`.
pub async fn run(dir: &Path, date: String, extent: Extent) -> Outcome<Results> {
    let machine = Machine::look(&[Peer::SecbeatWaf])?;
    let watch = Others::watch()?;
    let disk = disk_dir()?;
    let data = disk.path().join("filled");
    filling::decisions(&data, extent.decisions)?;
    let (filled, recording) = {
        let origin = Origin::start(dir, Cores::Client).await?;
        let filled = cost::filled(dir, &data, &origin, extent).await?;
        (filled, cost::recording(dir, disk.path(), &origin, extent.plan).await?)
    };
    // From here on nothing is pinned: the load, the origin and the node share every core.
    stay_on(Cores::All)?;
    let origin = Origin::start(&dir.join("every-core"), Cores::All).await?;
    let node = node::every_core(dir, &data, &origin).start().await?;
    let calls = calls::measure(&node, extent.calls).await?;
    let turns = kill_switch::measure(&node, extent.turns).await?;
    drop(node);
    let crowds = clients::measure(dir, &disk.path().join("crowd"), &origin, extent.clients).await?;
    let others = watch.share()?;
    Ok(Results { date, extent, machine, others, filled, recording, crowds, calls, turns })
}

/// A folder on a real disk, for what a node syncs; it goes with the run.
fn disk_dir() -> Outcome<TempDir> {
    let parent = "target/bench";
    std::fs::create_dir_all(parent)
        .and_then(|()| Path::new(parent).canonicalize())
        .and_then(|parent| tempfile::Builder::new().prefix("steering-").tempdir_in(parent))
        .map_err(|e| format!("creating a folder in {parent}: {e}"))
}
