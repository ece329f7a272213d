//! CPU of a small plain keep-alive request through one node against that through another, in interleaved rounds.

use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::aside;
use crate::idle::settled;
use crate::origin::Origin;
use crate::peers::Running;
use crate::process::Cores;
use crate::rounds::{self, Plan, Round, Series};
use crate::scenario::{Scenario, Scheme, Size};
use crate::stats::{self, Estimate};
use crate::steering::node::one_core;
use crate::steering::{Extent, filling};

/// How often the two nodes are started anew. Where the pages of a process happen to lie moves its cost by a hundredth
/// or two for as long as it runs, and rounds of one process cannot see that.
const STARTS: u32 = 3;

/// A node with decisions and exceptions in place against one with none.
#[derive(Debug, Default, Serialize)]
pub struct Filled {
    /// CPU per request of each round with none, microseconds.
    pub empty_us: Vec<f64>,
    /// The same with all in place.
    pub filled_us: Vec<f64>,
    /// From exec to ready, of each start with none, seconds.
    pub empty_start_s: Vec<f64>,
    /// The same with the journal.
    pub filled_start_s: Vec<f64>,
    /// Resident memory of each start with none, before the first request of the load, bytes.
    pub empty_rss: Vec<f64>,
    /// The same with the decisions.
    pub filled_rss: Vec<f64>,
}

/// What is written of each request, against nothing.
#[derive(Debug, Default, Serialize)]
pub struct Recording {
    /// CPU per request of each round with neither, microseconds.
    pub neither_us: Vec<f64>,
    /// With the recorder, which writes a sample and what is stopped.
    pub recorder_us: Vec<f64>,
    /// With the access log in JSON.
    pub access_log_us: Vec<f64>,
    /// Requests that the access log was to have a line of, but for warm-ups.
    pub logged: u64,
    /// Lines that it lost, those of warm-ups included.
    pub lost: u64,
}

impl Filled {
    /// CPU with all in place against none.
    pub fn ratio(&self) -> Option<Estimate> {
        stats::ratio(&self.filled_us, &self.empty_us)
    }
}

/// Measures a node on `data`, whose journal is there, and which gets its exceptions, against one with an empty folder.
pub async fn filled(dir: &Path, data: &Path, origin: &Origin, extent: Extent) -> Outcome<Filled> {
    let mut found = Filled::default();
    for number in 0..STARTS {
        eprintln!("start {} of {STARTS}: a node filled, and one with nothing", number + 1);
        let empty = one_core(dir, &dir.join("empty"), origin).start().await?;
        let filled = one_core(dir, data, origin).start().await?;
        found.empty_start_s.push(empty.start.as_secs_f64());
        found.filled_start_s.push(filled.start.as_secs_f64());
        found.empty_rss.push(settled(empty.proxy.group()).await? as f64);
        found.filled_rss.push(settled(filled.proxy.group()).await? as f64);
        let api = filled.api;
        aside(move || {
            filling::exceptions(api, extent.exceptions)?;
            filling::check(api, extent.decisions, extent.exceptions)
        })
        .await?;
        let series = compare(dir, &[empty.proxy, filled.proxy], extent.plan).await?;
        if let [empty, filled] = series.as_slice() {
            found.empty_us.extend(empty.costs(Round::cost_us));
            found.filled_us.extend(filled.costs(Round::cost_us));
        }
    }
    Ok(found)
}

/// Measures nodes that write more and less, their data folders in `disk`.
pub async fn recording(dir: &Path, disk: &Path, origin: &Origin, plan: Plan) -> Outcome<Recording> {
    let mut found = Recording::default();
    let log =
        format!("access_log.enable = true\naccess_log.file = \"{}\"", disk.join("access.log").display());
    let ways = [
        ("neither", "recorder.enable = false"),
        ("recorder", "recorder.enable = true"),
        ("access-log", &format!("recorder.enable = false\n{log}")),
    ];
    for number in 0..STARTS {
        eprintln!("start {} of {STARTS}: recorder, access log, and neither", number + 1);
        let (mut proxies, mut apis) = (Vec::new(), Vec::new());
        for (name, more) in ways {
            let node = one_core(dir, &disk.join(name), origin).with(more).start().await?;
            proxies.push(node.proxy);
            apis.push(node.api);
        }
        let series = compare(dir, &proxies, plan).await?;
        if let ([neither, recorder, access_log], [.., logging]) = (series.as_slice(), apis.as_slice()) {
            found.neither_us.extend(neither.costs(Round::cost_us));
            found.recorder_us.extend(recorder.costs(Round::cost_us));
            found.access_log_us.extend(access_log.costs(Round::cost_us));
            found.logged += access_log.rounds.iter().map(|round| round.load.requests).sum::<u64>();
            let logging = *logging;
            found.lost += aside(move || logging.metric("secbeat_access_lines_dropped_total")).await?;
        }
    }
    Ok(found)
}

/// Each of `proxies` in its share of the plan's rounds.
async fn compare(dir: &Path, proxies: &[Running], plan: Plan) -> Outcome<Vec<Series>> {
    let small = Scenario { scheme: Scheme::Http, size: Size::Small };
    let plan = Plan { rounds: plan.rounds.div_ceil(STARTS), ..plan };
    rounds::interleaved(dir, proxies, small, plan, Cores::Client).await
}
