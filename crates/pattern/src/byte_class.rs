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
        let mut class = ByteClass::NONE;
        (first..=last).for_each(|byte| class.insert(byte));
        class
    }

    #[inline]
    pub fn insert(&mut self, byte: u8) {
        // A byte shifted right by six is below four.
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    #[inline]
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
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
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
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
