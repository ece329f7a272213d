//! One expression, ready to be searched for.
//!
//! Almost all run as automata, in time linear in the value. What needs look-around or back-references runs by
//! backtracking, within a limit of steps.

use crate::backtracking::Backtracking;
use crate::linear::Linear;
use crate::match_cache::MatchCache;
use crate::{PatternError, lower, parse, possessive, syntax::Node};
use regex_syntax::hir::Hir;
use std::ops::Range;

/// One expression, ready to be searched for. Shared by workers, each of which lends it a [`MatchCache`].
#[derive(Debug, Clone)]
pub struct Matcher(Engine);

#[derive(Debug, Clone)]
enum Engine {
    Linear(Linear),
    Backtracking(Box<Backtracking>),
}

/// What came of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It does not match.
    No,
    /// It matches.
    Yes,
    /// The search took more steps than it may: nothing is known.
    OverBudget,
}

/// Where the whole match (0) and its first nine groups stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures {
    pub(crate) ranges: [Option<Range<usize>>; Captures::MAX],
}

impl Captures {
    /// The whole match and nine groups, as ModSecurity has `TX.0` to `TX.9`.
    pub const MAX: usize = 10;

    /// Where a group stands, if it took part in the match; 0 is the whole match.
    pub fn get(&self, group: usize) -> Option<Range<usize>> {
        self.ranges.get(group).cloned().flatten()
    }

    /// The groups that took part, up to the last that did, by number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        self.ranges.iter().enumerate().filter_map(|(group, range)| Some((group, range.clone()?)))
    }
}

/// The languages in which expressions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// PCRE over bytes, the dot taking newlines.
    Pcre { caseless: bool },
    /// That of the `regex` crate over bytes, the dot taking newlines.
    Plain,
}

/// An expression that was read.
pub(crate) enum Expression {
    /// One for automata.
    Regular(Hir),
    /// One for the backtracking matcher.
    Irregular(Node),
}

impl Language {
    pub(crate) fn read(self, pattern: &str) -> Result<Expression, PatternError> {
        match self {
            Language::Pcre { caseless } => {
                let flags = parse::Flags { caseless, dot_all: true, ..parse::Flags::default() };
                let node = possessive::relaxed(parse::parse(pattern, flags)?);
                Ok(lower::exact(&node).map_or_else(|| Expression::Irregular(node), Expression::Regular))
            }
            Language::Plain => regex_syntax::ParserBuilder::new()
                .unicode(false)
                .utf8(false)
                .dot_matches_new_line(true)
                .build()
                .parse(pattern)
                .map(Expression::Regular)
                .map_err(|error| plain_error(&error)),
        }
    }
}

/// What is wrong in one line: the crate draws a caret under the place.
fn plain_error(error: &regex_syntax::Error) -> PatternError {
    match error {
        regex_syntax::Error::Parse(error) => {
            PatternError::at(error.span().start.offset, error.kind().to_string())
        }
        regex_syntax::Error::Translate(error) => {
            PatternError::at(error.span().start.offset, error.kind().to_string())
        }
        error => PatternError::whole(error.to_string()),
    }
}

impl Matcher {
    /// Reads an expression of SecLang: PCRE over bytes, letters of the "C" locale, the dot takes newlines too, `$` also
    /// stands before a newline that ends the value.
    pub fn new(pattern: &str) -> Result<Matcher, PatternError> {
        Matcher::of(pattern, Language::Pcre { caseless: false })
    }

    /// As [`Matcher::new`], letters in either case: selectors.
    pub fn insensitive(pattern: &str) -> Result<Matcher, PatternError> {
        Matcher::of(pattern, Language::Pcre { caseless: true })
    }

    /// Reads an expression of a JSON rule: the syntax of the `regex` crate over bytes, classes ASCII, the dot takes
    /// newlines too.
    pub fn plain(pattern: &str) -> Result<Matcher, PatternError> {
        Matcher::of(pattern, Language::Plain)
    }

    fn of(pattern: &str, language: Language) -> Result<Matcher, PatternError> {
        Ok(Matcher(match language.read(pattern)? {
            Expression::Regular(hir) => Engine::Linear(Linear::new(&hir, pattern, language)?),
            Expression::Irregular(node) => {
                Engine::Backtracking(Box::new(Backtracking::new(&node, pattern, language)?))
            }
        }))
    }

    /// Whether every search takes time linear in the value; false where it may be [`Outcome::OverBudget`].
    pub fn is_linear(&self) -> bool {
        matches!(self.0, Engine::Linear(_))
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, cache: &mut MatchCache, haystack: &[u8]) -> Outcome {
        match &self.0 {
            Engine::Linear(linear) if linear.is_match(cache, haystack) => Outcome::Yes,
            Engine::Linear(_) => Outcome::No,
            Engine::Backtracking(backtracking) => backtracking.is_match(cache, haystack),
        }
    }

    /// Finds the first match and where its groups stand; of [`Outcome::No`] and [`Outcome::OverBudget`], `slots` are empty.
    pub fn captures(&self, cache: &mut MatchCache, haystack: &[u8], slots: &mut Captures) -> Outcome {
        self.captures_from(cache, haystack, 0, slots)
    }

    /// The matches from left to right, none overlapping; ends early where a search takes more steps than it may.
    pub fn find_iter<'a>(
        &'a self,
        cache: &'a mut MatchCache,
        haystack: &'a [u8],
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut at = 0;
        let mut slots = Captures::default();
        std::iter::from_fn(move || {
            if at > haystack.len() || self.captures_from(cache, haystack, at, &mut slots) != Outcome::Yes {
                return None;
            }
            let range = slots.get(0)?;
            at = if range.is_empty() { range.end + 1 } else { range.end };
            Some(range)
        })
    }

    fn captures_from(
        &self,
        cache: &mut MatchCache,
        haystack: &[u8],
        at: usize,
        slots: &mut Captures,
    ) -> Outcome {
        slots.ranges.fill(None);
        match &self.0 {
            Engine::Linear(linear) if linear.captures(cache, haystack, at, slots) => Outcome::Yes,
            Engine::Linear(_) => Outcome::No,
            Engine::Backtracking(backtracking) => backtracking.captures(cache, haystack, at, slots),
        }
    }
}
