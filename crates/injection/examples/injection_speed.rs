//! How long a value takes, here and in C, over the payloads of the corpora: each side three times in turn, the best
//! counts.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::Instant;

use common::{Oracle, padded, payloads};
use secbeat_injection::{is_sqli, is_xss, may_be_sqli, may_be_xss};

/// Runs over a set and its NUL-padded twin so often that a run takes long enough to be measured.
const ROUNDS: usize = 5;
const RUNS: usize = 3;

type Side<'a> = &'a dyn Fn(&[u8], &[u8]) -> bool;
type Values = Vec<(Vec<u8>, Vec<u8>)>;

fn main() {
    let (Some(oracle), Some(payloads)) = (Oracle::load(), payloads()) else {
        println!("skipped: no libmodsecurity.so.3 or no corpora");
        return;
    };
    let (attacks, benign): (Vec<_>, Vec<_>) = payloads.into_iter().partition(|(attack, _)| *attack);
    println!("{:28} {:>8} {:>8} {:>8} {:>6}", "ns a value", "values", "here", "C", "times");
    for (name, values) in [("benign", benign), ("attacks", attacks)] {
        let values: Values = values.into_iter().map(|(_, value)| (value.clone(), padded(&value))).collect();
        let show = |what: &str, here: f64, c: f64| {
            println!(
                "{:28} {:>8} {here:>8.1} {c:>8.1} {:>6.2}",
                format!("{name}, {what}"),
                values.len(),
                c / here
            );
        };
        let sqli = best(
            &values,
            &[&|value, _| is_sqli(value).is_some(), &|value, padded| oracle.sqli(value, padded).is_some()],
        );
        show("detectSQLi", sqli[0], sqli[1]);
        let xss = best(&values, &[&|value, _| is_xss(value), &|value, padded| oracle.xss(value, padded)]);
        show("detectXSS", xss[0], xss[1]);
        for (what, gate) in
            [("not SQL by the gate", may_be_sqli as fn(&[u8]) -> bool), ("not XSS by the gate", may_be_xss)]
        {
            let skipped = values.iter().filter(|(value, _)| !gate(value)).count();
            println!(
                "{:28} {:>7.1}%",
                format!("{name}, {what}"),
                100.0 * skipped as f64 / values.len() as f64
            );
        }
    }
}

/// The nanoseconds a value takes each of the sides.
fn best(values: &Values, sides: &[Side]) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; sides.len()];
    for _ in 0..RUNS {
        for (best, side) in best.iter_mut().zip(sides) {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                for (value, padded) in values {
                    black_box(side(black_box(value), black_box(padded)));
                }
            }
            *best = best.min(start.elapsed().as_nanos() as f64 / (ROUNDS * values.len()) as f64);
        }
    }
    best
}
