//! Nanoseconds that the filter takes, for the expressions and phrases of an installed Core Rule Set, over values as they come.
//!
//! `cargo run --release -p secbeat-pattern --example prefilter_speed`; `SECBEAT_CRS_RULES` names another folder of rules.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Search, cpu_nanos};
use secbeat_pattern::{Matcher, Prefilter, PrefilterBuilder, PrefilterCache, RuleBits};
use std::hint::black_box;

const VALUES: &[(&str, &[&str])] = &[
    ("number", &["42", "1998", "7"]),
    ("word", &["shoes", "price_asc", "Springfield"]),
    (
        "form field",
        &[
            "john.smith@example.com",
            "12 Main Street, Springfield",
            "+1 (555) 123-4567",
            "I'd like the red one, please",
        ],
    ),
    (
        "header",
        &[
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "gzip, deflate, br",
            "en-US,en;q=0.5",
        ],
    ),
    ("attack", &["1' OR 1=1 UNION SELECT password FROM users--", "<script>alert(document.cookie)</script>"]),
];

const PROSE: &str = "When we had been there before, somebody would always select the right table from the menu and order \
    what they liked: a cat, a dog, or an update of the file where the old list was. ";

fn main() {
    let rules: Vec<_> =
        common::rules().into_iter().filter(|rule| rule.head && !rule.negated && !rule.response).collect();
    for (name, phrases) in [("expressions and phrases", true), ("expressions alone", false)] {
        let mut builder = PrefilterBuilder::new(rules.len());
        let started = cpu_nanos();
        for (rule, number) in rules.iter().zip(0..) {
            match &rule.search {
                Search::Expression(pattern) => builder.pattern(number, pattern),
                Search::Phrases(words) if phrases => builder.phrases(number, words),
                Search::Phrases(_) => {}
            }
        }
        let filter = builder.build();
        println!(
            "{name}: {} rules, {} of them by automaton, built in {:.1} ms, {} KB",
            rules.len(),
            filter.weak_rules().len(),
            (cpu_nanos() - started) as f64 / 1e6,
            filter.memory_usage() >> 10,
        );
        if phrases && std::env::args().any(|argument| argument == "weak") {
            for rule in filter.weak_rules().iter().filter_map(|rule| rules.get(usize::from(rule))) {
                println!("  {} {:?}", rule.id, rule.search);
            }
        }
        measure(&filter, rules.len());
    }
    let started = cpu_nanos();
    let matchers: Vec<_> = rules
        .iter()
        .filter_map(|rule| match &rule.search {
            Search::Expression(pattern) => Matcher::new(pattern).ok(),
            Search::Phrases(_) => None,
        })
        .collect();
    println!("{} matchers built in {:.1} ms", matchers.len(), (cpu_nanos() - started) as f64 / 1e6);
}

fn measure(filter: &Prefilter, rules: usize) {
    let prose = PROSE.repeat(100_000 / PROSE.len());
    let all = RuleBits::full(rules);
    let mut strong = all.clone();
    strong.subtract(filter.weak_rules());
    let kinds = VALUES.iter().map(|(name, values)| (*name, values.to_vec()));
    for (name, values) in kinds.chain([("prose", vec![prose.as_str()])]) {
        for (which, alive) in [("all", &all), ("by literals", &strong)] {
            let mut cache = PrefilterCache::default();
            let bytes: usize = values.iter().map(|value| value.len()).sum();
            let rounds = 20_000_000 / (bytes + 100 * values.len()) + 1;
            let mut candidates = 0;
            let mut run = |rounds: usize| {
                for _ in 0..rounds {
                    for value in &values {
                        let view = black_box(value.as_bytes());
                        let mut present = [0; 4];
                        // A byte shifted right by six is below four.
                        view.iter().for_each(|byte| present[usize::from(byte >> 6)] |= 1 << (byte & 63));
                        filter.scan(&mut cache, view, &present, alive, &mut |_, _| candidates += 1);
                    }
                }
            };
            run(2);
            let started = cpu_nanos();
            run(rounds);
            let nanos = (cpu_nanos() - started) as f64 / rounds as f64;
            println!(
                "  {name:12} {which:12} {:9.1} ns a value, {:6.2} ns a byte, {:7.2} told of each value",
                nanos / values.len() as f64,
                nanos / bytes as f64,
                candidates as f64 / ((rounds + 2) * values.len()) as f64,
            );
        }
    }
}
