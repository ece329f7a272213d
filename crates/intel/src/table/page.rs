//! Lists of decisions, a page at a time, in the order they were made.

use super::DecisionTable;
use super::entry::{Entry, id_of};
use crate::precedence::Candidate;
use secbeat_types::{Decision, DecisionKind, Timestamp};
use std::collections::BinaryHeap;
use std::net::IpAddr;

/// Some of the decisions that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The oldest first.
    pub decisions: Vec<Decision>,
    /// The id to go on behind; `None`: this is the last page.
    pub next: Option<String>,
    /// How many there are on all pages.
    pub total: usize,
}

impl DecisionTable {
    /// The decisions of `kind` in force at `now`, `limit` of them with numbers above `after`; with `about`, those alone
    /// whose scope holds that address. Looks at every decision, and holds no more than the page.
    pub fn page(
        &self,
        kind: DecisionKind,
        about: Option<IpAddr>,
        after: u64,
        limit: usize,
        now: Timestamp,
    ) -> Page {
        match about {
            Some(address) => page(self.candidates(address), kind, after, limit, now),
            None => page(self.entries(), kind, after, limit, now),
        }
    }
}

fn page<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    kind: DecisionKind,
    after: u64,
    limit: usize,
    now: Timestamp,
) -> Page {
    let (mut total, mut behind) = (0, 0_usize);
    // The smallest numbers seen so far, the largest of them on top.
    let mut kept: BinaryHeap<ByNumber<'a>> = BinaryHeap::new();
    for entry in entries.filter(|entry| entry.kind() == kind && entry.is_in_force(now)) {
        total += 1;
        if entry.number <= after {
            continue;
        }
        behind += 1;
        if kept.len() < limit {
            kept.push(ByNumber(entry));
        } else if let Some(mut largest) = kept.peek_mut()
            && entry.number < largest.0.number
        {
            *largest = ByNumber(entry);
        }
    }
    let kept = kept.into_sorted_vec();
    let next = kept.last().filter(|_| behind > kept.len()).map(|last| id_of(last.0.number));
    Page { decisions: kept.iter().map(|kept| kept.0.decision()).collect(), next, total }
}

struct ByNumber<'a>(&'a Entry);

impl PartialEq for ByNumber<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.number == other.0.number
    }
}

impl Eq for ByNumber<'_> {}

impl PartialOrd for ByNumber<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByNumber<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.number.cmp(&other.0.number)
    }
}
