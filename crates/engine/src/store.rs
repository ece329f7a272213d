//! Persistent collections in memory, bounded: what `IP`, `GLOBAL`, `SESSION`, `USER` and `RESOURCE` hold between requests.
//!
//! Only transactions that open a collection come here (`initcol` and a rule that uses what it opened), twice at most: they wait
//! for each other only where their keys fall into the same of sixteen parts.

use crate::datum::number;
use crate::persistent::{Change, Changed, Collections, Entry};
use secbeat_seclang::Variable;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PARTS: usize = 16;
/// What is kept in all, in bytes, about; the same share of it for each part.
const BYTES_MAX: usize = 16 << 20;
/// A key under which nothing was changed for so long is gone (`SecCollectionTimeout`, ModSecurity's default).
const IDLE_MS: u64 = 3_600_000;
/// A longer key or name is not kept.
const NAME_MAX: usize = 256;
/// A longer value is not kept.
const VALUE_MAX: usize = 4096;
/// More entries are not kept under one key.
const ENTRIES_MAX: usize = 64;
/// What an entry and a key take beside their bytes, about.
const OVERHEAD: usize = 128;

type Key = (Variable, Box<[u8]>);

/// Collections in memory. Where room runs out, keys under which nothing was changed for longest go first.
#[derive(Debug)]
pub struct Store {
    parts: [Mutex<Part>; PARTS],
    hasher: RandomState,
    idle_ms: AtomicU64,
}

/// A part of the keys.
#[derive(Debug, Default)]
struct Part {
    records: HashMap<Key, Record>,
    /// Keys in the order of their changes; of several times that a key stands here, the last counts.
    order: VecDeque<(Key, u64)>,
    changes: u64,
    bytes: usize,
}

/// What is kept under one key.
#[derive(Debug, Default)]
struct Record {
    entries: Vec<Entry>,
    expires_ms: u64,
    changed: u64,
    bytes: usize,
}

impl Default for Store {
    fn default() -> Self {
        Store { parts: Default::default(), hasher: RandomState::new(), idle_ms: AtomicU64::new(IDLE_MS) }
    }
}

impl Store {
    /// How long a key lives under which nothing changes, in seconds; `None`: an hour.
    pub fn set_timeout(&self, seconds: Option<u64>) {
        self.idle_ms.store(seconds.map_or(IDLE_MS, |seconds| seconds.saturating_mul(1000)), Relaxed);
    }

    /// How many keys there are, those that have ended and were not looked for among them.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| locked(part).records.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes it keeps now.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| locked(part).bytes).sum()
    }

    fn part(&self, key: &Key) -> MutexGuard<'_, Part> {
        let place = self.hasher.hash_one(key) as usize % PARTS;
        // `place < PARTS`.
        locked(&self.parts[place])
    }
}

