//! Where one of very many literals stands, letters in either case.
//!
//! Of each literal three bytes in a row are chosen, the rarest; a bitmap by their hash, small enough for the first cache, tells
//! at each place of a value whether to look closer. (The principle of hashed multi-pattern filters: Wu and Manber, "A Fast
//! Algorithm for Multi-Pattern Searching", 1994.)

use crate::frequency::{Frequency, kind};
use crate::rule_bits::RuleBits;
use std::collections::BTreeMap;

/// Words of the bitmap: 16 KiB.
const BITMAP_WORDS: usize = 1 << 11;
/// The bit by which letters differ in case; other bytes that it makes equal are told apart when looking closer.
const CASE: u32 = 0x20_20_20;

/// What is found with a literal: a rule, and whether the literal is all that it looks for.
pub(crate) type Owner = (u16, bool);

/// The literals of all rules.
#[derive(Debug)]
pub(crate) struct LiteralFilter {
    bitmap: Box<[u64; BITMAP_WORDS]>,
    /// By hash, a free place after each run: three bytes, letters in one case; 0 if free.
    grams: Box<[u32]>,
    /// What to look at closer where these three bytes stand.
    slots: Box<[Slot]>,
    entries: Box<[Entry]>,
    owners: Box<[Owner]>,
    text: Box<[u8]>,
    /// The rules that have literals here.
    rules: RuleBits,
}

/// What begins with the same three bytes, letters in one case.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Its entries.
    first: u32,
    last: u32,
    /// The rules of its entries, folded as of [`RuleBits::folded`].
    rules: u64,
    /// The kinds of bytes that may stand before and behind.
    before: u64,
    behind: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its text is.
    start: u32,
    len: u16,
    /// Where in it the three bytes stand.
    offset: u16,
    /// Whose it is: folded, and all of them.
    rules: u64,
    first_owner: u32,
    last_owner: u32,
}

/// Where in the bitmap three bytes are: word and bit.
#[inline]
fn place(gram: u32) -> (usize, u32) {
    let hash = (gram << 8).wrapping_mul(0x9E37_79B1);
    ((hash >> 21) as usize, hash >> 15 & 63)
}

impl LiteralFilter {
    /// The filter of these literals, in lower case and of at least two bytes each, with whose they are.
    pub fn new(
        literals: &BTreeMap<Vec<u8>, Vec<Owner>>,
        rules: usize,
        frequency: &Frequency,
    ) -> LiteralFilter {
        let mut by_gram: BTreeMap<u32, Vec<(Entry, u64, u64)>> = BTreeMap::new();
        let mut filter = LiteralFilter {
            bitmap: Box::new([0; BITMAP_WORDS]),
            grams: Box::default(),
            slots: Box::default(),
            entries: Box::default(),
            owners: Box::default(),
            text: Box::default(),
            rules: RuleBits::new(rules),
        };
        let (mut owners, mut text) = (Vec::new(), Vec::new());
        // Short ones have the least choice and come first; the others may join them.
        let mut order: Vec<_> = literals.iter().collect();
        order.sort_by_key(|(literal, _)| literal.len());
        for (literal, of) in order {
            let entry = Entry {
                start: text.len() as u32,
                len: literal.len().min(usize::from(u16::MAX)) as u16,
                offset: 0,
                rules: of.iter().fold(0, |rules, (rule, _)| rules | 1 << (rule % 64)),
                first_owner: owners.len() as u32,
                last_owner: (owners.len() + of.len()) as u32,
            };
            text.extend_from_slice(literal);
            owners.extend_from_slice(of);
            of.iter().for_each(|(rule, _)| filter.rules.insert(*rule));
            match literal.as_slice() {
                [first, second] => {
                    for third in (0..=u8::MAX).filter(|third| third & 0x20 != 0) {
                        let gram = gram(&[*first, *second, third]);
                        by_gram.entry(gram).or_default().push((entry, u64::MAX, u64::MAX));
                    }
                }
                _ => {
                    let windows = literal.windows(3).enumerate().take(usize::from(u16::MAX) - 3);
                    let cost = |window: &[u8]| {
                        let chance = frequency.of(window);
                        // One that is looked for anyway costs less.
                        if by_gram.contains_key(&gram(window)) { chance * 0.2 } else { chance + 1e-5 }
                    };
                    let rarest = windows.min_by(|(_, a), (_, b)| cost(a).total_cmp(&cost(b)));
                    let Some((offset, window)) = rarest else { continue };
                    let beside = |at: Option<usize>| {
                        let byte = at.and_then(|at| literal.get(at));
                        byte.map_or(u64::MAX, |byte| 1 << kind(byte | 0x20))
                    };
                    let (before, behind) = (beside(offset.checked_sub(1)), beside(Some(offset + 3)));
                    let entry = Entry { offset: offset as u16, ..entry };
                    by_gram.entry(gram(window)).or_default().push((entry, before, behind));
                }
            }
        }
        filter.fill(&by_gram);
        filter.owners = owners.into();
        filter.text = text.into();
        filter
    }

