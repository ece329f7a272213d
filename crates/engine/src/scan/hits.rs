//! Hits: values for which a rule's operator is to be asked.

use crate::values::Span;

/// One value that a rule is to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// A value as a rule wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// As it came.
    Same,
    /// As it came, in lower case.
    Lower,
    /// Derived: a part of [`super::cache::ScanCache::views`].
    Derived(u32, u32),
    /// Derived, and then in lower case.
    DerivedLower(u32, u32),
    /// Its transformations are to be carried out.
    Plain,
}

impl View {
    /// That of a part of the derived views, or of the value itself; with `lower`, in lower case.
    pub fn of(derived: Option<Span>, lower: bool) -> Self {
        match (derived, lower) {
            (None, false) => View::Same,
            (None, true) => View::Lower,
            (Some(span), false) => View::Derived(span.start, span.end),
            (Some(span), true) => View::DerivedLower(span.start, span.end),
        }
    }
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
        self.all.shrink_to(1 << 16);
        self.sorted = 0;
    }

    /// Adds one.
    pub fn push(&mut self, hit: Hit) {
        self.all.push(hit);
    }

    /// Puts them in order, each once.
    pub fn settle(&mut self) {
        if self.sorted < self.all.len() {
            self.all.sort_unstable();
            // Of a value that is to be looked at in two views, or was found twice, one hit is enough where the views are equal.
            self.all.dedup();
            self.sorted = self.all.len();
        }
    }

    /// Those of a rule.
    pub fn of(&self, rule: u16) -> &[Hit] {
        let start = self.all.partition_point(|hit| hit.rule < rule);
        let rest = self.all.get(start..).unwrap_or_default();
        let len = rest.iter().take_while(|hit| hit.rule == rule).count();
        rest.get(..len).unwrap_or_default()
    }

    /// The rules that have any, in order, some of them repeatedly.
    pub fn rules(&self) -> impl Iterator<Item = u16> + '_ {
        self.all.iter().map(|hit| hit.rule)
    }
}
