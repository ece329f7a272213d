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
/// How often it is said again while it lasts.
const REPEAT: Duration = Duration::from_secs(60);

/// More requests than usual, in requests a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surge {
    /// Over the last ten seconds.
    pub per_second: u64,
    /// Over the last ten minutes, these seconds among them.
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
    /// Takes the number of requests since the start. To be called each second. Returns what is to be told: when a surge
    /// begins, and each minute while it lasts.
    pub fn observe(&mut self, now: Instant, requests: u64) -> Option<Surge> {
        self.counts.push_back((now, requests));
        // One that is older than the span stays, to measure from.
        while self.counts.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= USUAL) {
            self.counts.pop_front();
        }
        let lately = self.counts.partition_point(|(at, _)| now.saturating_duration_since(*at) > NOW);
        let usual = per_second(*self.counts.front()?, (now, requests), USUAL);
        let current = per_second(*self.counts.get(lately)?, (now, requests), NOW);
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

/// The mean between two counts. A node that has not run for the whole span is held to have been idle before: what it
/// was asked then, another answered.
fn per_second((from, earlier): (Instant, u64), (to, later): (Instant, u64), span: Duration) -> f64 {
    let span = span.max(to.saturating_duration_since(from));
    later.saturating_sub(earlier) as f64 / span.as_secs_f64()
}
