//! The newest security events, in memory: for the events API and who follows it.
//!
//! Workers [`push`](EventRing::push) into a bounded queue without a lock; what does not fit is dropped and counted. The
//! control side [`drain`](EventRing::drain)s the queue into the ring, where events get ascending ids, and the oldest
//! make room for the newest.
//!
//! What operators do has queue and room of its own: however many attacks there are, they do not push it out.

use crossbeam_queue::ArrayQueue;
use secbeat_types::{Event, EventKind, Timestamp};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most events that are kept of what clients do, and again of what operators do;
pub const EVENTS_MAX: usize = 10_000;
/// and the most bytes, about, that each of the two takes.
pub const BYTES_MAX: usize = 16 << 20;
/// The most events of each of the two that wait to be drained.
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
    clients: ArrayQueue<Event>,
    audit: ArrayQueue<Event>,
    dropped: AtomicU64,
    newest_id: AtomicU64,
    rings: Mutex<Rings>,
}

#[derive(Default)]
struct Rings {
    clients: Ring,
    audit: Ring,
    /// Of [`EventRing::dropped`], those that the ids tell of.
    dropped: u64,
}

/// Events by ascending id.
#[derive(Default)]
struct Ring {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl Ring {
    fn push(&mut self, event: Arc<Event>) {
        self.bytes += weight(&event);
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            if !self.pop_if(|_| true) {
                break;
            }
        }
    }

    /// Forgets the oldest one where `is_over` says so.
    fn pop_if(&mut self, is_over: impl Fn(&Event) -> bool) -> bool {
        let Some(oldest) = self.events.pop_front_if(|event| is_over(event)) else { return false };
        self.bytes = self.bytes.saturating_sub(weight(&oldest));
        true
    }

    fn after(&self, id: u64) -> impl Iterator<Item = &Arc<Event>> {
        self.events.iter().skip(self.events.partition_point(|event| event.id <= id))
    }
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
            clients: ArrayQueue::new(QUEUE_MAX),
            audit: ArrayQueue::new(QUEUE_MAX),
            dropped: AtomicU64::new(0),
            newest_id: AtomicU64::new(base),
            rings: Mutex::default(),
        }
    }

    /// The id that all ids of this life of the node are greater than.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Hands over an event; it is dropped and counted where too many wait. Never waits.
    pub fn push(&self, event: Event) {
        let queue = if event.kind.is_audit() { &self.audit } else { &self.clients };
        if queue.push(event).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Gives the events that wait their ids and keeps them; returns the newest id. To be called a few times a second
    /// by the control side; queries do it too. Those that were dropped take ids too, so that a follower sees the gap.
    pub fn drain(&self) -> u64 {
        drop(self.fresh());
        self.newest_id.load(Relaxed)
    }

    /// A page of events.
    pub fn query(&self, query: &Query) -> Page {
        let rings = self.fresh();
        let limit = query.limit.clamp(1, LIMIT_MAX);
        let (clients, audit) = (rings.clients.events.iter().rev(), rings.audit.events.iter().rev());
        let newest_first = merged(clients, audit, |event| Reverse(event.id));
        let mut found = newest_first.filter(|event| query.wants(event)).cloned();
        let events: Vec<_> = found.by_ref().take(limit).collect();
        let next = found.next().and_then(|_| events.last().map(|event| event.id));
        Page { events, next }
    }

    /// The events after `id`, the oldest first, at most [`LIMIT_MAX`]: what a follower has not seen. An id that is more
    /// than one greater than the one before it, or than `id`, says that some are gone.
    pub fn after(&self, id: u64) -> Vec<Arc<Event>> {
        let rings = self.fresh();
        let oldest_first = merged(rings.clients.after(id), rings.audit.after(id), |event| event.id);
        oldest_first.take(LIMIT_MAX).cloned().collect()
    }

    /// The id of the first event that is kept of what happened at `at` or later.
    pub fn first_since(&self, at: Timestamp) -> Option<u64> {
        let rings = self.fresh();
        let first =
            |ring: &Ring| ring.events.iter().find(|event| event.timestamp >= at).map(|event| event.id);
        first(&rings.clients).into_iter().chain(first(&rings.audit)).min()
    }

    /// Forgets what happened before `at`. To be called once in a while, for who may not keep it longer.
    pub fn forget_before(&self, at: Timestamp) {
        let mut rings = self.fresh();
        while rings.clients.pop_if(|event| event.timestamp < at) {}
        while rings.audit.pop_if(|event| event.timestamp < at) {}
    }

    /// Events lost since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// The rings with everything that waited.
    fn fresh(&self) -> MutexGuard<'_, Rings> {
        // A panic elsewhere loses at most the count of bytes of one event.
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than the queues hold: whoever goes on pushing must not keep this going.
        let wait = |queue: &'_ ArrayQueue<Event>| -> Vec<Event> {
            std::iter::from_fn(|| queue.pop()).take(QUEUE_MAX).collect()
        };
        let mut waiting = wait(&self.clients);
        waiting.append(&mut wait(&self.audit));
        // Each queue has its own order; between the two only the time tells.
        waiting.sort_by_key(|event| event.timestamp);
        for mut event in waiting {
            event.id = self.newest_id.fetch_add(1, Relaxed) + 1;
            let ring = if event.kind.is_audit() { &mut rings.audit } else { &mut rings.clients };
            ring.push(Arc::new(event));
        }
        let dropped = self.dropped();
        self.newest_id.fetch_add(dropped - rings.dropped, Relaxed);
        rings.dropped = dropped;
        rings
    }
}

/// Two sequences that are each sorted by `key`, as one.
fn merged<'a, K: Ord>(
    one: impl Iterator<Item = &'a Arc<Event>>,
    other: impl Iterator<Item = &'a Arc<Event>>,
    key: impl Fn(&Event) -> K,
) -> impl Iterator<Item = &'a Arc<Event>> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if key(b) < key(a) => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
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
    let texts = [
        &event.actor,
        &event.request_id,
        &event.method,
        &event.host,
        &event.target,
        &event.user_agent,
        &event.rule_id,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let matches: usize =
        event.matches.iter().map(|m| size_of_val(m) + m.variable.len() + m.matched.len()).sum();
    size_of::<Event>() + texts + event.reason.len() + matches
}

#[cfg(test)]
mod tests;
