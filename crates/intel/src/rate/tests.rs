use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Barrier;

type Seeded = BuildHasherDefault<DefaultHasher>;

fn table(rate: Rate, sets: usize) -> RateTable<Seeded> {
    RateTable::with_hasher(rate, sets, Seeded::default())
}

const SECOND: u64 = 1_000_000_000;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_client_gets_its_burst_then_its_rate() {
    let table = table(Rate::per_second(10), 16);
    let client = ip("192.0.2.1");
    for _ in 0..20 {
        assert_eq!(table.check(client, SECOND), Ok(()));
    }
    let refused = table.check(client, SECOND).unwrap_err();
    assert_eq!(refused, RetryAfter(Duration::from_millis(100)));
    assert_eq!(refused.seconds(), 1);
    assert_eq!(table.check(client, SECOND + SECOND / 10 - 16), Err(RetryAfter(Duration::from_nanos(16))));
    assert_eq!(table.check(client, SECOND + SECOND / 10), Ok(()));
    assert_eq!(table.check(ip("192.0.2.2"), SECOND), Ok(()), "another client has a burst of its own");
}

#[test]
fn a_client_that_never_stops_asking_still_gets_its_rate() {
    let table = table(Rate::per_second(100), 16);
    let asked = (0..10_000u64).map(|i| SECOND + i * 1_000_000);
    let passed = asked.filter(|now| table.check(ip("192.0.2.1"), *now).is_ok()).count();
    assert_eq!(passed, 200 + 999);
}

#[test]
fn an_ipv6_client_is_its_64_and_a_mapped_one_its_ipv4_address() {
    let table = table(Rate { per_second: 1, burst: 1 }, 16);
    assert!(table.check(ip("2001:db8:0:1::1"), 0).is_ok());
    assert!(table.check(ip("2001:db8:0:1:ffff::2"), 0).is_err());
    assert!(table.check(ip("2001:db8:0:2::1"), 0).is_ok());
    assert!(table.check(ip("192.0.2.1"), 0).is_ok());
    assert!(table.check(ip("::ffff:192.0.2.1"), 0).is_err());
}

#[test]
fn no_limit_refuses_nobody_and_a_new_rate_keeps_what_was_used() {
    let table = table(Rate::UNLIMITED, 16);
    let client = ip("192.0.2.1");
    assert!((0..100).all(|_| table.check(client, 0).is_ok()));
    assert_eq!(table.clients(), 0);
    table.set_rate(Rate { per_second: 10, burst: 10 });
    assert!((0..10).all(|_| table.check(client, 0).is_ok()));
    // A second's worth is used; at a tenth of the rate that is a whole burst of one.
    table.set_rate(Rate { per_second: 1, burst: 1 });
    assert_eq!(table.check(client, 0), Err(RetryAfter(Duration::from_secs(1))));
    assert_eq!(table.check(client, SECOND), Ok(()));
}

#[test]
fn rates_at_both_ends_are_kept() {
    for (rate, seconds) in [(1u32, 8u64), (1_000_000, 1)] {
        let table = table(Rate::per_second(rate), 1);
        let step = SECOND / u64::from(rate) / 4;
        let asked = (0..seconds * SECOND / step).map(|i| SECOND + i * step);
        let passed = asked.filter(|now| table.check(ip("192.0.2.1"), *now).is_ok()).count() as f64;
        let expected = f64::from(rate) * (seconds as f64 + 2.0);
        assert!((passed - expected).abs() <= (expected / 100.0).max(1.0), "{rate}: {passed} of {expected}");
    }
}

#[test]
fn memory_is_fixed_and_who_recovered_first_makes_room() {
    let table = table(Rate { per_second: 1, burst: 2 }, 1);
    let clients: Vec<IpAddr> = (1..=5).map(|i| IpAddr::from([192, 0, 2, i])).collect();
    // Four clients fill the only set; the second one came first.
    for (client, at) in clients.iter().zip([40, 10, 42, 42]) {
        assert!(table.check(*client, at * SECOND).is_ok());
    }
    assert!(table.check(clients[4], 42 * SECOND).is_ok());
    assert_eq!(table.clients(), 4);
    // The first client has recovered, the third and fourth have not: they are still known.
    for known in [2, 3] {
        assert!(table.check(clients[known], 42 * SECOND).is_ok());
        assert!(table.check(clients[known], 42 * SECOND).is_err());
    }
}

#[test]
fn a_sweep_forgets_only_who_has_recovered_and_time_may_come_round() {
    let table = table(Rate { per_second: 1, burst: 1 }, 16);
    let round = 1u64 << (TAT_BITS + TICK_SHIFT);
    assert!(table.check(ip("192.0.2.1"), SECOND).is_ok());
    assert!(table.check(ip("192.0.2.2"), 10 * SECOND).is_ok());
    table.sweep(10 * SECOND);
    assert_eq!(table.clients(), 1);
    assert!(table.check(ip("192.0.2.2"), 10 * SECOND).is_err());
    table.sweep(11 * SECOND);
    assert_eq!(table.clients(), 0);
    // Across the point where the TAT comes round, the limit holds.
    assert!(table.check(ip("192.0.2.1"), round - SECOND / 4).is_ok());
    assert!(table.check(ip("192.0.2.1"), round + SECOND / 4).is_err());
    assert!(table.check(ip("192.0.2.1"), round + SECOND).is_ok());
}

#[test]
fn threads_together_let_through_exactly_the_burst() {
    let table = table(Rate::per_second(1000), 64);
    let client = ip("192.0.2.1");
    assert!(table.check(client, SECOND).is_ok());
    let barrier = Barrier::new(4);
    let passed: usize = std::thread::scope(|scope| {
        let ask = || {
            barrier.wait();
            (0..5000).filter(|_| table.check(client, SECOND).is_ok()).count()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 1999);
}

/// GCRA as the standard has it, in exact arithmetic on ticks, with a map and no eviction.
#[derive(Default)]
struct Model {
    tat: HashMap<IpAddr, u64>,
}

impl Model {
    fn check(&mut self, client: IpAddr, now: u64, increment: u64, burst: u64) -> bool {
        let tat = self.tat.get(&client).copied().unwrap_or(0);
        // Conforming unless the cell comes earlier than its TAT less the tolerance.
        let conforms = now + (burst - 1) * increment >= tat;
        if conforms {
            self.tat.insert(client, tat.max(now) + increment);
        }
        conforms
    }
}

proptest! {
    #[test]
    fn it_agrees_with_the_exact_model(
        per_second in 1u32..2000,
        burst in 1u32..50,
        asked in proptest::collection::vec((0u8..4, 0u64..20_000_000), 1..400),
    ) {
        let rate = Rate { per_second, burst };
        let increment = rate.ticks().0;
        // Four clients always fit in a set of four.
        let table = table(rate, 1);
        let (mut model, mut now) = (Model::default(), SECOND);
        for (host, pause_ns) in asked {
            now += pause_ns;
            let client = IpAddr::from([192, 0, 2, host]);
            let expected = model.check(client, now >> TICK_SHIFT, increment, u64::from(burst));
            let got = table.check(client, now);
            prop_assert_eq!(got.is_ok(), expected);
            if let Err(RetryAfter(wait)) = got {
                let then = (now & !15) + wait.as_nanos() as u64;
                prop_assert!(then > now & !15);
                prop_assert_eq!(model.tat[&client], (then >> TICK_SHIFT) + u64::from(burst - 1) * increment);
            }
        }
    }
}
