//! The collection TX: a slot for each name that rules speak of, and a list for names made while they run.

use crate::datum::{Datum, Name};
use crate::hash::NameHash;
use crate::values::Span;
use std::collections::HashMap;

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
    made: Vec<(Span, Option<Datum>)>,
    made_numbers: HashMap<Box<[u8]>, u32, NameHash>,
}

impl Tx {
    /// Forgets all, and makes room for the words of a program.
    pub fn clear(&mut self, words: usize) {
        self.slots.clear();
        self.slots.resize(words, None);
        if !self.made.is_empty() {
            self.made.clear();
            self.made_numbers.clear();
        }
    }

    /// Gives back what many names took; they go with it.
    pub fn trim(&mut self) {
        if self.made.len() > MADE_KEPT {
            self.made = Vec::new();
            self.made_numbers = HashMap::default();
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

    /// The value of a name, in lower case, that is no word of the program.
    pub fn get_made(&self, lower: &[u8]) -> Option<Datum> {
        let number = *self.made_numbers.get(lower)?;
        self.made.get(number as usize)?.1
    }

    /// Sets the value of a name that is no word of the program; `shown` is the name as it was written, wanted if it is new.
    pub fn set_made(&mut self, lower: &[u8], value: Option<Datum>, shown: impl FnOnce() -> Span) {
        if let Some(entry) =
            self.made_numbers.get(lower).and_then(|number| self.made.get_mut(*number as usize))
        {
            entry.1 = value;
        } else if value.is_some() && self.made.len() < MADE_MAX {
            self.made_numbers.insert(lower.into(), self.made.len() as u32);
            self.made.push((shown(), value));
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
        self.made.iter().filter_map(|(name, value)| Some((*name, (*value)?)))
    }
}
