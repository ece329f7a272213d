//! One expression, ready to be searched for.

use crate::PatternError;
use std::ops::Range;

/// One expression, ready to be searched for.
#[derive(Debug, Clone)]
pub struct Matcher {
    regex: regex_automata::nfa::thompson::pikevm::PikeVM,
}

/// What a worker lends to its matchers: bounded, shared by all of them.
#[derive(Debug, Default)]
pub struct MatchCache {}

/// What came of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It does not match.
    No,
    /// It matches.
    Yes,
    /// The search took more steps than it may.
    OverBudget,
}

/// Where the whole match (0) and its first nine groups stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures {
    ranges: [Option<Range<usize>>; Captures::MAX],
}

impl Captures {
    /// The whole match and nine groups, as ModSecurity has `TX.0` to `TX.9`.
    pub const MAX: usize = 10;

    /// Where a group stands, if it took part in the match; 0 is the whole match.
    pub fn get(&self, group: usize) -> Option<Range<usize>> {
        self.ranges.get(group).cloned().flatten()
    }
}

impl Matcher {
    /// Reads an expression of SecLang: PCRE over bytes, the dot takes newlines too, `$` also stands before a final newline.
    pub fn new(pattern: &str) -> Result<Matcher, PatternError> {
        Matcher::plain(pattern)
    }

    /// As [`Matcher::new`], letters in either case: selectors.
    pub fn insensitive(pattern: &str) -> Result<Matcher, PatternError> {
        Matcher::plain(&format!("(?i){pattern}"))
    }

    /// Reads an expression of a JSON rule: the syntax of the `regex` crate over bytes, classes ASCII.
    pub fn plain(pattern: &str) -> Result<Matcher, PatternError> {
        let syntax =
            regex_automata::util::syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true);
        regex_automata::nfa::thompson::pikevm::PikeVM::builder()
            .syntax(syntax)
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .build(pattern)
            .map(|regex| Matcher { regex })
            .map_err(|error| PatternError::whole(error.to_string()))
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, _cache: &mut MatchCache, haystack: &[u8]) -> Outcome {
        match self.regex.is_match(&mut self.regex.create_cache(), haystack) {
            true => Outcome::Yes,
            false => Outcome::No,
        }
    }

    /// Finds the first match and where its groups stand.
    pub fn captures(&self, cache: &mut MatchCache, haystack: &[u8], slots: &mut Captures) -> Outcome {
        *slots = Captures::default();
        let found = self.find_at(cache, haystack, 0, slots);
        if found { Outcome::Yes } else { Outcome::No }
    }

    /// The matches from left to right, none overlapping; ends where the step limit is reached.
    pub fn find_iter<'a>(
        &'a self,
        cache: &'a mut MatchCache,
        haystack: &'a [u8],
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut at = 0;
        std::iter::from_fn(move || {
            let mut slots = Captures::default();
            if at > haystack.len() || !self.find_at(cache, haystack, at, &mut slots) {
                return None;
            }
            let range = slots.get(0)?;
            at = if range.is_empty() { range.end + 1 } else { range.end };
            Some(range)
        })
    }

    fn find_at(&self, _cache: &mut MatchCache, haystack: &[u8], at: usize, slots: &mut Captures) -> bool {
        let mut found = self.regex.create_captures();
        let input = regex_automata::Input::new(haystack).range(at..);
        self.regex.search(&mut self.regex.create_cache(), &input, &mut found);
        for (range, group) in slots.ranges.iter_mut().zip(0..) {
            *range = found.get_group(group).map(|span| span.range());
        }
        found.is_match()
    }
}
