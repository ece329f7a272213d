//! The collection TX: a slot for each name that rules speak of, and a list for names made while they run.

use crate::datum::{Datum, Name};
use crate::hash::NameHash;
use crate::values::{Span, Values};
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// More names than these are not made in one transaction: what would be set is not.
const MADE_MAX: usize = 16_384;
/// The room for so many is kept for the next transaction.
const MADE_KEPT: usize = 1024;
/// `TX.0` to `TX.9` are the first ten words of each program.
pub const CAPTURES: u32 = 10;

/// The variables of TX.
#[derive(Debug, Default)]
pub struct Tx {
    slots: Vec<Option<Datum>>,
    made: Vec<Made>,
    /// The places of names among them.
    places: HashTable<u32>,
    hash: NameHash,
}

/// A variable whose name was made while rules ran.
#[derive(Debug, Clone, Copy)]
struct Made {
    hash: u64,
    /// As it was written.
    name: Span,
    value: Option<Datum>,
}

impl Tx {
    /// Forgets all, and makes room for the words of a program.
    pub fn clear(&mut self, words: usize) {
        self.slots.clear();
        self.slots.resize(words, None);
        if !self.made.is_empty() {
            self.made.clear();
            self.places.clear();
        }
    }

    /// Gives back what many names took; they go with it.
    pub fn trim(&mut self) {
        if self.made.len() > MADE_KEPT {
            self.made = Vec::new();
            self.places = HashTable::new();
        }
    }

    /// The value in a slot.
    #[inline]
    pub fn get(&self, word: u32) -> Option<Datum> {
        self.slots.get(word as usize).copied().flatten()
    }

    /// Sets a slot, or empties it.
    #[inline]
    pub fn set(&mut self, word: u32, value: Option<Datum>) {
        if let Some(slot) = self.slots.get_mut(word as usize) {
            *slot = value;
        }
    }

    /// Where a name is, in lower case, that is no word of the program.
    fn place(&self, lower: &[u8], hash: u64, values: &Values) -> Option<usize> {
        let is_it = |place: &u32| {
            let made = self.made.get(*place as usize);
            made.is_some_and(|made| values.bytes(made.name).eq_ignore_ascii_case(lower))
        };
        self.places.find(hash, is_it).map(|place| *place as usize)
    }

    /// The value of a name, in lower case, that is no word of the program.
    pub fn get_made(&self, lower: &[u8], values: &Values) -> Option<Datum> {
        self.made.get(self.place(lower, self.hash.hash_one(lower), values)?)?.value
    }

    /// Sets the value of a name that is no word of the program: in lower case, and as it was written.
    pub fn set_made(&mut self, lower: &[u8], shown: &[u8], value: Option<Datum>, values: &mut Values) {
        let hash = self.hash.hash_one(lower);
        let place = self.place(lower, hash, values);
        if let Some(made) = place.and_then(|place| self.made.get_mut(place)) {
            made.value = value;
        } else if value.is_some() && self.made.len() < MADE_MAX {
            let place = self.made.len() as u32;
            self.made.push(Made { hash, name: values.keep(shown), value });
            let hash_of = |place: &u32| self.made.get(*place as usize).map_or(0, |made| made.hash);
            self.places.insert_unique(hash, place, hash_of);
        }
    }

    /// All that have a value: words of the program in their order, then names as they were made.
    pub fn iter(&self) -> impl Iterator<Item = (Name, Datum)> {
        let slots =
            self.slots.iter().zip(0u32..).filter_map(|(slot, word)| Some((Name::Word(word), (*slot)?)));
        slots.chain(self.made().map(|(name, value)| (Name::Bytes(name), value)))
    }

    /// Those with names made while rules ran, in the order in which they were made.
    pub fn made(&self) -> impl Iterator<Item = (Span, Datum)> {
        self.made.iter().filter_map(|made| Some((made.name, made.value?)))
    }
}
