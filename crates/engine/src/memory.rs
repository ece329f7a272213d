//! What a transaction works in, lent from one to the next so that none allocates: memory for all of it, caches for one phase.

use crate::scan::{ScanCache, Searched};
use crate::state::State;
use crate::tools::Tools;
use secbeat_pattern::RuleBits;

/// The working memory of a transaction. It keeps its capacity from one to the next, but no more than 64 KiB of a buffer.
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
    }

    /// Gives back what grew large, at the end of a transaction: it may be long until the next one.
    pub(crate) fn trim(&mut self) {
        self.state.trim();
        self.searched.hits.trim();
        trim(&mut self.exclusions);
        trim(&mut self.trail);
    }
}

/// Capacity over 64 KiB is not kept for the next transaction.
const KEPT_MAX: usize = 1 << 16;

/// Gives a buffer back that grew large.
pub(crate) fn trim<T>(buffer: &mut Vec<T>) {
    if buffer.capacity() * size_of::<T>() > KEPT_MAX {
        *buffer = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use crate::{Facts, Memory, Program};
    use secbeat_seclang::{RuleSet, Variable};

    #[test]
    fn a_large_request_gives_back_what_it_took_and_a_small_one_nothing() {
        let [mut large, mut small] = [Vec::<u32>::with_capacity(20_000), Vec::with_capacity(16_000)];
        [&mut large, &mut small].into_iter().for_each(super::trim);
        assert_eq!((large.capacity(), small.capacity() >= 16_000), (0, true));

        let program = Program::compile(&RuleSet::default()).unwrap();
        let after = |memory, arguments: usize| {
            let mut transaction = program.transaction(memory, Facts::default());
            (0..arguments).for_each(|_| transaction.add(Variable::ArgsGet, b"name", &[b'a'; 100]));
            transaction.finish()
        };
        let memory = after(Memory::default(), 10_000);
        assert!(memory.state.values.is_empty());
        assert_eq!(after(memory, 1).state.values.len(), 1);
    }
}
