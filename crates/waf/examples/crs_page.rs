//! What the Core Rule Set and the shipped rules cost together for a browser's page and for a form of 20 fields, from the
//! head to logging, one thread: request after request, and with up to 3 MiB of other memory touched between them, as a
//! proxy's other work does.
//!
//! `cargo run --release -p secbeat-waf --example crs_page`; `TIMES` takes another number of requests.

mod common;

use common::{FIELDS, FORM, cpu, shipped_rules, times};
use secbeat_types::Timestamp;
use secbeat_waf::crs::{self, CrsSettings, ResponseSettings};
use secbeat_waf::{BodyFollows, BodyKind, Context, OsSources, Request, ResponseHead, RuleSet, Settings};
use std::net::Ipv4Addr;
use std::sync::Arc;

const TARGET: &[u8] = b"/shop/search?q=waterproof+hiking+boots&category=outdoor&sort=price_asc&page=2";

/// Runs one request, the `u32`th.
type Work = fn(&RuleSet, u32);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = shipped_rules()?;
    let none = RuleSet::compile(&rules, &Settings::default())?;
    let response = ResponseSettings { limit: 131_072, types: vec!["text/plain".into(), "text/html".into()] };
    let compiled = crs::compile(Some(&CrsSettings::default()), &response, &[], &OsSources)
        .map_err(|errors| format!("{errors:?}"))?;
    let both = RuleSet::compile(&rules, &Settings::default())?.with_seclang(Arc::new(compiled.program));
    let times = times(20_000);
    let mut other = vec![0u8; 3 << 20];
    let work: [(&str, &RuleSet, Work); 4] = [
        ("a page, the shipped rules", &none, page),
        ("a page, with the Core Rule Set", &both, page),
        ("a form, the shipped rules", &none, form),
        ("a form, with the Core Rule Set", &both, form),
    ];
    for (what, set, run) in work {
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
                            run(set, at);
                        }
                    }
                    *best = best.min((cpu() - begun) / f64::from(times / 5));
                }
            }
            println!("{what}, {} KiB touched between: {:.1} µs", touched >> 10, (best - alone) / 1e3);
        }
    }
    Ok(())
}

#[inline(never)]
fn page(set: &RuleSet, at: u32) {
    request(set, at, b"GET", &FIELDS, None);
}

#[inline(never)]
fn form(set: &RuleSet, at: u32) {
    let length = FORM.len().to_string();
    let of_body: [(&[u8], &[u8]); 2] =
        [(b"Content-Type", b"application/x-www-form-urlencoded"), (b"Content-Length", length.as_bytes())];
    let fields: Vec<_> = FIELDS.into_iter().filter(|(name, _)| *name != b"Cookie").chain(of_body).collect();
    request(set, at, b"POST", &fields, Some(FORM));
}

fn request(set: &RuleSet, at: u32, method: &[u8], fields: &[(&[u8], &[u8])], body: Option<&[u8]>) {
    let id = format!("01J{at:023}");
    let context = Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(1_800_000_000_000));
    let mut transaction = set.transaction(context);
    let target = if body.is_some() { b"/shop/order" } else { TARGET };
    let follows = if body.is_some() { BodyFollows::Inspected } else { BodyFollows::default() };
    let request = Request { method, target, fields, protocol: b"HTTP/1.1", id: &id, body: follows };
    std::hint::black_box(transaction.request_head(&request));
    if let Some(body) = body {
        let kind: &[u8] = b"application/x-www-form-urlencoded";
        std::hint::black_box(transaction.request_body(BodyKind::Urlencoded, Some(kind), body, true));
    }
    let fields: [(&[u8], &[u8]); 2] =
        [(b"Content-Type", b"application/octet-stream"), (b"Content-Length", b"160")];
    let head = ResponseHead { status: 200, protocol: b"HTTP/1.1", fields: &fields };
    std::hint::black_box(transaction.response_head(&head));
    std::hint::black_box(transaction.response_body_not_inspected());
    transaction.finish();
}
