//! Fingerprints: the kinds of a value's first tokens, and the table of those that are attacks.

use std::fmt;

use super::token::Kind;

/// How many tokens a fingerprint tells of.
pub const TOKENS_MAX: usize = 5;

/// The kinds of a value's first tokens, one letter each, as libinjection writes them: `s&1c` is a string, a logical
/// operator, a number and a comment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    letters: [u8; 8],
    len: u8,
}

impl Fingerprint {
    /// Of the first five of the kinds.
    pub(super) fn of(kinds: impl Iterator<Item = Kind>) -> Self {
        let mut fingerprint = Fingerprint { letters: [0; 8], len: 0 };
        for (letter, kind) in fingerprint.letters.iter_mut().zip(kinds.take(TOKENS_MAX)) {
            *letter = kind as u8;
            fingerprint.len += 1;
        }
        // What cannot be read the same by all has no meaning beside that.
        if fingerprint.as_bytes().contains(&(Kind::Evil as u8)) {
            fingerprint = Fingerprint { letters: [0; 8], len: 1 };
            fingerprint.letters[0] = Kind::Evil as u8;
        }
        fingerprint
    }

    /// The letters, one to five of them.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.letters.get(..usize::from(self.len)).unwrap_or(&self.letters)
    }

    /// Whether known attacks have this fingerprint.
    pub(super) fn is_known(&self) -> bool {
        let packed = pack(self.as_bytes());
        // A packed fingerprint has 25 bits: the upper 10 name the bucket.
        let bucket = (packed >> TAIL_BITS) as usize & (BUCKETS - 1);
        let (start, end) = (usize::from(STARTS[bucket]), usize::from(STARTS[bucket + 1]));
        let tail = (packed & TAIL_MASK) as u16;
        packed != 0 && TAILS.get(start..end).is_some_and(|tails| tails.binary_search(&tail).is_ok())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The attacks' fingerprints in upper case and ASCII order, parted by white space. libinjection's table, see `NOTICE`.
const TEXT: &[u8] = include_bytes!("../data/fingerprints.txt");

/// All letters of fingerprints, in ASCII order, so that the order of the table is that of the packed numbers.
const LETTERS: &[u8] = b"&(),.1:;?ABCEFKNOSTUVX\\{}";
const LETTER_BITS: u32 = 5;
const TAIL_BITS: u32 = 3 * LETTER_BITS;
const TAIL_MASK: u32 = (1 << TAIL_BITS) - 1;
const BUCKETS: usize = 1 << (2 * LETTER_BITS);

/// The number of each letter in five bits, in either case; 0 for what is none.
static CODES: [u8; 256] = codes();

const fn codes() -> [u8; 256] {
    let mut codes = [0; 256];
    let mut i = 0;
    while i < LETTERS.len() {
        let letter = LETTERS[i];
        codes[letter as usize] = i as u8 + 1;
        codes[letter.to_ascii_lowercase() as usize] = i as u8 + 1;
        i += 1;
    }
    codes
}

/// Five letters of five bits, the first uppermost, missing ones 0.
fn pack(letters: &[u8]) -> u32 {
    (0..TOKENS_MAX).fold(0, |packed, at| {
        let code = letters.get(at).map_or(0, |&letter| CODES[usize::from(letter)]);
        packed << LETTER_BITS | u32::from(code)
    })
}

const COUNT: usize = {
    let (mut count, mut i) = (0, 1);
    while i < TEXT.len() {
        count += (TEXT[i].is_ascii_whitespace() && !TEXT[i - 1].is_ascii_whitespace()) as usize;
        i += 1;
    }
    count
};

/// Where each bucket begins among the tails; and the tails: what follows the first two letters.
static TABLE: ([u16; BUCKETS + 1], [u16; COUNT]) = table();
static STARTS: &[u16; BUCKETS + 1] = &TABLE.0;
static TAILS: &[u16; COUNT] = &TABLE.1;

const fn table() -> ([u16; BUCKETS + 1], [u16; COUNT]) {
    let codes = codes();
    let (mut starts, mut tails) = ([0; BUCKETS + 1], [0; COUNT]);
    let (mut at, mut i, mut bucket) = (0, 0, 0);
    while at < COUNT {
        let (mut packed, mut letters) = (0u32, 0);
        while !TEXT[i].is_ascii_whitespace() {
            packed = packed << LETTER_BITS | codes[TEXT[i] as usize] as u32;
            letters += 1;
            i += 1;
        }
        i += 1;
        packed <<= LETTER_BITS * (TOKENS_MAX as u32 - letters);
        while bucket < (packed >> TAIL_BITS) as usize {
            bucket += 1;
            starts[bucket] = at as u16;
        }
        tails[at] = (packed & TAIL_MASK) as u16;
        at += 1;
    }
    while bucket < BUCKETS {
        bucket += 1;
        starts[bucket] = COUNT as u16;
    }
    (starts, tails)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(letters: &str) -> bool {
        let mut fingerprint = Fingerprint { letters: [0; 8], len: letters.len() as u8 };
        fingerprint.letters[..letters.len()].copy_from_slice(letters.as_bytes());
        fingerprint.is_known()
    }

    #[test]
    fn every_fingerprint_of_the_table_is_known_in_either_case() {
        assert_eq!(COUNT, 8367);
        for letters in std::str::from_utf8(TEXT).unwrap().split_whitespace() {
            assert!(known(letters), "{letters}");
            assert!(known(&letters.to_ascii_lowercase()), "{letters}");
        }
    }

    #[test]
    fn no_other_fingerprint_is_known() {
        assert!(!known(""));
        for letters in ["n", "nn", "nnnnn", "1n", "s", "X1", "1c1", "sos."] {
            assert!(!known(letters), "{letters}");
        }
        let all = LETTERS.iter().map(|letter| (*letter as char).to_string());
        let pairs = all.clone().flat_map(|a| all.clone().map(move |b| format!("{a}{b}")));
        let short: Vec<String> = all.clone().chain(pairs).filter(|letters| known(letters)).collect();
        assert_eq!(short, ["X", "1C", "1U", "NC", "SC", "VC", "VU"]);
    }

    /// What the gate rests on.
    #[test]
    fn words_and_numbers_alone_are_no_attack() {
        for len in 1..=TOKENS_MAX {
            for mask in 0..1 << len {
                let letters: String =
                    (0..len).map(|at| if mask >> at & 1 == 1 { 'n' } else { '1' }).collect();
                assert!(!known(&letters), "{letters}");
            }
        }
    }
}
