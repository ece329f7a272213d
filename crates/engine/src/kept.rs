//! The persistent collections as a transaction sees them: loaded when first used, written when it ends.

use crate::Collections;
use crate::datum::{Datum, Name, number};
use crate::persistent::{Change, Changed};
use crate::values::{Span, Values};
use secbeat_seclang::Variable;

/// More entries than these are neither loaded nor made in one collection.
const ENTRIES_MAX: usize = 1024;

/// One entry.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// In lower case.
    name: Span,
    value: Option<Datum>,
    expires_ms: u64,
    written: Written,
    end_set: bool,
}

/// What this transaction did to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Set,
    Added(i64),
    Unset,
}

/// One collection.
#[derive(Debug, Default)]
struct Collection {
    key: Option<Vec<u8>>,
    loaded: bool,
    entries: Vec<Entry>,
}

const COLLECTIONS: [Variable; 5] =
    [Variable::Ip, Variable::Global, Variable::Resource, Variable::Session, Variable::User];

/// The place of a collection among the five; none: it is no persistent one.
fn place(variable: Variable) -> Option<usize> {
    COLLECTIONS.iter().position(|collection| *collection == variable)
}

/// The bit of a persistent collection; 0: it is none.
pub fn bit(variable: Variable) -> u8 {
    place(variable).map_or(0, |place| 1 << place)
}

/// The five collections.
#[derive(Debug, Default)]
pub struct Kept {
    collections: [Collection; 5],
    used: bool,
}

impl Kept {
    /// Forgets all.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.used) {
            self.collections = Default::default();
        }
    }

    /// Opens a collection under a key; what was open under another is left as it was.
    pub fn open(&mut self, variable: Variable, key: &[u8]) {
        let Some(collection) = place(variable).and_then(|place| self.collections.get_mut(place)) else {
            return;
        };
        if collection.key.as_deref() != Some(key) {
            *collection = Collection { key: Some(key.to_vec()), ..Collection::default() };
            self.used = true;
        }
    }

    /// Loads what of these collections (a bit each) is open and not loaded.
    pub fn load(&mut self, bits: u8, from: Option<&dyn Collections>, values: &mut Values, now_ms: u64) {
        for (place, collection) in self.collections.iter_mut().enumerate() {
            if bits >> place & 1 == 0 || collection.loaded {
                continue;
            }
            let (Some(key), Some(variable)) = (&collection.key, COLLECTIONS.get(place)) else { continue };
            collection.loaded = true;
            let entries = from.map(|from| from.load(*variable, key, now_ms)).unwrap_or_default();
            for entry in entries.into_iter().take(ENTRIES_MAX) {
                let name = values.keep(&entry.name.to_ascii_lowercase());
                let value = Some(Datum::Bytes(values.keep(&entry.value)));
                let (expires_ms, written) = (entry.expires_ms, Written::Nothing);
                collection.entries.push(Entry { name, value, expires_ms, written, end_set: false });
            }
        }
    }

    /// The value of an entry, its name in lower case.
    pub fn get(&self, variable: Variable, lower: &[u8], values: &Values, now_ms: u64) -> Option<Datum> {
        let entries = &self.collections.get(place(variable)?)?.entries;
        let entry = entries.iter().find(|entry| values.bytes(entry.name) == lower)?;
        entry.value.filter(|_| entry.expires_ms > now_ms)
    }

    /// All entries of a collection that have a value.
    pub fn iter(&self, variable: Variable, now_ms: u64) -> impl Iterator<Item = (Name, Datum)> {
        let collection = place(variable).and_then(|place| self.collections.get(place));
        let entries = collection.map_or(&[][..], |collection| &collection.entries);
        let alive = entries.iter().filter(move |entry| entry.expires_ms > now_ms);
        alive.filter_map(|entry| Some((Name::Bytes(entry.name), entry.value?)))
    }

    fn entry(&mut self, variable: Variable, lower: &[u8], values: &mut Values) -> Option<&mut Entry> {
        let collection = self.collections.get_mut(place(variable)?)?;
        collection.key.as_ref()?;
        let known = collection.entries.iter().position(|entry| values.bytes(entry.name) == lower);
        let at = match known {
            Some(at) => at,
            None if collection.entries.len() >= ENTRIES_MAX => return None,
            None => {
                let (name, written) = (values.keep(lower), Written::Nothing);
                let entry = Entry { name, value: None, expires_ms: u64::MAX, written, end_set: false };
                collection.entries.push(entry);
                collection.entries.len() - 1
            }
        };
        collection.entries.get_mut(at)
    }

    /// Sets an entry, or takes it out. A collection that was not opened has no entries.
    pub fn set(&mut self, variable: Variable, lower: &[u8], value: Option<Datum>, values: &mut Values) {
        if let Some(entry) = self.entry(variable, lower, values) {
            entry.value = value;
            entry.written = if value.is_some() { Written::Set } else { Written::Unset };
            entry.expires_ms = u64::MAX;
            entry.end_set = false;
        }
    }

    /// Adds to an entry; one that is not there, or has ended, counts as 0.
    pub fn add(&mut self, variable: Variable, lower: &[u8], change: i64, values: &mut Values, now_ms: u64) {
        let before = self.get(variable, lower, values, now_ms);
        let before = match before {
            Some(Datum::Number(number)) => number,
            Some(Datum::Bytes(span)) => number(values.bytes(span)),
            // A constant can only have come from a `setvar` of text.
            Some(Datum::Constant(_)) | None => 0,
        };
        if let Some(entry) = self.entry(variable, lower, values) {
            entry.value = Some(Datum::Number(before.saturating_add(change)));
            entry.written = match entry.written {
                Written::Nothing => Written::Added(change),
                Written::Added(sum) => Written::Added(sum.saturating_add(change)),
                Written::Set | Written::Unset => Written::Set,
            };
        }
    }

    /// Gives an entry an end.
    pub fn expire(&mut self, variable: Variable, lower: &[u8], expires_ms: u64, values: &mut Values) {
        if let Some(entry) = self.entry(variable, lower, values) {
            entry.expires_ms = expires_ms;
            entry.end_set = true;
        }
    }

    /// Hands over what was changed.
    pub fn store(
        &self,
        to: &dyn Collections,
        now_ms: u64,
        values: &Values,
        bytes: impl Fn(Datum) -> Vec<u8>,
    ) {
        for (collection, variable) in self.collections.iter().zip(COLLECTIONS) {
            let Some(key) = &collection.key else { continue };
            let changed = |entry: &Entry| {
                let change = match (entry.written, entry.value) {
                    (Written::Nothing, _) if !entry.end_set => return None,
                    (Written::Nothing, _) => Change::Keep,
                    (Written::Added(sum), _) => Change::Add(sum),
                    (Written::Set, Some(value)) => Change::Set(bytes(value)),
                    (Written::Set | Written::Unset, _) => Change::Unset,
                };
                let name = values.bytes(entry.name).to_vec();
                Some(Changed { name, change, expires_ms: entry.end_set.then_some(entry.expires_ms) })
            };
            let changes: Vec<Changed> = collection.entries.iter().filter_map(changed).collect();
            if !changes.is_empty() {
                to.store(variable, key, now_ms, &changes);
            }
        }
    }
}
