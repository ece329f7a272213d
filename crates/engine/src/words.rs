//! Names that rules speak of, numbered once: a variable of TX is a slot, not a search.

use crate::hash::NameHash;
use std::collections::HashMap;

/// Names, each with a number; letters count in either case, and a name is shown as it was first written.
#[derive(Debug, Default)]
pub struct Words {
    shown: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u32, NameHash>,
}

impl Words {
    /// The number of a name, which it gets now if it has none.
    pub fn intern(&mut self, name: &[u8]) -> u32 {
        let next = self.shown.len() as u32;
        let number = *self.numbers.entry(name.to_ascii_lowercase().into()).or_insert(next);
        if number == next {
            self.shown.push(name.into());
        }
        number
    }

    /// The number of a name in lower case.
    pub fn number(&self, lower: &[u8]) -> Option<u32> {
        self.numbers.get(lower).copied()
    }

    /// A name, as it was first written.
    pub fn shown(&self, number: u32) -> &[u8] {
        self.shown.get(number as usize).map_or(b"", |name| name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shown.len()
    }
}
