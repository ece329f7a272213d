//! The matcher is held equal to PCRE: on all expressions of the Core Rule Set over the values of the corpora, and on
//! small expressions over small texts.

#![allow(clippy::unwrap_used, clippy::panic)] // In a test's helpers too, to fail is to panic.

mod common;

use common::{Numbers, Search};
use pcre2::bytes::{Regex, RegexBuilder};
use proptest::prelude::*;
use secbeat_pattern::{Captures, MatchCache, Matcher, Outcome};

fn pcre(pattern: &str, caseless: bool) -> Option<Regex> {
    RegexBuilder::new().dotall(true).caseless(caseless).jit_if_available(true).build(pattern).ok()
}

/// Where PCRE has the groups: those that SecLang can name.
fn groups(regex: &Regex, text: &[u8]) -> Result<Vec<Option<std::ops::Range<usize>>>, pcre2::Error> {
    let Some(found) = regex.captures(text)? else { return Ok(Vec::new()) };
    Ok((0..Captures::MAX).map(|group| found.get(group).map(|found| found.start()..found.end())).collect())
}

fn ours(found: &Captures) -> Vec<Option<std::ops::Range<usize>>> {
    (0..Captures::MAX).map(|group| found.get(group)).collect()
}

#[test]
fn every_expression_of_the_core_rule_set_matches_what_pcre_matches() {
    let values = common::corpus(40);
    let mut numbers = Numbers(7);
    let (mut compared, mut hits) = (0u64, 0u64);
    let mut cache = MatchCache::default();
    for rule in common::rules() {
        let Search::Expression(pattern) = &rule.search else { continue };
        let theirs = pcre(pattern, false).unwrap_or_else(|| panic!("PCRE reads {pattern}"));
        let matcher =
            Matcher::new(pattern).unwrap_or_else(|error| panic!("{} line {}: {error}", rule.id, rule.line));
        let mut found = Captures::default();
        for (index, value) in values.iter().enumerate() {
            let other = &values[numbers.below(values.len())];
            let value = if index % 2 == 0 { value.clone() } else { numbers.mutated(value, other) };
            let value = &value[..value.len().min(2000)];
            // Where PCRE gives up, there is nothing to be equal to.
            let Ok(expected) = groups(&theirs, value) else { continue };
            let outcome = matcher.is_match(&mut cache, value);
            let context = || {
                format!(
                    "{} line {}: {pattern}\non {:?}",
                    rule.id,
                    rule.line,
                    value.escape_ascii().to_string()
                )
            };
            assert_ne!(outcome, Outcome::OverBudget, "{}", context());
            assert_eq!(outcome == Outcome::Yes, !expected.is_empty(), "{}", context());
            compared += 1;
            if outcome == Outcome::Yes {
                hits += 1;
                assert_eq!(matcher.captures(&mut cache, value, &mut found), Outcome::Yes);
                assert_eq!(ours(&found), expected, "{}", context());
            }
        }
    }
    println!("{compared} searches, {hits} matches; {} bytes of memory", cache.memory_usage());
}

/// A small expression in PCRE's syntax.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "A", "x", "1", " ", "\\n", "'"]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            ".", "\\w", "\\W", "\\d", "\\s", "\\S", "\\h", "\\v", "\\N", "\\b", "\\B", "^", "$", "\\A", "\\z", "\\Z",
            "[ab]", "[^a]", "[a-c1]", "[^\\w]", "[[:alpha:]]", "[\\w-]", "[]a]", "[^]a]", "[a&&b]", "[a\\-b]", "\\x61",
            "\\x{62}", "\\R", "[\\x80-\\xff]", "\\xe9", "\\/", "\\<", "{", "{x", "\\Qa.b\\E", "(?#c)", "\\x", "\\e",
            "[\\b]", "\\cA", "\\061", "[\\d-a]", "é",
        ]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            2 => inner.clone().prop_map(|part| format!("({part})")),
            3 => (inner.clone(), prop::sample::select(vec!["*", "+", "?", "{2}", "{1,2}", "{1,}", "*?", "+?", "??", "*+", "++", "?+"]))
                .prop_map(|(part, count)| format!("(?:{part}){count}")),
            1 => (prop::sample::select(vec!["(?i)", "(?i:", "(?=", "(?!", "(?<=a)(?:", "(?<!b)(?:", "(?>", "(?m:", "(?-s:", "(?x: "]), inner.clone())
                .prop_map(|(open, part)| if open.ends_with(')') { format!("(?:{open}{part})") } else { format!("{open}{part})") }),
            1 => inner.prop_map(|part| format!("({part})\\1")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_expressions_match_what_pcre_matches(
        pattern in expression(),
        caseless: bool,
        texts in prop::collection::vec("[abAx1 \n'é\r\\x{b}{]{0,8}", 8),
    ) {
        let Some(theirs) = pcre(&pattern, caseless) else { return Ok(()) };
        let matcher = if caseless { Matcher::insensitive(&pattern) } else { Matcher::new(&pattern) };
        let matcher = match matcher {
            Ok(matcher) => matcher,
            // What the backtracking matcher does not have is refused.
            Err(error) => {
                prop_assert!(error.to_string().contains("cannot be run"), "{pattern}: {error}");
                return Ok(());
            }
        };
        let mut cache = MatchCache::default();
        let mut found = Captures::default();
        for text in &texts {
            let text = text.as_bytes();
            let Ok(expected) = groups(&theirs, text) else { continue };
            let outcome = matcher.is_match(&mut cache, text);
            prop_assert_eq!(outcome == Outcome::Yes, !expected.is_empty(), "{} on {:?}", pattern, text);
            matcher.captures(&mut cache, text, &mut found);
            let whole = expected.first().cloned().flatten();
            prop_assert_eq!(found.get(0), whole, "{} on {:?}", pattern, text);
        }
    }
}
