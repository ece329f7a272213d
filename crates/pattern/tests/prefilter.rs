//! The filter misses nothing that the matchers find: on the Core Rule Set over the corpora, and on small rule sets.

#![allow(clippy::unwrap_used, clippy::panic)] // In a test's helpers too, to fail is to panic.

mod common;

use common::{Numbers, Search};
use proptest::prelude::*;
use secbeat_pattern::{
    Captures, MatchCache, Matcher, Outcome, PhraseSet, Prefilter, PrefilterBuilder, PrefilterCache,
    Requirement, RuleBits, requirement,
};
use std::sync::Arc;

fn present(view: &[u8]) -> [u64; 4] {
    let mut present = [0; 4];
    view.iter().for_each(|byte| present[usize::from(byte >> 6)] |= 1 << (byte & 63));
    present
}

/// What a rule searches for, one by one.
enum Plain {
    Expression(Box<Matcher>),
    Phrases(PhraseSet),
}

impl Plain {
    fn of(search: &Search) -> Plain {
        match search {
            Search::Expression(pattern) => Plain::Expression(Box::new(Matcher::new(pattern).unwrap())),
            Search::Phrases(phrases) => Plain::Phrases(PhraseSet::new(phrases)),
        }
    }

    fn finds(&self, cache: &mut MatchCache, view: &[u8]) -> bool {
        match self {
            Plain::Expression(matcher) => matcher.is_match(cache, view) != Outcome::No,
            Plain::Phrases(phrases) => phrases.find(view).is_some(),
        }
    }
}

struct Both {
    filter: Prefilter,
    plain: Vec<Plain>,
    cache: PrefilterCache,
    matches: MatchCache,
}

impl Both {
    fn of(searches: &[Search]) -> Both {
        let mut builder = PrefilterBuilder::new(searches.len());
        for (rule, search) in (0..).zip(searches) {
            match search {
                Search::Expression(pattern) => builder.pattern(rule, pattern),
                Search::Phrases(phrases) => builder.phrases(rule, phrases),
            }
        }
        Both {
            filter: builder.build(),
            plain: searches.iter().map(Plain::of).collect(),
            cache: PrefilterCache::default(),
            matches: MatchCache::default(),
        }
    }

    /// Counts what may match and what does; or says what was missed, or wrongly called certain.
    fn compare(&mut self, view: &[u8], alive: &RuleBits) -> Result<(usize, usize), String> {
        let (mut told, mut certain) = (RuleBits::new(self.plain.len()), RuleBits::new(self.plain.len()));
        let mut beyond = Vec::new();
        self.filter.scan(&mut self.cache, view, &present(view), alive, &mut |rule, sure| {
            told.insert(rule);
            if sure {
                certain.insert(rule);
            }
            if !alive.contains(rule) {
                beyond.push(rule);
            }
        });
        let mut found = 0;
        for rule in alive.iter() {
            let finds = self.plain[usize::from(rule)].finds(&mut self.matches, view);
            found += usize::from(finds);
            if finds && !told.contains(rule) {
                return Err(format!("rule {rule} is missed on {:?}", view.escape_ascii().to_string()));
            }
            if !finds && certain.contains(rule) {
                return Err(format!(
                    "rule {rule} is called certain on {:?}",
                    view.escape_ascii().to_string()
                ));
            }
        }
        if beyond.is_empty() {
            Ok((told.len(), found))
        } else {
            Err(format!("{beyond:?} were not asked for"))
        }
    }
}

#[test]
fn nothing_of_the_core_rule_set_is_missed_over_the_corpora() {
    let rules = common::rules();
    let searches: Vec<Search> = rules.iter().map(|rule| rule.search.clone()).collect();
    let mut both = Both::of(&searches);
    let values = common::corpus(20);
    let mut numbers = Numbers(11);
    let (all, mut told, mut found) = (RuleBits::full(rules.len()), 0, 0);
    for value in &values {
        let other = &values[numbers.below(values.len())];
        for view in [value.clone(), numbers.mutated(value, other)] {
            match both.compare(&view, &all) {
                Ok((may, does)) => (told, found) = (told + may, found + does),
                Err(error) => {
                    let lines: Vec<_> = rules.iter().map(|rule| (&rule.id, rule.line)).collect();
                    panic!("{error}\n{:?}", lines.iter().enumerate().collect::<Vec<_>>());
                }
            }
        }
    }
    println!("{} values, {told} candidates, {found} matches", values.len() * 2);
}

