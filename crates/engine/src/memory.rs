//! What a transaction works in, lent from one to the next so that none allocates.

use crate::scan::ScanCache;
use crate::state::State;
use crate::tools::Tools;
use secbeat_pattern::RuleBits;

/// The working memory of a worker. It keeps its capacity from one transaction to the next, but no more than a mebibyte of
/// anything.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) state: State,
    pub(crate) tools: Tools,
    /// What the fast way needs.
    pub(crate) scan: ScanCache,
    /// Rules taken out by `ctl`.
    pub(crate) removed: RuleBits,
    /// Rules that were told not to look at something.
    pub(crate) targeted: RuleBits,
    /// What they were told, by number in the program.
    pub(crate) exclusions: Vec<u32>,
    /// Rules that matched, by number, in order.
    pub(crate) trail: Vec<u32>,
}

impl Memory {
    /// Forgets the transaction before, and makes room for the words and rules of a program.
    pub(crate) fn clear(&mut self, words: usize, rules: usize) {
        self.state.clear(words);
        self.tools.shrink();
        for bits in [&mut self.removed, &mut self.targeted] {
            if bits.words().len() == rules.div_ceil(64) {
                bits.clear();
            } else {
                *bits = RuleBits::new(rules);
            }
        }
        self.exclusions.clear();
        self.trail.clear();
        self.trail.shrink_to(1 << 16);
    }
}
