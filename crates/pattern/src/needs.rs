//! What every match of an expression must hold: one of some literals, a byte of each of some classes, a length.
//!
//! Found by walking the expression once and keeping the exact texts that the part since the last gap can be. At a gap (what
//! may be anything, or too many things) these texts are offered as "one of them is in each match"; the rarest such offer wins.

use crate::byte_class::ByteClass;
use crate::frequency::Frequency;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::sync::Arc;

/// The most texts that are multiplied out.
const TEXTS_MAX: usize = 256;
/// The most texts of one offer that alternatives add up to.
const OFFER_MAX: usize = 4096;
/// The most bytes of all texts that are multiplied out.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// What each text of an offer adds to its chance: few are better than many.
const TEXT_COST: f32 = 1e-6;
/// The largest class that is taken apart into its bytes.
const CLASS_MAX: usize = 16;
/// How often a repeated part is written out.
const UNROLL_MAX: u32 = 8;

/// What every match must hold.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    /// Each match holds one of these, in lower case; none known: empty.
    pub literals: Vec<Vec<u8>>,
    /// How likely one of them begins at a place of a harmless value; 1 if none is known.
    pub chance: f32,
    /// Each match holds a byte of each of these.
    pub classes: Vec<ByteClass>,
    /// Each match has at least this many bytes.
    pub min_len: usize,
}

impl Needs {
    pub fn of(hir: &Hir, frequency: &Frequency) -> Needs {
        let mut walk = Walk::new(frequency);
        walk.visit(hir);
        walk.gap();
        let (literals, chance) = walk.best.map_or((Vec::new(), 1.0), |offer| (offer.texts, offer.chance));
        Needs {
            literals,
            chance,
            classes: walk.classes,
            min_len: hir.properties().minimum_len().unwrap_or(0),
        }
    }
}

impl Needs {
    /// What every value must hold in which one of some phrases stands, letters in either case: for the gates, no literals.
    pub fn of_phrases(phrases: &[Arc<[u8]>], frequency: &Frequency) -> Needs {
        let rarest = phrases.iter().map(|phrase| {
            let classes = phrase.iter().map(|byte| ByteClass::of(&[*byte]).both_cases());
            classes.min_by(|a, b| frequency.of_class(a).total_cmp(&frequency.of_class(b)))
        });
        let class = rarest.collect::<Option<Vec<_>>>();
        Needs {
            literals: Vec::new(),
            chance: 1.0,
            classes: class.iter().map(|all| all.iter().fold(ByteClass::NONE, |a, b| a.union(*b))).collect(),
            min_len: phrases.iter().map(|phrase| phrase.len()).min().unwrap_or(0),
        }
    }
}

/// The class of which an expression takes one byte, if that is all that it does.
pub(crate) fn single(hir: &Hir) -> Option<ByteClass> {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.len() == 1 => Some(ByteClass::of(&literal.0)),
        HirKind::Class(class @ Class::Bytes(_)) => Some(bytes(class)),
        _ => None,
    }
}

#[derive(Clone)]
struct Offer {
    texts: Vec<Vec<u8>>,
    chance: f32,
}

struct Walk<'f> {
    frequency: &'f Frequency,
    /// What the part since the last gap can be, in lower case.
    texts: Vec<Vec<u8>>,
    /// Whether there was no gap.
    exact: bool,
    best: Option<Offer>,
    classes: Vec<ByteClass>,
}

impl<'f> Walk<'f> {
    fn new(frequency: &'f Frequency) -> Walk<'f> {
        Walk { frequency, texts: vec![Vec::new()], exact: true, best: None, classes: Vec::new() }
    }

    fn alone(&self, hir: &Hir) -> Walk<'f> {
        let mut walk = Walk::new(self.frequency);
        walk.visit(hir);
        walk
    }

