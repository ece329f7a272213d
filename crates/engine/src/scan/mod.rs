//! The fast path: which rules may match which values, found in one pass over each value instead of one for each rule.
//!
//! A rule whose first link looks for something in values of the request or the answer is *scanned for*. Values that the same
//! rules look at are a class; the transformations of those rules are a trie, of which the value walks only what changes it; each
//! view that comes of it is searched once, for all rules that want it. What is found are hits, and a rule is visited only
//! where it has some. Its operator is asked again then: a scan may find too much, never too little.
//!
//! | step | module |
//! | --- | --- |
//! | a rule set is made ready | [`builder`] |
//! | which values a variable stands for | [`sources`] |
//! | which rules look at a value of that name | [`class`] |
//! | what a value holds, in one pass | [`byte_table`] |
//! | transformations that begin alike are carried out once | [`trie`] |
//! | what a rule's operator needs at least | [`gate`] |
//! | what is done with a view, kept for the next alike | [`plan`], [`cache`] |
//! | names and values that come again and again are remembered | [`name_memo`], [`value_memo`] |
//! | what was found | [`hits`] |
//! | what need not be searched for at this paranoia level | [`guard`] |
//! | the scan itself | [`search`] |
//! | the rules to be visited, in order | [`visits`] |

pub mod builder;
pub mod byte_table;
pub mod cache;
pub mod class;
pub mod gate;
pub mod guard;
pub mod hits;
pub mod name_memo;
pub mod plan;
pub mod search;
pub mod sources;
pub mod trie;
pub mod value_memo;
pub mod visits;

pub use builder::build;
pub use cache::{ScanCache, Searched};
pub use class::Group;
pub use hits::View;

use byte_table::ByteTable;
use class::Interests;
use gate::Gate;
use guard::Guard;
use secbeat_pattern::{Prefilter, RuleBits};
use secbeat_seclang::Variable;
use std::sync::atomic::{AtomicU64, Ordering};
use trie::Trie;

/// A rule set, ready to be scanned for.
#[derive(Debug)]
pub struct Scan {
    stamp: u64,
    rules: usize,
    start: u16,
    guards: Vec<Guard>,
    bytes: ByteTable,
    trie: Trie,
    gates: Vec<Option<Gate>>,
    filter: Prefilter,
    interests: Vec<Interests>,
    groups: [Vec<usize>; Group::ALL.len()],
    phases: [RuleBits; 5],
    always: RuleBits,
    scanned: RuleBits,
    either: RuleBits,
    every: RuleBits,
    empty: RuleBits,
    exact: RuleBits,
}

impl Default for Scan {
    /// That of no rules.
    fn default() -> Self {
        Scan::empty(0)
    }
}

/// A number that no other scan of this process has: what a worker remembers of one does not hold for another.
fn stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Scan {
    /// The first rule that is scanned for. Those before it are evaluated plainly; they settle which guards hold.
    pub fn start(&self) -> u16 {
        self.start
    }

    /// A number that no other scan has.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The guards, whose outcomes [`Scan::search`] wants as bits.
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// Whether the hits of a rule are values that its targets stand for, each of one target alone.
    pub fn is_exact(&self, rule: u16) -> bool {
        self.exact.contains(rule)
    }

    /// Whether a rule's first link need only look at hits where [`Scan::covers`] says so.
    pub fn is_searched(&self, cache: &ScanCache, rule: u16) -> bool {
        self.scanned.contains(rule) && !cache.searched.uncovered.contains(rule)
    }

    /// Whether of a target of the rule, a variable that is not counted, only hits need to be looked at. False: all its values do.
    ///
    /// Of a scalar that may match where it is empty, this is so only if it is there (`present`).
    pub fn covers(&self, rule: u16, variable: Variable, present: bool) -> bool {
        self.scanned.contains(rule)
            && sources::sources(variable).is_some()
            && (present || variable.is_collection() || !self.empty.contains(rule))
    }
}
