//! Expressions and values that mean harm: bounded work and a plain answer, never a panic.

#![allow(clippy::unwrap_used, clippy::panic)] // In a test's helpers too, to fail is to panic.

use proptest::prelude::*;
use secbeat_pattern::{MatchCache, Matcher, Outcome, Prefilter, PrefilterBuilder, PrefilterCache, RuleBits};

fn error(pattern: &str) -> String {
    Matcher::new(pattern).unwrap_err().to_string()
}

#[test]
fn what_would_grow_without_bound_is_refused() {
    assert!(error("(a{1000}){1000}").contains("too large"), "{}", error("(a{1000}){1000}"));
    assert!(error(&"(".repeat(100_000)).contains("deep"));
    assert!(error(&"a".repeat(2 << 20)).contains("split it into several rules"));
    assert!(Matcher::plain("(a{1000}){1000}").is_err());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    assert_eq!(error("ab)"), "at byte 2 of the expression: `)` closes no group: escape it or take it out");
    assert_eq!(error("a("), "at byte 2 of the expression: a group is not closed: expected `)`");
    assert_eq!(
        error("[z-a]"),
        "at byte 4 of the expression: the range in brackets ends before it begins: turn it round"
    );
    assert_eq!(
        error("a**"),
        "at byte 2 of the expression: `*` repeats nothing: put something before it or escape it"
    );
    assert_eq!(error(r"(a)\2"), r"`\2` refers to a group, and there are 1 groups");
    assert!(error(r"\p{L}").contains(r"`\p` is not supported"));
    assert!(error("(?R)").contains("not supported"));
    assert!(Matcher::plain("a(").is_err());
}

#[test]
fn ten_thousand_alternatives_are_one_expression() {
    let words: Vec<String> = (0..10_000).map(|n| format!("w{n}x")).collect();
    let pattern = words.join("|");
    let matcher = Matcher::new(&pattern).unwrap();
    let mut cache = MatchCache::default();
    assert_eq!(matcher.is_match(&mut cache, b"see w7777x there"), Outcome::Yes);
    assert_eq!(matcher.is_match(&mut cache, b"see w10001x there"), Outcome::No);
    let (filter, all) = (filter(&pattern), RuleBits::full(1));
    let mut told = 0;
    let view = b"see w7777x there";
    filter.scan(&mut PrefilterCache::default(), view, &[u64::MAX; 4], &all, &mut |_, _| told += 1);
    assert!(told > 0);
    assert!(filter.memory_usage() < 4 << 20, "{}", filter.memory_usage());
}

fn filter(pattern: &str) -> Prefilter {
    let mut builder = PrefilterBuilder::new(1);
    builder.pattern(0, pattern);
    builder.build()
}

#[test]
fn a_catastrophe_of_backtracking_runs_out_of_steps() {
    // The look-ahead makes it one for the backtracking matcher.
    let matcher = Matcher::new(r"(?=a)(?:a+)+(a)\1$").unwrap();
    assert!(!matcher.is_linear());
    let mut cache = MatchCache::default();
    let view = [&[b'a'; 40][..], b"b"].concat();
    assert_ne!(matcher.is_match(&mut cache, &view), Outcome::Yes);
    let wordy = Matcher::new(r"(\w+)*(?!x)\1\1-$").unwrap();
    let view = [&[b'a'; 4000][..], b"!-"].concat();
    assert_eq!(wordy.is_match(&mut cache, &view), Outcome::OverBudget);
}

#[test]
fn what_backtracks_elsewhere_is_linear_here() {
    let matcher = Matcher::new(r"^(?:(?:a|aa|a?)+)+$").unwrap();
    assert!(matcher.is_linear());
    let view = [&[b'a'; 100_000][..], b"b"].concat();
    assert_eq!(matcher.is_match(&mut MatchCache::default(), &view), Outcome::No);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_an_expression_or_an_error(
        pattern in "([abc(){}\\[\\]|*+?^$.\\\\<>=!:,0-9xQEgkRdwsbiP'-]|\\PC){0,40}",
        view in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut cache = MatchCache::default();
        for matcher in [Matcher::new(&pattern), Matcher::insensitive(&pattern), Matcher::plain(&pattern)] {
            match matcher {
                Ok(matcher) => {
                    let outcome = matcher.is_match(&mut cache, &view);
                    let places = matcher.find_iter(&mut cache, &view).take(100).count();
                    prop_assert!(outcome == Outcome::OverBudget || (outcome == Outcome::Yes) == (places > 0));
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
