//! One worker's open connections: their deadlines, and how one is cut from outside.
//!
//! A timer for each step of each request would be armed and disarmed millions of times and almost never fire. Here a
//! deadline is a number in the connection's [`Slot`]; one tick of the worker, every [`TICK_MS`], looks at all of them and
//! wakes those that are over. A deadline is therefore up to one tick late, and setting one costs a store.
//!
//! The same slot is how a connection is cut when its client is blocked, or when the program stops, and what an operator is
//! shown of it.

use slab::Slab;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
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

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Before its first byte, in its handshake, or between two requests.
    Idle,
    /// From a request's first byte to the last of its answer.
    Request,
    /// Upgraded: bytes both ways.
    Tunnel,
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
    /// Its number, over all workers ascending with its age.
    pub number: u64,
    /// The address that the connection came from, an IPv4 one as such.
    pub peer: SocketAddr,
    /// Whether it is encrypted, or about to be.
    pub is_tls: bool,
    /// When it was entered, by [`Registry::now_ms`].
    pub since_ms: u64,
    state: Cell<State>,
    requests: Cell<u64>,
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
    ///
    /// `number` is the connection's own, over all workers.
    pub fn enter(self: &Rc<Self>, number: u64, peer: SocketAddr, is_tls: bool) -> Registration {
        let slot = Rc::new(Slot {
            number,
            peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            is_tls,
            since_ms: self.now_ms(),
            state: Cell::new(State::Idle),
            requests: Cell::new(0),
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
            if is_blocked(slot.peer.ip()) || slot.client.get().is_some_and(&is_blocked) {
                slot.cut(Cut::Decision);
            }
        }
    }

    /// Looks at every connection, in no order.
    pub fn for_each(&self, mut look: impl FnMut(&Rc<Slot>)) {
        self.slots.borrow().iter().for_each(|(_, slot)| look(slot));
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

    /// Says for whom the request under way is: a block of the client cuts it. `None`: the request has ended.
    pub fn set_client(&self, client: Option<IpAddr>) {
        if client.is_some() {
            self.slot.requests.set(self.slot.requests.get() + 1);
        }
        self.slot.client.set(client);
    }

    /// Says what the connection is at, for whoever looks.
    pub fn set_state(&self, state: State) {
        self.slot.state.set(state);
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

    /// The connection's number.
    pub fn number(&self) -> u64 {
        self.slot.number
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
    /// What the connection is at.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Requests whose head was read, the one under way among them.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// For whom the request under way is, once its head was read.
    pub fn client(&self) -> Option<IpAddr> {
        self.client.get()
    }

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
mod tests;
