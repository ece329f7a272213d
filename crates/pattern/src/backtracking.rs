//! An expression with look-around or back-references: tried by backtracking, only where automata say that it may match.

use crate::fancy;
use crate::linear::Linear;
use crate::match_cache::MatchCache;
use crate::matcher::{Captures, Language, Outcome};
use crate::syntax::Node;
use crate::{PatternError, lower};

/// How often a search may go back before it is given up.
const STEPS_MAX: usize = 100_000;
/// The same of a search that starts at one place.
const PLACE_STEPS_MAX: usize = 1_000;
/// How many places are tried one by one; beyond, all others at once, within the one limit.
const PLACES_MAX: usize = 128;
/// Memory of each automaton inside the backtracking matcher, bytes.
const DFA_MAX: usize = 64 << 10;
/// The largest automaton inside the backtracking matcher, bytes.
const NFA_MAX: usize = 1 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Backtracking {
    /// Matches wherever `whole` does, and elsewhere: most values need no backtracking to be told apart, and the others only
    /// where this may start.
    widened: Linear,
    /// The expression at one place.
    place: fancy_regex::Regex,
    /// The expression anywhere.
    whole: fancy_regex::Regex,
}

impl Backtracking {
    pub fn new(node: &Node, pattern: &str, language: Language) -> Result<Backtracking, PatternError> {
        Ok(Backtracking {
            widened: Linear::new(&lower::widened(node), pattern, language)?,
            place: regex(&format!(r"\G(?:{})", fancy::text(node)), PLACE_STEPS_MAX)?,
            whole: anywhere(node)?,
        })
    }

    pub fn is_match(&self, cache: &mut MatchCache, haystack: &[u8]) -> Outcome {
        self.search(cache, haystack, 0, |regex, at| match regex.find_from_pos(haystack, at) {
            Ok(Some(_)) => Outcome::Yes,
            Ok(None) => Outcome::No,
            Err(_) => Outcome::OverBudget,
        })
    }

    /// Finds the first match from `at` on.
    pub fn captures(
        &self,
        cache: &mut MatchCache,
        haystack: &[u8],
        at: usize,
        slots: &mut Captures,
    ) -> Outcome {
        self.search(cache, haystack, at, |regex, at| match regex.captures_from_pos(haystack, at) {
            Ok(Some(found)) => {
                for (group, range) in slots.ranges.iter_mut().enumerate() {
                    *range = found.get(group).map(|found| found.range());
                }
                Outcome::Yes
            }
            Ok(None) => Outcome::No,
            Err(_) => Outcome::OverBudget,
        })
    }

    /// Tries the places at which a match may start, from `from` on.
    fn search(
        &self,
        cache: &mut MatchCache,
        haystack: &[u8],
        from: usize,
        mut attempt: impl FnMut(&fancy_regex::Regex, usize) -> Outcome,
    ) -> Outcome {
        if !self.widened.is_match(cache, haystack) {
            return Outcome::No;
        }
        let Some(starts) = self.widened.starts(cache, haystack, from, PLACES_MAX + 1) else {
            return attempt(&self.whole, from);
        };
        for (tried, start) in starts.iter().rev().enumerate() {
            let outcome = if tried < PLACES_MAX { attempt(&self.place, *start) } else { Outcome::OverBudget };
            match outcome {
                Outcome::No => {}
                Outcome::Yes => return Outcome::Yes,
                // What is too much for one place may not be too much for all.
                Outcome::OverBudget => return attempt(&self.whole, *start),
            }
        }
        Outcome::No
    }
}

/// The expression as the backtracking matcher alone searches for it.
pub(crate) fn anywhere(node: &Node) -> Result<fancy_regex::Regex, PatternError> {
    regex(&fancy::text(node), STEPS_MAX)
}

fn regex(text: &str, steps: usize) -> Result<fancy_regex::Regex, PatternError> {
    fancy_regex::RegexBuilder::new(text)
        .bytes_mode(fancy_regex::BytesMode::Ascii)
        .unicode_mode(false)
        .backtrack_limit(steps)
        .delegate_size_limit(NFA_MAX)
        .delegate_dfa_size_limit(DFA_MAX)
        .build()
        .map_err(|error| PatternError::whole(format!("the expression cannot be run: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matcher, parse};
    use proptest::prelude::*;

    const EXPRESSIONS: [&str; 9] = [
        r"\b(\w+)\b[ ']*?(?:like|=)[ ']*?\b\1\b",
        r"(a|b)(?!\1)[ab]",
        r"(?<=;)(a+)=\1",
        r"(?<![ab])b(?=;)",
        r"(a*)b\1",
        r"^(.)(.).*\2\1$",
        r"(?:(a)|b)\1?;",
        r"(?=(a+))a*b\1",
        r"(.{1,40})=\1",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn trying_place_by_place_finds_what_a_search_of_all_finds(
            which in 0..EXPRESSIONS.len(),
            value in "([ab =;]|like){0,24}",
            from in 0usize..6,
        ) {
            let (pattern, value) = (EXPRESSIONS[which], value.as_bytes());
            let flags = parse::Flags { dot_all: true, ..parse::Flags::default() };
            let all = anywhere(&parse::parse(pattern, flags).unwrap()).unwrap();
            let matcher = Matcher::new(pattern).unwrap();
            prop_assert!(!matcher.is_linear());
            let (mut cache, mut found) = (MatchCache::default(), Captures::default());
            if from == 0 {
                let outcome = matcher.captures(&mut cache, value, &mut found);
                let expected = all.captures_from_pos(value, 0).unwrap();
                prop_assert_eq!(outcome == Outcome::Yes, expected.is_some());
                prop_assert_eq!(outcome, matcher.is_match(&mut cache, value));
                for group in 0..Captures::MAX {
                    let expected = expected.as_ref().and_then(|all| all.get(group)).map(|group| group.range());
                    prop_assert_eq!(found.get(group), expected);
                }
            }
            // From a place on, as matches are gone through.
            let nodes = parse::parse(pattern, flags).unwrap();
            let own = Backtracking::new(&nodes, pattern, Language::Pcre { caseless: false }).unwrap();
            let from = from.min(value.len());
            let outcome = own.captures(&mut cache, value, from, &mut found);
            let expected = all.captures_from_pos(value, from).unwrap().map(|all| all.get(0).unwrap().range());
            prop_assert_eq!((outcome == Outcome::Yes).then(|| found.get(0).unwrap()), expected);
        }
    }

    #[test]
    fn a_search_that_takes_too_many_steps_is_given_up() {
        let matcher = Matcher::new(r"(?:(?:a|a)*)*=(?<=;)\w*(x?)\1").unwrap();
        let value = "a".repeat(40) + "=";
        assert_eq!(matcher.is_match(&mut MatchCache::default(), value.as_bytes()), Outcome::OverBudget);
    }
}
