//! The rules to be visited, in order: those that always are, candidates, and those that were not searched for.

use super::{Scan, ScanCache};
use secbeat_pattern::RuleBits;
use secbeat_seclang::Phase;

/// How far a walk through a phase has come. What is visited is settled 64 rules at a time.
#[derive(Debug, Default)]
pub struct Visits {
    at: usize,
    rules: Option<u64>,
}

impl Visits {
    /// The first of the rules `live` from `from` on that is to be visited; `from` never goes back.
    #[inline]
    pub fn next(&mut self, scan: &Scan, cache: &ScanCache, live: &RuleBits, from: u32) -> Option<u32> {
        let word = from as usize / 64;
        if word != self.at {
            *self = Visits { at: word, rules: None };
        }
        let mut mask = u64::MAX << (from % 64);
        loop {
            let rules = match self.rules {
                Some(rules) => rules,
                None => scan.visited(cache, live, self.at)?,
            };
            self.rules = Some(rules);
            if rules & mask != 0 {
                return Some(self.at as u32 * 64 + (rules & mask).trailing_zeros());
            }
            mask = u64::MAX;
            *self = Visits { at: self.at + 1, rules: None };
        }
    }
}

impl Scan {
    /// The rules of a phase.
    pub fn phase(&self, phase: Phase) -> Option<&RuleBits> {
        self.phases.get(phase as usize - 1)
    }

    /// Which of 64 rules are visited; none behind the last.
    fn visited(&self, cache: &ScanCache, live: &RuleBits, at: usize) -> Option<u64> {
        let live = live.words().get(at)?;
        let [always, candidates, uncovered] =
            [&self.always, &cache.searched.candidates, &cache.searched.uncovered]
                .map(|bits| bits.words().get(at));
        Some((always? | candidates? | uncovered?) & live)
    }
}
