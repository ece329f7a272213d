//! What a rule looks at, compiled.

use crate::words::Words;
use secbeat_pattern::{MatchCache, Matcher, Outcome};
use secbeat_seclang::Variable;

/// One target.
#[derive(Debug)]
pub struct Target {
    /// What is looked at.
    pub variable: Variable,
    /// Which part of it.
    pub selector: Selector,
    /// Whether it is the number of values (`&`).
    pub count: bool,
}

/// Which part of a collection.
#[derive(Debug)]
pub enum Selector {
    /// All of it.
    All,
    /// What has this name, a word of the program.
    Word(u32),
    /// What has a name that this finds.
    Pattern(Box<Pattern>),
}

/// An expression that names are held against.
#[derive(Debug)]
pub struct Pattern {
    /// The expression.
    pub matcher: Matcher,
    /// The words of the program that it finds, in order: asked for once, not at each transaction.
    pub words: Box<[u32]>,
}

impl Pattern {
    /// Finds the words.
    pub fn learn(&mut self, words: &Words, cache: &mut MatchCache) {
        let finds = |word: &u32| self.matcher.is_match(cache, words.shown(*word)) == Outcome::Yes;
        self.words = (0..words.len() as u32).filter(finds).collect();
    }

    /// Whether it finds a name.
    pub fn finds(&self, cache: &mut MatchCache, name: &[u8]) -> bool {
        self.matcher.is_match(cache, name) == Outcome::Yes
    }
}
