//! Request rates of any number of limits and keys, in a bounded number of bytes, exact across threads.
//!
//! The algorithm is GCRA (ITU-T I.371, "virtual scheduling"): what a key has used up is one number, the *theoretical
//! arrival time* (TAT) of its next request. A request at `now` is let through if `TAT - now` leaves room in the burst;
//! then `TAT = max(TAT, now) + per / requests`. A refused request changes nothing, so that who goes on asking still gets
//! its rate.
//!
//! A [`RateKey`] is a keyed hash of a limit and of what it counts by (an address, a header, …): see [`KeyBuilder`]. The
//! [`Rate`] comes with each request, so that a change of it keeps what was used.
//!
//! The table is set-associative: a key picks a set of four words, each word one key: 22 bits of tag, 42 bits of TAT. One
//! compare-and-swap changes a word, so no request of a known key is counted twice or lost, whatever the number of threads.
//!
//! **Eviction:** a new key takes, in its set, an empty word; else that of the key which has been entitled to its full burst
//! for the longest (forgetting that one changes nothing); else that of the key nearest to it. Whoever has used up most
//! of its burst is the last to be forgotten: keys that come once and never again push each other out.
//!
//! **Regions:** that order is fair only among like limits. One request under a limit of 5 an hour takes 12 minutes to
//! recover, and would outlive a client at the very end of its 200 a second. So limits share words only with limits whose
//! bursts recover within a like time ([`Class`]), and nobody can use up a slow limit to be forgotten by a fast one.
//! A region takes 8 MiB (1,048,576 keys), as pages that cost nothing before they are written, and only once a limit of
//! its class is checked.
//!
//! Two keys share a word with a probability of about one in a million. Two threads that see the *first* request of a key
//! in the same instant while its set changes may count one request too few.

mod class;
mod key;
mod table;

pub use key::{KeyBuilder, RateKey, client_id, limit_id};
pub use table::RateTable;

use class::{CLASSES, Class};
use std::time::Duration;

/// How many requests a key may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    class: usize,
    /// Ticks of the class for one request, and for a whole burst.
    increment: u64,
    window: u64,
    burst: u64,
}

impl Rate {
    /// The longest time in which a burst may recover.
    pub const WINDOW_MAX: Duration = Duration::from_secs(604_800);

    /// `requests` (at least 1) in `per` in the long run, at most 1,000,000 a second, and `burst` (at least 1) at once after
    /// a pause. A burst that recovers in more than [`Rate::WINDOW_MAX`] is cut to it. The burst is exact. The rate is
    /// kept to 1 % where a burst recovers in 68 minutes; beyond that, to 1 % up to 30,000 requests a second, and to
    /// 13 % up to 1,000,000: time is counted in ticks of 16 and of 256 ns.
    pub fn new(requests: u64, per: Duration, burst: u64) -> Self {
        let (requests, burst) = (u128::from(requests.max(1)), u128::from(burst.max(1)));
        let window_ns = per.as_nanos().saturating_mul(burst) / requests;
        let fits = |class: &Class| window_ns <= class.window_max.as_nanos();
        let class = CLASSES.iter().position(fits).unwrap_or(CLASSES.len() - 1);
        let of_class = CLASSES.get(class).copied().unwrap_or_default();
        let (tick_ns, max) = (u128::from(of_class.tick_ns()), u128::from(of_class.window_ticks_max()));
        let increment = ((per.as_nanos() + requests * tick_ns / 2) / (requests * tick_ns)).clamp(1, max);
        let burst = burst.min(max / increment).max(1);
        let short = |ticks: u128| u64::try_from(ticks).unwrap_or(u64::MAX);
        Rate { class, increment: short(increment), window: short(increment * burst), burst: short(burst) }
    }

    /// `requests` (at least 1) a second, with bursts of twice that.
    pub fn per_second(requests: u64) -> Self {
        Self::new(requests, Duration::from_secs(1), requests.saturating_mul(2))
    }

    /// Requests at once after a pause.
    pub fn burst(&self) -> u64 {
        self.burst
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

/// What a key has used of its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Requests of the burst that are used up; one that is half recovered counts as used.
    pub used: u64,
    /// Requests at once after a pause.
    pub burst: u64,
    /// Until the next request is let through; zero: now.
    pub retry_after: Duration,
}

#[cfg(test)]
mod tests;
