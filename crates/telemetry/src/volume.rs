//! The volume alarm: far more requests than usual.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is looked at,
const NOW: Duration = Duration::from_secs(10);
/// against what is usual. The times and the factor are ours: ten seconds are no blip, and ten minutes follow the tides
/// of a day, so that an alarm ends by itself where the new volume stays.
const USUAL: Duration = Duration::from_secs(600);
/// An alarm from so many times the usual on,
const FACTOR: f64 = 3.0;
/// and from so many requests a second on: less is no load for a machine.
const PER_SECOND_MIN: f64 = 100.0;
/// Counts are kept at least so far apart, however often they come.
const APART: Duration = Duration::from_millis(500);
/// How often it is said again while it lasts.
const REPEAT: Duration = Duration::from_secs(60);

/// More requests than usual, in requests a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surge {
    /// Over the last ten seconds.
    pub per_second: u64,
    /// Over the last ten minutes, or since the start, these seconds among them.
    pub usual_per_second: u64,
}

/// The counts of the last ten minutes.
#[derive(Debug, Default)]
pub struct Volume {
    /// Requests counted by some instant, the oldest first.
    counts: VecDeque<(Instant, u64)>,
    told: Option<Instant>,
}

impl Volume {
    /// Takes the number of requests since the start. To be called about each second. Returns what is to be told: when a surge
    /// begins, and each minute while it lasts.
    pub fn observe(&mut self, now: Instant, requests: u64) -> Option<Surge> {
        if self.counts.back().is_some_and(|(at, _)| now.saturating_duration_since(*at) < APART) {
            return None;
        }
        self.counts.push_back((now, requests));
        // One that is older than the span stays, to measure from.
        while self.counts.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= USUAL) {
            self.counts.pop_front();
        }
        let lately = self.counts.partition_point(|(at, _)| now.saturating_duration_since(*at) > NOW);
        let usual = per_second(*self.counts.front()?, (now, requests));
        let current = per_second(*self.counts.get(lately)?, (now, requests));
        let surges = current > PER_SECOND_MIN && current > FACTOR * usual;
        if !surges {
            self.told = None;
            return None;
        }
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < REPEAT) {
            return None;
        }
        self.told = Some(now);
        Some(Surge { per_second: current.round() as u64, usual_per_second: usual.round() as u64 })
    }
}

/// The mean between two counts. What is nearer than the span of now is held to have taken all of it.
fn per_second((from, earlier): (Instant, u64), (to, later): (Instant, u64)) -> f64 {
    let span = to.saturating_duration_since(from).max(NOW);
    later.saturating_sub(earlier) as f64 / span.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told over `rates`, each so many requests a second for so many seconds: the second, and the surge.
    fn told(rates: &[(u64, u64)]) -> Vec<(u64, u64, u64)> {
        let (start, mut volume) = (Instant::now(), Volume::default());
        let (mut second, mut requests, mut told) = (0, 0, Vec::new());
        for (per_second, seconds) in rates {
            for _ in 0..*seconds {
                let surge = volume.observe(start + Duration::from_secs(second), requests);
                told.extend(surge.map(|surge| (second, surge.per_second, surge.usual_per_second)));
                second += 1;
                requests += per_second;
            }
        }
        told
    }

    #[test]
    fn a_flood_is_told_of_as_it_begins_and_each_minute_until_it_is_usual() {
        let told = told(&[(50, 1200), (1000, 600)]);
        // After two seconds the ten hold 240 a second, and the ten minutes 53.
        assert_eq!(told[0], (1202, 240, 53));
        let seconds: Vec<u64> = told.iter().map(|(second, ..)| *second).collect();
        assert_eq!(seconds, [1202, 1262, 1322]);
    }

    #[test]
    fn neither_what_is_usual_nor_what_is_little_is_told_of() {
        assert_eq!(told(&[(5000, 2000)]), []);
        assert_eq!(told(&[(1, 1200), (99, 60), (1, 600)]), []);
        assert_eq!(told(&[(200, 1200), (500, 600)]), []);
    }

    #[test]
    fn counting_oftener_changes_nothing() {
        let (start, mut volume) = (Instant::now(), Volume::default());
        for ms in 0..700_000 {
            volume.observe(start + Duration::from_millis(ms), 0);
        }
        assert!(volume.counts.len() <= 1202);
    }
}
