//! The rules to be visited, in order: those that always are, candidates, and those that were not searched for.

use super::{Scan, ScanCache};
use secbeat_seclang::Phase;

/// How far a walk through a phase has come. What is visited is settled 64 rules at a time.
#[derive(Debug, Default)]
pub struct Visits {
    at: usize,
    rules: Option<u64>,
}

impl Visits {
    /// The first rule from `from` on that is to be visited; `from` never goes back.
    #[inline]
    pub fn next(&mut self, scan: &Scan, cache: &ScanCache, phase: Phase, from: u32) -> Option<u32> {
        let word = from as usize / 64;
        if word != self.at {
            *self = Visits { at: word, rules: None };
        }
        let mut mask = u64::MAX << (from % 64);
        loop {
            let rules = match self.rules {
                Some(rules) => rules,
                None => scan.visited(cache, phase, self.at)?,
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
    /// Which of 64 rules are visited in a phase; none behind the last.
    fn visited(&self, cache: &ScanCache, phase: Phase, at: usize) -> Option<u64> {
        let of_phase = self.phases.get(phase as usize - 1)?.words().get(at)?;
        let [always, candidates, uncovered] =
            [&self.always, &cache.searched.candidates, &cache.searched.uncovered]
                .map(|bits| bits.words().get(at));
        Some((always? | candidates? | uncovered?) & of_phase)
    }
}
