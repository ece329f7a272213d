//! Waiting for a condition.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test says that it does not come.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How long until a condition is looked at again.
const PAUSE: Duration = Duration::from_millis(15);

/// Waits until `condition` gives something, and returns it.
///
/// # Panics
/// After [`DEADLINE`], naming `what` was waited for.
#[track_caller]
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited {} s for: {what}", DEADLINE.as_secs());
        thread::park_timeout(PAUSE);
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// After [`DEADLINE`], naming `what` was waited for.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, || condition().then_some(()));
}
