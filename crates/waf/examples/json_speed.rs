//! What the shipped rules cost: a browser's page, its head alone, one thread.
//!
//! `cargo run --release -p secbeat-waf --example json_speed`; `TIMES` takes another number of requests.

mod common;

use common::{FIELDS, cpu, shipped_rules, times};
use secbeat_types::Timestamp;
use secbeat_waf::{Context, Request, RuleSet, Settings};
use std::net::Ipv4Addr;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = shipped_rules()?;
    let begun = cpu();
    let set = RuleSet::compile(&rules, &Settings::default())?;
    println!("{} rules, compiled in {:.1} ms", rules.len(), (cpu() - begun) / 1e6);
    let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0));
    let times = times(100_000);
    // Of other visitors the path, the arguments, the referer and the cookies are others: none of the values came before.
    for (who, visitors) in [("the same visitor", 1), ("other visitors", 4096)] {
        let requests: Vec<(String, [String; 2])> = (0..visitors).map(said_by).collect();
        // The best of some rounds: what else runs on the machine only ever adds.
        let mut best = f64::MAX;
        for _ in 0..5 {
            let begun = cpu();
            for (target, [referer, cookie]) in requests.iter().cycle().take(times as usize / 5) {
                let fields = FIELDS.map(|(name, value)| match name {
                    b"Referer" => (name, referer.as_bytes()),
                    b"Cookie" => (name, cookie.as_bytes()),
                    _ => (name, value),
                });
                let request = Request {
                    method: b"GET",
                    target: target.as_bytes(),
                    fields: &fields,
                    ..Request::default()
                };
                std::hint::black_box(set.judge_head(std::hint::black_box(&request), context));
            }
            best = best.min((cpu() - begun) / f64::from(times / 5));
        }
        println!("{who}: {best:.0} ns a head");
    }
    Ok(())
}

/// The target, the referer and the cookies of a visitor.
fn said_by(visitor: u32) -> (String, [String; 2]) {
    let id = visitor.wrapping_add(1).wrapping_mul(0x9e37_79b9);
    (
        format!(
            "/catalogue/shoes-{id}.html?category=shoes{id}&page={id}&sort=price-{id}&q=running+shoes+{id}"
        ),
        [
            format!("https://shop.example.com/catalogue/{id}/shoes?page=2"),
            format!(
                "session={id:08x}4c7d659a2feaa0c55ad01512; theme=dark{id}; consent={id}; _ga=GA1.2.{id}.1700000000"
            ),
        ],
    )
}
