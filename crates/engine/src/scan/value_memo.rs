//! Values met before, with what was found in them: what a browser says of itself, and the cookies of a site, come with every
//! request. The bytes are compared, not their hash alone.

/// Longer values are not remembered, bytes.
const LENGTH_MAX: usize = 224;
/// Values in which more is found are not remembered.
const FOUND_MAX: usize = 4;
/// How many are, in pairs: a value takes the place of one of two that hash alike. All together take a quarter of a mebibyte.
const PLACES: usize = 1024;

/// How a rule that was found wants the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it came.
    Same,
    /// As it came, in lower case.
    Lower,
    /// Transformed: that is to be done again.
    Plain,
}

/// Values of classes, with what was found in them and what it cost to find it.
#[derive(Debug, Default)]
pub struct ValueMemo(Vec<Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    class: u32,
    cost: u32,
    /// More than any length: nobody is here.
    len: u16,
    count: u8,
    forms: [Form; FOUND_MAX],
    rules: [u16; FOUND_MAX],
    value: [u8; LENGTH_MAX],
}

const NOBODY: Place = Place {
    class: 0,
    cost: 0,
    len: u16::MAX,
    count: 0,
    forms: [Form::Plain; FOUND_MAX],
    rules: [0; FOUND_MAX],
    value: [0; LENGTH_MAX],
};

/// The place of a value that is not too long. Whoever chooses values to hash alike only drives his own out.
#[inline]
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

    /// What was found in this value of this class, and what that cost.
    #[inline]
    pub fn get(
        &self,
        at: usize,
        class: u32,
        value: &[u8],
    ) -> Option<(u64, impl Iterator<Item = (u16, Form)>)> {
        let is_it =
            |place: &&Place| place.class == class && place.value.get(..usize::from(place.len)) == Some(value);
        let place = [at, at ^ 1].into_iter().filter_map(|at| self.0.get(at)).find(is_it)?;
        let found = place.rules.iter().copied().zip(place.forms.iter().copied()).take(place.count.into());
        Some((place.cost.into(), found))
    }

    /// Remembers what was found in a value, unless that is too much. It takes the first place of its pair, who was there the
    /// second: two values that come with every request would else drive each other out each time.
    pub fn put(
        &mut self,
        at: usize,
        class: u32,
        value: &[u8],
        cost: u64,
        found: impl ExactSizeIterator<Item = (u16, Form)>,
    ) {
        if self.0.is_empty() {
            self.0.resize(PLACES, NOBODY);
        }
        let count = found.len();
        if count > FOUND_MAX || at >= PLACES {
            return;
        }
        let at = at & !1;
        self.0.swap(at, at | 1);
        let (Some(place), Ok(cost)) = (self.0.get_mut(at), u32::try_from(cost)) else { return };
        let Some(to) = place.value.get_mut(..value.len()) else { return };
        to.copy_from_slice(value);
        (place.class, place.cost, place.len, place.count) = (class, cost, value.len() as u16, count as u8);
        for ((rule, form), one) in place.rules.iter_mut().zip(&mut place.forms).zip(found) {
            (*rule, *form) = one;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values_of_a_pair_are_both_remembered_whichever_comes_first() {
        let values: Vec<Vec<u8>> = (0..20_000).map(|number: u32| number.to_string().into_bytes()).collect();
        let at = |value: &[u8]| place(7, value).unwrap();
        let of = |wanted: usize| values.iter().filter(move |value| at(value) == wanted);
        let pair = 512;
        for [one, other] in [[pair, pair], [pair, pair + 1], [pair + 1, pair], [pair + 1, pair + 1]] {
            let mut memo = ValueMemo::default();
            let both = [of(one).next().unwrap(), of(other).nth(1).unwrap()];
            // Others were there before.
            for value in of(pair).skip(2).chain(of(pair + 1).skip(2)).take(9).chain(both) {
                memo.put(at(value), 7, value, 3, [(5, Form::Same)].into_iter());
            }
            for value in both {
                let (cost, found) = memo.get(at(value), 7, value).unwrap();
                assert_eq!((cost, found.collect::<Vec<_>>()), (3, vec![(5, Form::Same)]));
            }
            assert!(memo.get(at(both[0]), 8, both[0]).is_none());
        }
    }
}
