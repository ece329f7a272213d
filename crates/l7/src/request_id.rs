//! Request ids: unique within a node, short, and not to be guessed from one another by eye.

use std::cell::Cell;

/// Sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    number: u64,
    digits: [u8; 16],
}

impl RequestId {
    /// The number that the digits write.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits).unwrap_or_default()
    }
}

/// One worker's source of ids.
pub struct RequestIds {
    seed: u64,
    next: Cell<u64>,
}

impl RequestIds {
    /// Ids of worker `worker` (0 to 65,535); `seed` is drawn anew for each start of the program.
    pub fn new(seed: u64, worker: usize) -> Self {
        Self { seed, next: Cell::new((worker as u64) << 48) }
    }

    /// The next id. Counters are distinct over workers and SplitMix64's finaliser is a bijection (Steele, Lea, Flood 2014),
    /// so ids of one start never repeat.
    pub fn next(&self) -> RequestId {
        let counter = self.next.get();
        self.next.set(counter.wrapping_add(1));
        let mut z = self.seed.wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let mut digits = [0; 16];
        for (digit, byte) in digits.chunks_exact_mut(2).zip(z.to_be_bytes()) {
            digit[0] = HEX[usize::from(byte >> 4)];
            digit[1] = HEX[usize::from(byte & 15)];
        }
        RequestId { number: z, digits }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_of_all_workers_are_distinct() {
        let mut seen = HashSet::new();
        for worker in 0..4 {
            let ids = RequestIds::new(7, worker);
            for _ in 0..1000 {
                let id = ids.next();
                assert_eq!(id.as_str().len(), 16);
                assert!(seen.insert(id.as_str().to_owned()));
            }
        }
    }
}
