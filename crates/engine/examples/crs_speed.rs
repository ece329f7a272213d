//! What a transaction costs over the Core Rule Set, by paranoia level: a browser's page (A), a form of 20 fields (B), 950
//! arguments of prose (C).
//!
//! `cargo run --release -p secbeat-engine --example crs_speed [-- plain]`; `SECBEAT_CRS4=DIR` takes another rule set, `LEVEL`,
//! `ONLY` and `TIMES` one level, one request, other numbers of them.

#[path = "../tests/common/mod.rs"]
mod common;

use common::request;
use secbeat_engine::{Facts, Memory, Program};
use std::time::Instant;

/// Nanoseconds that this process has had of a processor: what else runs on the machine does not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

fn main() {
    let plain = std::env::args().any(|argument| argument == "plain");
    let levels: Vec<u8> = match std::env::var("LEVEL").ok().and_then(|level| level.parse().ok()) {
        Some(level) => vec![level],
        None => vec![1, 2, 3, 4],
    };
    let only = std::env::var("ONLY").unwrap_or_default();
    let requests =
        [("A", request::page(), 20_000), ("B", request::form(), 5_000), ("C", request::prose(), 60)];
    for (name, request, _) in &requests {
        let (values, bytes) = request.size();
        println!("{name}: {values} values, {bytes} bytes");
    }
    for level in levels {
        let Some(set) = common::rule_set(level) else { return };
        let begun = Instant::now();
        let Ok(program) = Program::compile(&set) else { return println!("the rules do not compile") };
        let mut line = format!("paranoia {level}: compiled in {} ms", begun.elapsed().as_millis());
        for (name, request, times) in &requests {
            if !only.is_empty() && only != *name {
                continue;
            }
            let times = if plain { times / 20 + 1 } else { *times };
            let times = std::env::var("TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(times);
            let told = request.told();
            let mut memory = Memory::default();
            let mut best = f64::MAX;
            let mut matched = 0;
            // The best of some rounds: what else runs on the machine only ever adds.
            for _ in 0..5 {
                let begun = cpu();
                for _ in 0..times / 5 + 1 {
                    let facts = Facts { plain, ..Facts::default() };
                    let mut transaction = program.transaction(memory, facts);
                    told.run(&mut transaction);
                    matched = transaction.matches().len();
                    memory = transaction.finish();
                }
                best = best.min((cpu() - begun) / 1e3 / f64::from(times / 5 + 1));
            }
            line += &format!("; {name} {best:.1} µs ({matched} matches)");
        }
        println!("{line}");
    }
}
