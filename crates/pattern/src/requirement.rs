//! What every match of an expression must hold, for whoever builds a filter of his own.

use crate::byte_class::ByteClass;
use crate::frequency::Frequency;
use crate::lower;
use crate::matcher::{Expression, Language};
use crate::needs::Needs;
use regex_syntax::hir::Hir;

/// A literal requirement of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// It may match anything.
    Any,
    /// Each match holds one of these bytes (a bit each).
    Bytes([u64; 4]),
    /// Each match holds one of these, letters in either case; they are in lower case here.
    Literals(Vec<Box<[u8]>>),
}

/// What each match of `pattern` (as of [`crate::Matcher::new`]) must hold; of one that cannot be read, nothing is known.
pub fn requirement(pattern: &str) -> Requirement {
    let frequency = Frequency::new();
    let Some(hir) = widened(pattern, Language::Pcre { caseless: false }) else { return Requirement::Any };
    let needs = Needs::of(&hir, &frequency);
    if needs.literals.iter().any(|literal| literal.len() > 1) {
        return Requirement::Literals(needs.literals.into_iter().map(Vec::into_boxed_slice).collect());
    }
    let rarity = |class: &&ByteClass| frequency.of_class(class);
    match needs.classes.iter().min_by(|a, b| rarity(a).total_cmp(&rarity(b))) {
        Some(class) => Requirement::Bytes(class.0),
        None => Requirement::Any,
    }
}

/// An expression for automata that matches wherever `pattern` does; none if it cannot be read.
pub(crate) fn widened(pattern: &str, language: Language) -> Option<Hir> {
    match language.read(pattern).ok()? {
        Expression::Regular(hir) => Some(hir),
        Expression::Irregular(node) => Some(lower::widened(&node)),
    }
}
