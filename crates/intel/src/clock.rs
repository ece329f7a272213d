//! Wall time that no jump of the machine's clock moves: read once at the start, and advanced by the steady clock.
//!
//! Decisions are made and end by this clock. Where the two clocks have drifted apart the machine's clock was set, and
//! `Decisions::follow` moves the decisions and this clock together: what had 60 seconds
//! left still has.

use secbeat_types::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// How far the clocks may be apart, in milliseconds, before that counts as a jump.
pub const DRIFT_MAX_MS: i64 = 1000;

/// Both clocks at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The machine's wall clock, which somebody may set.
    pub wall: Timestamp,
    /// Milliseconds since the machine's start, its sleep among them; only ever ascends.
    pub steady_ms: i64,
}

impl Reading {
    /// The clocks now. Read again where the program was held up between the two, which would look like a jump.
    pub fn take() -> Self {
        loop {
            let before = steady_ms();
            let wall = Timestamp::now();
            let steady_ms = steady_ms();
            if steady_ms - before < DRIFT_MAX_MS / 10 {
                return Reading { wall, steady_ms };
            }
        }
    }
}

/// The clock. Reading it takes no lock.
#[derive(Debug)]
pub struct SteadyClock {
    /// Wall time less steady time, in milliseconds.
    ahead_ms: AtomicI64,
}

impl SteadyClock {
    /// A clock that shows `reading.wall` at that instant.
    pub fn new(reading: Reading) -> Self {
        SteadyClock { ahead_ms: AtomicI64::new(reading.wall.unix_ms() - reading.steady_ms) }
    }

    /// What it shows now.
    pub fn now(&self) -> Timestamp {
        self.at(steady_ms())
    }

    /// What it shows when the steady clock shows `steady_ms`.
    pub fn at(&self, steady_ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(self.ahead_ms.load(Ordering::Acquire).saturating_add(steady_ms))
    }

    /// By how many milliseconds the wall clock has jumped since the clocks were last together, forward where positive;
    /// `None`: by less than [`DRIFT_MAX_MS`].
    pub fn jump(&self, reading: Reading) -> Option<i64> {
        let apart = reading.wall.unix_ms() - self.at(reading.steady_ms).unix_ms();
        (apart.abs() > DRIFT_MAX_MS).then_some(apart)
    }

    /// Moves the clock by `ms`, forward where positive.
    pub(crate) fn shift(&self, ms: i64) {
        self.ahead_ms.fetch_add(ms, Ordering::AcqRel);
    }
}

/// CLOCK_BOOTTIME and not CLOCK_MONOTONIC: a block also ages while the machine sleeps.
fn steady_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall_ms: i64, steady_ms: i64) -> Reading {
        Reading { wall: Timestamp::from_unix_ms(wall_ms), steady_ms }
    }

    #[test]
    fn it_shows_the_wall_time_of_its_start_advanced_by_the_steady_clock() {
        let clock = SteadyClock::new(reading(1_000_000, 5_000));
        assert_eq!(clock.at(5_000).unix_ms(), 1_000_000);
        assert_eq!(clock.at(7_500).unix_ms(), 1_002_500);
    }

    #[test]
    fn a_jump_is_told_from_the_passing_of_time() {
        let clock = SteadyClock::new(reading(10_000_000, 0));
        assert_eq!(clock.jump(reading(10_060_000, 60_000)), None);
        assert_eq!(clock.jump(reading(10_061_000, 60_000)), None, "a second is drift");
        assert_eq!(clock.jump(reading(13_660_000, 60_000)), Some(3_600_000));
        assert_eq!(clock.jump(reading(6_460_000, 60_000)), Some(-3_600_000));
        clock.shift(3_600_000);
        assert_eq!(clock.jump(reading(13_660_000, 60_000)), None);
        assert_eq!(clock.at(60_000).unix_ms(), 13_660_000);
    }

    #[test]
    fn the_machines_clocks_go_together() {
        let clock = SteadyClock::new(Reading::take());
        assert_eq!(clock.jump(Reading::take()), None);
    }
}
