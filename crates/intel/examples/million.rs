//! What a million decisions cost: `cargo run --release -p secbeat-intel --example million [data directory]`.
#![allow(clippy::expect_used, missing_docs)]

use secbeat_intel::{Decisions, NewDecision};
use secbeat_types::{DecisionKind, Origin, Timestamp};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const COUNT: u32 = 1_000_000;

fn main() {
    let dir = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("million"), PathBuf::from);
    let now = Timestamp::now();
    let before = resident_bytes();
    {
        let (decisions, _) = Decisions::open(&dir, now).expect("a data directory");
        let listed = (0..COUNT).map(|number| NewDecision {
            scope: address(number).into(),
            kind: DecisionKind::Block,
            origin: Origin::Feed,
            reason: "a list from outside".into(),
            duration: Some(Duration::from_secs(u64::from(number % 3600) + 3600)),
            confirm: None,
        });
        let listed = listed.collect();
        told("made and synced", || decisions.put_many(listed, now)).expect("room");
        let table = decisions.snapshot();
        println!("table: {:.1} bytes each", table.bytes() as f64 / f64::from(COUNT));
        told("one more block", || decisions.block(address(COUNT).into(), None, "one", now)).expect("room");
        told("nothing to expire", || decisions.expire(now));
        let hour = now.after(Duration::from_secs(3601));
        let expired = told("a second's worth expired", || decisions.expire(hour));
        println!("expired: {}", expired.decisions.len() + expired.more);
        told("a page", || table.page(DecisionKind::Block, None, 500_000, 1000, now));
        let missing = |number: u32| Ipv4Addr::from(number | 0x8000_0000).into();
        let few = |number: u32| Ipv4Addr::from((number % 1000) | 0x8000_0000).into();
        let ways: [(&str, &dyn Fn(u32) -> IpAddr); 3] =
            [("held", &address), ("not held", &missing), ("not held, of few clients", &few)];
        for (what, of) in ways {
            let start = Instant::now();
            let found = (0..COUNT).filter(|number| table.find(of(*number), now).is_some()).count();
            let each = start.elapsed().as_nanos() / u128::from(COUNT);
            println!("lookup of what is {what}: {each} ns each, {found} found");
        }
    }
    let (decisions, warnings) = told("loaded", || Decisions::open(&dir, now)).expect("a data directory");
    println!("{} decisions, {warnings:?}", decisions.current().len());
    println!("resident: {} MiB more than at the start", (resident_bytes() - before) >> 20);
    told("compacted", || decisions.flush_pending()).expect("a disk");
}

/// Spread over all of IPv4 but its upper half.
fn address(number: u32) -> IpAddr {
    Ipv4Addr::from(number.wrapping_mul(2_654_435_761) & 0x7fff_ffff).into()
}

fn told<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    println!("{what}: {:.3} ms", start.elapsed().as_secs_f64() * 1000.0);
    done
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}
