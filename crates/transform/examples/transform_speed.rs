//! `cargo run --release -p secbeat-transform --example transform_speed`: nanoseconds a value of each transformation.

use secbeat_transform::{ByteSet, Transformation};
use std::hint::black_box;
use std::time::Instant;

/// What arguments and fields hold, and one attack.
const VALUES: [(&str, &str); 5] = [
    ("word", "newsletter"),
    ("prose", "The quick brown fox jumps over the lazy dog, and then it sleeps; isn't that nice?"),
    ("path", "/static/js/vendor/jquery-3.6.0.min.js"),
    (
        "agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    ),
    ("attack", "%27%20UNION/**/SELECT&#x20;\\x3cscript\\u003e+0x414243--+-%u2039../../etc//passwd"),
];

/// How often each is measured; the fastest counts.
const ROUNDS: usize = 7;
const CALLS: u32 = 20_000;

fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut out = Vec::with_capacity(4096);
    print!("{:20}", "ns");
    VALUES.iter().for_each(|(name, value)| print!("{:>14}", format!("{name} ({})", value.len())));
    print!("\n{:20}", "byte set");
    for (_, value) in VALUES {
        print!(
            "{:>14.0}",
            nanoseconds(|| {
                black_box(ByteSet::of_value(black_box(value.as_bytes())));
            })
        );
    }
    println!();
    for transformation in Transformation::all() {
        print!("{:20}", transformation.name());
        for (_, value) in VALUES {
            let gated = !transformation.triggers().is_full()
                && !transformation.triggers().intersects(&ByteSet::of_value(value.as_bytes()));
            let took = nanoseconds(|| {
                out.clear();
                black_box(transformation.apply(black_box(value.as_bytes()), &mut out));
            });
            print!("{:>14}", format!("{took:.0}{}", if gated { " gated" } else { "" }));
        }
        println!();
    }
}
