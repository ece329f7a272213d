//! The memory that request bodies under inspection may hold: all of them together, and those of one client.
//!
//! What each client holds is a word in a table of fixed size: 24 bits of tag, 40 bits of bytes. A client is found among the eight
//! words of a set by a keyed hash; a word is empty while its client holds nothing. Where all eight are taken by others, which
//! takes thousands of clients that hold bodies at once, the client is held to the common budget alone. Two requests that are
//! the *first* of a client in the same instant, while another of the set ends, may be counted apart.

use secbeat_intel::rate::client_id;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Words a set.
const WAYS: usize = 8;
/// Sets: with [`WAYS`] words of 8 bytes, 128 KiB.
const SETS: usize = 2048;
/// The low bits of a word are the bytes that its client holds.
const BYTES_BITS: u32 = 40;
const BYTES_MASK: u64 = (1 << BYTES_BITS) - 1;

/// A number of bytes shared by all workers.
pub struct Budget {
    limit: AtomicUsize,
    limit_of_client: AtomicUsize,
    used: AtomicUsize,
    clients: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// Which memory is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// That of all bodies together, `waf.body_memory_budget`.
    Budget,
    /// The client's part of it, `waf.body_memory_per_client`.
    OfClient,
}

impl Exhausted {
    /// The key that sets the limit.
    pub const fn key(self) -> &'static str {
        match self {
            Exhausted::Budget => "waf.body_memory_budget",
            Exhausted::OfClient => "waf.body_memory_per_client",
        }
    }
}

impl Budget {
    /// A budget of `limit` bytes, of which one client (an IPv4 address, an IPv6 /64) may hold `limit_of_client`; none of
    /// them used.
    pub fn new(limit: usize, limit_of_client: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(limit),
            limit_of_client: AtomicUsize::new(limit_of_client),
            used: AtomicUsize::new(0),
            clients: (0..SETS * WAYS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        })
    }

    /// Changes the limits. What is in use stays in use.
    pub fn set_limits(&self, limit: usize, limit_of_client: usize) {
        self.limit.store(limit, Relaxed);
        self.limit_of_client.store(limit_of_client, Relaxed);
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Whether more than half is in use.
    pub fn is_tight(&self) -> bool {
        self.used() > self.limit.load(Relaxed) / 2
    }

    /// An empty share for a body of `client`, to be grown as bytes come.
    pub fn share(self: &Arc<Self>, client: IpAddr) -> Share {
        let client = self.hasher.hash_one(client_id(client));
        Share { budget: self.clone(), client, held: 0, counted: None }
    }

    /// Takes `bytes` of the common budget.
    fn take(&self, bytes: usize) -> Result<(), Exhausted> {
        let limit = self.limit.load(Relaxed);
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= limit);
        self.used.fetch_update(Relaxed, Relaxed, fits).map(drop).map_err(|_| Exhausted::Budget)
    }
}

/// A part of the budget; given back when it is dropped.
pub struct Share {
    budget: Arc<Budget>,
    /// The hash of the client.
    client: u64,
    held: usize,
    /// The client's word, and how much of this share is counted there.
    counted: Option<(usize, u64)>,
}

