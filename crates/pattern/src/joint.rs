//! The second look at a long value: all expressions that the filter has not ruled out at once, instead of one after another.
//!
//! Words such as `where` and `not` are rare in the values of a page, and prose holds several of them: each makes its rules
//! candidates, and each candidate read the whole text again.

use crate::branches::weight;
use crate::matcher::{Expression, Language};
use crate::rule_bits::RuleBits;
use crate::weak::{Weak, WeakMemory};
use std::sync::atomic::{AtomicU64, Ordering};

/// From how many bytes on one pass for all is worth its while.
const LONG_MIN: usize = 128;
/// How heavy an expression may be: the states of heavier ones crowd out those of others. Measured with the shipped rules, 55 of
/// 70 of them: a form of 20 fields took 37 µs without this automaton and with those up to 300, 17 µs with those up to 700.
const WEIGHT_MAX: usize = 700;

/// Numbers automata, so that a worker's memory knows whose it is.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// One automaton for the expressions of many rules.
#[derive(Debug)]
pub struct Joint {
    id: u64,
    automaton: Weak,
    /// The rules that it knows.
    rules: RuleBits,
}

/// What a worker lends to it; some 1 MB. It serves one at a time: lent to another, it begins anew.
#[derive(Debug, Default)]
pub struct JointMemory {
    of: u64,
    states: Option<WeakMemory>,
    asked: RuleBits,
}

impl Joint {
    /// The automaton of rules numbered `0..rules` and their patterns (as of [`crate::Matcher::plain`]), without the heaviest;
    /// none where fewer than two are left, or they are too large together.
    pub fn plain<'p>(patterns: impl Iterator<Item = (u16, &'p str)>, rules: usize) -> Option<Joint> {
        let light = patterns.filter_map(|(rule, pattern)| match Language::Plain.read(pattern) {
            Ok(Expression::Regular(hir)) if weight(&hir) <= WEIGHT_MAX => Some((rule, true, hir)),
            _ => None,
        });
        let light: Vec<_> = light.collect();
        if light.len() < 2 {
            return None;
        }
        let mut known = RuleBits::new(rules);
        light.iter().for_each(|(rule, _, _)| known.insert(*rule));
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Some(Joint { id, automaton: Weak::new(&light).ok()?, rules: known })
    }

    /// Leaves of `candidates` those that may match `view`, where that costs less than to ask each of them.
    pub fn narrow(&self, memory: &mut JointMemory, view: &[u8], candidates: &mut RuleBits) {
        if view.len() < LONG_MIN || candidates.both(&self.rules).nth(1).is_none() {
            return;
        }
        if memory.of != self.id {
            *memory = JointMemory { of: self.id, ..JointMemory::default() };
        }
        let JointMemory { states, asked, .. } = memory;
        asked.copy_from(candidates);
        asked.intersect(&self.rules);
        asked.iter().for_each(|rule| candidates.remove(rule));
        self.automaton.scan(states, view, asked, &mut |rule, _| candidates.insert(rule));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MatchCache, Matcher, Outcome};
    use proptest::{collection::vec, prelude::*, sample::select};

    const PATTERNS: [&str; 6] = [
        r"(?i)\bunion\s+select\b",
        r"(?i)(?:^|[;'])\s*or\s+\d+=",
        r"<script\b",
        r"where$",
        r"^\(a\)",
        r"[^a-z]not\s",
    ];

    fn joint(patterns: &[&str]) -> Option<Joint> {
        Joint::plain((0..).zip(patterns.iter().copied()), patterns.len())
    }

    fn narrowed(joint: &Joint, memory: &mut JointMemory, view: &[u8]) -> Vec<u16> {
        let mut candidates = RuleBits::full(PATTERNS.len());
        joint.narrow(memory, view, &mut candidates);
        candidates.iter().collect()
    }

    #[test]
    fn a_short_value_is_left_to_its_candidates() {
        let (joint, mut memory) = (joint(&PATTERNS).unwrap(), JointMemory::default());
        assert_eq!(narrowed(&joint, &mut memory, &[b'a'; LONG_MIN - 1]).len(), PATTERNS.len());
        assert!(narrowed(&joint, &mut memory, &[b'a'; LONG_MIN]).is_empty());
    }

    #[test]
    fn memory_that_served_another_begins_anew() {
        let (one, mut memory) = (joint(&PATTERNS).unwrap(), JointMemory::default());
        let other = joint(&["x", "aaaa", "b", "c", "d", "e"]).unwrap();
        let view = [b'a'; LONG_MIN];
        assert!(narrowed(&one, &mut memory, &view).is_empty());
        assert_eq!(narrowed(&other, &mut memory, &view), [1]);
        assert!(narrowed(&one, &mut memory, &view).is_empty());
    }

    #[test]
    fn what_it_does_not_know_stays_a_candidate() {
        let heavy = r"[ab]{1000}c";
        let joint = joint(&["a{3}b", heavy, "c"]).unwrap();
        let mut candidates = RuleBits::full(3);
        joint.narrow(&mut JointMemory::default(), &[b'z'; LONG_MIN], &mut candidates);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [1]);
        assert!(super::tests::joint(&["a", heavy]).is_none(), "one alone gains nothing");
    }

    proptest! {
        #[test]
        fn it_leaves_what_matches_and_nothing_else(
            words in vec(
                select(vec!["union", " SELECT", "\n", ";", " or ", "1=", "<script", ">", "where", "(a)", " not ", "é", "\0"]),
                0..12,
            ),
            front: bool,
        ) {
            let words = words.concat();
            let pad = ".".repeat(LONG_MIN);
            let value = if front { format!("{words}{pad}") } else { format!("{pad}{words}") };
            let (joint, mut memory) = (joint(&PATTERNS).unwrap(), JointMemory::default());
            let matching = (0..).zip(PATTERNS).filter(|(_, pattern)| {
                let matcher = Matcher::plain(pattern).unwrap();
                matcher.is_match(&mut MatchCache::default(), value.as_bytes()) == Outcome::Yes
            });
            let matching: Vec<u16> = matching.map(|(rule, _)| rule).collect();
            prop_assert_eq!(narrowed(&joint, &mut memory, value.as_bytes()), matching);
        }
    }
}
