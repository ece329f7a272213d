//! The engine's working memory, lent from one transaction of a thread to the next.

use secbeat_engine::Memory;
use std::cell::RefCell;

/// The most that a thread keeps: as many requests as wait for their bodies at the same time, as a rule.
const KEPT_MAX: usize = 8;

thread_local! {
    static SPARE: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// Memory to work in.
pub fn borrow() -> Memory {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Takes memory back.
pub fn give_back(memory: Memory) {
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < KEPT_MAX {
            spare.push(memory);
        }
    });
}
