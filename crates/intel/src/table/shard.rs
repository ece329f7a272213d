//! Some decisions and where each of them is: a dense array, and an index of four bytes a slot beside it.

use super::entry::{Entry, Prefix};

/// How many bits of a slot say where the entry is; the others are the tag.
const POSITION_BITS: u32 = 21;
const POSITIONS: u32 = (1 << POSITION_BITS) - 1;

/// Entries by the hash of their prefix: open addressing with linear probing, at most three quarters full. A slot holds
/// the entry's position plus one and some bits of its hash, so that an address which is not there costs one or two cache
/// lines and touches no entry.
#[derive(Debug, Clone, Default)]
pub struct Shard {
    entries: Vec<Entry>,
    index: Box<[u32]>,
}

impl Shard {
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries about exactly `prefix`, whose hash is `hash`.
    pub fn at(&self, hash: u64, prefix: Prefix) -> impl Iterator<Item = &Entry> {
        self.probe(hash)
            .filter_map(|position| self.entries.get(position))
            .filter(move |entry| entry.prefix() == prefix)
    }

    /// The positions that may hold what has this hash.
    fn probe(&self, hash: u64) -> impl Iterator<Item = usize> {
        let start = start(hash, self.index.len());
        let (before, behind) = self.index.split_at(start);
        behind
            .iter()
            .chain(before)
            .take_while(|slot| **slot != 0)
            .filter(move |slot| **slot & !POSITIONS == tag(hash))
            .map(|slot| (slot & POSITIONS) as usize - 1)
    }

    /// Puts `entry` in place of that of the same slot which is waiting to be confirmed as it is, and returns that.
    pub fn insert(&mut self, entry: Entry, hash: impl Fn(Prefix) -> u64) -> Option<Entry> {
        let at = hash(entry.prefix());
        let (slot, waiting) = (entry.slot(), entry.is_waiting());
        let same = |held: &Entry| held.slot() == slot && held.is_waiting() == waiting;
        let held = self.probe(at).find(|position| self.entries.get(*position).is_some_and(same));
        if let Some(held) = held.and_then(|position| self.entries.get_mut(position)) {
            return Some(std::mem::replace(held, entry));
        }
        if (self.entries.len() + 1) * 4 > self.index.len() * 3 {
            self.entries.reserve_exact(self.entries.len() / 8 + 4);
            self.entries.push(entry);
            self.reindex(hash);
        } else {
            // A copy of a shard has no room of its own, and a vector left alone would double.
            self.entries.reserve_exact(self.index.len() * 3 / 4 - self.entries.len());
            self.entries.push(entry);
            note(&mut self.index, at, self.entries.len());
        }
        None
    }

    /// Takes out the entries that `condemned` names, and returns them.
    pub fn remove(&mut self, condemned: impl Fn(&Entry) -> bool, hash: impl Fn(Prefix) -> u64) -> Vec<Entry> {
        let gone: Vec<Entry> = self.entries.extract_if(.., |entry| condemned(entry)).collect();
        self.entries.shrink_to_fit();
        self.reindex(hash);
        gone
    }

    /// Moves every entry by `ms`.
    pub fn shift(&mut self, ms: i64) {
        self.entries.iter_mut().for_each(|entry| entry.made_ms = entry.made_ms.saturating_add(ms));
    }

    /// Has every entry be made at `ms` at the latest.
    pub fn make_no_later_than(&mut self, ms: i64) {
        self.entries.iter_mut().for_each(|entry| entry.made_ms = entry.made_ms.min(ms));
    }

    /// When the first of them ends, in milliseconds since 1970; `i64::MAX`: none does.
    pub fn first_end_ms(&self) -> i64 {
        self.entries.iter().map(Entry::ends_ms).min().unwrap_or(i64::MAX)
    }

    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.entries.capacity() * size_of::<Entry>() + size_of_val(&*self.index)
    }

    fn reindex(&mut self, hash: impl Fn(Prefix) -> u64) {
        self.index = match self.entries.capacity() {
            0 => Box::default(),
            capacity => vec![0; capacity * 4 / 3 + 1].into(),
        };
        for (position, entry) in self.entries.iter().enumerate() {
            note(&mut self.index, hash(entry.prefix()), position + 1);
        }
    }
}

/// Puts `position`, counted from 1, into the first free slot.
fn note(index: &mut [u32], hash: u64, position: usize) {
    let (before, behind) = index.split_at_mut(start(hash, index.len()));
    if let Some(free) = behind.iter_mut().chain(before).find(|slot| **slot == 0) {
        *free = tag(hash) | (position as u32 & POSITIONS);
    }
}

/// Where probing begins: the low half of the hash, spread over the slots.
fn start(hash: u64, slots: usize) -> usize {
    ((hash & 0xffff_ffff).wrapping_mul(slots as u64) >> 32) as usize
}

/// The bits above that half.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32 & !POSITIONS
}
