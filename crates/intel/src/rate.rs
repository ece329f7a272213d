//! Requests per second and client, in a fixed number of bytes, exact across threads.
//!
//! The algorithm is GCRA (ITU-T I.371, "virtual scheduling"): a client is one number, the *theoretical arrival
//! time* (TAT) of its next request. A request at `now` is let through if `TAT - now` leaves room in the burst; then
//! `TAT = max(TAT, now) + 1 / rate`. A refused request changes nothing, so that a client that goes on asking still
//! gets its rate.
//!
//! The table is set-associative: a keyed hash of the client picks a set of four words, each word one client. One
//! compare-and-swap changes a word, so no request of a known client is counted twice or lost, whatever the number of
//! threads. **Eviction:** a new client takes, in its set, an empty word; else that of the client which has been
//! entitled to its full burst for the longest (forgetting that one changes nothing); else that of the client nearest
//! to it. Two clients share a word with a probability of about one in a million; two threads that see the *first*
//! request of a client in the same instant while its set changes may count one request too few.

use secbeat_types::decision::canonical;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Words a set.
const WAYS: usize = 4;
/// Sets a table: with [`WAYS`] words of 8 bytes, 2 MiB and 262,144 clients.
const SETS: usize = 1 << 16;
/// The unit of a TAT: 16 ns.
const TICK_SHIFT: u32 = 4;
const TICKS_PER_SECOND: u64 = 1_000_000_000 >> TICK_SHIFT;
/// The low bits of a word are the TAT in ticks, which comes round every 19.5 hours; the rest is the client's tag.
const TAT_BITS: u32 = 42;
const TAT_MASK: u64 = (1 << TAT_BITS) - 1;
/// A TAT further ahead of the clock than this lies in the past: no burst is longer.
const AHEAD_MAX: u64 = 1 << (TAT_BITS - 1);

/// How many requests a client may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second in the long run, 1 to 1,000,000; 0: no limit.
    pub per_second: u32,
    /// Requests at once after a pause, at least 1, at most an hour's worth.
    pub burst: u32,
}

impl Rate {
    /// No limit.
    pub const UNLIMITED: Rate = Rate { per_second: 0, burst: 0 };

    /// `per_second` requests a second with bursts of twice that.
    pub fn per_second(per_second: u32) -> Self {
        Rate { per_second, burst: per_second.saturating_mul(2) }
    }

    /// The ticks of one request and of a whole burst; `(0, 0)`: no limit.
    fn ticks(self) -> (u64, u64) {
        if self.per_second == 0 {
            return (0, 0);
        }
        let rate = u64::from(self.per_second.min(1_000_000));
        let increment = (TICKS_PER_SECOND + rate / 2) / rate;
        let window = increment.saturating_mul(u64::from(self.burst.max(1)));
        (increment, window.clamp(increment, 3600 * TICKS_PER_SECOND))
    }
}

/// A request came too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(
    /// When the next request is let through.
    pub Duration,
);

impl RetryAfter {
    /// For the header `Retry-After` (RFC 9110 10.2.3): whole seconds, rounded up, at least 1.
    pub fn seconds(self) -> u64 {
        self.0.as_secs().saturating_add(u64::from(self.0.subsec_nanos() > 0)).max(1)
    }
}

/// The rate of every client. `S` is the keyed hash; the default is keyed by the system's randomness, so that nobody
/// can choose addresses that push a client out of the table.
pub struct RateTable<S = RandomState> {
    words: Box<[AtomicU64]>,
    hasher: S,
    increment: AtomicU64,
    window: AtomicU64,
}

impl RateTable {
    /// An empty table of 2 MiB.
    pub fn new(rate: Rate) -> Self {
        Self::with_hasher(rate, SETS, RandomState::new())
    }
}

