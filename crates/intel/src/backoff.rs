//! How long a disk that has refused is left alone.

/// The longest time between two attempts, in seconds.
const WAIT_S_MAX: u32 = 60;

/// Counts the seconds between attempts: 1, 2, 4, and so on, 60 at the most. It is asked once a second, and so needs no clock.
#[derive(Debug, Default)]
pub struct Backoff {
    /// What the last failure cost.
    wait_s: u32,
    /// What is left of that.
    left_s: u32,
}

impl Backoff {
    /// Whether nothing is to be tried in this second. To be asked once in each.
    pub fn is_resting(&mut self) -> bool {
        let is_resting = self.left_s > 0;
        self.left_s = self.left_s.saturating_sub(1);
        is_resting
    }

    /// Takes in what came of an attempt.
    pub fn note(&mut self, has_worked: bool) {
        self.wait_s = if has_worked { 0 } else { (2 * self.wait_s).clamp(1, WAIT_S_MAX) };
        self.left_s = self.wait_s.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_fail_come_ever_seldomer_until_one_works() {
        let mut backoff = Backoff::default();
        let mut attempts = Vec::new();
        for second in 0..200 {
            if !backoff.is_resting() {
                attempts.push(second);
                backoff.note(false);
            }
        }
        assert_eq!(attempts, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
        backoff.note(true);
        assert!(!backoff.is_resting());
    }
}
