//! The words, phrases and operators that SQL gives a meaning to: a hash table laid out by the compiler.

use super::token::{Kind, TEXT_MAX};

/// A line each: the letter of the kind, a space, the word in upper case. libinjection's table, see `NOTICE`.
const TEXT: &[u8] = include_bytes!("../data/words.txt");

const COUNT: usize = {
    let (mut count, mut i) = (0, 0);
    while i < TEXT.len() {
        count += (TEXT[i] == b'\n') as usize;
        i += 1;
    }
    count
};

const SLOTS: usize = 4096;
const EMPTY: u16 = u16::MAX;

#[derive(Clone, Copy)]
struct Word {
    text: &'static [u8],
    kind: Kind,
}

static WORDS: [Word; COUNT] = {
    let mut words = [Word { text: b"", kind: Kind::Unknown }; COUNT];
    let (mut rest, mut at) = (TEXT, 0);
    while at < COUNT {
        let mut end = 0;
        while rest[end] != b'\n' {
            end += 1;
        }
        let (line, next) = rest.split_at(end);
        words[at] = Word { text: line.split_at(2).1, kind: kind_of(line[0]) };
        rest = next.split_at(1).1;
        at += 1;
    }
    words
};

/// Numbers of words by their hash, with linear probing. A quarter full, so most of what is no word meets an empty slot.
static TABLE: [u16; SLOTS] = {
    let mut table = [EMPTY; SLOTS];
    let mut at = 0;
    while at < COUNT {
        let mut slot = hash(WORDS[at].text);
        while table[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = at as u16;
        at += 1;
    }
    table
};

/// For each first letter of a phrase, one bit for each length up to a space within it.
static PHRASES: [u32; 32] = {
    let mut phrases = [0; 32];
    let mut at = 0;
    while at < COUNT {
        let text = WORDS[at].text;
        let mut i = 0;
        while i < text.len() {
            if text[i] == b' ' {
                phrases[(text[0] & 31) as usize] |= 1 << i;
            }
            i += 1;
        }
        at += 1;
    }
    phrases
};

/// What SQL takes the word for, in whatever case; the word itself comes back in upper case.
#[inline]
pub fn find(word: &[u8]) -> Option<(Kind, &'static [u8])> {
    let mut slot = hash(word);
    loop {
        // `slot` is below `SLOTS`, and the table holds numbers of words alone.
        let number = TABLE[slot];
        if number == EMPTY {
            return None;
        }
        let found = &WORDS[usize::from(number)];
        if found.text.eq_ignore_ascii_case(word) {
            return Some((found.kind, found.text));
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The kind alone of [`find`].
#[inline]
pub fn kind(word: &[u8]) -> Option<Kind> {
    find(word).map(|(kind, _)| kind)
}

/// What SQL takes the two words for, one space between them.
pub fn phrase(first: &[u8], second: &[u8]) -> Option<(Kind, &'static [u8])> {
    let len = first.len() + 1 + second.len();
    let starts = PHRASES[usize::from(first.first()? & 31)] & (1 << (first.len() & 31)) != 0;
    if !starts || len > TEXT_MAX {
        return None;
    }
    let mut both = [b' '; TEXT_MAX];
    both.get_mut(..first.len())?.copy_from_slice(first);
    both.get_mut(first.len() + 1..len)?.copy_from_slice(second);
    find(both.get(..len)?)
}

/// Mixes the length, the first four bytes and the last four, letters in either case alike.
#[inline]
const fn hash(word: &[u8]) -> usize {
    const CASE: u32 = 0xdfdf_dfdf;
    let (head, tail) = match (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        (Some(head), Some(tail)) => (u32::from_le_bytes(*head), u32::from_le_bytes(*tail)),
        _ => match *word {
            [a] => (a as u32, 0),
            [a, b] => (u32::from_le_bytes([a, b, 0, 0]), 0),
            [a, b, c] => (u32::from_le_bytes([a, b, c, 0]), 0),
            _ => (0, 0),
        },
    };
    let mixed = (((head & CASE) as u64) << 32 | (tail & CASE) as u64) ^ word.len() as u64;
    // Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4): the upper 12 bits of the product.
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize
}

/// The kinds that words have.
const KINDS: [Kind; 13] = {
    use Kind::*;
    [
        Keyword, Union, Group, Expression, SqlType, Function, Bareword, Number, Variable, Operator, Logic,
        Collate, Tsql,
    ]
};

/// The kind of that letter. Any other letter in the table would end the search beyond the kinds, and the build.
const fn kind_of(letter: u8) -> Kind {
    let mut i = 0;
    while KINDS[i] as u8 != letter {
        i += 1;
    }
    KINDS[i]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> impl Iterator<Item = &'static [u8]> {
        WORDS.iter().map(|word| word.text)
    }

    #[test]
    fn every_word_is_found_in_either_case_and_no_longer_or_shorter_one() {
        assert_eq!(COUNT, 985);
        for word in WORDS.iter() {
            assert_eq!(find(word.text), Some((word.kind, word.text)));
            assert_eq!(find(&word.text.to_ascii_lowercase()), Some((word.kind, word.text)));
            let longer = [word.text, b"\x80"].concat();
            assert_eq!(find(&longer), None);
        }
        assert_eq!(find(b""), None);
        assert_eq!(find(b"shirting"), None);
    }

    #[test]
    fn every_phrase_is_found_from_its_two_parts() {
        let mut phrases = 0;
        for text in words() {
            for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b' ') {
                let (first, second) = (&text[..at], &text[at + 1..]);
                assert_eq!(phrase(first, second).map(|(_, found)| found), Some(text));
                phrases += 1;
            }
        }
        assert!(phrases > 100);
    }
}
