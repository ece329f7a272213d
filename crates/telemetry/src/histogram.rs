//! Durations in log-linear buckets: 32 to each power of two of microseconds, so that a quantile is off by 3 % at most.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Each power of two is cut into `2^SUB_BITS` buckets.
const SUB_BITS: u32 = 5;
const SUB: u64 = 1 << SUB_BITS;
/// Longer durations, above 2^30 µs (18 minutes), count in the last bucket.
const MAX_BITS: u32 = 30;
/// How many buckets there are.
pub const BUCKETS: usize = ((MAX_BITS - SUB_BITS + 1) as usize) << SUB_BITS;

/// A histogram that one thread writes to and others read.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), sum_ns: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(index(ns)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    /// Adds what was counted so far to `counts`.
    pub fn add_to(&self, counts: &mut Counts) {
        for (count, bucket) in counts.buckets.iter_mut().zip(&self.buckets) {
            *count += bucket.load(Relaxed);
        }
        counts.sum_ns = counts.sum_ns.wrapping_add(self.sum_ns.load(Relaxed));
    }
}

/// What histograms have counted by some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    buckets: Box<[u64]>,
    sum_ns: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Counts { buckets: vec![0; BUCKETS].into(), sum_ns: 0 }
    }
}

impl Counts {
    /// How many durations.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_ns)
    }

    /// How many were at most `2^bits` µs; exact, since that is where a bucket ends.
    pub fn at_most_pow2_us(&self, bits: u32) -> u64 {
        let end = if bits >= MAX_BITS { BUCKETS } else { index((1000 << bits) + 1) };
        self.buckets.iter().take(end).sum()
    }

    /// The duration that a share `q` (0 to 1) of those counted since `earlier` did not exceed, rounded up to the end
    /// of its bucket. `None`: nothing was counted.
    pub fn quantile_since(&self, earlier: &Counts, q: f64) -> Option<Duration> {
        let counts =
            || self.buckets.iter().zip(&earlier.buckets).map(|(now, then)| now.saturating_sub(*then));
        let total: u64 = counts().sum();
        let rank = ((q * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        let at = counts().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_micros(end_us(at)))
    }
}

/// The bucket of a duration. Bucket edges are whole microseconds and belong to the bucket below them, as `le` asks.
fn index(ns: u64) -> usize {
    let us = (ns.saturating_sub(1) / 1000).min((1 << MAX_BITS) - 1);
    if us < SUB {
        return us as usize;
    }
    let shift = us.ilog2() - SUB_BITS;
    ((u64::from(shift) << SUB_BITS) + (us >> shift)) as usize
}

/// Where bucket `index` ends, in microseconds.
fn end_us(index: usize) -> u64 {
    let index = index as u64;
    let shift = (index >> SUB_BITS).saturating_sub(1);
    (index - (shift << SUB_BITS) + 1) << shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(durations_ns: &[u64]) -> Counts {
        let (histogram, mut counts) = (Histogram::default(), Counts::default());
        durations_ns.iter().for_each(|ns| histogram.record(Duration::from_nanos(*ns)));
        histogram.add_to(&mut counts);
        counts
    }

    #[test]
    fn every_bucket_begins_where_the_one_before_it_ends() {
        for i in 0..BUCKETS {
            assert_eq!(index(end_us(i) * 1000), i);
            assert_eq!(index(end_us(i) * 1000 + 1), (i + 1).min(BUCKETS - 1));
        }
        assert_eq!(index(u64::MAX), BUCKETS - 1);
        assert_eq!(index(0), 0);
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(counted(&[]).quantile_since(&Counts::default(), 0.5), None);
        let some = counted(&[5]);
        assert_eq!(some.quantile_since(&some, 0.5), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_within_a_thirtieth_of_the_exact_ones(
            before in proptest::collection::vec(1u64..10_000_000_000, 0..50),
            after in proptest::collection::vec(1u64..10_000_000_000, 1..200),
            q in 0.0f64..=1.0,
        ) {
            let all: Vec<u64> = before.iter().chain(&after).copied().collect();
            let got = counted(&all).quantile_since(&counted(&before), q).unwrap().as_nanos() as u64;
            let mut sorted = after;
            sorted.sort_unstable();
            let rank = ((q * sorted.len() as f64).ceil() as usize).max(1);
            let exact = sorted[rank - 1];
            prop_assert!(got >= exact && got <= exact + exact / 30 + 1000, "{} for {}", got, exact);
        }

        #[test]
        fn cumulative_counts_are_exact(
            durations in proptest::collection::vec(0u64..100_000_000, 0..100),
            bits in 0u32..=31,
        ) {
            let expected = durations.iter().filter(|ns| **ns <= 1000u64 << bits).count() as u64;
            let counts = counted(&durations);
            prop_assert_eq!(counts.at_most_pow2_us(bits), expected);
            prop_assert_eq!(counts.count(), durations.len() as u64);
            prop_assert_eq!(counts.sum(), Duration::from_nanos(durations.iter().sum()));
        }
    }
}
