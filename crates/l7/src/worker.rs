//! One thread of the data plane: its own connections, its own ways to the backend, its own clock; no lock shared with another.

use crate::bulk::BulkPool;
use crate::ledger::Ledger;
use crate::policy::Policy;
use crate::request_id::RequestIds;
use crate::scratch::ScratchPool;
use crate::shared::Shared;
use secbeat_edge::Registry;
use secbeat_edge::registry::TICK_MS;
use secbeat_telemetry::WorkerMetrics;
use secbeat_upstream::Pool;
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// One thread of the data plane.
pub struct Worker {
    /// What it shares with the others.
    pub shared: Arc<Shared>,
    /// Its number, from 0.
    pub index: usize,
    /// Its connections.
    pub registry: Rc<Registry>,
    /// Its spare working memory.
    pub scratch: ScratchPool,
    /// Its pipes and buffers for large answers.
    pub bulk: BulkPool,
    /// Its ready connections to the backend.
    pub pool: Pool,
    /// Its counters.
    pub metrics: Arc<WorkerMetrics>,
    /// Its hand in what is written down of requests.
    pub ledger: Ledger,
    /// Its source of request ids.
    pub ids: RequestIds,
    policy: RefCell<Rc<InForce>>,
    decisions_seen: Cell<u64>,
    /// Accept loops that have not ended.
    pub(crate) accepting: Cell<usize>,
    /// Speaks when the worker begins to stop.
    pub(crate) stopping: Notify,
}

/// A policy, shared within a worker: counting its users touches no memory that another worker touches.
pub struct InForce(Arc<Policy>);

impl Deref for InForce {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.0
    }
}

impl Worker {
    /// Worker number `index`; `seed` is drawn anew for each start.
    pub fn new(shared: Arc<Shared>, index: usize, seed: u64) -> Rc<Self> {
        let metrics = shared.metrics.worker(index);
        let policy = shared.policy.load_full();
        Rc::new(Self {
            registry: Rc::new(Registry::new(shared.started)),
            scratch: ScratchPool::new(policy.buffer_size),
            bulk: BulkPool::default(),
            pool: Pool::default(),
            metrics,
            ledger: shared.ledgers.of_worker(index),
            ids: RequestIds::new(seed, index),
            policy: RefCell::new(Rc::new(InForce(policy))),
            decisions_seen: Cell::new(0),
            accepting: Cell::new(0),
            stopping: Notify::new(),
            index,
            shared,
        })
    }

    /// The policy in force. A request keeps the one that it began with.
    pub fn policy(&self) -> Rc<InForce> {
        let current = self.shared.policy.load();
        let mut cached = self.policy.borrow_mut();
        if !Arc::ptr_eq(&current, &cached.0) {
            *cached = Rc::new(InForce(Arc::clone(&current)));
            self.scratch.resize(current.buffer_size);
        }
        cached.clone()
    }

    /// Moves the worker's clock until the end.
    pub(crate) async fn tick(&self) {
        let mut interval = tokio::time::interval(Duration::from_millis(TICK_MS));
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut end = None;
        loop {
            let now = interval.tick().await.into_std();
            self.registry.tick(now);
            self.pool.prune(self.registry.now_ms(), self.policy().timeouts.upstream_keepalive_ms);
            self.cut_blocked();
            self.answer_roll_call();
            self.ledger.access.flush();
            if self.shared.lifecycle.is_draining() {
                let end = *end.get_or_insert_with(|| {
                    self.stopping.notify_waiters();
                    self.registry.drain();
                    now + Duration::from_millis(self.policy().timeouts.shutdown_ms)
                });
                if (self.accepting.get() == 0 && self.registry.is_empty()) || now >= end {
                    return;
                }
            }
        }
    }

    /// A decision also ends what is open.
    fn cut_blocked(&self) {
        let generation = self.shared.decisions.generation();
        if self.decisions_seen.replace(generation) != generation {
            let now = self.shared.clock.now();
            self.registry.cut_where(|peer| self.shared.blocks(peer, now).is_some());
        }
    }
}
