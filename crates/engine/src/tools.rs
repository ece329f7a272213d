//! What a worker lends to operators and steps: caches and buffers, nothing of a transaction.

use crate::datum::Found;
use secbeat_pattern::{Captures, MatchCache, Matcher};
use std::collections::HashMap;
use std::sync::Arc;

/// Caches and buffers.
#[derive(Debug, Default)]
pub struct Tools {
    /// For searches.
    pub cache: MatchCache,
    /// Where groups stand.
    pub groups: Captures,
    /// What the last operator found.
    pub captured: Captured,
    /// Whether a search took more steps than it may.
    pub limit_reached: bool,
    /// Expressions put together while rules run.
    pub made: MadeMatchers,
    /// For the argument of an operator.
    pub operand: Vec<u8>,
    /// For texts of steps.
    pub text: Vec<u8>,
    /// For a name made while rules run, as it is written and in lower case.
    pub names: [Vec<u8>; 2],
    /// For transformed values, by turns.
    pub views: [Vec<u8>; 2],
    /// For the values of a link.
    pub found: Vec<Found>,
}

impl Tools {
    /// Gives back what grew over a mebibyte.
    pub fn shrink(&mut self) {
        let Tools { operand, text, names: [shown, lower], views: [one, other], found, .. } = self;
        [operand, text, shown, lower, one, other].into_iter().for_each(|buffer| {
            buffer.clear();
            buffer.shrink_to(1 << 20);
        });
        found.clear();
        found.shrink_to(1 << 14);
    }
}

/// What an operator found in a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Captured {
    /// Nothing that can be pointed at.
    #[default]
    Nothing,
    /// Groups, in [`Tools::groups`].
    Groups,
    /// A part: from, to.
    Part(usize, usize),
    /// Something that is not in the value: a fingerprint.
    Text(Box<[u8]>),
}

/// Expressions that were put together while rules ran, compiled once each.
#[derive(Debug, Default)]
pub struct MadeMatchers(HashMap<Box<[u8]>, Option<Arc<Matcher>>>);

/// So many are kept; then all are forgotten.
const MADE_MAX: usize = 64;
/// A longer expression is not compiled while a request waits.
const MADE_LENGTH_MAX: usize = 4096;

impl MadeMatchers {
    /// The expression; none if it is not one, or too long.
    pub fn get(&mut self, pattern: &[u8]) -> Option<Arc<Matcher>> {
        if let Some(known) = self.0.get(pattern) {
            return known.clone();
        }
        let text = std::str::from_utf8(pattern).ok().filter(|text| text.len() <= MADE_LENGTH_MAX)?;
        let matcher = Matcher::new(text).ok().map(Arc::new);
        if self.0.len() >= MADE_MAX {
            self.0.clear();
        }
        self.0.insert(pattern.into(), matcher.clone());
        matcher
    }
}
