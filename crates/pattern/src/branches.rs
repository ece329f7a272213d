//! An expression as several: it matches where one of them does.
//!
//! Rules that list many attacks in one expression hold no literal in common, and each of their alternatives often has one. So
//! alternatives are taken apart, those inside a sequence by writing the sequence once for each.

use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::VecDeque;

/// The most expressions that one is made into.
const BRANCHES_MAX: usize = 64;
/// How heavy all of them together may be.
const TOGETHER_MAX: usize = 10_000;

/// The expressions of which one matches wherever `hir` does, and none elsewhere. Groups are not kept.
pub(crate) fn branches(hir: &Hir) -> Vec<Hir> {
    let mut done = Vec::new();
    let mut open = VecDeque::from([bare(hir)]);
    let mut together = weight(hir);
    while let Some(next) = open.pop_front() {
        // Written once for each, what stands around the alternatives is at most as heavy as all of it.
        let room =
            (together + weight(&next) < TOGETHER_MAX).then_some(BRANCHES_MAX - done.len() - open.len());
        match room.and_then(|room| split(&next, room)) {
            Some(parts) => {
                together += parts.iter().map(weight).sum::<usize>();
                open.extend(parts);
            }
            None => done.push(next),
        }
    }
    done
}

/// One step: the alternatives of the first alternation, each with what stands around it; none if there are more than `room`.
fn split(hir: &Hir, room: usize) -> Option<Vec<Hir>> {
    match hir.kind() {
        HirKind::Alternation(branches) if branches.len() <= room => Some(branches.iter().map(bare).collect()),
        HirKind::Concat(parts) => {
            let at = parts.iter().position(|part| matches!(bare(part).kind(), HirKind::Alternation(_)))?;
            let (before, rest) = parts.split_at(at);
            let (alternation, behind) = rest.split_first()?;
            let alternation = bare(alternation);
            let HirKind::Alternation(branches) = alternation.kind() else { return None };
            if branches.len() > room {
                return None;
            }
            let around =
                |branch: &Hir| Hir::concat(before.iter().chain([branch]).chain(behind).map(bare).collect());
            Some(branches.iter().map(around).collect())
        }
        _ => None,
    }
}

/// Without the groups around it.
fn bare(hir: &Hir) -> Hir {
    let mut hir = hir;
    while let HirKind::Capture(capture) = hir.kind() {
        hir = &capture.sub;
    }
    hir.clone()
}

/// How much an automaton has to keep of an expression: its bytes and ranges, as often as they are repeated.
pub(crate) fn weight(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Class(Class::Unicode(class)) => 4 * class.ranges().len(),
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(weight).sum(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            weight(&repetition.sub).saturating_mul(times)
        }
    }
}
