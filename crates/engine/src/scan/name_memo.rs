//! Names met before, with their classes: the fields of a head and the cookies of a site are the same in request after request.

use super::class::Group;

/// Longer names are not remembered.
const LENGTH_MAX: usize = 40;
/// How many are, in pairs: a name takes the place of one of two that hash alike.
const PLACES: usize = 1024;

/// The class of each name met, by source, group and guards that hold.
#[derive(Debug, Default)]
pub struct NameMemo(Vec<Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    held: u64,
    class: u32,
    source: u16,
    group: Group,
    /// More than any length: nobody is here.
    len: u8,
    name: [u8; LENGTH_MAX],
}

const NOBODY: Place =
    Place { held: 0, class: 0, source: 0, group: Group::Request, len: u8::MAX, name: [0; LENGTH_MAX] };

/// Where a name is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The source of the value.
    pub source: u16,
    /// The group of rules.
    pub group: Group,
    /// The guards that hold.
    pub held: u64,
    /// The name of the value.
    pub name: &'a [u8],
}

impl Key<'_> {
    fn place(&self) -> usize {
        // The golden ratio, as in Fibonacci hashing.
        let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (words, rest) = self.name.as_chunks::<8>();
        let start = self.held ^ u64::from(self.source) << 40 ^ (self.group as u64) << 56;
        let hash =
            words.iter().take(LENGTH_MAX / 8).fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        let last = rest.iter().fold(self.name.len() as u64, |word, byte| word << 8 | u64::from(*byte));
        (mix(hash, last) >> 54) as usize % PLACES
    }
}

impl NameMemo {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The class of a name, if it is remembered.
    #[inline]
    pub fn get(&self, key: Key<'_>) -> Option<u32> {
        let is_it = |place: &&Place| {
            place.name.get(..usize::from(place.len)) == Some(key.name)
                && (place.source, place.group, place.held) == (key.source, key.group, key.held)
        };
        let at = key.place();
        [at, at ^ 1].into_iter().filter_map(|at| self.0.get(at)).find(is_it).map(|place| place.class)
    }

    /// Remembers one.
    pub fn put(&mut self, key: Key<'_>, class: u32) {
        if self.0.is_empty() {
            self.0.resize(PLACES, NOBODY);
        }
        let (at, Key { source, group, held, name }) = (key.place() & !1, key);
        if name.len() > LENGTH_MAX || at >= PLACES {
            return;
        }
        // Who was in the first place of the pair takes the second: two names that come with every request would else drive each
        // other out.
        self.0.swap(at, at | 1);
        if let Some(place) = self.0.get_mut(at) {
            *place = Place { held, class, source, group, len: name.len() as u8, name: [0; LENGTH_MAX] };
            place.name.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        }
    }
}
