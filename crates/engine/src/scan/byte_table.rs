//! One pass over a value: which bytes it holds, and what follows from them for every transformation and byte range at once.

use secbeat_transform::ByteSet;

/// What a value holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Its bytes, one bit each; with an upper-case letter its lower-case one too, since the literal filter folds.
    pub bytes: [u64; 4],
    /// A bit for each set of the table of which it holds a byte.
    pub sets: u64,
}

/// Up to 64 sets of bytes, asked of a value in one pass.
#[derive(Debug, Clone)]
pub struct ByteTable {
    rows: Box<[Held; 256]>,
    sets: Vec<ByteSet>,
}

/// The last bit stands for every set that found no place: any byte sets it. What it gates is done too often, never too rarely.
const ANY: u32 = 63;

impl Default for ByteTable {
    fn default() -> Self {
        let mut rows = Box::new([Held::default(); 256]);
        for (byte, row) in (0..=255u8).zip(rows.iter_mut()) {
            for held in [byte, byte.to_ascii_lowercase()] {
                row.bytes[usize::from(held >> 6)] |= 1 << (held & 63);
            }
            row.sets = 1 << ANY;
        }
        ByteTable { rows, sets: Vec::new() }
    }
}

impl ByteTable {
    /// The bit of a set; equal sets share one.
    pub fn bit(&mut self, set: &ByteSet) -> u64 {
        if let Some(known) = self.sets.iter().position(|other| other == set) {
            return 1 << known;
        }
        if self.sets.len() >= ANY as usize {
            return 1 << ANY;
        }
        let bit = 1 << self.sets.len();
        self.sets.push(*set);
        for (byte, row) in (0..=255u8).zip(self.rows.iter_mut()) {
            if set.contains(byte) {
                row.sets |= bit;
            }
        }
        bit
    }

    /// What a value holds.
    pub fn read(&self, value: &[u8]) -> Held {
        let mut held = Held::default();
        for byte in value {
            let row = &self.rows[usize::from(*byte)];
            for (word, more) in held.bytes.iter_mut().zip(row.bytes) {
                *word |= more;
            }
            held.sets |= row.sets;
        }
        held
    }
}
