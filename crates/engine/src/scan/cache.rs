//! What a worker lends to a scan: the classes and plans that it met, and the working memory of one transaction.

use super::class::{Group, Traits};
use super::hits::{Hits, View};
use super::name_memo::NameMemo;
use super::plan::Plan;
use super::trie::NodeId;
use super::value_memo::ValueMemo;
use crate::values::Span;
use secbeat_pattern::{MatchCache, PrefilterCache, RuleBits};
use secbeat_transform::Transformation;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hasher of small keys that are made here, not by clients: one multiplication a word.
#[derive(Debug, Default, Clone, Copy)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        // The 64-bit golden ratio, as in Fibonacci hashing; the fold brings the high bits down to where tables look.
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// A table of keys that are made here.
pub type Table<K, V> = HashMap<K, V, BuildHasherDefault<KeyHasher>>;

/// A class of values: the rules that look at them, under the guards that hold.
#[derive(Debug)]
pub struct Class {
    /// The rules that are searched for.
    pub alive: RuleBits,
    /// The rules that are visited because there is such a value.
    pub touched: RuleBits,
    /// Whether neither has any.
    pub idle: bool,
    /// The bits of the byte table by which a plan may differ.
    pub relevant: u64,
}

/// The key of a class: source, group, guards that hold, traits of the name.
pub type ClassKey = (u16, Group, u64, Traits);
/// The key of a plan: class, place in the trie, what the view holds of what matters.
pub type PlanKey = (u32, NodeId, u64);

/// What a worker lends to a scan.
#[derive(Debug, Default)]
pub struct ScanCache {
    /// The scan for which classes and plans hold.
    pub program: u64,
    /// The memory of the literal filter.
    pub filter: PrefilterCache,
    /// The memory of the selectors' matchers.
    pub matchers: MatchCache,
    /// The classes met.
    pub classes: Vec<Class>,
    /// Their numbers.
    pub class_of: Table<ClassKey, u32>,
    /// The classes of names met.
    pub names: NameMemo,
    /// Values met in which nothing was found.
    pub values: ValueMemo,
    /// The plans met.
    pub plans: Vec<Plan>,
    /// Their numbers.
    pub plan_of: Table<PlanKey, u32>,
    /// What was found, while a phase runs.
    pub searched: Searched,
    /// Bytes searched and transformed in this scan.
    pub cost: u64,
    /// How the values of the rule at hand are to be looked at.
    pub visited: Vec<View>,
    /// A plan put together of several, lent to each view that needs it.
    pub sum: Option<Plan>,
    /// The views that wait to be searched.
    pub waiting: Vec<(NodeId, Span)>,
    /// What transformations made of the view at hand: another view, or nothing else.
    pub made: Vec<(Transformation, Option<Span>)>,
    /// The places whose transformation is to be tried on the view at hand.
    pub frontier: Vec<NodeId>,
    /// The rules found in the view at hand.
    pub found: Vec<u16>,
    /// The view at hand in lower case.
    pub lower: Vec<u8>,
    /// A view in the making; a name in lower case.
    pub scratch: Vec<u8>,
}

/// More classes or plans than these are not kept: they are forgotten and met anew.
const MEMO_MAX: usize = 2048;
/// A buffer may grow to this and keep it for the next transaction.
const KEPT_MAX: usize = 1 << 20;

/// What was found in a transaction.
#[derive(Debug, Default)]
pub struct Searched {
    /// Its hits.
    pub hits: Hits,
    /// The rules that have hits, or are to be visited because there is a value that they look at.
    pub candidates: RuleBits,
    /// The rules that were not searched for, since guards held.
    pub uncovered: RuleBits,
    /// How many of the values were scanned, for each group; none: no scan yet.
    pub scanned: [Option<usize>; Group::ALL.len()],
}

impl Searched {
    /// Begins a transaction with so many rules.
    pub fn begin(&mut self, rules: usize) {
        for bits in [&mut self.candidates, &mut self.uncovered] {
            if bits.words().len() == rules.div_ceil(64) {
                bits.clear();
            } else {
                *bits = RuleBits::new(rules);
            }
        }
        self.hits.clear();
        self.scanned = Default::default();
    }
}

impl ScanCache {
    /// Forgets what was learned of another program.
    pub fn fit(&mut self, program: u64) {
        if self.program != program {
            *self = ScanCache { program, ..ScanCache::default() };
        }
        for buffer in [&mut self.scratch, &mut self.lower] {
            buffer.clear();
            buffer.shrink_to(KEPT_MAX);
        }
    }

    /// Makes room for another class; all that were met may be forgotten.
    pub fn room_for_class(&mut self) {
        if self.classes.len() >= MEMO_MAX {
            self.classes.clear();
            self.class_of.clear();
            self.names.clear();
            self.values.clear();
            self.plans.clear();
            self.plan_of.clear();
        }
    }

    /// Makes room for the plans of another value; all that were met may be forgotten.
    pub fn room_for_plans(&mut self) {
        if self.plans.len() >= MEMO_MAX {
            self.plans.clear();
            self.plan_of.clear();
        }
    }
}
