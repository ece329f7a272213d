//! What all workers share: read without a lock on the path of a request.

use crate::budget::Budget;
use crate::kill_switch::KillSwitch;
use crate::ledger::Ledgers;
use crate::policy::Policy;
use crate::roll_call::RollCall;
use arc_swap::ArcSwap;
use secbeat_intel::{Connections, Decisions, RateTable, SteadyClock};
use secbeat_telemetry::{EventRing, Logger, Metrics};
use secbeat_types::{Decision, DecisionKind, Event, Origin, Timestamp};
use secbeat_waf::Store;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// What all workers and the control side share.
pub struct Shared {
    /// The policy in force.
    pub policy: ArcSwap<Policy>,
    /// Who is blocked or allowed.
    pub decisions: Arc<Decisions>,
    /// The time that decisions are made and end by.
    pub clock: SteadyClock,
    /// How often each client asks.
    pub rates: RateTable,
    /// The open connections of each client.
    pub connections: Arc<Connections>,
    /// Memory for bodies under inspection.
    pub bodies: Arc<Budget>,
    /// What rules in SecLang keep from one request to the next.
    pub collections: Arc<Store>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The newest events.
    pub events: Arc<EventRing>,
    /// What is written down of each request.
    pub ledgers: Ledgers,
    /// The log.
    pub log: Logger,
    /// When the program started.
    pub started: Instant,
    /// How far the program has come.
    pub lifecycle: Lifecycle,
    /// The kill switch.
    pub kill_switch: KillSwitch,
    /// What workers are asked for their connections through.
    pub roll_call: RollCall,
}

/// How far the program has come, and how many connections it holds.
#[derive(Default)]
pub struct Lifecycle {
    connections_open: AtomicUsize,
    connections_accepted: AtomicU64,
    workers_ready: AtomicUsize,
    draining: AtomicBool,
}

impl Lifecycle {
    /// Connections that are open, over all workers.
    pub fn connections_open(&self) -> usize {
        self.connections_open.load(Ordering::Relaxed)
    }

    /// A connection is taken on: its number, ascending from 1.
    pub fn connection_opens(&self) -> u64 {
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        self.connections_accepted.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A connection has ended.
    pub fn connection_ends(&self) {
        self.connections_open.fetch_sub(1, Ordering::Relaxed);
    }

    /// A worker takes connections.
    pub fn worker_is_ready(&self) {
        self.workers_ready.fetch_add(1, Ordering::Relaxed);
    }

    /// Workers that take connections.
    pub fn workers_ready(&self) -> usize {
        self.workers_ready.load(Ordering::Relaxed)
    }

    /// From now on no connection is accepted, and those there are end when they fall idle.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the program stops.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// How a client stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No decision is about it.
    Unknown,
    /// It is on the allowlist, by the decision of this number.
    Allowed(u64),
    /// It is stopped.
    Blocked(Arc<Decision>),
}

impl Shared {
    /// How a client stands at `now` by [`clock`](Self::clock). While the kill switch is turned for all hosts, nothing that a program
    /// decided counts.
    pub fn standing(&self, client: IpAddr, now: Timestamp) -> Standing {
        let table = self.decisions.current();
        let Some(found) = table.find(client, now) else { return Standing::Unknown };
        if found.origin() != Origin::Manual && self.kill_switch.suspends_programs(now) {
            return Standing::Unknown;
        }
        match found.kind() {
            DecisionKind::Allow => Standing::Allowed(found.number()),
            DecisionKind::Block => Standing::Blocked(Arc::new(found.decision())),
        }
    }

    /// The decision that stops a client at `now`, if there is one.
    pub fn blocks(&self, client: IpAddr, now: Timestamp) -> Option<Arc<Decision>> {
        match self.standing(client, now) {
            Standing::Blocked(decision) => Some(decision),
            Standing::Unknown | Standing::Allowed(_) => None,
        }
    }

    /// Nanoseconds from the start of the program to `now`: the clock of the rates.
    pub fn since_start_ns(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Tells of an event: in the ring and in the log.
    pub fn tell(&self, event: Event) {
        self.log.event(&event);
        self.events.push(event);
    }
}
