//! An expression without counting long repetitions: `.{1,100}` becomes `.{1,}`.
//!
//! An automaton that counts has a state for each number, and for each set of them; where a value is no longer than the
//! repetition may be, it need not.

use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

/// Repetitions of up to fewer bytes are counted.
const COUNT_MIN: u32 = 32;

/// The expression without counting repetitions of one byte that may be many. It matches wherever `hir` does; what is no longer
/// than `limit`, in the end, it matches as `hir` does, group by group. `limit` stays what it is where nothing is changed.
pub(crate) fn uncounted(hir: &Hir, limit: &mut Option<usize>) -> Hir {
    let mut all = |parts: &[Hir]| parts.iter().map(|part| uncounted(part, limit)).collect();
    match hir.kind() {
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
        HirKind::Capture(capture) => {
            let sub = Box::new(uncounted(&capture.sub, limit));
            Hir::capture(Capture { index: capture.index, name: capture.name.clone(), sub })
        }
        HirKind::Repetition(repetition) => {
            let max = match (repetition.max, repetition.sub.properties().minimum_len()) {
                (Some(max), Some(1)) if max >= COUNT_MIN && max > repetition.min => {
                    *limit = Some(limit.unwrap_or(usize::MAX).min(max as usize));
                    None
                }
                (max, _) => max,
            };
            let sub = Box::new(uncounted(&repetition.sub, limit));
            Hir::repetition(Repetition { max, sub, ..repetition.clone() })
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Captures, MatchCache, Matcher, Outcome};
    use proptest::prelude::*;

    #[test]
    fn a_repetition_ends_where_it_may() {
        let mut cache = MatchCache::default();
        let matcher = Matcher::new(r"a\b.{1,40}?\bb").unwrap();
        for (between, outcome) in [(0, Outcome::No), (1, Outcome::Yes), (40, Outcome::Yes), (41, Outcome::No)]
        {
            let value = format!("a{}b", " ".repeat(between));
            assert_eq!(matcher.is_match(&mut cache, value.as_bytes()), outcome, "{value}");
        }
    }

    proptest! {
        /// Two shorter repetitions are counted: the reference.
        #[test]
        fn it_says_what_counting_says(value in "[ab ;]{0,120}", least in 0usize..3, lazy: bool) {
            let lazy = if lazy { "?" } else { "" };
            let one = Matcher::new(&format!("(a.{{{least},40}}{lazy})([b;])")).unwrap();
            let two = Matcher::new(&format!("(a.{{{least},31}}{lazy}.{{0,9}}{lazy})([b;])")).unwrap();
            let (mut cache, mut left, mut right) = (MatchCache::default(), Captures::default(), Captures::default());
            let value = value.as_bytes();
            prop_assert_eq!(one.is_match(&mut cache, value), two.is_match(&mut cache, value));
            prop_assert_eq!(one.captures(&mut cache, value, &mut left), two.captures(&mut cache, value, &mut right));
            prop_assert_eq!(left, right);
        }
    }
}
