//! One filter before all rules: which of them may match a value.
//!
//! A rule is told by the rarest literals that its matches must hold; one that has none worth looking for runs with all its
//! like in one automaton, if the value holds the bytes that it needs. Phrases are literals themselves, and their hits certain.

use crate::frequency::Frequency;
use crate::gates::{Gates, GatesMemory};
use crate::literal_filter::{LiteralFilter, Owner};
use crate::lower;
use crate::matcher::{Expression, Language};
use crate::needs::Needs;
use crate::rule_bits::RuleBits;
use crate::weak::{Weak, WeakMemory};
use regex_syntax::hir::Hir;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How likely the literals of a rule may begin at a place of a harmless value; above, they are not looked for.
const CHANCE_MAX: f32 = 3e-4;
/// The shortest literal of an expression that is looked for, bytes.
const LITERAL_MIN: usize = 3;
/// The most literals of one expression.
const LITERALS_MAX: usize = 2000;

/// Numbers filters, so that a worker's memory knows whose it is.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Collects what the rules of a program look for.
#[derive(Debug)]
pub struct PrefilterBuilder {
    rules: usize,
    literals: BTreeMap<Vec<u8>, Vec<Owner>>,
    /// Phrases of one byte.
    bytes: Vec<(u8, u16)>,
    /// What no literal tells: the rule, whether the expression is exact, the expression and what it needs.
    weak: Vec<(u16, bool, Hir)>,
    weak_needs: Vec<(u16, Needs)>,
    /// What cannot be told.
    always: Vec<u16>,
    frequency: Frequency,
}

/// The filter of a whole program; at most some 4 MB.
#[derive(Debug)]
pub struct Prefilter {
    id: u64,
    literals: LiteralFilter,
    bytes: Vec<(u8, u16)>,
    gates: Gates,
    weak: Option<Weak>,
    weak_rules: RuleBits,
    always: RuleBits,
}

/// What a worker lends to a filter; at most some 4 MB. It serves one filter at a time: lent to another, it begins anew.
#[derive(Debug, Default)]
pub struct PrefilterCache {
    of: u64,
    gates: GatesMemory,
    weak: Option<WeakMemory>,
    asked: RuleBits,
}

impl PrefilterBuilder {
    /// A filter for rules numbered `0..rules`.
    pub fn new(rules: usize) -> PrefilterBuilder {
        PrefilterBuilder {
            rules,
            literals: BTreeMap::new(),
            bytes: Vec::new(),
            weak: Vec::new(),
            weak_needs: Vec::new(),
            always: Vec::new(),
            frequency: Frequency::new(),
        }
    }

    /// `rule` is to be found where `pattern` (as of [`crate::Matcher::new`]) matches.
    pub fn pattern(&mut self, rule: u16, pattern: &str) {
        self.expression(rule, pattern, Language::Pcre { caseless: false });
    }

    /// `rule` is to be found where `pattern` (as of [`crate::Matcher::plain`]) matches.
    pub fn plain(&mut self, rule: u16, pattern: &str) {
        self.expression(rule, pattern, Language::Plain);
    }

    /// `rule` is to be found where any of these stands, letters in either case.
    pub fn phrases(&mut self, rule: u16, phrases: &[Arc<[u8]>]) {
        for phrase in phrases {
            match &**phrase {
                [] => self.always.push(rule),
                [byte] => {
                    self.bytes.push((byte.to_ascii_lowercase(), rule));
                    self.bytes.push((byte.to_ascii_uppercase(), rule));
                }
                phrase => self.literal(phrase.to_ascii_lowercase(), (rule, true)),
            }
        }
    }

    fn expression(&mut self, rule: u16, pattern: &str, language: Language) {
        let (exact, hir) = match language.read(pattern) {
            Ok(Expression::Regular(hir)) => (true, hir),
            Ok(Expression::Irregular(node)) => (false, lower::widened(&node)),
            // Whoever compiles the rule is told what is wrong with it.
            Err(_) => return self.always.push(rule),
        };
        let needs = Needs::of(&hir, &self.frequency);
        let long = needs.literals.iter().all(|literal| literal.len() >= LITERAL_MIN);
        if long && needs.chance < CHANCE_MAX && needs.literals.len() <= LITERALS_MAX {
            needs.literals.into_iter().for_each(|literal| self.literal(literal, (rule, false)));
        } else {
            self.weak.push((rule, exact, hir));
            self.weak_needs.push((rule, needs));
        }
    }

    fn literal(&mut self, literal: Vec<u8>, owner: Owner) {
        let owners = self.literals.entry(literal).or_default();
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }

    /// The filter of all that was given.
    pub fn build(mut self) -> Prefilter {
        let weak = (!self.weak.is_empty()).then(|| Weak::new(&self.weak)).and_then(Result::ok);
        let mut weak_rules = RuleBits::new(self.rules);
        match weak {
            Some(_) => self.weak.iter().for_each(|(rule, _, _)| weak_rules.insert(*rule)),
            // Together they are too large.
            None => self.always.extend(self.weak.iter().map(|(rule, _, _)| *rule)),
        }
        let mut always = RuleBits::new(self.rules);
        self.always.iter().for_each(|rule| always.insert(*rule));
        let needs = self.weak_needs.iter().map(|(rule, needs)| (*rule, needs));
        Prefilter {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            literals: LiteralFilter::new(&self.literals, self.rules, &self.frequency),
            bytes: self.bytes,
            gates: Gates::new(needs, self.rules, &self.frequency),
            weak,
            weak_rules,
            always,
        }
    }
}

impl Prefilter {
    /// Calls `found(rule, certain)` for each rule of `alive` that may match `view`, and misses none; `certain` where it is
    /// known to match. A rule may be told more than once. `present` has a bit for each byte that `view` holds.
    pub fn scan(
        &self,
        cache: &mut PrefilterCache,
        view: &[u8],
        present: &[u64; 4],
        alive: &RuleBits,
        found: &mut impl FnMut(u16, bool),
    ) {
        if cache.of != self.id {
            *cache = PrefilterCache { of: self.id, ..PrefilterCache::default() };
        }
        if self.literals.rules().meets(alive) {
            self.literals.scan(view, alive, found);
        }
        for (byte, rule) in &self.bytes {
            // A byte shifted right by six is below four.
            if present[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1 && alive.contains(*rule) {
                found(*rule, true);
            }
        }
        if self.always.meets(alive) {
            self.always.iter().filter(|rule| alive.contains(*rule)).for_each(|rule| found(rule, false));
        }
        if let Some(weak) = &self.weak
            && self.weak_rules.meets(alive)
        {
            let pass = self.gates.pass(&mut cache.gates, view, present);
            if pass.meets(alive) {
                cache.asked.copy_from(pass);
                cache.asked.intersect(alive);
                weak.scan(&mut cache.weak, view, &mut cache.asked, found);
            }
        }
    }

    /// Bytes that the filter takes.
    pub fn memory_usage(&self) -> usize {
        self.literals.memory_usage() + self.weak.as_ref().map_or(0, Weak::memory_usage)
    }

    /// The rules that no literal tells, for whoever tunes a rule set.
    pub fn weak_rules(&self) -> &RuleBits {
        &self.weak_rules
    }
}
