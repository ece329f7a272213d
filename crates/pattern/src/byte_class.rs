//! A set of bytes.

/// A set of bytes, a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub(crate) struct ByteClass(pub [u64; 4]);

impl ByteClass {
    pub const NONE: ByteClass = ByteClass([0; 4]);
    pub const ALL: ByteClass = ByteClass([u64::MAX; 4]);

    pub fn of(bytes: &[u8]) -> ByteClass {
        let mut class = ByteClass::NONE;
        bytes.iter().for_each(|byte| class.insert(*byte));
        class
    }

    pub fn range(first: u8, last: u8) -> ByteClass {
        // The bits up to and with `last`, without those before `first`, in each word.
        let below = |byte: u8, word: usize, with: u32| {
            let bits = (u32::from(byte) + with).saturating_sub(64 * word as u32);
            if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
        };
        ByteClass(std::array::from_fn(|word| below(last, word, 1) & !below(first, word, 0)))
    }

    #[inline]
    pub fn insert(&mut self, byte: u8) {
        // A byte shifted right by six is below four.
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub fn union(self, other: ByteClass) -> ByteClass {
        ByteClass(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    pub fn complement(self) -> ByteClass {
        ByteClass(self.0.map(|word| !word))
    }

    #[inline]
    pub fn meets(&self, other: &ByteClass) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub fn is_empty(&self) -> bool {
        *self == ByteClass::NONE
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip([0u8, 64, 128, 192]).flat_map(|(word, first)| {
            let mut word = word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as u8)?;
                word &= word - 1;
                Some(first + bit)
            })
        })
    }

    /// With both cases of each letter in it.
    pub fn both_cases(self) -> ByteClass {
        let mut class = self;
        self.iter().filter(u8::is_ascii_alphabetic).for_each(|byte| class.insert(byte ^ 0x20));
        class
    }

    /// With letters in lower case.
    pub fn folded(self) -> ByteClass {
        let mut class = ByteClass::NONE;
        self.iter().for_each(|byte| class.insert(byte.to_ascii_lowercase()));
        class
    }

    /// As runs of bytes, first and last.
    pub fn ranges(self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(byte) => *last = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }
}

impl std::fmt::Debug for ByteClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        for (first, last) in self.ranges() {
            write!(f, "{}", std::ascii::escape_default(first))?;
            if last != first {
                write!(f, "-{}", std::ascii::escape_default(last))?;
            }
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_range_is_the_bytes_from_first_to_last(first: u8, last: u8) {
            let class = ByteClass::range(first, last);
            prop_assert_eq!(class.iter().collect::<Vec<_>>(), (first..=last).collect::<Vec<_>>());
            prop_assert_eq!(class.len(), class.iter().count());
            prop_assert_eq!(class.ranges().len(), usize::from(first <= last));
            prop_assert_eq!(class.complement().iter().count(), 256 - class.len());
        }
    }
}
