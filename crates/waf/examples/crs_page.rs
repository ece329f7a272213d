//! What the Core Rule Set and the shipped rules cost together for a browser's page, from its head to logging, one thread:
//! request after request, and with a mebibyte of other memory touched between them, as a proxy's other work does.
//!
//! `cargo run --release -p secbeat-waf --example crs_page`; `TIMES` takes another number of requests.

use secbeat_types::Timestamp;
use secbeat_waf::crs::{self, CrsSettings, ResponseSettings};
use secbeat_waf::{Context, OsSources, Request, ResponseHead, RuleSet, Settings, parse_rules};
use std::net::Ipv4Addr;
use std::sync::Arc;

const FIELDS: [(&[u8], &[u8]); 15] = [
    (b"Host", b"shop.example"),
    (b"Connection", b"keep-alive"),
    (b"sec-ch-ua", b"\"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\""),
    (b"sec-ch-ua-mobile", b"?0"),
    (b"sec-ch-ua-platform", b"\"Linux\""),
    (b"Upgrade-Insecure-Requests", b"1"),
    (
        b"User-Agent",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    ),
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    (b"Sec-Fetch-Site", b"same-origin"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Dest", b"document"),
    (b"Accept-Encoding", b"gzip, deflate, br"),
    (b"Accept-Language", b"en-GB,en;q=0.9,de;q=0.8"),
    (b"Referer", b"https://shop.example/shop/outdoor"),
    (
        b"Cookie",
        b"session=9f3c1a7e5b2d4860a1c3e5f708192a3b; _ga=GA1.1.1182736450.1714650011; _gid=GA1.1.990817263.1714650011; \
          consent=necessary.statistics; currency=EUR; lang=en-GB; cart=c5021f-8842-3; last_seen=1714653600",
    ),
];

const TARGET: &[u8] = b"/shop/search?q=waterproof+hiking+boots&category=outdoor&sort=price_asc&page=2";

/// Nanoseconds that this process has had of a processor: what else runs on the machine does not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mitigation-node/config/waf_rules.json");
    let rules = parse_rules(&std::fs::read_to_string(path)?)?;
    let none = RuleSet::compile(&rules, &Settings::default())?;
    let response = ResponseSettings { limit: 131_072, types: vec!["text/plain".into(), "text/html".into()] };
    let compiled = crs::compile(Some(&CrsSettings::default()), &response, &[], &OsSources)
        .map_err(|errors| format!("{errors:?}"))?;
    let both = RuleSet::compile(&rules, &Settings::default())?.with_seclang(Arc::new(compiled.program));
    let times: u32 = std::env::var("TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(20_000);
    let mut other = vec![0u8; 3 << 20];
    for (who, set) in [("the shipped rules", &none), ("with the Core Rule Set", &both)] {
        for touched in [0, 256 << 10, 1 << 20, 3 << 20] {
            let (mut best, mut alone) = (f64::MAX, f64::MAX);
            for _ in 0..5 {
                for (count, best) in [(false, &mut alone), (true, &mut best)] {
                    let begun = cpu();
                    for at in 0..times / 5 {
                        other
                            .iter_mut()
                            .take(touched)
                            .step_by(64)
                            .for_each(|byte| *byte = byte.wrapping_add(1));
                        if count {
                            page(set, at);
                        }
                    }
                    *best = best.min((cpu() - begun) / f64::from(times / 5));
                }
            }
            println!("{who}, {} KiB touched between: {:.1} µs a page", touched >> 10, (best - alone) / 1e3);
        }
    }
    Ok(())
}

#[inline(never)]
fn page(set: &RuleSet, at: u32) {
    let id = format!("01J{at:023}");
    let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(1_800_000_000_000));
    let mut transaction = set.transaction(context);
    let request = Request {
        method: b"GET",
        target: TARGET,
        fields: &FIELDS,
        protocol: b"HTTP/1.1",
        id: &id,
        ..Request::default()
    };
    std::hint::black_box(transaction.request_head(&request));
    let fields: [(&[u8], &[u8]); 2] =
        [(b"Content-Type", b"application/octet-stream"), (b"Content-Length", b"160")];
    let head = ResponseHead { status: 200, protocol: b"HTTP/1.1", fields: &fields };
    std::hint::black_box(transaction.response_head(&head));
    std::hint::black_box(transaction.response_body_not_inspected());
    transaction.finish();
}
