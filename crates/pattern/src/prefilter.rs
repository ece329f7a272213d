//! One filter before all rules: which of them may match a value.

use crate::RuleBits;
use std::sync::Arc;

/// Collects what the rules of a program look for.
#[derive(Debug)]
pub struct PrefilterBuilder {
    rules: usize,
}

impl PrefilterBuilder {
    /// A filter for rules numbered `0..rules`.
    pub fn new(rules: usize) -> PrefilterBuilder {
        PrefilterBuilder { rules }
    }

    /// `rule` is to be found where `pattern` (as of [`crate::Matcher::new`]) matches.
    pub fn pattern(&mut self, _rule: u16, _pattern: &str) {}

    /// `rule` is to be found where `pattern` (as of [`crate::Matcher::plain`]) matches.
    pub fn plain(&mut self, _rule: u16, _pattern: &str) {}

    /// `rule` is to be found where any of these stands, letters in either case.
    pub fn phrases(&mut self, _rule: u16, _phrases: &[Arc<[u8]>]) {}

    /// The filter of all that was given.
    pub fn build(self) -> Prefilter {
        Prefilter { rules: self.rules }
    }
}

/// The filter of a whole program.
#[derive(Debug)]
pub struct Prefilter {
    rules: usize,
}

/// What a worker lends to a filter; bounded.
#[derive(Debug, Default)]
pub struct PrefilterCache {}

impl Prefilter {
    /// Calls `found(rule, certain)` for each rule of `alive` that may match `view`, and misses none; `certain` where it is
    /// known to match. A rule may be told more than once. `present` has a bit for each byte that `view` holds.
    pub fn scan(
        &self,
        _cache: &mut PrefilterCache,
        _view: &[u8],
        _present: &[u64; 4],
        alive: &RuleBits,
        found: &mut impl FnMut(u16, bool),
    ) {
        alive.iter().filter(|rule| usize::from(*rule) < self.rules).for_each(|rule| found(rule, false));
    }
}