    /// Goes on to what follows. The depth of an expression is bounded where it is read.
    fn visit(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => {
                for byte in &literal.0 {
                    self.need(ByteClass::of(&[*byte]));
                }
                self.multiply(&[literal.0.to_ascii_lowercase()]);
            }
            HirKind::Class(class) => {
                let class = bytes(class);
                self.need(class);
                let folded = class.folded();
                match folded.len() <= CLASS_MAX {
                    true => self.multiply(&folded.iter().map(|byte| vec![byte]).collect::<Vec<_>>()),
                    false => self.gap(),
                }
            }
            HirKind::Capture(capture) => self.visit(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.visit(part)),
            HirKind::Repetition(repetition) => {
                let part = self.alone(&repetition.sub);
                match (repetition.min, repetition.max) {
                    (0, Some(1)) if part.exact && part.texts.len() < TEXTS_MAX => {
                        let mut texts = part.texts;
                        texts.push(Vec::new());
                        self.multiply(&texts);
                    }
                    (0, _) => self.gap(),
                    (min, max) => self.repeat(part, min, max),
                }
            }
            HirKind::Alternation(branches) => self.alternate(branches),
        }
    }

    fn need(&mut self, class: ByteClass) {
        if !self.classes.contains(&class) {
            self.classes.push(class);
        }
    }

    fn repeat(&mut self, part: Walk<'_>, min: u32, max: Option<u32>) {
        if !part.exact {
            self.gap();
            self.take(part);
            return;
        }
        part.classes.into_iter().for_each(|class| self.need(class));
        for _ in 0..min.min(UNROLL_MAX) {
            self.multiply(&part.texts);
        }
        if min > UNROLL_MAX || max != Some(min) {
            // The last of them stands before what follows.
            self.gap();
            self.texts = part.texts;
        }
    }

    /// Takes over what a part of its own must hold.
    fn take(&mut self, part: Walk<'_>) {
        let Walk { texts, best, classes, .. } = part;
        classes.into_iter().for_each(|class| self.need(class));
        if let Some(offer) = best {
            self.offer(offer);
        }
        // What it ends with stands before what follows.
        self.texts = texts;
    }

    fn alternate(&mut self, branches: &[Hir]) {
        let mut parts: Vec<Walk<'_>> = branches.iter().map(|branch| self.alone(branch)).collect();
        // Of each branch its rarest class: a match has a byte of one of them.
        let rarest = parts.iter().map(|part| {
            let chances = part.classes.iter().map(|class| (self.frequency.of_class(class), *class));
            chances.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, class)| class)
        });
        if let Some(class) = rarest.collect::<Option<Vec<_>>>() {
            self.need(class.into_iter().fold(ByteClass::NONE, ByteClass::union));
        }
        let count: usize = parts.iter().map(|part| part.texts.len()).sum();
        if parts.iter().all(|part| part.exact) && count <= TEXTS_MAX {
            let texts: Vec<Vec<u8>> = parts.into_iter().flat_map(|part| part.texts).collect();
            return self.multiply(&texts);
        }
        self.gap();
        let mut texts = Vec::new();
        for part in &mut parts {
            part.gap();
            match part.best.take() {
                Some(offer) if texts.len() + offer.texts.len() <= OFFER_MAX => texts.extend(offer.texts),
                _ => return,
            }
        }
        self.offer_texts(texts);
    }

    /// Puts each of `texts` behind each of those since the last gap.
    fn multiply(&mut self, texts: &[Vec<u8>]) {
        let sum = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).sum::<usize>();
        let (left, right) = (self.texts.len(), texts.len());
        let bytes = sum(&self.texts).saturating_mul(right) + sum(texts).saturating_mul(left);
        if left.saturating_mul(right) > TEXTS_MAX || bytes > TEXT_BYTES_MAX {
            self.gap();
            self.texts = texts.to_vec();
            return;
        }
        let mut product: Vec<Vec<u8>> = self
            .texts
            .iter()
            .flat_map(|left| texts.iter().map(move |right| [&left[..], right].concat()))
            .collect();
        product.sort_unstable();
        product.dedup();
        self.texts = product;
    }

    /// What comes may be anything: offers the texts up to here.
    fn gap(&mut self) {
        self.exact = false;
        let texts = std::mem::replace(&mut self.texts, vec![Vec::new()]);
        self.offer_texts(texts);
    }

    fn offer_texts(&mut self, mut texts: Vec<Vec<u8>>) {
        texts.sort_unstable();
        texts.dedup();
        // What begins with another is found with it.
        let mut kept: Vec<Vec<u8>> = Vec::with_capacity(texts.len());
        for text in texts {
            if !kept.last().is_some_and(|last| text.starts_with(last)) {
                kept.push(text);
            }
        }
        let chance = kept.iter().map(|text| self.frequency.of(text) + TEXT_COST).sum();
        self.offer(Offer { texts: kept, chance });
    }

    fn offer(&mut self, offer: Offer) {
        let usable = !offer.texts.is_empty() && offer.texts.iter().all(|text| !text.is_empty());
        if usable && self.best.as_ref().is_none_or(|best| offer.chance < best.chance) {
            self.best = Some(offer);
        }
    }
}

fn bytes(class: &Class) -> ByteClass {
    match class {
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .fold(ByteClass::NONE, |bytes, range| bytes.union(ByteClass::range(range.start(), range.end()))),
        // Of characters beyond ASCII, any byte beyond it may stand for one.
        Class::Unicode(class) => class.ranges().iter().fold(ByteClass::NONE, |bytes, range| {
            let end = u32::from(range.end());
            let ascii = match u8::try_from(range.start()) {
                Ok(start) if start < 0x80 => ByteClass::range(start, end.min(0x7F) as u8),
                _ => ByteClass::NONE,
            };
            let beyond = if end >= 0x80 { ByteClass::range(0x80, 0xFF) } else { ByteClass::NONE };
            bytes.union(ascii).union(beyond)
        }),
    }
}
