//! Medians, quantiles and the bootstrap.

use serde::Serialize;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 10_000;
/// Where its random numbers begin, so that the same rounds always give the same bounds.
const SEED: u64 = 0x5ec_bea7;

/// The quantile `q` (0 to 1) of `values`, by the nearest rank; 0 where there are none.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0.0)
}

/// The median: the middle value, or the mean of the two in the middle; 0 where there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    middle(&sorted)
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(half.saturating_sub(1)), sorted.get(half)) {
        (1, _, Some(&value)) => value,
        (_, Some(low), Some(high)) => (low + high) / 2.0,
        _ => 0.0,
    }
}

/// A figure that each round has given anew, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The median of the rounds'.
    pub median: f64,
    /// The lower bound of the 95 % interval.
    pub low: f64,
    /// The upper bound of the 95 % interval: the one a promise has to hold.
    pub high: f64,
}

/// `ours[i] / theirs[i]` over rounds that ran side by side. Rounds are resampled in pairs, so what slowed both in one
/// round cancels. `None` where there is no round.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> Option<Estimate> {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
    estimate(&ratios)
}

/// The median of `values` with the percentile bootstrap's 95 % interval (Efron 1979). `None` where there is none.
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let mut random = SplitMix64(SEED);
    let mut resample = vec![0.0; values.len()];
    let medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resample.fill_with(|| values.get(random.below(values.len())).copied().unwrap_or(0.0));
            resample.sort_unstable_by(f64::total_cmp);
            middle(&resample)
        })
        .collect();
    Some(Estimate { median: median(values), low: quantile(&medians, 0.025), high: quantile(&medians, 0.975) })
}

/// Steele, Lea and Flood's generator (2014): small, and good enough to draw rounds and words.
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; the bias of the modulus is 2⁻⁶⁰ here.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_between_the_two_in_the_middle() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), 99.0);
        assert_eq!(quantile(&values, 0.5), 50.0);
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0)), (1.0, 100.0));
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn the_generator_gives_its_published_first_numbers() {
        // From the reference implementation, seed 1234567.
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn equal_ratios_leave_no_doubt() {
        let ratio = ratio(&[2.0, 4.0, 6.0], &[4.0, 8.0, 12.0]).unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn scattered_rounds_widen_the_interval_around_the_median() {
        let ours = [0.7, 0.8, 0.75, 0.9, 0.72, 0.78, 0.81, 0.76, 0.74];
        let found = ratio(&ours, &[1.0; 9]).unwrap();
        assert_eq!(found.median, 0.76);
        assert!(0.7 <= found.low && found.low < 0.76 && 0.76 < found.high && found.high <= 0.9, "{found:?}");
        assert_eq!(ratio(&ours, &[1.0; 9]), Some(found), "the seed makes it repeatable");
    }

    #[test]
    fn without_rounds_there_is_no_ratio() {
        assert_eq!(ratio(&[], &[]), None);
    }
}
