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
    /// What the names begin with that it finds, letters in either case, where that is all that it says.
    start: Option<Box<[u8]>>,
    /// The words of the program that it finds, in order: asked for once, not at each transaction.
    pub words: Box<[u32]>,
}

impl Pattern {
    /// An expression, compiled, and its text.
    pub fn new(matcher: Matcher, text: &str) -> Self {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let start = text.strip_prefix('^').filter(|start| start.as_bytes().iter().all(plain));
        // Not all words are known before all rules are.
        Pattern { matcher, start: start.map(|start| start.as_bytes().into()), words: Box::default() }
    }

    /// Finds the words.
    pub fn learn(&mut self, words: &Words, cache: &mut MatchCache) {
        let finds = |word: &u32| self.matcher.is_match(cache, words.shown(*word)) == Outcome::Yes;
        self.words = (0..words.len() as u32).filter(finds).collect();
    }

    /// Whether it finds a name.
    pub fn finds(&self, cache: &mut MatchCache, name: &[u8]) -> bool {
        match &self.start {
            Some(start) => name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start)),
            None => self.matcher.is_match(cache, name) == Outcome::Yes,
        }
    }
}