/// A part. One that a worker left in a panic is as good as before: every change is whole or absent for its readers.
fn locked(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collections for Store {
    fn load(&self, collection: Variable, key: &[u8], now_ms: u64) -> Vec<Entry> {
        let key = (collection, key.into());
        let part = self.part(&key);
        let record = part.records.get(&key).filter(|record| record.expires_ms > now_ms);
        let entries = record.map_or(&[][..], |record| &record.entries);
        entries.iter().filter(|entry| entry.expires_ms > now_ms).cloned().collect()
    }

    fn store(&self, collection: Variable, key: &[u8], now_ms: u64, changes: &[Changed]) {
        if key.len() > NAME_MAX {
            return;
        }
        let key = (collection, key.into());
        let mut part = self.part(&key);
        part.store(&key, now_ms, now_ms.saturating_add(self.idle_ms.load(Relaxed)), changes);
        part.shrink(BYTES_MAX / PARTS);
    }
}

impl Part {
    fn store(&mut self, key: &Key, now_ms: u64, expires_ms: u64, changes: &[Changed]) {
        self.changes += 1;
        let record = self.records.entry(key.clone()).or_default();
        if record.expires_ms <= now_ms {
            record.entries.clear();
        }
        record.entries.retain(|entry| entry.expires_ms > now_ms);
        record.expires_ms = expires_ms;
        record.changed = self.changes;
        changes.iter().for_each(|change| record.apply(change));
        let entries = record.entries.iter().map(|entry| OVERHEAD + entry.name.len() + entry.value.len());
        let bytes = entries.sum::<usize>() + 2 * (OVERHEAD + key.1.len());
        self.bytes = self.bytes - record.bytes + bytes;
        record.bytes = bytes;
        self.order.push_back((key.clone(), self.changes));
    }

    /// Drops keys until what is left fits, and places in the order that count no more.
    fn shrink(&mut self, bytes: usize) {
        while self.bytes > bytes
            && let Some((key, change)) = self.order.pop_front()
        {
            if self.records.get(&key).is_some_and(|record| record.changed == change) {
                let record = self.records.remove(&key).unwrap_or_default();
                self.bytes -= record.bytes;
            }
        }
        if self.order.len() > 2 * self.records.len() + 64 {
            let records = &self.records;
            self.order
                .retain(|(key, change)| records.get(key).is_some_and(|record| record.changed == *change));
        }
    }
}

impl Record {
    fn apply(&mut self, changed: &Changed) {
        let at = self.entries.iter().position(|entry| entry.name == changed.name);
        let before = at.and_then(|at| self.entries.get(at));
        let (value, ends) = match (&changed.change, before) {
            (Change::Unset, _) => return self.entries.retain(|entry| entry.name != changed.name),
            // A value that is set anew has no end but that of its key.
            (Change::Set(value), _) => (value.clone(), u64::MAX),
            (Change::Add(by), before) => {
                let (sum, ends) =
                    before.map_or((0, u64::MAX), |entry| (number(&entry.value), entry.expires_ms));
                (sum.saturating_add(*by).to_string().into_bytes(), ends)
            }
            (Change::Keep, Some(before)) => (before.value.clone(), before.expires_ms),
            (Change::Keep, None) => return,
        };
        if changed.name.len() > NAME_MAX || value.len() > VALUE_MAX {
            return;
        }
        let entry =
            Entry { name: changed.name.clone(), value, expires_ms: changed.expires_ms.unwrap_or(ends) };
        match at {
            // `at` is the place of an entry.
            Some(at) => self.entries[at] = entry,
            None if self.entries.len() < ENTRIES_MAX => self.entries.push(entry),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, change: Change, expires_ms: Option<u64>) -> Changed {
        Changed { name: name.into(), change, expires_ms }
    }

    fn values(kept: &Store, key: &[u8], now_ms: u64) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let entries = kept.load(Variable::Ip, key, now_ms);
        entries.into_iter().map(|entry| (text(entry.name), text(entry.value))).collect()
    }

    #[test]
    fn what_is_stored_is_loaded_until_it_ends() {
        let kept = Store::default();
        kept.set_timeout(Some(100));
        kept.store(Variable::Ip, b"k", 0, &[change("a", Change::Set(b"x".to_vec()), Some(5_000))]);
        kept.store(Variable::Ip, b"k", 1, &[change("n", Change::Add(2), None)]);
        kept.store(
            Variable::Ip,
            b"k",
            2,
            &[change("n", Change::Add(3), None), change("b", Change::Keep, Some(1))],
        );
        let both = [("a".to_owned(), "x".to_owned()), ("n".to_owned(), "5".to_owned())];
        assert_eq!(values(&kept, b"k", 4_999), both);
        assert_eq!(values(&kept, b"k", 5_000), both[1..]);
        assert!(values(&kept, b"k", 100_002).is_empty(), "nothing changed for a hundred seconds");
        assert!(values(&kept, b"other", 3).is_empty());
        assert!(kept.load(Variable::Global, b"k", 3).is_empty());
        kept.store(Variable::Ip, b"k", 3, &[change("a", Change::Unset, None)]);
        assert_eq!(values(&kept, b"k", 4), both[1..]);
    }

    #[test]
    fn memory_has_a_ceiling_and_the_oldest_keys_go_first() {
        let kept = Store::default();
        for number in 0..100_000u32 {
            let value = Change::Set(vec![b'x'; 100]);
            kept.store(Variable::Ip, &number.to_be_bytes(), 0, &[change("v", value, None)]);
            assert!(kept.bytes() <= BYTES_MAX);
            assert!(!kept.load(Variable::Ip, &number.to_be_bytes(), 0).is_empty());
        }
        assert!(kept.load(Variable::Ip, &0u32.to_be_bytes(), 0).is_empty());
        let orders: usize = kept.parts.iter().map(|part| locked(part).order.len()).sum();
        let records: usize = kept.parts.iter().map(|part| locked(part).records.len()).sum();
        assert!(orders <= 2 * records + 64 * PARTS);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let kept = Store::default();
        let long = |length| change("v", Change::Set(vec![b'x'; length]), None);
        kept.store(Variable::Ip, b"k", 0, &[long(VALUE_MAX)]);
        kept.store(Variable::Ip, b"k", 0, &[long(VALUE_MAX + 1)]);
        assert_eq!(values(&kept, b"k", 1)[0].1.len(), VALUE_MAX);
        let many: Vec<_> =
            (0..1000).map(|number| change(&number.to_string(), Change::Add(1), None)).collect();
        kept.store(Variable::Ip, b"k", 0, &many);
        assert_eq!(values(&kept, b"k", 1).len(), ENTRIES_MAX);
        kept.store(Variable::Ip, &[b'k'; NAME_MAX + 1], 0, &[long(1)]);
        assert!(values(&kept, &[b'k'; NAME_MAX + 1], 1).is_empty());
    }

    #[test]
    fn one_key_changed_again_and_again_takes_the_memory_of_one() {
        let kept = Store::default();
        for _ in 0..10_000 {
            kept.store(Variable::Ip, b"k", 0, &[change("n", Change::Add(1), None)]);
        }
        assert_eq!(values(&kept, b"k", 1), [("n".to_owned(), "10000".to_owned())]);
        assert!(kept.bytes() < 1000 && kept.parts.iter().all(|part| locked(part).order.len() < 128));
    }
}
