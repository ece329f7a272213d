//! Many phrases, searched for at once: `@pm`.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::ops::Range;
use std::sync::Arc;

/// A set of phrases, letters in either case.
#[derive(Debug, Clone)]
pub struct PhraseSet {
    automaton: Option<AhoCorasick>,
    holds_empty: bool,
}

impl PhraseSet {
    /// The set of these phrases.
    pub fn new(phrases: &[Arc<[u8]>]) -> PhraseSet {
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(phrases.iter())
            .ok();
        PhraseSet { automaton, holds_empty: phrases.iter().any(|phrase| phrase.is_empty()) }
    }

    /// Where the phrase stands that ends first.
    pub fn find(&self, haystack: &[u8]) -> Option<Range<usize>> {
        if self.holds_empty {
            return Some(0..0);
        }
        self.automaton.as_ref()?.find(haystack).map(|hit| hit.range())
    }
}
