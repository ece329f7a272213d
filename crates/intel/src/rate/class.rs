//! Classes of limits: those whose bursts recover within a like time.

use std::time::Duration;

/// The low bits of a word are the TAT in ticks; the rest is the key's tag.
pub(super) const TAT_BITS: u32 = 42;
pub(super) const TAT_MASK: u64 = (1 << TAT_BITS) - 1;
/// A TAT further ahead of the clock than this lies in the past. It is five eighths of the round: no burst is longer, and
/// what is left is how long a word may lie untouched, 7 hours at least, before it must be swept.
pub(super) const AHEAD_MAX: u64 = 5 << (TAT_BITS - 3);

/// Limits whose bursts recover within a like time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Class {
    /// The longest time in which a burst of this class recovers.
    pub(super) window_max: Duration,
    /// A tick is `1 << tick_shift` nanoseconds.
    pub(super) tick_shift: u32,
}

/// Every class, each about 16 times as long as the one before it. A TAT comes round after 19.5 hours in ticks of 16 ns, after 13
/// days in ticks of 256 ns.
pub(super) const CLASSES: [Class; 5] = [
    Class { window_max: Duration::from_secs(16), tick_shift: 4 },
    Class { window_max: Duration::from_secs(256), tick_shift: 4 },
    Class { window_max: Duration::from_secs(4096), tick_shift: 4 },
    Class { window_max: Duration::from_secs(65_536), tick_shift: 8 },
    Class { window_max: super::Rate::WINDOW_MAX, tick_shift: 8 },
];

impl Class {
    /// Nanoseconds of a tick.
    pub(super) const fn tick_ns(self) -> u64 {
        1 << self.tick_shift
    }

    /// Ticks of the longest window, rounded up.
    pub(super) const fn window_ticks_max(self) -> u64 {
        (self.window_max.as_nanos() as u64 >> self.tick_shift) + 1
    }
}

// Rounding one request's time to whole ticks can make a burst half a tick a request longer: there is room for that.
const _: () = {
    let mut class = 0;
    while class < CLASSES.len() {
        assert!(CLASSES[class].window_ticks_max() < AHEAD_MAX);
        class += 1;
    }
};
