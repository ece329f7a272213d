//! Millions of clients, each of which asks once, and among them a hundred that ask more often than they may: whether the
//! rates' memory has its ceiling, and whether the hundred are counted exactly all the same.
//!
//! Two limits are on. `waf.rate_limit_rps` forgives within a tenth of a second, so few of the crowd are in its table at a
//! time. The limit `hour` forgives within a minute: at more than 17,476 new clients a second its table of 1,048,576 is
//! full, and each newcomer pushes somebody out. Half of the hundred are held by the one, half by the other.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use crate::Outcome;
use crate::aside;
use crate::asker::{self, Asker, Next};
use crate::idle::settled;
use crate::origin::Origin;
use crate::peers::job::ATTACK;
use crate::process::{Cores, stay_on};
use crate::steering::filling::address;
use crate::steering::node::every_core;
use crate::steering::regulars::{Kept, Limit, Regulars};

/// Keep-alive connections of the crowd.
const CONNECTIONS: usize = 256;
/// Clients that are watched at each limit.
const WATCHED: usize = 50;
/// Requests of a single client, half of them attacks, before memory is looked at for the first time, so that connections
/// on both sides, the ring of events and all else that has a ceiling of its own have taken their share.
const WARM_UP: u32 = 100_000;
/// That client, whom no limit counts.
const ALLOWED: Ipv4Addr = Ipv4Addr::new(198, 19, 255, 255);
/// Ten requests a second, and twenty at once.
const SECOND: Limit =
    Limit { host: "shop.example", requests: 10, per: Duration::from_secs(1), burst: 20, asks: 20 };
/// One a minute, and twenty at once.
const HOUR: Limit =
    Limit { host: "login.example", requests: 60, per: Duration::from_secs(3600), burst: 20, asks: 5 };
/// The recorder is off so that what grows is the tables.
const SETTINGS: &str = r#"recorder.enable = false
waf.rate_limit_rps = 10
[[rate_limits]]
name = "hour"
hosts = ["login.example"]
requests = 60
per = 3600
burst = 20"#;
/// What both limits' tables take at the most: a region of 8 MiB for each, `secbeat_intel::RateTable`.
pub const CEILING: u64 = 2 * (8 << 20);

/// What one crowd has done to a node.
#[derive(Debug, Serialize)]
pub struct Crowd {
    /// How many there were.
    pub clients: u32,
    /// How long it took to hear them all, seconds.
    pub seconds: f64,
    /// Those who were refused their only request.
    pub refused: u64,
    /// Resident memory before the first of all crowds, bytes.
    pub rss_before: u64,
    /// Resident memory after, bytes.
    pub rss_after: u64,
    /// Each of those that were watched.
    pub kept: Vec<Kept>,
}

/// Lets a tenth of `clients` ask, then as many others as `clients`, through a node on `data`.
pub async fn measure(dir: &Path, data: &Path, origin: &Origin, clients: u32) -> Outcome<Vec<Crowd>> {
    let node = every_core(dir, data, origin).with(SETTINGS).start().await?;
    let (port, group) = (node.proxy.port, node.proxy.group());
    let explained = |failure| node.proxy.explain(failure);
    let api = node.api;
    let warm_up = move || {
        api.post("/api/v1/allowlist", &json!({ "ip": ALLOWED, "reason": "benchmark" }))?;
        among_regulars(port, u8::MAX / 2, || crowd(port, 0..WARM_UP, true))
    };
    aside(warm_up).await.map_err(explained)?;
    let rss_before = settled(group).await?;
    let mut crowds = Vec::new();
    let tenth = clients / 10;
    for (number, numbers) in (0..).zip([0..tenth, tenth..tenth + clients]) {
        let clients = numbers.end - numbers.start;
        eprintln!("{clients} clients");
        let both = aside(move || among_regulars(port, number, move || crowd(port, numbers, false))).await;
        let ((seconds, refused), kept) = both.map_err(explained)?;
        let rss_after = settled(group).await?;
        crowds.push(Crowd { clients, seconds, refused, rss_before, rss_after, kept });
    }
    Ok(crowds)
}

/// Does `work` while the watched clients of turn `number` ask, and says what became of them.
fn among_regulars<T>(port: u16, number: u8, work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Vec<Kept>)> {
    let over = Arc::new(AtomicBool::new(false));
    let regulars: Vec<_> = [SECOND, HOUR]
        .into_iter()
        .zip([number * 2, number * 2 + 1])
        .map(|(limit, network)| {
            let mut regulars = Regulars::new(limit, network, WATCHED, over.clone());
            thread::spawn(move || {
                stay_on(Cores::All)?;
                asker::run(port, WATCHED, &mut regulars).map(|()| regulars.kept())
            })
        })
        .collect();
    let done = work();
    over.store(true, Relaxed);
    let mut kept = Vec::new();
    for thread in regulars {
        kept.extend(thread.join().map_err(|_| "the watched clients have stopped")??);
    }
    Ok((done?, kept))
}

/// Lets the clients of `numbers` ask, or one in place of all; how long it took in seconds, and how many were refused.
fn crowd(port: u16, numbers: std::ops::Range<u32>, one: bool) -> Outcome<(f64, u64)> {
    let begin = Instant::now();
    let mut crowd = Once { numbers, one, refused: 0 };
    asker::run(port, CONNECTIONS, &mut crowd)?;
    Ok((begin.elapsed().as_secs_f64(), crowd.refused))
}

/// Clients that ask once each.
struct Once {
    numbers: std::ops::Range<u32>,
    one: bool,
    refused: u64,
}

impl Asker for Once {
    fn next(&mut self, _: Instant, request: &mut Vec<u8>) -> Next {
        let Some(address) = self.numbers.find_map(address) else { return Next::Over };
        match (self.one, self.numbers.start % 2) {
            (true, 0) => SECOND.write(ALLOWED, request),
            (true, _) => request.extend_from_slice(ATTACK),
            (false, _) => HOUR.write(address, request),
        }
        Next::Ask(0)
    }

    fn answered(&mut self, _: usize, status: u16, _: Instant) {
        self.refused += u64::from(status != 200);
    }
}
