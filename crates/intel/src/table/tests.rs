use super::*;
use proptest::prelude::*;
use secbeat_types::Origin;
use std::time::Duration;

const KINDS: [DecisionKind; 2] = [DecisionKind::Allow, DecisionKind::Block];
const ORIGINS: [Origin; 3] = [Origin::Feed, Origin::Automatic, Origin::Manual];

/// Some way behind 1970, before which there is no time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms((1000 + seconds) * 1000)
}

fn slot(scope: &str, kind: DecisionKind) -> Slot {
    Slot { prefix: Prefix::of(scope.parse().unwrap()), kind, origin: Origin::Manual }
}

fn ids(decisions: impl IntoIterator<Item = Decision>) -> Vec<String> {
    let mut ids: Vec<_> = decisions.into_iter().map(|decision| decision.id).collect();
    ids.sort();
    ids
}

/// Addresses from a small space, so that prefixes nest and meet.
fn address() -> impl Strategy<Value = IpAddr> {
    (any::<bool>(), 0u8..4, 0u8..4).prop_map(|(v4, high, low)| match v4 {
        true => IpAddr::from([192, 0, high, low]),
        false => IpAddr::from([0x2001, 0xdb8, u16::from(high), 0, 0, 0, 0, u16::from(low)]),
    })
}

/// A decision but for its number.
fn entry() -> impl Strategy<Value = Entry> {
    let terms = (0i64..20, proptest::option::of(0u64..20), proptest::option::of(1u64..20));
    (address(), 0u8..=128, 0usize..2, 0usize..3, terms).prop_map(
        |(address, length, kind, origin, (made, lasts, confirm))| {
            let length = if address.is_ipv4() { length.min(32) } else { length };
            let prefix = Prefix::around(address, length);
            Entry::new(Slot { prefix, kind: KINDS[kind], origin: ORIGINS[origin] }, 0, at(made))
                .lasting(lasts.map(Duration::from_secs))
                .waiting(confirm.map(Duration::from_secs))
        },
    )
}

