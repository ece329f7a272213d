use super::class::{AHEAD_MAX, TAT_BITS};
use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;
use std::sync::Barrier;

type Seeded = BuildHasherDefault<DefaultHasher>;
type Table = RateTable<Seeded>;

const SECOND: u64 = 1_000_000_000;
const LIMIT: u64 = 1;

fn table(sets: usize) -> Table {
    RateTable::with_hasher(sets, Seeded::default())
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn numbered(number: u32) -> IpAddr {
    IpAddr::from(number.to_be_bytes())
}

fn of(table: &Table, client: IpAddr) -> RateKey {
    table.key(LIMIT).address(client).finish()
}

fn rate(requests: u64, seconds: u64, burst: u64) -> Rate {
    Rate::new(requests, Duration::from_secs(seconds), burst)
}

/// How many of `asked` requests at once pass.
fn passed(table: &Table, key: RateKey, rate: &Rate, asked: usize, now: u64) -> usize {
    (0..asked).filter(|_| table.check(key, rate, now).is_ok()).count()
}

#[test]
fn a_client_gets_its_burst_then_its_rate() {
    let (table, rate) = (table(16), Rate::per_second(10));
    let client = of(&table, ip("192.0.2.1"));
    assert_eq!(passed(&table, client, &rate, 20, SECOND), 20);
    let refused = table.check(client, &rate, SECOND).unwrap_err();
    assert_eq!(refused, RetryAfter(Duration::from_millis(100)));
    assert_eq!(refused.seconds(), 1);
    let early = table.check(client, &rate, SECOND + SECOND / 10 - 16);
    assert_eq!(early, Err(RetryAfter(Duration::from_nanos(16))));
    assert_eq!(table.check(client, &rate, SECOND + SECOND / 10), Ok(()));
    assert_eq!(passed(&table, of(&table, ip("192.0.2.2")), &rate, 30, SECOND), 20, "another client's own");
}

#[test]
fn a_client_that_never_stops_asking_still_gets_its_rate() {
    let (table, rate) = (table(16), Rate::per_second(100));
    let client = of(&table, ip("192.0.2.1"));
    let asked = (0..10_000u64).map(|i| SECOND + i * 1_000_000);
    assert_eq!(asked.filter(|now| table.check(client, &rate, *now).is_ok()).count(), 200 + 999);
}

#[test]
fn an_ipv6_client_is_its_64_and_a_mapped_one_its_ipv4_address() {
    let (table, rate) = (table(16), rate(1, 1, 1));
    let passes = |text: &str| table.check(of(&table, ip(text)), &rate, 0).is_ok();
    assert!(passes("2001:db8:0:1::1") && !passes("2001:db8:0:1:ffff::2"));
    assert!(passes("2001:db8:0:2::1"));
    assert!(passes("192.0.2.1") && !passes("::ffff:192.0.2.1"));
}

#[test]
fn limits_and_the_parts_of_a_key_count_apart() {
    let (table, rate) = (table(64), rate(1, 60, 1));
    let (one, other) = (limit_id("login"), limit_id("search"));
    let keys = [
        table.key(one).finish(),
        table.key(other).finish(),
        table.key(one).bytes(b"ab").bytes(b"c").finish(),
        table.key(one).bytes(b"a").bytes(b"bc").finish(),
        table.key(one).bytes(b"AB").bytes(b"c").finish(),
        table.key(one).address(ip("192.0.2.1")).bytes(b"/login").finish(),
        table.key(other).address(ip("192.0.2.1")).bytes(b"/login").finish(),
    ];
    assert!(keys.iter().all(|key| table.check(*key, &rate, 0).is_ok()));
    assert!(keys.iter().all(|key| table.check(*key, &rate, 0).is_err()));
    let long = "Shop.Example".repeat(20);
    let lower = long.to_ascii_lowercase();
    let host = |name: &str| table.key(one).bytes_of_any_case(name.as_bytes()).finish();
    assert_eq!(host(&long), host(&lower));
    assert_eq!(host(&lower), table.key(one).bytes(lower.as_bytes()).finish());
}

#[test]
fn a_new_rate_keeps_what_was_used() {
    let table = table(16);
    let client = of(&table, ip("192.0.2.1"));
    assert_eq!(passed(&table, client, &rate(10, 1, 10), 10, 0), 10);
    // A second's worth is used; at a tenth of the rate that is a whole burst of one.
    let slower = rate(1, 1, 1);
    assert_eq!(table.check(client, &slower, 0), Err(RetryAfter(Duration::from_secs(1))));
    assert_eq!(table.check(client, &slower, SECOND), Ok(()));
}

#[test]
fn usage_tells_what_is_left_and_counts_nothing() {
    let (table, rate) = (table(16), rate(20, 10, 20));
    let client = of(&table, ip("192.0.2.1"));
    let usage = |now| table.peek(client, &rate, now);
    assert_eq!(usage(0), Usage { used: 0, burst: 20, retry_after: Duration::ZERO });
    assert!(table.is_empty());
    assert_eq!(passed(&table, client, &rate, 3, 0), 3);
    assert_eq!((usage(0).used, usage(0).retry_after), (3, Duration::ZERO));
    assert_eq!((usage(SECOND / 4).used, usage(SECOND / 2).used, usage(2 * SECOND).used), (3, 2, 0));
    assert_eq!(passed(&table, client, &rate, 30, 0), 17);
    assert_eq!(usage(0), Usage { used: 20, burst: 20, retry_after: Duration::from_millis(500) });
}

#[test]
fn rates_from_one_a_day_to_a_million_a_second_are_kept() {
    const DAY: u64 = 86_400;
    for (requests, per, burst, seconds) in
        [(1, DAY, 1, 5 * DAY), (10, DAY, 70, 2 * DAY), (1, 1, 2, 8), (1_000_000, 1, 2_000_000, 1)]
    {
        let (table, rate) = (table(1), rate(requests, per, burst));
        let client = of(&table, ip("192.0.2.1"));
        let step = per * SECOND / requests / 4;
        let asked = (0..seconds * SECOND / step).map(|i| SECOND + i * step);
        let passed = asked.filter(|now| table.check(client, &rate, *now).is_ok()).count() as f64;
        // Where the burst is not used up, every request passes.
        let expected = (seconds * requests) as f64 / per as f64 + burst as f64;
        let expected = expected.min((seconds * SECOND / step) as f64);
        assert!(
            (passed - expected).abs() <= (expected / 100.0).max(1.0),
            "{requests} in {per} s: {passed} of {expected}"
        );
    }
}

#[test]
fn a_burst_is_exact_up_to_a_week_and_cut_beyond() {
    for (requests, per, burst) in
        [(1, 86_400, 7), (1000, 86_400, 7000), (3, 7, 100), (1_000_000, 1, 3_000_000)]
    {
        let (table, rate) = (table(1), rate(requests, per, burst));
        let client = of(&table, ip("192.0.2.1"));
        assert_eq!(passed(&table, client, &rate, burst as usize + 10, SECOND), burst as usize);
        let waits = table.check(client, &rate, SECOND).unwrap_err().0.as_secs_f64();
        let expected = per as f64 / requests as f64;
        assert!((waits - expected).abs() <= expected / 100.0, "{waits} of {expected}");
    }
    assert_eq!(rate(1, 86_400, 1000).burst(), 7);
    assert_eq!(rate(0, 0, 0).burst(), 1);
}

#[test]
fn memory_is_fixed_and_who_recovered_first_makes_room() {
    let (table, rate) = (table(1), rate(1, 1, 2));
    let clients: Vec<RateKey> = (1..=5).map(|i| of(&table, numbered(i))).collect();
    // Four clients fill the only set; the second one came first.
    for (client, at) in clients.iter().zip([40, 10, 42, 42]) {
        assert!(table.check(*client, &rate, at * SECOND).is_ok());
    }
    assert!(table.check(clients[4], &rate, 42 * SECOND).is_ok());
    assert_eq!(table.len(), 4);
    // The first client has recovered, the third and fourth have not: they are still known.
    for known in [2, 3] {
        assert!(table.check(clients[known], &rate, 42 * SECOND).is_ok());
        assert!(table.check(clients[known], &rate, 42 * SECOND).is_err());
    }
}

#[test]
fn a_sweep_forgets_only_who_has_recovered_and_time_may_come_round() {
    for (rate, wait) in [(rate(1, 1, 1), SECOND), (rate(1, 86_400, 1), 86_400 * SECOND)] {
        let table = table(16);
        let shift = CLASSES[rate.class].tick_shift;
        let round = 1u64 << (TAT_BITS + shift);
        let (one, other) = (of(&table, numbered(1)), of(&table, numbered(2)));
        assert!(table.check(one, &rate, wait).is_ok());
        assert!(table.check(other, &rate, 2 * wait).is_ok());
        table.sweep(2 * wait);
        assert_eq!(table.len(), 1);
        assert!(table.check(other, &rate, 2 * wait).is_err());
        table.sweep(3 * wait);
        assert!(table.is_empty());
        // Across the point where the TAT comes round, the limit holds.
        assert!(table.check(one, &rate, round - wait / 4).is_ok());
        assert!(table.check(one, &rate, round + wait / 4).is_err());
        assert!(table.check(one, &rate, round + wait).is_ok());
        // A word may lie untouched for 7 hours behind its recovery.
        let idle = (7 * 3600 * SECOND).min(((1 << TAT_BITS) - AHEAD_MAX) << shift);
        assert!(table.check(one, &rate, round + 2 * wait + idle).is_ok());
    }
}

#[test]
fn threads_together_let_through_exactly_the_burst() {
    let (table, rate) = (table(64), Rate::per_second(1000));
    let client = of(&table, ip("192.0.2.1"));
    assert!(table.check(client, &rate, SECOND).is_ok());
    let barrier = Barrier::new(4);
    let passed: usize = std::thread::scope(|scope| {
        let ask = || {
            barrier.wait();
            passed(&table, client, &rate, 5000, SECOND)
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 1999);
}

/// Real clients near their limit, among `crowd` that came before and `rotating` that come once each. `sets` are as many as
/// hold the crowd. How many of the clients' counts are still known.
fn known_after(sets: usize, real: u32, crowd: u32, rotating: u32) -> usize {
    let (table, rate) = (table(sets), rate(100, 10, 100));
    let first = |count: u32| (0..count).map(|i| numbered(0x0a00_0000 + i));
    for client in first(crowd) {
        assert!(table.check(of(&table, client), &rate, SECOND).is_ok());
    }
    for client in first(real) {
        assert_eq!(passed(&table, of(&table, client), &rate, 99, SECOND), 99);
    }
    // All in one instant: nobody recovers meanwhile.
    for client in (0..rotating).map(|i| numbered(0x2000_0000 + i)) {
        let _ = table.check(of(&table, client), &rate, SECOND);
    }
    assert!(table.len() <= sets * 4);
    first(real).filter(|client| table.peek(of(&table, *client), &rate, SECOND).used == 100).count()
}

#[test]
fn a_flood_of_clients_that_come_once_does_not_make_it_forget_who_is_near_its_limit() {
    // A 64th of the real sizes. That five such clients meet in one set is the one way to lose one.
    assert!(known_after(1 << 12, 64, 1 << 14, 160_000) >= 63);
}

#[test]
fn ten_million_rotating_clients_do_not_make_it_forget_who_is_near_its_limit() {
    let known = known_after(1 << 18, 4000, 1_000_000, 10_000_000);
    assert!(known >= 3990, "{known}");
}

#[test]
fn nobody_uses_up_a_slow_limit_to_be_forgotten_by_a_fast_one() {
    let table = table(1);
    let (fast, slow) = (Rate::per_second(10), rate(5, 3600, 5));
    let client = of(&table, ip("192.0.2.1"));
    assert_eq!(passed(&table, client, &fast, 30, SECOND), 20);
    for number in 0..1000u64 {
        let header = table.key(2).bytes(&number.to_be_bytes()).finish();
        assert!(table.check(header, &slow, SECOND).is_ok());
    }
    assert!(table.check(client, &fast, SECOND).is_err());
}

#[test]
fn a_table_takes_memory_for_the_classes_that_are_checked_alone() {
    let table = RateTable::new();
    assert_eq!(RateTable::BYTES_MAX, 5 * (8 << 20));
    assert!(table.key(LIMIT).finish() == table.key(LIMIT).finish() && table.is_empty());
    assert!(table.check(table.key(LIMIT).finish(), &Rate::per_second(1), 0).is_ok());
    assert_eq!(table.len(), 1);
}

/// GCRA as the standard has it, in exact arithmetic on ticks, with a map and no eviction.
#[derive(Default)]
struct Model {
    tat: HashMap<RateKey, u64>,
}

impl Model {
    fn check(&mut self, client: RateKey, now: u64, increment: u64, burst: u64) -> bool {
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
        requests in 1u64..2000,
        per_ms in 100u64..100_000_000,
        burst in 1u64..50,
        asked in proptest::collection::vec((0u32..4, 0u64..2000), 1..400),
    ) {
        let rate = Rate::new(requests, Duration::from_millis(per_ms), burst);
        let shift = CLASSES[rate.class].tick_shift;
        // Four clients always fit in a set of four.
        let table = table(1);
        let (mut model, mut now) = (Model::default(), SECOND);
        for (host, pause) in asked {
            // Up to two requests' time.
            now += (rate.increment << shift) / 1000 * pause;
            // As every few hours: the pauses may come to weeks.
            table.sweep(now);
            let client = of(&table, numbered(host));
            let expected = model.check(client, now >> shift, rate.increment, rate.burst);
            let usage = table.peek(client, &rate, now);
            let got = table.check(client, &rate, now);
            prop_assert_eq!(got.is_ok(), expected);
            prop_assert_eq!(usage.retry_after.is_zero(), expected);
            if let Err(RetryAfter(wait)) = got {
                prop_assert_eq!(usage.retry_after, wait);
                let then = (now >> shift) + (wait.as_nanos() as u64 >> shift);
                prop_assert_eq!(model.tat[&client], then + (rate.burst - 1) * rate.increment);
            }
        }
    }
}
