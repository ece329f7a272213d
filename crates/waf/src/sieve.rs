//! Which rules of a set may match a value: one filter before all of their patterns.

use crate::Transform;
use crate::clean::Clean;
use crate::rule_set::Compiled;
use secbeat_pattern::{Joint, JointMemory, Prefilter, PrefilterBuilder, PrefilterCache, RuleBits};
use secbeat_transform::ByteSet;
use std::cell::Cell;
use std::sync::Arc;

/// The filter before the patterns of a set of rules.
#[derive(Debug)]
pub(crate) struct Sieve {
    filter: Prefilter,
    /// What looks again at long values.
    joint: Option<Joint>,
    /// Of each chain of transformations: a bit for each of them, and the rules that it is for.
    chains: Vec<(u8, RuleBits)>,
}

/// What a thread lends to its transactions: what the filter remembers of values before, and room for sets of rules.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    cache: PrefilterCache,
    states: JointMemory,
    alive: RuleBits,
    candidates: RuleBits,
    /// Values in which nothing was found.
    pub clean: Clean,
}

thread_local! {
    static BENCH: Cell<Option<Box<Bench>>> = const { Cell::new(None) };
}

/// Works with what this thread lends.
pub(crate) fn lend<T>(work: impl FnOnce(&mut Bench) -> T) -> T {
    let mut bench = BENCH.take().unwrap_or_default();
    let done = work(&mut bench);
    BENCH.set(Some(bench));
    done
}

impl Sieve {
    /// The sieve of these rules and their chains; none where there are more than it can number.
    pub fn new(rules: &[Compiled], chains: &[Vec<Transform>]) -> Option<Sieve> {
        u16::try_from(rules.len()).ok()?;
        let mut filter = PrefilterBuilder::new(rules.len());
        for (number, rule) in (0..).zip(rules) {
            match rule.pattern.as_str() {
                // The filter speaks of bytes: it knows nothing of such a rule, which therefore may always match.
                pattern if may_be_unicode(pattern) => filter.phrases(number, &[Arc::default()]),
                pattern => filter.plain(number, pattern),
            }
        }
        let chains = chains.iter().enumerate().map(|(index, chain)| {
            let mut of_chain = RuleBits::new(rules.len());
            let numbered = (0..).zip(rules).filter(|(_, rule)| rule.chain >> index & 1 == 1);
            numbered.for_each(|(number, _)| of_chain.insert(number));
            (chain.iter().fold(0, |bits, transform| bits | transform.bit()), of_chain)
        });
        let patterns = (0..).zip(rules.iter().map(|rule| rule.pattern.as_str()));
        let joint = Joint::plain(patterns.filter(|(_, pattern)| !may_be_unicode(pattern)), rules.len());
        Some(Sieve { filter: filter.build(), joint, chains: chains.collect() })
    }

    /// Those of `chains` that may change a value on which the transformations in `active` may do something.
    pub fn leading(&self, chains: u64, active: u8) -> u64 {
        let leading = self.chains.iter().enumerate().filter(|(_, (bits, _))| bits & active != 0);
        leading.fold(0, |leading, (index, _)| leading | 1 << index) & chains
    }

    /// The rules of a class that may match a value as it came.
    pub fn of_value<'b>(
        &self,
        bench: &'b mut Bench,
        class: &RuleBits,
        raw: &[u8],
        present: &ByteSet,
    ) -> &'b RuleBits {
        bench.alive.copy_from(class);
        self.scan(bench, raw, present)
    }

    /// The rules of a class that may match a form to which `chains` lead.
    pub fn of_form<'b>(
        &self,
        bench: &'b mut Bench,
        class: &RuleBits,
        form: &[u8],
        chains: u64,
    ) -> &'b RuleBits {
        bench.alive.copy_from(class);
        bench.alive.clear();
        let leading = self.chains.iter().enumerate().filter(|(index, _)| chains >> index & 1 == 1);
        leading.for_each(|(_, (_, of_chain))| bench.alive.union(of_chain));
        bench.alive.intersect(class);
        self.scan(bench, form, &ByteSet::of_value(form))
    }

    fn scan<'b>(&self, bench: &'b mut Bench, view: &[u8], present: &ByteSet) -> &'b RuleBits {
        let Bench { cache, states, alive, candidates, .. } = bench;
        candidates.copy_from(alive);
        candidates.clear();
        self.filter.scan(cache, view, &present.0, alive, &mut |rule, _| candidates.insert(rule));
        if let Some(joint) = &self.joint {
            joint.narrow(states, view, candidates);
        }
        candidates
    }
}

/// Whether a pattern may switch to characters (`(?u)`).
fn may_be_unicode(pattern: &str) -> bool {
    let is_flag = |b: &u8| b.is_ascii_alphabetic() || *b == b'-';
    pattern.split("(?").skip(1).any(|group| group.bytes().take_while(is_flag).any(|flag| flag == b'u'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_over_characters_is_told_by_its_flags() {
        for unicode in ["(?u)é", "a(?iu:b)", "(?i)(?u:é)", "(?i-u)a"] {
            assert!(may_be_unicode(unicode), "{unicode}");
        }
        for bytes in ["(?i)union", "(?:u)", "(?P<u>a)", "(?<user>a)", r"\(?[u]"] {
            assert!(!may_be_unicode(bytes), "{bytes}");
        }
    }
}
