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
        let fits = self.share.grow(data.len());
        if fits {
            self.bytes.extend_from_slice(data);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