impl Share {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// What is used up; nothing was taken.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if bytes == 0 {
            return Ok(());
        }
        // The common budget first: to give back what cannot be had of it would be to touch the client's word twice.
        self.budget.take(bytes)?;
        let counted = self.count(bytes as u64);
        match counted {
            Ok(()) => self.held += bytes,
            Err(_) => {
                self.budget.used.fetch_sub(bytes, Relaxed);
            }
        }
        counted
    }

    /// Counts `bytes` more for the client, where there is room for it in the table.
    fn count(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let limit = (self.budget.limit_of_client.load(Relaxed) as u64).min(BYTES_MASK);
        loop {
            let Some((at, word, seen)) = self.word() else { return Ok(()) };
            let sum = (seen & BYTES_MASK).saturating_add(bytes);
            if sum > limit {
                return Err(Exhausted::OfClient);
            }
            if word.compare_exchange(seen, self.tag() | sum, Relaxed, Relaxed).is_ok() {
                let before = self.counted.map_or(0, |(_, bytes)| bytes);
                self.counted = Some((at, before + bytes));
                return Ok(());
            }
        }
    }

    /// The client's word or one that is empty, where it is and what is in it. `None`: others have taken all.
    fn word(&self) -> Option<(usize, &AtomicU64, u64)> {
        let seen = |at: usize| self.budget.clients.get(at).map(|word| (at, word, word.load(Relaxed)));
        if let Some((at, _)) = self.counted {
            // It holds bytes of this share, and so is the client's until they are given back.
            return seen(at);
        }
        if self.held > 0 {
            // It began without a word, and ends so: what is given back must be what was counted.
            return None;
        }
        let first = (self.client as usize % SETS) * WAYS;
        let set = || (first..first + WAYS).filter_map(seen);
        set()
            .find(|(_, _, seen)| seen & !BYTES_MASK == self.tag())
            .or_else(|| set().find(|(.., seen)| *seen == 0))
    }

    /// The client's tag, in its place; never 0.
    fn tag(&self) -> u64 {
        (self.client >> BYTES_BITS).max(1) << BYTES_BITS
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.held, Relaxed);
        let Some((at, counted)) = self.counted else { return };
        let Some(word) = self.budget.clients.get(at) else { return };
        let less = |seen: u64| match (seen & BYTES_MASK).saturating_sub(counted) {
            0 => Some(0),
            rest => Some(seen & !BYTES_MASK | rest),
        };
        // It is never refused: `less` always has an answer.
        let _ = word.fetch_update(Relaxed, Relaxed, less);
    }
}

/// A body, or its first part, that was held for the firewall.
pub struct Held {
    /// Its bytes, without framing.
    pub bytes: Vec<u8>,
    /// Its part of the memory for bodies, given back with it.
    share: Share,
}

impl Held {
    /// Nothing yet, with an empty share.
    pub fn new(share: Share) -> Self {
        Self { bytes: Vec::new(), share }
    }

    /// What is in memory already, paid for with `share`.
    ///
    /// # Errors
    /// What is used up.
    pub fn of(mut share: Share, bytes: Vec<u8>) -> Result<Self, Exhausted> {
        share.grow(bytes.capacity())?;
        Ok(Self { bytes, share })
    }

    /// These bytes in place of those that were held; what more they take is paid for.
    ///
    /// # Errors
    /// What is used up; what was held is gone with it.
    pub fn replaced(mut self, bytes: Vec<u8>) -> Result<Self, Exhausted> {
        self.share.grow(bytes.capacity().saturating_sub(self.bytes.capacity()))?;
        self.bytes = bytes;
        Ok(self)
    }

    /// Takes `data` on though nothing is left to pay for it: the last of a body that is held no further.
    pub fn extend_unpaid(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
    }

