//! The newest security events, in memory: for the events API and who follows it.
//!
//! Workers [`push`](EventRing::push) into a bounded queue without a lock; what does not fit is dropped and counted. The
//! control side [`drain`](EventRing::drain)s the queue into the ring, where events get ascending ids, and the oldest
//! make room for the newest.

use crossbeam_queue::ArrayQueue;
use secbeat_types::{Event, EventKind, Timestamp};
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most events that are kept,
pub const EVENTS_MAX: usize = 10_000;
/// and the most bytes, about, that they take.
pub const BYTES_MAX: usize = 16 << 20;
/// The most events that wait to be drained.
const QUEUE_MAX: usize = 1024;
/// The most events on a page.
pub const LIMIT_MAX: usize = 1000;

/// Where a query begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// After the event of this id.
    Id(u64),
    /// At this instant or later.
    Time(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    /// An id, or a time in RFC 3339.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(id) => Ok(Since::Id(id)),
            Err(_) => {
                Timestamp::parse(text).map(Since::Time).map_err(|e| format!("expected an event id, or: {e}"))
            }
        }
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Only of this kind.
    pub kind: Option<EventKind>,
    /// Only from here on.
    pub since: Option<Since>,
    /// Only before the event of this id: [`Page::next`] of the page before.
    pub before: Option<u64>,
    /// Only about this client.
    pub ip: Option<IpAddr>,
    /// The most on a page, 1 to [`LIMIT_MAX`].
    pub limit: usize,
}

impl Default for Query {
    /// The newest 100 events.
    fn default() -> Self {
        Query { kind: None, since: None, before: None, ip: None, limit: 100 }
    }
}

impl Query {
    /// Whether it asks for this event. The limit is the page's concern.
    pub fn wants(&self, event: &Event) -> bool {
        self.kind.is_none_or(|kind| event.kind == kind)
            && self.before.is_none_or(|id| event.id < id)
            && self.ip.is_none_or(|ip| event.client_ip.is_some_and(|c| c.to_canonical() == ip.to_canonical()))
            && self.since.is_none_or(|since| match since {
                Since::Id(id) => event.id > id,
                Since::Time(at) => event.timestamp >= at,
            })
    }
}

/// Events, the newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The events.
    pub events: Vec<Arc<Event>>,
    /// [`Query::before`] of the next page; `None`: there are no older ones.
    pub next: Option<u64>,
}

/// The newest events of a node.
pub struct EventRing {
    /// Ids are greater than this.
    base: u64,
    queue: ArrayQueue<Event>,
    dropped: AtomicU64,
    newest_id: AtomicU64,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl Default for EventRing {
    fn default() -> Self {
        EventRing::after_id(0)
    }
}

impl EventRing {
    /// An empty ring whose ids are greater than `base`: where that grows from start to start, so do they, and who followed an
    /// earlier life of the node is told that it has ended.
    pub fn after_id(base: u64) -> Self {
        EventRing {
            base,
            queue: ArrayQueue::new(QUEUE_MAX),
            dropped: AtomicU64::new(0),
            newest_id: AtomicU64::new(base),
            ring: Mutex::default(),
        }
    }

    /// The id that all ids of this life of the node are greater than.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Hands over an event; it is dropped and counted where too many wait. Never waits.
    pub fn push(&self, event: Event) {
        if self.queue.push(event).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Gives the events that wait their ids and keeps them; returns the newest id. To be called a few times a second
    /// by the control side; queries do it too.
    pub fn drain(&self) -> u64 {
        drop(self.fresh());
        self.newest_id.load(Relaxed)
    }

    /// A page of events.
    pub fn query(&self, query: &Query) -> Page {
        let ring = self.fresh();
        let limit = query.limit.clamp(1, LIMIT_MAX);
        let mut found = ring.events.iter().rev().filter(|event| query.wants(event)).cloned();
        let events: Vec<_> = found.by_ref().take(limit).collect();
        let next = found.next().and_then(|_| events.last().map(|event| event.id));
        Page { events, next }
    }

    /// The events after `id`, the oldest first, at most [`LIMIT_MAX`]: what a follower has not seen. A first id that
    /// is more than one greater than `id` says that it was too slow.
    pub fn after(&self, id: u64) -> Vec<Arc<Event>> {
        let ring = self.fresh();
        let from = ring.events.partition_point(|event| event.id <= id);
        ring.events.iter().skip(from).take(LIMIT_MAX).cloned().collect()
    }

    /// Forgets what happened before `at`. To be called once in a while, for who may not keep it longer.
    pub fn forget_before(&self, at: Timestamp) {
        let mut ring = self.fresh();
        while let Some(oldest) = ring.events.pop_front_if(|event| event.timestamp < at) {
            ring.bytes = ring.bytes.saturating_sub(weight(&oldest));
        }
    }

    /// Events lost since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// The ring with everything that waited.
    fn fresh(&self) -> MutexGuard<'_, Ring> {
        // A panic elsewhere loses at most the count of bytes of one event.
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than the queue holds: whoever goes on pushing must not keep this going.
        for mut event in std::iter::from_fn(|| self.queue.pop()).take(QUEUE_MAX) {
            event.id = self.newest_id.fetch_add(1, Relaxed) + 1;
            ring.bytes += weight(&event);
            ring.events.push_back(Arc::new(event));
        }
        while ring.events.len() > EVENTS_MAX || ring.bytes > BYTES_MAX {
            let Some(oldest) = ring.events.pop_front() else { break };
            ring.bytes = ring.bytes.saturating_sub(weight(&oldest));
        }
        ring
    }
}

impl fmt::Debug for EventRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRing")
            .field("newest_id", &self.newest_id)
            .field("dropped", &self.dropped)
            .finish()
    }
}

/// About how many bytes an event takes.
fn weight(event: &Event) -> usize {
    let texts =
        [&event.request_id, &event.method, &event.host, &event.target, &event.user_agent, &event.rule_id];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let matches: usize =
        event.matches.iter().map(|m| size_of_val(m) + m.variable.len() + m.matched.len()).sum();
    size_of::<Event>() + texts + event.reason.len() + matches
}

#[cfg(test)]
mod tests {
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
        assert_eq!(ring.drain(), QUEUE_MAX as u64);
    }

    proptest! {
        #[test]
        fn pages_together_hold_every_event_once(count in 0usize..60, limit in 1usize..20) {
            let ring = EventRing::default();
            (0..count).for_each(|i| ring.push(event(EventKind::Attack, "192.0.2.1", i as i64)));
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
}