#[test]
fn a_memory_lent_to_another_filter_begins_anew() {
    let expression = |text: &str| Search::Expression(text.to_owned());
    let mut first = Both::of(&[expression("a+b"), expression("x")]);
    let mut second = Both::of(&[expression("[0-9]c")]);
    assert_eq!(first.compare(b"aab", &RuleBits::full(2)), Ok((1, 1)));
    second.cache = std::mem::take(&mut first.cache);
    assert_eq!(second.compare(b"7c", &RuleBits::full(1)), Ok((1, 1)));
}

#[test]
fn hostile_values_cost_no_rule_its_match() {
    // Each text of `a`s and `b`s leads to states of its own: the automaton must give up.
    let searches: Vec<Search> =
        (0..40).map(|n| Search::Expression(format!("[ab]*a[ab]{{{}}}[c{n}]", n + 10))).collect();
    let mut both = Both::of(&searches);
    let mut numbers = Numbers(3);
    let mut view: Vec<u8> = (0..40_000).map(|_| b"ab"[numbers.below(2)]).collect();
    view.push(b'c');
    let (told, found) = both.compare(&view, &RuleBits::full(40)).unwrap();
    assert!(found > 0 && told >= found, "{told} {found}");
    assert!(both.matches.memory_usage() < 6 << 20, "{}", both.matches.memory_usage());
}

#[test]
fn what_is_required_is_found_in_an_expression() {
    let literals =
        |texts: &[&str]| Requirement::Literals(texts.iter().map(|text| text.as_bytes().into()).collect());
    assert_eq!(requirement(r"(?i)x UNION.+q"), literals(&["x union"]));
    assert_eq!(requirement(r"(?:load_file|into.+outfile)\("), literals(&["load_file", "outfile"]));
    assert_eq!(requirement(r"x?"), Requirement::Any);
    assert_eq!(requirement(r".*"), Requirement::Any);
    assert_eq!(requirement("("), Requirement::Any);
    assert_eq!(requirement(r"[<>]\w"), Requirement::Bytes([1 << 60 | 1 << 62, 0, 0, 0]));
}

fn part() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "abc", "bca", "xyz", "ab", "é", "A", "[a-c]", "[^a]", ".", "\\s", "\\bx", "^", "$", "(?i:zAb)", "1",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            2 => (inner.clone(), prop::sample::select(vec!["*", "+", "?", "{2}", "{1,2}", "*?"]))
                .prop_map(|(part, count)| format!("({part}){count}")),
            1 => (prop::sample::select(vec!["(?=", "(?!", "(?>"]), inner).prop_map(|(open, part)| format!("{open}{part})")),
        ]
    })
}

fn search() -> impl Strategy<Value = Search> {
    prop_oneof![
        3 => part().prop_map(Search::Expression),
        1 => prop::collection::vec("[abcxyzABZ1 é]{0,5}", 1..5).prop_map(|phrases| {
            let phrases: Vec<Arc<[u8]>> = phrases.iter().map(|phrase| phrase.as_bytes().into()).collect();
            Search::Phrases(phrases)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_rule_sets_miss_nothing(
        searches in prop::collection::vec(search(), 1..12),
        views in prop::collection::vec("[abcxyzABCXYZ1 é\n]{0,20}", 8),
        dead in 0u16..12,
    ) {
        let mut both = Both::of(&searches);
        let mut alive = RuleBits::full(searches.len());
        alive.remove(dead);
        for view in &views {
            if let Err(error) = both.compare(view.as_bytes(), &alive) {
                return Err(TestCaseError::fail(format!("{error} of {searches:?}")));
            }
        }
    }

    #[test]
    fn what_matches_holds_what_is_required(pattern in part(), view in "[abcxyzABC1 é]{0,20}") {
        let mut found = Captures::default();
        let matcher = Matcher::new(&pattern).unwrap();
        if matcher.captures(&mut MatchCache::default(), view.as_bytes(), &mut found) == Outcome::Yes {
            let matched = view.as_bytes()[found.get(0).unwrap()].to_ascii_lowercase();
            match requirement(&pattern) {
                Requirement::Any => {}
                Requirement::Bytes(bytes) => {
                    let range = &view.as_bytes()[found.get(0).unwrap()];
                    prop_assert!(present(range).iter().zip(bytes).any(|(a, b)| a & b != 0));
                }
                Requirement::Literals(literals) => {
                    let holds = |literal: &[u8]| matched.windows(literal.len()).any(|window| window == literal);
                    prop_assert!(literals.iter().any(|literal| holds(literal)), "{pattern} {literals:?}");
                }
            }
        }
    }
}
