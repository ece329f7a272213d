//! One worker's open connections: their deadlines, and how one is cut from outside.
//!
//! A timer for each step of each request would be armed and disarmed millions of times and almost never fire. Here a
//! deadline is a number in the connection's [`Slot`]; one tick of the worker, every [`TICK_MS`], looks at all of them and
//! wakes those that are over. A deadline is therefore up to one tick late, and setting one costs a store.
//!
//! The same slot is how a connection is cut when its client is blocked, or when the program stops.

use slab::Slab;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Instant;

/// Time between two looks at the deadlines, in milliseconds.
pub const TICK_MS: u64 = 100;

const NEVER: u64 = u64::MAX;

/// Why a wait ended before what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The deadline has passed.
    Deadline,
    /// A decision was made against the client.
    Decision,
    /// The program stops, and the connection was idle.
    Shutdown,
}

/// The connections of one worker.
pub struct Registry {
    started: Instant,
    now_ms: Cell<u64>,
    slots: RefCell<Slab<Rc<Slot>>>,
    draining: Cell<bool>,
}

/// One connection's place in the [`Registry`].
pub struct Slot {
    /// The address that the connection came from.
    pub peer: IpAddr,
    key: Cell<usize>,
    deadline_ms: Cell<u64>,
    limit_ms: Cell<u64>,
    client: Cell<Option<IpAddr>>,
    idle: Cell<bool>,
    cut: Cell<Option<Cut>>,
    waker: RefCell<Option<Waker>>,
}

impl Registry {
    /// An empty registry whose clock starts at `now`.
    pub fn new(now: Instant) -> Self {
        Self { started: now, now_ms: Cell::new(0), slots: RefCell::default(), draining: Cell::new(false) }
    }

    /// Milliseconds since the worker's start, as of the last tick.
    pub fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    /// Connections that are open.
    pub fn len(&self) -> usize {
        self.slots.borrow().len()
    }

    /// Whether no connection is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the worker is stopping: connections are closed after the request that they are at.
    pub fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Enters a connection; it leaves when the guard is dropped.
    pub fn enter(self: &Rc<Self>, peer: IpAddr) -> Registration {
        let slot = Rc::new(Slot {
            peer,
            key: Cell::new(0),
            deadline_ms: Cell::new(NEVER),
            limit_ms: Cell::new(NEVER),
            client: Cell::new(None),
            idle: Cell::new(false),
            cut: Cell::new(None),
            waker: RefCell::new(None),
        });
        slot.key.set(self.slots.borrow_mut().insert(slot.clone()));
        Registration { registry: self.clone(), slot }
    }

    /// Moves the clock to `now` and wakes every connection whose deadline has passed.
    pub fn tick(&self, now: Instant) {
        let now_ms =
            u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(NEVER - 1);
        self.now_ms.set(now_ms);
        for (_, slot) in self.slots.borrow().iter() {
            if slot.deadline_ms.get().min(slot.limit_ms.get()) <= now_ms {
                slot.cut(Cut::Deadline);
            }
        }
    }

    /// Cuts every connection whose peer, or whose client behind a proxy, is refused by `is_blocked`.
    pub fn cut_where(&self, is_blocked: impl Fn(IpAddr) -> bool) {
        for (_, slot) in self.slots.borrow().iter() {
            if is_blocked(slot.peer) || slot.client.get().is_some_and(&is_blocked) {
                slot.cut(Cut::Decision);
            }
        }
    }

    /// From now on idle connections are cut, and the others when they fall idle.
    pub fn drain(&self) {
        self.draining.set(true);
        for (_, slot) in self.slots.borrow().iter() {
            if slot.idle.get() {
                slot.cut(Cut::Shutdown);
            }
        }
    }
}

/// A connection's stay in the registry.
pub struct Registration {
    registry: Rc<Registry>,
    slot: Rc<Slot>,
}

impl Registration {
    /// Sets a total of `timeout_ms` from now for the waits that follow, in place of the last one.
    pub fn deadline_in(&self, timeout_ms: u64) {
        self.slot.deadline_ms.set(self.registry.now_ms().saturating_add(timeout_ms).saturating_add(TICK_MS));
        if self.slot.cut.get() == Some(Cut::Deadline) {
            self.slot.cut.set(None);
        }
    }

    /// Sets a total of `timeout_ms` from now that no later deadline puts off, until it is lifted.
    pub fn limit_in(&self, timeout_ms: u64) {
        self.slot.limit_ms.set(self.registry.now_ms().saturating_add(timeout_ms).saturating_add(TICK_MS));
    }

    /// Lifts the total.
    pub fn lift_limit(&self) {
        self.slot.limit_ms.set(NEVER);
    }

    /// Says for whom the request under way is, where that is not the peer: a block of the client cuts it.
    pub fn set_client(&self, client: Option<IpAddr>) {
        self.slot.client.set(client);
    }

