//! A hash of names, cheaper than the one of the standard library.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers that nobody outside can predict: names that clients choose are among what is hashed.
#[derive(Debug, Clone, Copy)]
pub struct NameHash(u64);

impl Default for NameHash {
    fn default() -> Self {
        NameHash(RandomState::new().hash_one(0u8))
    }
}

impl BuildHasher for NameHash {
    type Hasher = NameHasher;

    fn build_hasher(&self) -> NameHasher {
        NameHasher(self.0)
    }
}

/// Folds the two halves of a product of 128 bits, eight bytes at a time (the principle of wyhash, by Wang Yi).
#[derive(Debug)]
pub struct NameHasher(u64);

impl NameHasher {
    #[inline]
    fn fold(&mut self, word: u64) {
        // Digits of pi, odd.
        let product = u128::from(self.0 ^ word) * 0x243f_6a88_85a3_08d3;
        self.0 = (product as u64) ^ (product >> 64) as u64 ^ 0x1319_8a2e_0370_7345;
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.fold(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            self.fold(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.fold(number as u64);
    }

    fn finish(&self) -> u64 {
        let mut last = NameHasher(self.0);
        last.fold(0);
        last.0
    }
}
