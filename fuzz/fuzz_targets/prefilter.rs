//! An expression and a value: the filter misses nothing that the matcher finds, and neither panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_pattern::{Captures, MatchCache, Matcher, Outcome, PrefilterBuilder, PrefilterCache, RuleBits};

fuzz_target!(|input: (&str, &[u8])| {
    let (pattern, view) = input;
    let Ok(matcher) = Matcher::new(pattern) else { return };
    let mut builder = PrefilterBuilder::new(1);
    builder.pattern(0, pattern);
    let filter = builder.build();
    let mut present = [0u64; 4];
    view.iter().for_each(|byte| present[usize::from(byte >> 6)] |= 1 << (byte & 63));
    let (mut told, mut certain) = (false, false);
    filter.scan(&mut PrefilterCache::default(), view, &present, &RuleBits::full(1), &mut |_, sure| {
        told = true;
        certain |= sure;
    });
    let (mut cache, mut found) = (MatchCache::default(), Captures::default());
    let outcome = matcher.is_match(&mut cache, view);
    assert!(told || outcome != Outcome::Yes, "missed");
    assert!(!certain || outcome != Outcome::No, "wrongly certain");
    let captured = matcher.captures(&mut cache, view, &mut found);
    assert!(captured == outcome || captured == Outcome::OverBudget || outcome == Outcome::OverBudget);
    assert!(found.iter().all(|(_, range)| range.end <= view.len() && range.start <= range.end));
});