    /// Says whether the connection is between two requests, where a stop may cut it.
    pub fn set_idle(&self, idle: bool) {
        self.slot.idle.set(idle);
        if idle && self.registry.is_draining() {
            self.slot.cut(Cut::Shutdown);
        } else if !idle && self.slot.cut.get() == Some(Cut::Shutdown) {
            // A request that came in the moment of the stop is under way now, and is served like the others.
            self.slot.cut.set(None);
        }
    }

    /// Waits for `future`, at most until the connection is cut.
    pub async fn within<F: Future>(&self, future: F) -> Result<F::Output, Cut> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            if let Some(cut) = self.slot.cut.get() {
                return Poll::Ready(Err(cut));
            }
            let mut waker = self.slot.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
                *waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Why the connection was cut, if it was.
    pub fn is_cut(&self) -> Option<Cut> {
        self.slot.cut.get()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.slots.borrow_mut().remove(self.slot.key.get());
    }
}

impl Slot {
    fn cut(&self, why: Cut) {
        // A block is not to be forgotten because a deadline is set anew.
        if self.cut.get().is_none_or(|before| before == Cut::Deadline) {
            self.cut.set(Some(why));
        }
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::time::Duration;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn client() -> IpAddr {
        "192.0.2.7".parse().unwrap()
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_not_before() {
        let start = Instant::now();
        let registry = Rc::new(Registry::new(start));
        let connection = registry.enter(client());
        connection.deadline_in(1000);
        registry.tick(start + Duration::from_millis(1000));
        assert_eq!(connection.is_cut(), None);
        registry.tick(start + Duration::from_millis(1000 + TICK_MS));
        assert_eq!(run(connection.within(pending::<()>())), Err(Cut::Deadline));
        connection.deadline_in(1000);
        assert_eq!(connection.is_cut(), None);
    }

    #[test]
    fn a_limit_is_put_off_by_nothing_until_it_is_lifted() {
        let start = Instant::now();
        let registry = Rc::new(Registry::new(start));
        let connection = registry.enter(client());
        connection.limit_in(1000);
        connection.deadline_in(9000);
        registry.tick(start + Duration::from_millis(2000));
        assert_eq!(connection.is_cut(), Some(Cut::Deadline));
        connection.lift_limit();
        connection.deadline_in(9000);
        registry.tick(start + Duration::from_millis(3000));
        assert_eq!(connection.is_cut(), None);
    }

    #[test]
    fn a_block_of_the_client_behind_a_proxy_cuts_its_request_alone() {
        let registry = Rc::new(Registry::new(Instant::now()));
        let (proxied, other) = (registry.enter(client()), registry.enter(client()));
        let behind: IpAddr = "198.51.100.9".parse().unwrap();
        proxied.set_client(Some(behind));
        other.set_client(Some(behind));
        other.set_client(None);
        registry.cut_where(|address| address == behind);
        assert_eq!((proxied.is_cut(), other.is_cut()), (Some(Cut::Decision), None));
    }

    #[test]
    fn what_is_ready_wins_over_a_deadline() {
        let start = Instant::now();
        let registry = Rc::new(Registry::new(start));
        let connection = registry.enter(client());
        connection.deadline_in(0);
        registry.tick(start + Duration::from_secs(9));
        assert_eq!(run(connection.within(async { 7 })), Ok(7));
    }

    #[test]
    fn a_block_cuts_only_its_client_and_a_new_deadline_does_not_undo_it() {
        let registry = Rc::new(Registry::new(Instant::now()));
        let blocked = registry.enter(client());
        let other = registry.enter("192.0.2.8".parse().unwrap());
        registry.cut_where(|peer| peer == client());
        blocked.deadline_in(1000);
        assert_eq!(blocked.is_cut(), Some(Cut::Decision));
        assert_eq!(other.is_cut(), None);
    }

    #[test]
    fn a_stop_cuts_the_idle_now_and_the_busy_when_they_fall_idle() {
        let registry = Rc::new(Registry::new(Instant::now()));
        let idle = registry.enter(client());
        let busy = registry.enter(client());
        idle.set_idle(true);
        registry.drain();
        assert_eq!((idle.is_cut(), busy.is_cut()), (Some(Cut::Shutdown), None));
        busy.set_idle(true);
        assert_eq!(busy.is_cut(), Some(Cut::Shutdown));
    }

    #[test]
    fn a_request_that_comes_in_the_moment_of_the_stop_is_not_cut() {
        let registry = Rc::new(Registry::new(Instant::now()));
        let connection = registry.enter(client());
        connection.set_idle(true);
        registry.drain();
        connection.set_idle(false);
        assert_eq!(connection.is_cut(), None);
        registry.cut_where(|_| true);
        connection.set_idle(false);
        assert_eq!(connection.is_cut(), Some(Cut::Decision));
    }

    #[test]
    fn a_connection_that_ends_leaves() {
        let registry = Rc::new(Registry::new(Instant::now()));
        let connection = registry.enter(client());
        assert_eq!(registry.len(), 1);
        drop(connection);
        assert!(registry.is_empty());
    }
}