impl<S: BuildHasher> RateTable<S> {
    /// An empty table of `sets` × 32 bytes, `sets` rounded up to a power of two between 1 and 2^20.
    pub fn with_hasher(rate: Rate, sets: usize, hasher: S) -> Self {
        let sets = sets.clamp(1, 1 << 20).next_power_of_two();
        let words = (0..sets * WAYS).map(|_| AtomicU64::new(0)).collect();
        let (increment, window) = rate.ticks();
        RateTable { words, hasher, increment: AtomicU64::new(increment), window: AtomicU64::new(window) }
    }

    /// Changes the rate for every client; what they have used so far stays used.
    pub fn set_rate(&self, rate: Rate) {
        let (increment, window) = rate.ticks();
        self.increment.store(increment, Relaxed);
        self.window.store(window, Relaxed);
    }

    /// Counts a request of `client` at `now_ns` (nanoseconds of a clock that never goes back), or refuses it.
    /// A client is an IPv4 address or an IPv6 /64.
    ///
    /// # Errors
    /// [`RetryAfter`] where the client has used up its burst; the request is not counted.
    pub fn check(&self, client: IpAddr, now_ns: u64) -> Result<(), RetryAfter> {
        let (increment, window) = (self.increment.load(Relaxed), self.window.load(Relaxed));
        if increment == 0 {
            return Ok(());
        }
        let now = (now_ns >> TICK_SHIFT) & TAT_MASK;
        let (set, tag) = self.place(client);
        loop {
            let (word, seen) = slot(set, tag, now);
            let ahead = if tag_of(seen) == tag { ahead(seen, now) } else { 0 };
            let used = ahead + increment;
            if used > window.max(increment) {
                return Err(RetryAfter(Duration::from_nanos((used - window) << TICK_SHIFT)));
            }
            let next = (tag << TAT_BITS) | ((now + used) & TAT_MASK);
            if word.compare_exchange_weak(seen, next, Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// Forgets the clients that are entitled to their full burst again. To be called at least every few hours: a
    /// word left alone for 19.5 hours would come round and read as just used.
    pub fn sweep(&self, now_ns: u64) {
        let now = (now_ns >> TICK_SHIFT) & TAT_MASK;
        for word in &self.words {
            let seen = word.load(Relaxed);
            if seen != 0 && ahead(seen, now) == 0 {
                // Whoever came in between has made the word fresh: then it stays.
                let _ = word.compare_exchange(seen, 0, Relaxed, Relaxed);
            }
        }
    }

    /// The clients in the table. Looks at every word.
    pub fn clients(&self) -> usize {
        self.words.iter().filter(|word| word.load(Relaxed) != 0).count()
    }

    /// The set of `client` and its tag, which is never 0: a word of 0 is an empty one.
    fn place(&self, client: IpAddr) -> (&[AtomicU64], u64) {
        let key = match canonical(client) {
            // Within 0000::/8, which RFC 4291 2.4 reserves: no /64 of a client is the same number.
            IpAddr::V4(v4) => 0xffff_0000_0000 | u64::from(u32::from(v4)),
            IpAddr::V6(v6) => (u128::from(v6) >> 64) as u64,
        };
        let hash = self.hasher.hash_one(key);
        let sets = self.words.len() / WAYS;
        let first = (hash as usize & (sets - 1)) * WAYS;
        let set = self.words.get(first..first + WAYS).unwrap_or(&self.words);
        (set, (hash >> TAT_BITS).max(1))
    }
}

/// The word of `tag` in `set`, or the one to take, with the value it was seen to have.
fn slot(set: &[AtomicU64], tag: u64, now: u64) -> (&AtomicU64, u64) {
    static EMPTY: AtomicU64 = AtomicU64::new(0);
    let mut victim = (&EMPTY, u64::MAX);
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

/// How far the TAT of `word` lies ahead of `now`; 0 where it is past.
fn ahead(word: u64, now: u64) -> u64 {
    let distance = word.wrapping_sub(now) & TAT_MASK;
    if distance < AHEAD_MAX { distance } else { 0 }
}

#[cfg(test)]
mod tests;