proptest! {
    #[test]
    fn lookup_equals_a_linear_scan(
        puts in proptest::collection::vec(entry(), 0..60),
        removals in proptest::collection::vec(0usize..60, 0..10),
        asked in proptest::collection::vec((address(), 0i64..25), 1..20),
        shift in -5i64..5,
    ) {
        let (mut table, mut model) = (DecisionTable::default(), Vec::<Entry>::new());
        for (number, put) in puts.iter().enumerate() {
            let put = Entry { number: number as u64, ..put.clone() };
            table.insert(put.clone());
            model.retain(|held| held.slot() != put.slot() || (!held.is_waiting() && put.is_waiting()));
            model.push(put);
        }
        for condemned in removals.iter().filter_map(|i| puts.get(*i)) {
            let before = model.len();
            model.retain(|held| held.slot() != condemned.slot());
            let gone = table.remove(condemned.prefix(), |held| held.slot() == condemned.slot());
            prop_assert_eq!(gone.len(), before - model.len());
        }
        table.shift(shift * 1000);
        model.iter_mut().for_each(|entry| entry.made_ms += shift * 1000);
        let model: Vec<Decision> = model.iter().map(Entry::decision).collect();
        prop_assert_eq!(ids(table.iter()), ids(model.clone()));
        prop_assert_eq!(table.len(), model.len());
        for kind in KINDS {
            prop_assert_eq!(table.count(kind), model.iter().filter(|d| d.kind == kind).count());
        }
        for (address, second) in asked {
            let holds = |d: &&Decision| d.scope.contains(&address);
            let expected = decide(model.iter().filter(holds), at(second));
            let found = table.lookup(address, at(second));
            prop_assert_eq!(found.as_deref(), expected);
            let considered = table.considered(address);
            prop_assert_eq!(considered.len(), model.iter().filter(holds).count());
            let strongest = considered.iter().map(|(d, _)| d).find(|d| d.is_in_force(at(second)));
            prop_assert_eq!(strongest, expected);
        }
    }

    #[test]
    fn what_is_swept_out_is_what_has_expired(
        puts in proptest::collection::vec(entry(), 0..60),
        second in 0i64..40,
    ) {
        let mut table = DecisionTable::default();
        for (number, put) in puts.into_iter().enumerate() {
            table.insert(Entry { number: number as u64, ..put });
        }
        let all: Vec<Decision> = table.iter().collect();
        let gone: Vec<Entry> = (0..SHARDS).flat_map(|shard| table.sweep(shard, at(second))).collect();
        let (kept, ended): (Vec<_>, Vec<_>) = all.into_iter().partition(|d| d.is_in_force(at(second)));
        prop_assert_eq!(ids(gone.iter().map(Entry::decision)), ids(ended));
        prop_assert_eq!(ids(table.iter()), ids(kept.clone()));
        for decision in &kept {
            prop_assert!(table.lookup(decision.scope.addr(), at(second)).is_some());
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition(
        puts in proptest::collection::vec(entry(), 0..60),
        limit in 1usize..20,
    ) {
        let mut table = DecisionTable::default();
        for (number, put) in puts.into_iter().enumerate() {
            table.insert(Entry { number: number as u64 + 1, ..put });
        }
        let wanted = |d: &Decision| d.kind == DecisionKind::Block && d.is_in_force(at(10));
        let mut expected: Vec<Decision> = table.iter().filter(wanted).collect();
        expected.sort_by_key(|d| entry::number_of(&d.id));
        let (mut listed, mut after) = (Vec::new(), 0);
        loop {
            let page = table.page(DecisionKind::Block, None, after, limit, at(10));
            prop_assert_eq!(page.total, expected.len());
            prop_assert!(page.decisions.len() <= limit);
            listed.extend(page.decisions);
            match page.next {
                Some(next) => after = entry::number_of(&next).unwrap(),
                None => break,
            }
        }
        prop_assert_eq!(listed, expected);
    }
}

#[test]
fn a_mapped_address_is_looked_up_as_ipv4() {
    let mut table = DecisionTable::default();
    table.insert(Entry::new(slot("192.0.2.0/24", DecisionKind::Block), 1, at(0)));
    assert!(table.lookup("::ffff:192.0.2.7".parse().unwrap(), at(0)).is_some());
    assert!(table.lookup("::192.0.2.7".parse().unwrap(), at(0)).is_none());
}

#[test]
fn a_prefix_holds_what_lies_inside_it() {
    let allow = |scope| Entry::new(slot(scope, DecisionKind::Allow), 1, at(0));
    let mut table = DecisionTable::default();
    for scope in ["192.0.2.7/32", "192.0.0.0/8", "198.51.100.0/24", "2001:db8::/48"] {
        table.insert(allow(scope));
    }
    let inside = |scope: &str| {
        let inside = table.inside(scope.parse().unwrap(), DecisionKind::Allow);
        let mut scopes: Vec<String> = inside.map(|d| d.scope.to_string()).collect();
        scopes.sort();
        scopes
    };
    assert_eq!(inside("192.0.2.0/24"), ["192.0.2.7/32"]);
    assert_eq!(inside("0.0.0.0/0"), ["192.0.0.0/8", "192.0.2.7/32", "198.51.100.0/24"]);
    assert_eq!(inside("::/0"), ["2001:db8::/48"]);
    assert_eq!(inside("192.0.2.7/32"), ["192.0.2.7/32"]);
}

#[test]
fn a_decision_takes_no_more_than_64_bytes_however_it_came_in() {
    let count = 200_000_u32;
    let mut table = DecisionTable::default();
    for number in 0..count {
        let scope = format!("{}/32", std::net::Ipv4Addr::from(number.wrapping_mul(2_654_435_761)));
        // A table that readers hold is copied shard by shard as it grows.
        let _held = (number % 1000 == 0).then(|| table.clone());
        table.insert(Entry::new(slot(&scope, DecisionKind::Block), number.into(), at(0)));
    }
    assert_eq!(table.len(), count as usize);
    let fixed = DecisionTable::default().bytes();
    let each = (table.bytes() - fixed) as f64 / f64::from(count);
    assert!(each <= 64.0, "{each} bytes");
}