    /// Takes `data` on.
    ///
    /// # Errors
    /// What is used up; nothing was taken on.
    pub fn extend(&mut self, data: &[u8]) -> Result<(), Exhausted> {
        let (needed, capacity) = (self.bytes.len() + data.len(), self.bytes.capacity());
        if needed > capacity {
            // What is paid for is what is allocated: doubled where that fits, to copy seldom, and exact where it does not.
            let doubled = needed.max(capacity.saturating_mul(2));
            let size = match self.share.grow(doubled - capacity) {
                Ok(()) => doubled,
                Err(_) => self.share.grow(needed - capacity).map(|()| needed)?,
            };
            self.bytes.reserve_exact(size - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn what_is_held_is_paid_for_as_it_is_allocated() {
        let budget = Budget::new(100, 100);
        let mut held = Held::new(budget.share(ip(1)));
        assert!(held.extend(&[1; 40]).is_ok() && held.extend(&[2; 20]).is_ok());
        assert_eq!((budget.used(), budget.is_tight()), (held.bytes.capacity(), true));
        assert!(held.extend(&[3; 40]).is_ok() && held.extend(&[4]) == Err(Exhausted::Budget));
        assert_eq!((held.bytes.len(), budget.used()), (100, 100));
        assert!(Held::of(budget.share(ip(2)), vec![5]).is_err());
        drop(held);
        assert_eq!(budget.used(), 0);
        assert!(Held::of(budget.share(ip(2)), vec![5]).is_ok());
    }

    #[test]
    fn shares_never_exceed_the_budget_and_come_back() {
        let budget = Budget::new(10, 10);
        let (mut a, mut b) = (budget.share(ip(1)), budget.share(ip(2)));
        assert!(a.grow(6).is_ok() && b.grow(5).is_err() && b.grow(4).is_ok() && a.grow(1).is_err());
        drop(a);
        assert_eq!(budget.used(), 4);
        assert!(b.grow(6).is_ok());
        drop(b);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_client_has_its_part_over_all_its_bodies_and_leaves_the_rest_to_others() {
        let budget = Budget::new(100, 10);
        let (mut one, mut two, mut other) = (budget.share(ip(1)), budget.share(ip(1)), budget.share(ip(2)));
        assert!(one.grow(6).is_ok() && two.grow(4).is_ok());
        assert_eq!(two.grow(1), Err(Exhausted::OfClient));
        assert_eq!(budget.used(), 10, "what was refused is not taken");
        assert!(other.grow(10).is_ok());
        drop(one);
        assert!(two.grow(6).is_ok() && two.grow(1).is_err());
        drop((two, other));
        assert_eq!(budget.used(), 0);
        assert!(budget.clients.iter().all(|word| word.load(Relaxed) == 0));
    }

    #[test]
    fn an_ipv6_client_is_its_64() {
        let budget = Budget::new(100, 10);
        let share = |text: &str| budget.share(text.parse().unwrap());
        let mut one = share("2001:db8:0:1::1");
        assert!(one.grow(10).is_ok());
        assert!(share("2001:db8:0:1::2").grow(1).is_err());
        assert!(share("2001:db8:0:2::1").grow(1).is_ok());
    }

    #[test]
    fn a_client_for_whom_the_table_has_no_room_is_held_to_the_budget_alone() {
        let budget = Budget::new(100, 10);
        let mut late = budget.share(ip(1));
        let first = (late.client as usize % SETS) * WAYS;
        let taken = !BYTES_MASK & !late.tag() | 1;
        budget.clients[first..first + WAYS].iter().for_each(|word| word.store(taken, Relaxed));
        assert!(late.grow(50).is_ok());
        // Also once there is room again: what was not counted is not to be given back.
        budget.clients[first].store(0, Relaxed);
        assert!(late.grow(50).is_ok());
        drop(late);
        assert_eq!((budget.used(), budget.clients[first].load(Relaxed)), (0, 0));
    }

    #[test]
    fn threads_together_hold_no_more_than_a_client_may_and_give_all_back() {
        let budget = Budget::new(1 << 20, 1000);
        let mut first = budget.share(ip(1));
        assert!(first.grow(1).is_ok());
        let (start, end) = (Barrier::new(4), Barrier::new(4));
        let held: usize = thread::scope(|scope| {
            let grow = || {
                start.wait();
                let mut shares: Vec<Share> = (0..500).map(|_| budget.share(ip(1))).collect();
                let held = shares.iter_mut().filter_map(|share| share.grow(1).ok()).count();
                end.wait();
                held
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(grow)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((held, budget.used()), (999, 1));
        drop(first);
        assert!(budget.used() == 0 && budget.clients.iter().all(|word| word.load(Relaxed) == 0));
    }
}
