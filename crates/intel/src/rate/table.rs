//! The words, and how one is found and changed.

use super::class::{AHEAD_MAX, CLASSES, Class, TAT_BITS, TAT_MASK};
use super::key::{KeyBuilder, RateKey};
use super::{Rate, RetryAfter, Usage};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Words a set.
const WAYS: usize = 4;
/// Sets a region: with [`WAYS`] words of 8 bytes, 8 MiB and 1,048,576 keys.
const SETS: usize = 1 << 18;
/// The set of a slice that is not there.
static NOBODY: AtomicU64 = AtomicU64::new(0);

/// What every key has used of its rate. `S` is the keyed hash; the default is keyed by the system's randomness, so that
/// nobody can choose addresses or headers that push a key out of the table.
pub struct RateTable<S = RandomState> {
    regions: [OnceLock<Box<[AtomicU64]>>; CLASSES.len()],
    sets: usize,
    hasher: S,
}

impl RateTable {
    /// The most bytes that a table takes: a region for each class of limits.
    pub const BYTES_MAX: usize = CLASSES.len() * SETS * WAYS * size_of::<u64>();

    /// An empty table. It takes 8 MiB for each class of limits that is checked, page by page as keys come.
    pub fn new() -> Self {
        Self::with_hasher(SETS, RandomState::new())
    }
}

impl Default for RateTable {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: BuildHasher> RateTable<S> {
    /// An empty table with regions of `sets` × 32 bytes, `sets` rounded up to a power of two between 1 and 2^20.
    pub fn with_hasher(sets: usize, hasher: S) -> Self {
        RateTable { regions: Default::default(), sets: sets.clamp(1, 1 << 20).next_power_of_two(), hasher }
    }

    /// Begins the key of something that the limit of this number ([`super::limit_id`]) counts by.
    pub fn key(&self, limit: u64) -> KeyBuilder<S::Hasher> {
        KeyBuilder::new(self.hasher.build_hasher(), limit)
    }

    /// Counts a request of `key` at `now_ns` (nanoseconds of a clock that never goes back), or refuses it.
    ///
    /// # Errors
    /// [`RetryAfter`] where the key has used up its burst; the request is not counted.
    pub fn check(&self, key: RateKey, rate: &Rate, now_ns: u64) -> Result<(), RetryAfter> {
        let class = class_of(rate);
        let now = class.ticks(now_ns);
        let (set, tag) = self.place(key, rate);
        loop {
            let (word, seen) = slot(set, tag, now);
            let used = used(seen, tag, now) + rate.increment;
            if used > rate.window {
                return Err(RetryAfter(class.duration(used - rate.window)));
            }
            let next = (tag << TAT_BITS) | (now.wrapping_add(used) & TAT_MASK);
            if word.compare_exchange_weak(seen, next, Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// What `key` has used at `now_ns`; counts nothing.
    pub fn peek(&self, key: RateKey, rate: &Rate, now_ns: u64) -> Usage {
        let class = class_of(rate);
        let now = class.ticks(now_ns);
        let (set, tag) = self.place(key, rate);
        let used = used(slot(set, tag, now).1, tag, now);
        let too_early = (used + rate.increment).saturating_sub(rate.window);
        Usage {
            used: used.div_ceil(rate.increment),
            burst: rate.burst,
            retry_after: class.duration(too_early),
        }
    }

    /// Forgets the keys that are entitled to their full burst again. To be called at least every few hours: a word left
    /// alone for 7 hours could come round and read as just used.
    pub fn sweep(&self, now_ns: u64) {
        for (region, class) in self.regions.iter().zip(CLASSES) {
            let now = class.ticks(now_ns);
            for word in region.get().into_iter().flatten() {
                let seen = word.load(Relaxed);
                if seen != 0 && ahead(seen, now) == 0 {
                    // Whoever came in between has made the word fresh: then it stays.
                    let _ = word.compare_exchange(seen, 0, Relaxed, Relaxed);
                }
            }
        }
    }

    /// The keys in the table. Looks at every word.
    pub fn len(&self) -> usize {
        let words = self.regions.iter().filter_map(OnceLock::get).flatten();
        words.filter(|word| word.load(Relaxed) != 0).count()
    }

    /// Whether no key is in the table. Looks at every word.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set of `key` and its tag, which is never 0: a word of 0 is an empty one.
    fn place(&self, key: RateKey, rate: &Rate) -> (&[AtomicU64], u64) {
        let take = || bytemuck::zeroed_slice_box::<AtomicU64>(self.sets * WAYS);
        let words = self.regions.get(rate.class).map_or(&[][..], |region| region.get_or_init(take));
        let first = (key.0 as usize & (self.sets - 1)) * WAYS;
        (words.get(first..first + WAYS).unwrap_or_default(), (key.0 >> TAT_BITS).max(1))
    }
}

impl Class {
    fn ticks(self, now_ns: u64) -> u64 {
        (now_ns >> self.tick_shift) & TAT_MASK
    }

    fn duration(self, ticks: u64) -> Duration {
        Duration::from_nanos(ticks << self.tick_shift)
    }
}

fn class_of(rate: &Rate) -> Class {
    CLASSES.get(rate.class).copied().unwrap_or_default()
}

/// The word of `tag` in `set`, or the one to take, with the value it was seen to have.
fn slot(set: &[AtomicU64], tag: u64, now: u64) -> (&AtomicU64, u64) {
    let mut victim = (&NOBODY, u64::MAX);
    let mut victim_age = 0;
    for word in set {
        let seen = word.load(Relaxed);
        if tag_of(seen) == tag {
            return (word, seen);
        }
        let age = match seen {
            0 => u64::MAX,
            // The distance back to the TAT, counted from the furthest point ahead: the older, the greater.
            _ => now.wrapping_add(AHEAD_MAX).wrapping_sub(seen) & TAT_MASK,
        };
        if age >= victim_age && victim.1 != 0 {
            (victim, victim_age) = ((word, seen), age);
        }
    }
    victim
}

fn tag_of(word: u64) -> u64 {
    word >> TAT_BITS
}

/// What the key of `tag` has used, where `seen` is its word.
fn used(seen: u64, tag: u64, now: u64) -> u64 {
    if tag_of(seen) == tag { ahead(seen, now) } else { 0 }
}

/// How far the TAT of `word` lies ahead of `now`; 0 where it is past.
fn ahead(word: u64, now: u64) -> u64 {
    let distance = word.wrapping_sub(now) & TAT_MASK;
    if distance < AHEAD_MAX { distance } else { 0 }
}
