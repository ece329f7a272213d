//! A rate under its name.

use crate::shared::Shared;
use secbeat_intel::Rate;
use secbeat_intel::rate::{KeyBuilder, limit_id};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The name of the limit that every client has.
pub(super) const OF_CLIENTS: &str = "waf.rate_limit_rps";

/// A rate under its name. What was counted under a name outlives a change of its rate.
pub struct Limit {
    /// `waf.rate_limit_rps`, `sites.<name>.rate_limit_rps`, or the name of a `[[rate_limits]]`, which has no dot.
    pub name: Arc<str>,
    /// The rate.
    pub rate: Rate,
    /// Whether it only tells of what it would refuse.
    pub is_monitored: bool,
    /// What it would have refused.
    pub(super) over: Over,
    id: u64,
}

impl Limit {
    /// A limit that refuses.
    pub fn new(name: &str, rate: Rate) -> Self {
        Limit { name: name.into(), rate, is_monitored: false, over: Over::default(), id: limit_id(name) }
    }

    /// So many requests a second for each client, with bursts of twice as many; `None` for 0: any number.
    pub fn of_clients(name: &str, per_second: u64) -> Option<Self> {
        (per_second > 0).then(|| Self::new(name, Rate::per_second(per_second)))
    }

    /// Begins the key of what it counts.
    pub(super) fn key(&self, shared: &Shared) -> KeyBuilder {
        shared.rates.key(self.id)
    }
}

/// Requests that a limit would have refused: told at most once a second, and counted in between.
#[derive(Default)]
pub(super) struct Over {
    untold: AtomicU64,
    /// The second in which it was last told, from 1.
    told_s: AtomicU64,
}

impl Over {
    /// Counts one more at `now_ns`. How many there were since the last telling, where it is time to tell.
    pub(super) fn tell(&self, now_ns: u64) -> Option<Seen> {
        self.untold.fetch_add(1, Relaxed);
        let now_s = now_ns / 1_000_000_000 + 1;
        let told_s = self.told_s.load(Relaxed);
        let is_mine = told_s < now_s && self.told_s.compare_exchange(told_s, now_s, Relaxed, Relaxed).is_ok();
        is_mine.then(|| Seen(self.untold.swap(0, Relaxed)))
    }
}

/// How many requests there were since the last telling.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen(u64);

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 request"),
            count => write!(f, "{count} requests since it was last told"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_a_second_with_all_that_came_since() {
        const SECOND: u64 = 1_000_000_000;
        let over = Over::default();
        assert_eq!(over.tell(0), Some(Seen(1)));
        assert_eq!((over.tell(1), over.tell(SECOND - 1)), (None, None));
        assert_eq!(over.tell(SECOND), Some(Seen(3)));
        assert_eq!(over.tell(9 * SECOND), Some(Seen(1)));
    }
}
