use super::*;
use proptest::prelude::*;

fn event(kind: EventKind, ip: &str, ms: i64) -> Event {
    Event {
        timestamp: Timestamp::from_unix_ms(ms),
        client_ip: Some(ip.parse().unwrap()),
        ..Event::new(kind, "waf", "attack_detected", "")
    }
}

fn ids(page: &Page) -> Vec<u64> {
    page.events.iter().map(|event| event.id).collect()
}

#[test]
fn events_are_found_by_kind_client_id_and_time() {
    let ring = EventRing::default();
    ring.push(event(EventKind::Attack, "192.0.2.1", 1000));
    ring.push(event(EventKind::Limit, "192.0.2.2", 2000));
    ring.push(event(EventKind::Attack, "::ffff:192.0.2.2", 3000));
    let found = |query: Query| ids(&ring.query(&query));
    assert_eq!(found(Query::default()), [3, 2, 1]);
    assert_eq!(found(Query { kind: Some(EventKind::Attack), ..Query::default() }), [3, 1]);
    assert_eq!(found(Query { ip: "192.0.2.2".parse().ok(), ..Query::default() }), [3, 2]);
    assert_eq!(found(Query { since: Some("1".parse().unwrap()), ..Query::default() }), [3, 2]);
    let since = Some("1970-01-01T00:00:02Z".parse().unwrap());
    assert_eq!(found(Query { since, ..Query::default() }), [3, 2]);
    assert!("soon".parse::<Since>().unwrap_err().contains("RFC 3339"));
}

#[test]
fn the_oldest_make_room_and_a_follower_sees_the_gap() {
    let ring = EventRing::default();
    for i in 0..EVENTS_MAX as i64 + 5 {
        ring.push(event(EventKind::Attack, "192.0.2.1", i));
        ring.drain();
    }
    assert_eq!(ring.after(0)[0].id, 6);
    assert_eq!(ring.after(0).len(), LIMIT_MAX);
    let newest = ring.drain();
    assert_eq!(newest, EVENTS_MAX as u64 + 5);
    assert!(ring.after(newest).is_empty());
    ring.push(event(EventKind::Attack, "192.0.2.1", 0));
    assert_eq!(ring.after(newest).len(), 1);
}

#[test]
fn what_operators_do_outlives_any_number_of_attacks() {
    let ring = EventRing::default();
    // More attacks wait than there is room for: what an operator does finds its own.
    (0..2 * QUEUE_MAX).for_each(|_| ring.push(event(EventKind::Attack, "192.0.2.1", 0)));
    ring.push(event(EventKind::Policy, "192.0.2.9", 1));
    ring.push(event(EventKind::Decision, "192.0.2.9", 2));
    for i in 0..2 * EVENTS_MAX as i64 {
        ring.push(event(EventKind::Attack, "192.0.2.1", 3 + i));
        ring.drain();
    }
    let (policy, decision) = (QUEUE_MAX as u64 + 1, QUEUE_MAX as u64 + 2);
    let of_operators = Query { ip: "192.0.2.9".parse().ok(), ..Query::default() };
    assert_eq!(ids(&ring.query(&of_operators)), [decision, policy]);
    // In order among the rest: a follower sees them first, then what is left of the attacks.
    let followed: Vec<u64> = ring.after(0).iter().map(|event| event.id).collect();
    assert_eq!(followed[..2], [policy, decision]);
    assert_eq!(followed[2], ring.drain() - EVENTS_MAX as u64 + 1);
    assert_eq!(ring.first_since(Timestamp::from_unix_ms(2)), Some(decision));
}

#[test]
fn what_is_too_old_is_forgotten() {
    let ring = EventRing::default();
    (1..=5).for_each(|s| ring.push(event(EventKind::Attack, "192.0.2.1", s * 1000)));
    ring.forget_before(Timestamp::from_unix_ms(3000));
    assert_eq!(ids(&ring.query(&Query::default())), [5, 4, 3]);
    assert_eq!(ring.after(0)[0].id, 3);
    ring.forget_before(Timestamp::from_unix_ms(9000));
    assert_eq!(ids(&ring.query(&Query::default())), [0; 0]);
    assert_eq!(ring.drain(), 5);
}

#[test]
fn large_events_make_room_for_large_events() {
    let ring = EventRing::default();
    for _ in 0..100 {
        ring.push(Event::new(EventKind::Attack, "waf", "attack_detected", "x".repeat(1 << 20)));
    }
    assert_eq!(ring.drain(), 100);
    assert_eq!(ring.query(&Query::default()).events.len(), 15);
}

#[test]
fn what_nobody_drains_is_dropped_and_counted() {
    let ring = EventRing::default();
    (0..QUEUE_MAX + 7).for_each(|_| ring.push(event(EventKind::Attack, "192.0.2.1", 0)));
    assert_eq!(ring.dropped(), 7);
    // Who follows sees that some are gone.
    assert_eq!(ring.drain(), QUEUE_MAX as u64 + 7);
    ring.push(event(EventKind::Attack, "192.0.2.1", 1));
    let last = ring.after(QUEUE_MAX as u64);
    assert_eq!(last.iter().map(|event| event.id).collect::<Vec<_>>(), [QUEUE_MAX as u64 + 8]);
}

proptest! {
    #[test]
    fn pages_together_hold_every_event_once(count in 0usize..60, limit in 1usize..20) {
        let ring = EventRing::default();
        let kinds = [EventKind::Attack, EventKind::Policy, EventKind::Limit];
        (0..count).for_each(|i| ring.push(event(kinds[i % 3], "192.0.2.1", i as i64)));
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = ring.query(&Query { before, limit, ..Query::default() });
            seen.extend(ids(&page));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        prop_assert_eq!(seen, (1..=count as u64).rev().collect::<Vec<_>>());
    }
}
