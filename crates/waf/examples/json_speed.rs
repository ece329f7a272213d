//! What the shipped rules cost: a browser's page, its head alone, one thread.
//!
//! `cargo run --release -p secbeat-waf --example json_speed`; `TIMES` takes another number of requests.

use secbeat_types::Timestamp;
use secbeat_waf::{Context, Request, RuleSet, Settings, parse_rules};
use std::net::Ipv4Addr;

/// A page that a browser asks for, with cookies and a referer.
const FIELDS: [(&[u8], &[u8]); 12] = [
    (b"Host", b"shop.example.com"),
    (
        b"User-Agent",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    ),
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    (b"Accept-Language", b"en-GB,en;q=0.9,de;q=0.8"),
    (b"Accept-Encoding", b"gzip, deflate, br"),
    (b"Referer", b"https://shop.example.com/catalogue/shoes?page=2"),
    (b"Connection", b"keep-alive"),
    (b"Upgrade-Insecure-Requests", b"1"),
    (b"Sec-Fetch-Dest", b"document"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Site", b"same-origin"),
    (
        b"Cookie",
        b"session=9f86d081884c7d659a2feaa0c55ad015; theme=dark; consent=1; _ga=GA1.2.1234567890.1700000000",
    ),
];

/// Nanoseconds that this process has had of a processor: what else runs on the machine does not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mitigation-node/config/waf_rules.json");
    let rules = parse_rules(&std::fs::read_to_string(path)?)?;
    let begun = cpu();
    let set = RuleSet::compile(&rules, &Settings::default())?;
    println!("{} rules, compiled in {:.1} ms", rules.len(), (cpu() - begun) / 1e6);
    let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0));
    let times: u32 = std::env::var("TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(100_000);
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
