//! The values of a transaction: one arena of bytes, one list a variable.

use crate::memory::trim;
use secbeat_seclang::Variable;

/// A part of the arena. Bytes are only ever added, so a span stays true until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Its first byte.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
}

impl Span {
    /// The number of its bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// One value: of a scalar, or one of a collection.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// The variable to which it was added.
    pub variable: Variable,
    /// Its name; empty for a scalar.
    pub name: Span,
    /// Its bytes.
    pub bytes: Span,
    /// The next one of the same variable, by number; [`NONE`] after the last.
    pub next: u32,
}

/// No value.
pub const NONE: u32 = u32::MAX;

/// The list of one variable.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// The first value, by number; [`NONE`]: there is none.
    pub first: u32,
    /// The last.
    pub last: u32,
    /// How many.
    pub count: u32,
    /// The bytes of names and values together.
    pub size: u32,
}

const EMPTY: List = List { first: NONE, last: NONE, count: 0, size: 0 };
/// More than [`Variable`] has.
const VARIABLES: usize = 128;
/// The arena holds no more, so that a span fits two `u32`.
const ARENA_MAX: usize = 1 << 30;

/// The values of a transaction.
#[derive(Debug)]
pub struct Values {
    bytes: Vec<u8>,
    values: Vec<Value>,
    lists: [List; VARIABLES],
}

impl Default for Values {
    fn default() -> Self {
        Values { bytes: Vec::new(), values: Vec::new(), lists: [EMPTY; VARIABLES] }
    }
}

impl Values {
    /// Gives back what grew large; the values go with it.
    pub fn trim(&mut self) {
        trim(&mut self.bytes);
        trim(&mut self.values);
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.values.clear();
        self.lists = [EMPTY; VARIABLES];
    }

    /// Copies bytes into the arena. A full arena takes nothing: the span is empty.
    pub fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        if start + bytes.len() > ARENA_MAX {
            return Span::default();
        }
        self.bytes.extend_from_slice(bytes);
        Span { start: start as u32, end: self.bytes.len() as u32 }
    }

    /// Copies what is in the arena, in lower case; as [`Values::keep`].
    pub fn keep_lower(&mut self, of: Span) -> Span {
        let (start, range) = (self.bytes.len(), of.start as usize..of.end as usize);
        if start + of.len() > ARENA_MAX || self.bytes.get(range.clone()).is_none() {
            return Span::default();
        }
        self.bytes.extend_from_within(range);
        self.bytes.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
        Span { start: start as u32, end: self.bytes.len() as u32 }
    }

    /// The bytes of a span.
    pub fn bytes(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Adds a value at the end of its variable's list.
    pub fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        let name = self.keep(name);
        let bytes = self.keep(value);
        let number = self.values.len() as u32;
        self.values.push(Value { variable, name, bytes, next: NONE });
        let list = &mut self.lists[variable as usize % VARIABLES];
        if let Some(last) = self.values.get_mut(list.last as usize) {
            last.next = number;
        } else {
            list.first = number;
        }
        list.last = number;
        list.count += 1;
        list.size = list.size.saturating_add((name.len() + bytes.len()) as u32);
    }

    /// Makes a value the only one of its variable.
    pub fn set(&mut self, variable: Variable, value: &[u8]) {
        self.lists[variable as usize % VARIABLES] = EMPTY;
        self.add(variable, b"", value);
    }

    /// The list of a variable.
    pub fn list(&self, variable: Variable) -> List {
        self.lists[variable as usize % VARIABLES]
    }

    /// A value by its number.
    pub fn get(&self, number: u32) -> Option<&Value> {
        self.values.get(number as usize)
    }

    /// How many values there are, those that were replaced among them: numbers go up to here.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of a variable, in the order in which they came.
    pub fn of(&self, variable: Variable) -> impl Iterator<Item = (u32, &Value)> {
        let mut next = self.list(variable).first;
        std::iter::from_fn(move || {
            let value = self.values.get(next as usize)?;
            let number = std::mem::replace(&mut next, value.next);
            Some((number, value))
        })
    }
}
