//! CPU of a request of each kind through each proxy, in interleaved rounds.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Outcome;
use crate::asker::{self, Asker, Next};
use crate::crs::requests::Kind;
use crate::crs::ways::Way;
use crate::measure;
use crate::origin::Origin;
use crate::peers::{Running, Setup};
use crate::process::Cores;
use crate::rounds::Plan;
use crate::stats::{self, Estimate};

/// How often all proxies are started anew. Where the pages of a process happen to lie moves its cost by a hundredth or two
/// for as long as it runs, and rounds of one process cannot see that.
const STARTS: u32 = 3;
/// Requests of a round at the least, however long they take.
const LEAST: usize = 4;

/// One kind of request through one proxy.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// What was asked.
    pub kind: Kind,
    /// Who was asked.
    pub way: Way,
    /// CPU of the proxy per request of each round, microseconds.
    pub cost_us: Vec<f64>,
    /// The share of one core that the proxy used in each round.
    pub busy: Vec<f64>,
    /// Requests of all rounds.
    pub requests: usize,
}

/// All cells that were measured.
#[derive(Debug, Default, Serialize)]
pub struct Cells(Vec<Cell>);

impl Cells {
    /// That of `kind` through `way`.
    pub fn of(&self, kind: Kind, way: Way) -> Option<&Cell> {
        self.0.iter().find(|cell| cell.kind == kind && cell.way == way)
    }

    /// What the firewall of `way` adds to a request of `kind`, round by round, microseconds.
    pub fn added_us(&self, kind: Kind, way: Way) -> Vec<f64> {
        let (Some(with), Some(without)) = (self.of(kind, way), self.of(kind, way.bare())) else {
            return Vec::new();
        };
        with.cost_us.iter().zip(&without.cost_us).map(|(with, without)| with - without).collect()
    }

    /// The median of what it adds.
    pub fn added(&self, kind: Kind, way: Way) -> Option<Estimate> {
        stats::estimate(&self.added_us(kind, way))
    }

    /// What `ours` adds over what `theirs` adds.
    pub fn ratio(&self, kind: Kind, ours: Way, theirs: Way) -> Option<Estimate> {
        stats::ratio(&self.added_us(kind, ours), &self.added_us(kind, theirs))
    }

    fn add(&mut self, kind: Kind, way: Way, round: Round) {
        let place = self.0.iter().position(|cell| cell.kind == kind && cell.way == way);
        let place = place.unwrap_or_else(|| {
            self.0.push(Cell { kind, way, cost_us: Vec::new(), busy: Vec::new(), requests: 0 });
            self.0.len() - 1
        });
        if let Some(cell) = self.0.get_mut(place) {
            cell.cost_us.push(round.cpu_us / round.requests as f64);
            cell.busy.push(round.cpu_us / 1e6 / round.seconds);
            cell.requests += round.requests;
        }
    }
}

/// Measures every cell of `kinds` and `ways`, in `plan.rounds` rounds of about `plan.seconds`, after a warm-up of each that
/// is thrown away.
pub async fn measure(dir: &Path, plan: Plan, kinds: &[Kind], ways: &[Way]) -> Outcome<Cells> {
    let mut cells = Cells::default();
    let origin = Origin::start(dir, Cores::Client).await?;
    let setup = Setup { dir, origin: origin.port, certificate: None, workers: 1, cores: Cores::Proxy };
    let starts = STARTS.min(plan.rounds);
    for start in 0..starts {
        let mut proxies = Vec::new();
        for &way in ways {
            proxies.push((way, way.start(setup).await?));
        }
        for &kind in kinds {
            eprintln!("start {} of {starts}: {}", start + 1, kind.label());
            let taking: Vec<_> = proxies.iter().filter(|(way, _)| way.takes(kind)).collect();
            let requests = Arc::new(kind.requests());
            for (_, proxy) in &taking {
                round(proxy, kind, requests.clone(), plan.seconds).await?;
            }
            for number in 0..plan.rounds.div_ceil(starts) as usize {
                for place in 0..taking.len() {
                    let Some((way, proxy)) = taking.get((number + place) % taking.len()) else { continue };
                    cells.add(kind, *way, round(proxy, kind, requests.clone(), plan.seconds).await?);
                }
            }
        }
    }
    Ok(cells)
}

/// What one round of one proxy has taken.
#[derive(Debug, Clone, Copy)]
struct Round {
    cpu_us: f64,
    requests: usize,
    seconds: f64,
}

/// Every request that was begun is answered when the round ends, so CPU and count are of the same requests.
async fn round(proxy: &Running, kind: Kind, requests: Arc<Vec<Vec<u8>>>, seconds: u32) -> Outcome<Round> {
    let (port, begin) = (proxy.port, Instant::now());
    let before = measure::cpu(proxy.group())?;
    let until = begin + Duration::from_secs(seconds.into());
    let asked = crate::aside(move || {
        let mut turn = Turn { requests: &requests, until, sent: 0, failed: None };
        asker::run(port, kind.connections(), &mut turn)?;
        match turn.failed {
            None => Ok(turn.sent),
            Some(status) => Err(format!("{}: the run is void: an answer is {status}, not 200", kind.label())),
        }
    });
    let requests = asked.await.map_err(|failure| proxy.explain(failure))?;
    let cpu_us = measure::cpu(proxy.group())?.since(before).total_us();
    Ok(Round { cpu_us, requests, seconds: begin.elapsed().as_secs_f64() })
}

/// Sends requests in turn until the time is over.
struct Turn<'a> {
    requests: &'a [Vec<u8>],
    until: Instant,
    sent: usize,
    failed: Option<u16>,
}

impl Asker for Turn<'_> {
    fn next(&mut self, now: Instant, request: &mut Vec<u8>) -> Next {
        if self.failed.is_some() || (now >= self.until && self.sent >= LEAST) {
            return Next::Over;
        }
        let Some(bytes) = self.requests.get(self.sent % self.requests.len()) else { return Next::Over };
        request.extend_from_slice(bytes);
        self.sent += 1;
        Next::Ask(0)
    }

    fn answered(&mut self, _: usize, status: u16, _: Instant) {
        if status != 200 {
            self.failed = Some(status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(with: &[(Way, [f64; 3])]) -> Cells {
        let mut cells = Cells::default();
        for (way, costs) in with {
            for cost in costs {
                cells.add(Kind::Get, *way, Round { cpu_us: cost * 10.0, requests: 10, seconds: 1.0 });
            }
        }
        cells
    }

    #[test]
    fn what_a_firewall_adds_is_against_the_same_proxy_in_the_same_round() {
        let cells = cells(&[
            (Way::Secbeat, [10.0, 20.0, 30.0]),
            (Way::Crs(1), [15.0, 25.0, 35.0]),
            (Way::Nginx, [50.0, 60.0, 70.0]),
            (Way::ModSecurity(1), [150.0, 160.0, 170.0]),
        ]);
        assert_eq!(cells.added_us(Kind::Get, Way::Crs(1)), [5.0; 3]);
        let ratio = cells.ratio(Kind::Get, Way::Crs(1), Way::ModSecurity(1)).unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (0.05, 0.05, 0.05));
        assert_eq!(cells.added(Kind::Form, Way::Crs(1)), None);
    }
}
