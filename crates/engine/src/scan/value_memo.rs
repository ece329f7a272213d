//! Values met before in which nothing was found: what a browser says of itself, and the cookies of a site, come with every
//! request. The bytes are compared, not their hash alone.

/// Longer values are not remembered, bytes.
const LENGTH_MAX: usize = 232;
/// How many are: a value takes the place of another that hashes alike. All together take a quarter of a mebibyte.
const PLACES: usize = 1024;

/// Values of classes, with what it cost to find nothing in them.
#[derive(Debug, Default)]
pub struct ValueMemo(Vec<Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    class: u32,
    cost: u32,
    /// More than any length: nobody is here.
    len: u16,
    value: [u8; LENGTH_MAX],
}

const NOBODY: Place = Place { class: 0, cost: 0, len: u16::MAX, value: [0; LENGTH_MAX] };

/// The place of a value that is not too long. Whoever chooses values to hash alike only drives his own out.
pub fn place(class: u32, value: &[u8]) -> Option<usize> {
    if value.len() > LENGTH_MAX {
        return None;
    }
    // The golden ratio, as in Fibonacci hashing.
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = value.as_chunks::<8>();
    let start = u64::from(class) << 32 | value.len() as u64;
    let hash = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    Some((mix(hash, last) >> 54) as usize % PLACES)
}

impl ValueMemo {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether nothing was found in this value of this class, and what that cost.
    #[inline]
    pub fn get(&self, at: usize, class: u32, value: &[u8]) -> Option<u64> {
        let place = self.0.get(at)?;
        let known = place.value.get(..usize::from(place.len))?;
        (place.class == class && known == value).then_some(u64::from(place.cost))
    }

    /// Remembers that nothing was found in a value.
    pub fn put(&mut self, at: usize, class: u32, value: &[u8], cost: u64) {
        if self.0.is_empty() {
            self.0.resize(PLACES, NOBODY);
        }
        let (Some(place), Ok(cost)) = (self.0.get_mut(at), u32::try_from(cost)) else { return };
        if let Some(to) = place.value.get_mut(..value.len()) {
            to.copy_from_slice(value);
            (place.class, place.cost, place.len) = (class, cost, value.len() as u16);
        }
    }
}
