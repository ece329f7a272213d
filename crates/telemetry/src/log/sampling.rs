//! So many lines of an event a second; the rest is counted.

use secbeat_types::Timestamp;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Event names are few; those beyond share the last place.
const PLACES: usize = 64;

/// Counts the lines of each event.
pub(super) struct Sampler {
    limit: AtomicU32,
    places: [Place; PLACES],
}

#[derive(Default)]
struct Place {
    event: OnceLock<&'static str>,
    /// The second in the high half, its lines in the low half.
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl Sampler {
    pub(super) fn new(limit: u32) -> Self {
        Sampler { limit: AtomicU32::new(limit.max(1)), places: std::array::from_fn(|_| Place::default()) }
    }

    pub(super) fn set_limit(&self, limit: u32) {
        self.limit.store(limit.max(1), Relaxed);
    }

    /// Whether a line of `event` is to be written at `at`; counts it either way.
    pub(super) fn admit(&self, event: &'static str, at: Timestamp) -> bool {
        let limit = u64::from(self.limit.load(Relaxed));
        let second = (at.unix_ms() / 1000) as u64 & u64::from(u32::MAX);
        let place = self.place(event);
        let admitted = place.window.fetch_update(Relaxed, Relaxed, |window| match window >> 32 == second {
            false => Some((second << 32) | 1),
            true if window & u64::from(u32::MAX) < limit => Some(window + 1),
            true => None,
        });
        if admitted.is_err() {
            place.suppressed.fetch_add(1, Relaxed);
        }
        admitted.is_ok()
    }

    /// The events of which lines were left out since this was last asked, and how many.
    pub(super) fn take_suppressed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.places.iter().filter_map(|place| {
            let event = place.event.get()?;
            match place.suppressed.load(Relaxed) {
                0 => None,
                _ => Some((*event, place.suppressed.swap(0, Relaxed))),
            }
        })
    }

    fn place(&self, event: &'static str) -> &Place {
        let [first @ .., last] = &self.places;
        let named = |place: &&Place| *place.event.get_or_init(|| event) == event;
        first.iter().find(named).unwrap_or_else(|| {
            last.event.get_or_init(|| "other");
            last
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_so_many_lines_a_second_and_the_rest_is_counted() {
        let sampler = Sampler::new(3);
        let at = Timestamp::from_unix_ms;
        let admitted = |event, ms| (0..10).filter(|_| sampler.admit(event, at(ms))).count();
        assert_eq!(admitted("a", 1000), 3);
        assert_eq!(admitted("a", 1999), 0);
        assert_eq!(admitted("b", 1999), 3);
        assert_eq!(admitted("a", 2000), 3);
        assert_eq!(sampler.take_suppressed().collect::<Vec<_>>(), [("a", 24), ("b", 7)]);
        assert_eq!(sampler.take_suppressed().count(), 0);
        sampler.set_limit(5);
        assert_eq!(admitted("a", 3000), 5);
    }

    #[test]
    fn events_beyond_the_places_share_the_last() {
        let sampler = Sampler::new(1);
        for i in 0..100 {
            let event: &'static str = Box::leak(format!("event_{i}").into_boxed_str());
            sampler.admit(event, Timestamp::from_unix_ms(0));
        }
        assert_eq!(sampler.take_suppressed().collect::<Vec<_>>(), [("other", 36)]);
    }
}
