//! The memory that all request bodies under inspection may hold together, however many clients there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes shared by all workers.
pub struct Budget {
    limit: AtomicUsize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes, none of them used.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: AtomicUsize::new(limit), used: AtomicUsize::new(0) })
    }

    /// Changes the limit. What is in use stays in use.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether more than half is in use.
    pub fn is_tight(&self) -> bool {
        self.used() > self.limit.load(Ordering::Relaxed) / 2
    }

    /// An empty share, to be grown as bytes come.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: self.clone(), held: 0 }
    }
}

/// A part of the budget; given back when it is dropped.
pub struct Share {
    budget: Arc<Budget>,
    held: usize,
}

impl Share {
    /// Takes `bytes` more, or nothing and `false` where the budget would be exceeded.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let limit = self.budget.limit.load(Ordering::Relaxed);
        let taken = self.budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|sum| *sum <= limit)
        });
        if taken.is_ok() {
            self.held += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.held, Ordering::Relaxed);
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

    /// Takes `data` on, or nothing and `false` where the budget would be exceeded.
    pub fn extend(&mut self, data: &[u8]) -> bool {
        let (needed, capacity) = (self.bytes.len() + data.len(), self.bytes.capacity());
        if needed > capacity {
            // What is paid for is what is allocated: doubled where that fits, to copy seldom, and exact where it does not.
            let doubled = needed.max(capacity.saturating_mul(2));
            let grown = [doubled, needed].into_iter().find(|size| self.share.grow(size - capacity));
            let Some(size) = grown else { return false };
            self.bytes.reserve_exact(size - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_paid_for_as_it_is_allocated() {
        let budget = Budget::new(100);
        let mut held = Held::new(budget.share());
        assert!(held.extend(&[1; 40]) && held.extend(&[2; 20]));
        assert_eq!((budget.used(), budget.is_tight()), (held.bytes.capacity(), true));
        assert!(held.extend(&[3; 40]) && !held.extend(&[4]));
        assert_eq!((held.bytes.len(), budget.used()), (100, 100));
        drop(held);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn shares_never_exceed_the_budget_and_come_back() {
        let budget = Budget::new(10);
        let (mut a, mut b) = (budget.share(), budget.share());
        assert!(a.grow(6) && !b.grow(5) && b.grow(4) && !a.grow(1));
        drop(a);
        assert_eq!(budget.used(), 4);
        assert!(b.grow(6));
        drop(b);
        assert_eq!(budget.used(), 0);
    }
}
