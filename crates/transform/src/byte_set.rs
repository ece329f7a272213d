//! Sets of bytes: which a value holds, which a rule or a transformation needs.

/// A set of bytes, a bit each: byte `b` is bit `b % 64` of word `b / 64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ByteSet(pub [u64; 4]);

impl ByteSet {
    /// No byte.
    pub const EMPTY: ByteSet = ByteSet([0; 4]);
    /// Every byte.
    pub const FULL: ByteSet = ByteSet([u64::MAX; 4]);

    /// These bytes.
    pub const fn of(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            set = set.with(*byte);
            rest = tail;
        }
        set
    }

    /// The bytes from `first` to `last`, both among them.
    pub const fn range(first: u8, last: u8) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        let mut byte = first as u16;
        while byte <= last as u16 {
            set = set.with(byte as u8);
            byte += 1;
        }
        set
    }

    /// The bytes that a value holds: one pass.
    pub fn of_value(value: &[u8]) -> ByteSet {
        // Two sets in turn, so that a byte does not wait for the one before it.
        let (mut even, mut odd) = ([0u64; 4], [0u64; 4]);
        let (pairs, last) = value.as_chunks::<2>();
        for &[a, b] in pairs {
            // A byte shifted by six is below four.
            even[usize::from(a >> 6)] |= 1 << (a & 63);
            odd[usize::from(b >> 6)] |= 1 << (b & 63);
        }
        for &byte in last {
            even[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        ByteSet(even).union(&ByteSet(odd))
    }

    /// This set and one byte.
    pub const fn with(self, byte: u8) -> ByteSet {
        let ByteSet([a, b, c, d]) = self;
        let bit = 1u64 << (byte & 63);
        match byte >> 6 {
            0 => ByteSet([a | bit, b, c, d]),
            1 => ByteSet([a, b | bit, c, d]),
            2 => ByteSet([a, b, c | bit, d]),
            _ => ByteSet([a, b, c, d | bit]),
        }
    }

    /// Adds a byte.
    pub fn insert(&mut self, byte: u8) {
        *self = self.with(byte);
    }

    /// Whether the byte is in it.
    pub const fn contains(&self, byte: u8) -> bool {
        let ByteSet([a, b, c, d]) = *self;
        let word = match byte >> 6 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        word >> (byte & 63) & 1 == 1
    }

    /// Whether a byte is in both.
    pub const fn intersects(&self, other: &ByteSet) -> bool {
        let (ByteSet([a, b, c, d]), ByteSet([e, f, g, h])) = (*self, *other);
        (a & e) | (b & f) | (c & g) | (d & h) != 0
    }

    /// What is in either.
    pub const fn union(&self, other: &ByteSet) -> ByteSet {
        let (ByteSet([a, b, c, d]), ByteSet([e, f, g, h])) = (*self, *other);
        ByteSet([a | e, b | f, c | g, d | h])
    }

    /// What is not in it.
    pub const fn complement(&self) -> ByteSet {
        let ByteSet([a, b, c, d]) = *self;
        ByteSet([!a, !b, !c, !d])
    }

    /// Whether no byte is in it.
    pub const fn is_empty(&self) -> bool {
        let ByteSet([a, b, c, d]) = *self;
        a | b | c | d == 0
    }

    /// Whether every byte is in it.
    pub const fn is_full(&self) -> bool {
        let ByteSet([a, b, c, d]) = *self;
        a & b & c & d == u64::MAX
    }

    /// How many bytes are in it.
    pub const fn len(&self) -> u32 {
        let ByteSet([a, b, c, d]) = self;
        a.count_ones() + b.count_ones() + c.count_ones() + d.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_holds_both_of_its_ends() {
        assert_eq!(ByteSet::range(b'a', b'c'), ByteSet::of(b"abc"));
        assert_eq!(ByteSet::range(0, 255), ByteSet::FULL);
        assert_eq!(ByteSet::of(b"abc").complement().len(), 253);
    }

    proptest! {
        #[test]
        fn a_set_holds_what_went_in_and_nothing_else(value: Vec<u8>, other: Vec<u8>) {
            let set = ByteSet::of_value(&value);
            prop_assert_eq!(set, ByteSet::of(&value));
            for byte in 0..=255 {
                prop_assert_eq!(set.contains(byte), value.contains(&byte));
            }
            let others = ByteSet::of(&other);
            prop_assert_eq!(set.intersects(&others), value.iter().any(|b| other.contains(b)));
            prop_assert_eq!(set.union(&others), ByteSet::of(&[value.as_slice(), &other].concat()));
            prop_assert_eq!(set.is_empty(), value.is_empty());
        }
    }
}
