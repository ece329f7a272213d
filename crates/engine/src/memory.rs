//! What a transaction works in, lent from one to the next so that none allocates: memory for all of it, caches for one phase.

use crate::scan::{ScanCache, Searched};
use crate::state::State;
use crate::tools::Tools;
use secbeat_pattern::RuleBits;

/// The working memory of a transaction. It keeps its capacity from one to the next, but no more than 64 KiB of anything.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) state: State,
    /// What the fast way found.
    pub(crate) searched: Searched,
    /// Its own, unless others are lent.
    pub(crate) caches: Box<Caches>,
    /// Rules taken out by `ctl`.
    pub(crate) removed: RuleBits,
    /// Rules that were told not to look at something.
    pub(crate) targeted: RuleBits,
    /// What they were told, by number in the program.
    pub(crate) exclusions: Vec<u32>,
    /// Rules that matched, by number, in order.
    pub(crate) trail: Vec<u32>,
}

/// What a worker has learned of a program: caches and buffers, nothing of a transaction. They are worth most where all
/// transactions of a worker share them, and take some 25 MB at the most.
#[derive(Debug, Default)]
pub struct Caches {
    pub(crate) tools: Tools,
    /// What the fast way needs.
    pub(crate) scan: ScanCache,
}

impl Memory {
    /// Forgets the transaction before, and makes room for the words and rules of a program.
    pub(crate) fn clear(&mut self, words: usize, rules: usize) {
        self.state.clear(words);
        self.caches.tools.shrink();
        for bits in [&mut self.removed, &mut self.targeted] {
            if bits.words().len() == rules.div_ceil(64) {
                bits.clear();
            } else {
                *bits = RuleBits::new(rules);
            }
        }
        self.exclusions.clear();
        self.trail.clear();
        self.trail.shrink_to(1 << 12);
    }
}
