//! Hits: values for which a rule's operator is to be asked.

use crate::memory::trim;
use crate::values::Span;
use std::ops::Range;

/// One value that a rule is to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The rule.
    pub rule: u16,
    /// Whether it is the name of the value.
    pub name: bool,
    /// The value, by its number in the transaction.
    pub value: u32,
    /// What is known of it as transformed.
    pub view: View,
}

impl Hit {
    fn key(&self) -> u64 {
        u64::from(self.rule) << 33 | u64::from(self.value) << 1 | u64::from(self.name)
    }
}

/// A value as a rule wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// It lies here in the arena.
    Ready(Span),
    /// What lies here, in lower case.
    Lower(Span),
    /// The rule's transformations are to be carried out.
    Plain,
}

/// All hits of a transaction, those of a rule together, in the order of their values.
#[derive(Debug, Default)]
pub struct Hits {
    all: Vec<Hit>,
    sorted: usize,
}

impl Hits {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.all.clear();
        self.sorted = 0;
    }

    /// Gives back what many hits took; they go with it.
    pub fn trim(&mut self) {
        trim(&mut self.all);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Those from a number on.
    pub fn since(&self, number: usize) -> &[Hit] {
        self.all.get(number..).unwrap_or_default()
    }

    /// Adds one.
    pub fn push(&mut self, hit: Hit) {
        self.all.push(hit);
    }

    /// Puts them in order, each once.
    pub fn settle(&mut self) {
        if self.sorted < self.all.len() {
            self.all.sort_by_key(Hit::key);
            // A rule looks at a value in one view (or in all, which is one hit), so the first of equal keys is enough.
            self.all.dedup_by_key(|hit| hit.key());
            self.sorted = self.all.len();
        }
    }

    /// Those of a rule, by number.
    pub fn of(&self, rule: u16) -> Range<usize> {
        self.all.partition_point(|hit| hit.rule < rule)..self.all.partition_point(|hit| hit.rule <= rule)
    }

    /// One, by number.
    pub fn get(&self, number: usize) -> Option<Hit> {
        self.all.get(number).copied()
    }
}