    fn fill(&mut self, by_gram: &BTreeMap<u32, Vec<(Entry, u64, u64)>>) {
        let places = (by_gram.len() * 2).next_power_of_two().max(2);
        let (mut grams, mut slots) = (vec![0; places], vec![Slot::default(); places]);
        let mut entries = Vec::new();
        let mask = places - 1;
        for (gram, found) in by_gram {
            let (word, bit) = place(*gram);
            self.bitmap[word] |= 1 << bit;
            let first = entries.len() as u32;
            entries.extend(found.iter().map(|(entry, _, _)| *entry));
            let mut at = slot(*gram) & mask;
            // At most half of the slots are taken.
            while grams[at] != 0 {
                at = (at + 1) & mask;
            }
            grams[at] = *gram;
            slots[at] = Slot {
                first,
                last: entries.len() as u32,
                rules: found.iter().fold(0, |rules, (entry, _, _)| rules | entry.rules),
                before: found.iter().fold(0, |kinds, (_, before, _)| kinds | before),
                behind: found.iter().fold(0, |kinds, (_, _, behind)| kinds | behind),
            };
        }
        self.grams = grams.into();
        self.slots = slots.into();
        self.entries = entries.into();
    }

    /// The rules that have literals here.
    pub fn rules(&self) -> &RuleBits {
        &self.rules
    }

    /// Bytes that it takes.
    pub fn memory_usage(&self) -> usize {
        BITMAP_WORDS * 8
            + size_of_val(&*self.grams)
            + size_of_val(&*self.slots)
            + size_of_val(&*self.entries)
            + size_of_val(&*self.owners)
            + self.text.len()
    }

    /// Calls `found` for each owner in `alive` of a literal in `view`, and takes it out of `alive`.
    #[inline]
    pub fn scan(&self, view: &[u8], alive: &mut RuleBits, found: &mut impl FnMut(u16, bool)) {
        let mut at = 0;
        let folded = alive.folded();
        for window in view.windows(4) {
            // The window has four bytes.
            let gram = u32::from_le_bytes([window[0], window[1], window[2], window[3]]) & 0xFF_FF_FF | CASE;
            let (word, bit) = place(gram);
            if self.bitmap[word] >> bit & 1 == 1 {
                self.look(view, at, gram, (alive, folded), found);
            }
            at += 1;
        }
        // The last three and two bytes.
        while at + 2 <= view.len() {
            let mut last = [0; 3];
            for (to, from) in last.iter_mut().zip(view.iter().skip(at)) {
                *to = *from;
            }
            let gram = self::gram(&last);
            let (word, bit) = place(gram);
            if self.bitmap[word] >> bit & 1 == 1 {
                self.look(view, at, gram, (alive, folded), found);
            }
            at += 1;
        }
    }

    /// Looks closer at `at`.
    #[inline(never)]
    fn look(
        &self,
        view: &[u8],
        at: usize,
        gram: u32,
        (alive, folded): (&mut RuleBits, u64),
        found: &mut impl FnMut(u16, bool),
    ) {
        let mask = self.grams.len() - 1;
        let mut index = slot(gram) & mask;
        let slot = loop {
            match self.grams.get(index) {
                Some(known) if *known == gram => break self.slots.get(index),
                Some(known) if *known != 0 => index = (index + 1) & mask,
                _ => return,
            }
        };
        let Some(slot) = slot.filter(|slot| slot.rules & folded != 0) else { return };
        let beside = |at: Option<usize>| {
            at.and_then(|at| view.get(at)).map_or(u64::MAX, |byte| 1u64 << kind(byte | 0x20))
        };
        if slot.before & beside(at.checked_sub(1)) == 0 || slot.behind & beside(Some(at + 3)) == 0 {
            return;
        }
        for entry in self.entries.get(slot.first as usize..slot.last as usize).unwrap_or_default() {
            if entry.rules & folded == 0 {
                continue;
            }
            let owners = self.owners.get(entry.first_owner as usize..entry.last_owner as usize);
            let owners = owners.unwrap_or_default();
            if owners.iter().any(|(rule, _)| alive.contains(*rule)) && self.stands(entry, view, at) {
                for (rule, certain) in owners {
                    if alive.contains(*rule) {
                        found(*rule, *certain);
                        alive.remove(*rule);
                    }
                }
            }
        }
    }

    fn stands(&self, entry: &Entry, view: &[u8], at: usize) -> bool {
        let (len, start) = (usize::from(entry.len), entry.start as usize);
        let Some(from) = at.checked_sub(usize::from(entry.offset)) else { return false };
        match (view.get(from..from + len), self.text.get(start..start + len)) {
            (Some(value), Some(text)) => value.eq_ignore_ascii_case(text),
            _ => false,
        }
    }
}

/// Three bytes, letters in one case.
fn gram(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |gram, byte| gram << 8 | u32::from(*byte)) | CASE
}

fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x85EB_CA6B) >> 12) as usize
}
