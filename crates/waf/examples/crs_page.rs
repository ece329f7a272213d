//! What the Core Rule Set and the shipped rules cost together for a browser's page, from its head to logging, one thread:
//! request after request, and with up to 3 MiB of other memory touched between them, as a proxy's other work does.
//!
//! `cargo run --release -p secbeat-waf --example crs_page`; `TIMES` takes another number of requests.

mod common;

use common::{FIELDS, cpu, shipped_rules, times};
use secbeat_types::Timestamp;
use secbeat_waf::crs::{self, CrsSettings, ResponseSettings};
use secbeat_waf::{Context, OsSources, Request, ResponseHead, RuleSet, Settings};
use std::net::Ipv4Addr;
use std::sync::Arc;

const TARGET: &[u8] = b"/shop/search?q=waterproof+hiking+boots&category=outdoor&sort=price_asc&page=2";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = shipped_rules()?;
    let none = RuleSet::compile(&rules, &Settings::default())?;
    let response = ResponseSettings { limit: 131_072, types: vec!["text/plain".into(), "text/html".into()] };
    let compiled = crs::compile(Some(&CrsSettings::default()), &response, &[], &OsSources)
        .map_err(|errors| format!("{errors:?}"))?;
    let both = RuleSet::compile(&rules, &Settings::default())?.with_seclang(Arc::new(compiled.program));
    let times = times(20_000);
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
