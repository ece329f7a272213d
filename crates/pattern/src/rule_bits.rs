//! A set of rules, a bit each.

/// A set of rule numbers below a fixed limit. Sets that meet must have been made for the same number of rules; what
/// one of them is too short for counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleBits(Box<[u64]>);

impl RuleBits {
    /// The empty set, for rules numbered `0..rules`.
    pub fn new(rules: usize) -> RuleBits {
        RuleBits(vec![0; rules.div_ceil(64)].into_boxed_slice())
    }

    /// The set of all of `0..rules`.
    pub fn full(rules: usize) -> RuleBits {
        let mut bits = RuleBits::new(rules);
        (0..rules).for_each(|rule| bits.insert(rule as u16));
        bits
    }

    /// Whether `rule` is in it.
    #[inline]
    pub fn contains(&self, rule: u16) -> bool {
        self.0.get(usize::from(rule) / 64).is_some_and(|word| word >> (rule % 64) & 1 == 1)
    }

    /// Puts `rule` in. A number beyond the limit is left out.
    #[inline]
    pub fn insert(&mut self, rule: u16) {
        if let Some(word) = self.0.get_mut(usize::from(rule) / 64) {
            *word |= 1 << (rule % 64);
        }
    }

    /// Takes `rule` out.
    #[inline]
    pub fn remove(&mut self, rule: u16) {
        if let Some(word) = self.0.get_mut(usize::from(rule) / 64) {
            *word &= !(1 << (rule % 64));
        }
    }

    /// Takes all out.
    #[inline]
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Puts in all that `other` has.
    #[inline]
    pub fn union(&mut self, other: &RuleBits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Keeps only what `other` has too.
    #[inline]
    pub fn intersect(&mut self, other: &RuleBits) {
        let others = other.0.iter().chain(std::iter::repeat(&0));
        self.0.iter_mut().zip(others).for_each(|(a, b)| *a &= b);
    }

    /// Takes out all that `other` has.
    #[inline]
    pub fn subtract(&mut self, other: &RuleBits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Whether any rule is in both.
    #[inline]
    pub fn meets(&self, other: &RuleBits) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// The rules that are in both, in order.
    pub fn both<'s>(&'s self, other: &'s RuleBits) -> impl Iterator<Item = u16> + 's {
        let words = self.0.iter().zip(&other.0).map(|(a, b)| a & b);
        words.zip(0u16..).flat_map(|(word, index)| Ones(word).map(move |bit| index * 64 + bit))
    }

    /// Becomes what `other` is, in the memory that it has.
    #[inline]
    pub fn copy_from(&mut self, other: &RuleBits) {
        if self.0.len() == other.0.len() {
            self.0.copy_from_slice(&other.0);
        } else {
            self.0 = other.0.clone();
        }
    }

    /// Becomes what `other`, made for as many rules or more, has of its rules.
    #[inline]
    pub(crate) fn copy_front(&mut self, other: &RuleBits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a = *b);
    }

    /// The set as it is kept, to be changed.
    #[inline]
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// The rules in it from `first` on, a multiple of 64, in order.
    pub(crate) fn iter_from(&self, first: usize) -> impl Iterator<Item = u16> + '_ {
        let words = self.0.iter().zip(0u16..).skip(first / 64);
        words.flat_map(|(word, index)| Ones(*word).map(move |bit| index * 64 + bit))
    }

    /// A bit for each rule by its number modulo 64: sets that have a rule in common have a bit in common.
    #[inline]
    pub(crate) fn folded(&self) -> u64 {
        self.0.iter().fold(0, |folded, word| folded | word)
    }

    /// Whether no rule is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many rules are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rules in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.iter_from(0)
    }

    /// The set as it is kept: rule `n` is bit `n % 64` of word `n / 64`.
    #[inline]
    pub fn words(&self) -> &[u64] {
        &self.0
    }
}

/// The numbers of the bits that are set, from the lowest.
struct Ones(u64);

impl Iterator for Ones {
    type Item = u16;

    #[inline]
    fn next(&mut self) -> Option<u16> {
        (self.0 != 0).then(|| {
            let bit = self.0.trailing_zeros() as u16;
            self.0 &= self.0 - 1;
            bit
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn bits(rules: &BTreeSet<u16>) -> RuleBits {
        let mut bits = RuleBits::new(200);
        rules.iter().for_each(|rule| bits.insert(*rule));
        bits
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_numbers(a in prop::collection::btree_set(0u16..200, 0..40),
                                  b in prop::collection::btree_set(0u16..200, 0..40)) {
            let (left, right) = (bits(&a), bits(&b));
            prop_assert_eq!(left.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!((left.len(), left.is_empty()), (a.len(), a.is_empty()));
            prop_assert_eq!(left.both(&right).collect::<Vec<_>>(), a.intersection(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(left.meets(&right), !a.is_disjoint(&b));
            let with = |change: fn(&mut RuleBits, &RuleBits)| {
                let mut bits = left.clone();
                change(&mut bits, &right);
                bits.iter().collect::<Vec<_>>()
            };
            prop_assert_eq!(with(RuleBits::union), a.union(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(with(RuleBits::intersect), a.intersection(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(with(RuleBits::subtract), a.difference(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(with(RuleBits::copy_from), b.iter().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_number_beyond_the_limit_is_absent() {
        let mut bits = RuleBits::new(10);
        bits.insert(700);
        bits.remove(700);
        assert!(!bits.contains(700) && bits.is_empty());
        bits.insert(3);
        bits.intersect(&RuleBits::new(0));
        assert!(bits.is_empty());
        assert_eq!(RuleBits::full(70).iter().last(), Some(69));
    }
}
