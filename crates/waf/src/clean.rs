//! Values in which nothing was found before: what a browser says of itself, and the cookies of a site, come with every
//! request. The bytes are compared, not their hash alone.

/// Longer values are not remembered, bytes.
const LENGTH_MAX: usize = 184;
/// How many are: a value takes the place of another that hashes alike. All together take 192 KiB of a thread.
const PLACES: usize = 1024;

/// Values of classes in which no rule finds anything, in any form.
#[derive(Debug, Default)]
pub(crate) struct Clean(Vec<Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    /// Which rules look at it, and how it is decoded.
    key: u32,
    /// More than any length: nobody is here.
    len: u16,
    value: [u8; LENGTH_MAX],
}

impl Clean {
    /// The place of a value that is not too long. Whoever chooses values that hash alike only drives his own out.
    pub fn place(key: u32, value: &[u8]) -> Option<usize> {
        if value.len() > LENGTH_MAX {
            return None;
        }
        // The golden ratio, as in Fibonacci hashing.
        let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (words, rest) = value.as_chunks::<8>();
        let start = u64::from(key) << 32 | value.len() as u64;
        let hash = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Some((mix(hash, last) >> 54) as usize % PLACES)
    }

    /// Whether nothing is found in this value.
    pub fn knows(&self, at: usize, key: u32, value: &[u8]) -> bool {
        let place = self.0.get(at).filter(|place| place.key == key);
        place.and_then(|place| place.value.get(..place.len.into())).is_some_and(|known| known == value)
    }

    /// Remembers that nothing is.
    pub fn remember(&mut self, at: usize, key: u32, value: &[u8]) {
        if self.0.is_empty() {
            self.0.resize(PLACES, Place { key: 0, len: u16::MAX, value: [0; LENGTH_MAX] });
        }
        if let Some(place) = self.0.get_mut(at)
            && let Some(to) = place.value.get_mut(..value.len())
        {
            to.copy_from_slice(value);
            (place.key, place.len) = (key, value.len() as u16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_to_those_who_looked_at_it_alone() {
        let mut clean = Clean::default();
        let at = Clean::place(1, b"value").unwrap();
        assert!(!clean.knows(at, 1, b"value"));
        clean.remember(at, 1, b"value");
        assert!(clean.knows(at, 1, b"value"));
        assert!(!clean.knows(at, 2, b"value") && !clean.knows(at, 1, b"valuE") && !clean.knows(at, 1, b""));
        clean.remember(at, 1, b"another");
        assert!(!clean.knows(at, 1, b"value") && clean.knows(at, 1, b"another"));
    }

    #[test]
    fn a_long_value_has_no_place() {
        assert!(Clean::place(1, &[b'a'; LENGTH_MAX]).is_some());
        assert_eq!(Clean::place(1, &[b'a'; LENGTH_MAX + 1]), None);
    }
}
