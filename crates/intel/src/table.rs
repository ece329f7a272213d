//! The immutable table that each connection and request is looked up in: a million decisions, at most 64 bytes each.
//!
//! | module | idea |
//! | --- | --- |
//! | `entry` | one decision in 48 bytes |
//! | `shard` | some of them, and where each is |
//! | `reasons` | their reasons, each text once |
//! | `page` | lists of them, in the order they were made |

pub(crate) mod entry;
mod page;
pub(crate) mod reasons;
mod shard;

use crate::precedence::{Candidate, Precedence, decide};
use entry::{Entry, Prefix, Slot, host};
use ipnet::IpNet;
pub use page::Page;
use secbeat_types::{Decision, DecisionKind, Origin, Timestamp};
use shard::Shard;
use std::cmp::Reverse;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

/// A new table shares every shard with the old one but those that changed, so that one more decision among a million
/// copies some 250 entries. A power of two.
const SHARDS: usize = 4096;

/// Every decision, by its exact prefix. A lookup probes the prefix lengths in use and nothing else: none costs
/// nothing, hosts and a few networks cost a few hashes. The hash is keyed, so that nobody can make addresses collide.
#[derive(Debug, Clone)]
pub struct DecisionTable {
    hasher: RandomState,
    shards: Vec<Arc<Shard>>,
    v4_lengths: Lengths,
    v6_lengths: Lengths,
    blocks: usize,
    allows: usize,
}

impl Default for DecisionTable {
    fn default() -> Self {
        DecisionTable {
            hasher: RandomState::new(),
            shards: vec![Arc::default(); SHARDS],
            v4_lengths: Lengths::default(),
            v6_lengths: Lengths::default(),
            blocks: 0,
            allows: 0,
        }
    }
}

/// A decision that was found: what is done is known at once, the rest is put together where it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a>(&'a Entry);

impl Found<'_> {
    /// What is done to the address.
    pub fn kind(self) -> DecisionKind {
        self.0.kind()
    }

    /// Who made it.
    pub fn origin(self) -> Origin {
        self.0.origin()
    }

    /// The number in its id.
    pub fn number(self) -> u64 {
        self.0.number
    }

    /// The whole decision.
    pub fn decision(self) -> Decision {
        self.0.decision()
    }
}

impl DecisionTable {
    /// The decision in force about `address` at `now`, by [`decide`]. Takes no lock and allocates nothing.
    pub fn find(&self, address: IpAddr, now: Timestamp) -> Option<Found<'_>> {
        if self.is_empty() {
            return None;
        }
        decide(self.candidates(address), now).map(Found)
    }

    /// The same, put together: for who tells of it.
    pub fn lookup(&self, address: IpAddr, now: Timestamp) -> Option<Arc<Decision>> {
        self.find(address, now).map(|found| Arc::new(found.decision()))
    }

    /// Every decision whose scope holds `address`, expired ones among them, in the order of [`decide`], the strongest
    /// first.
    pub fn considered(&self, address: IpAddr) -> Vec<(Decision, Precedence)> {
        let mut candidates: Vec<&Entry> = self.candidates(address).collect();
        candidates.sort_by_key(|entry| Reverse(entry.standing()));
        candidates.into_iter().map(|entry| (entry.decision(), entry.standing().precedence)).collect()
    }

    /// The decisions of `kind` whose scope lies inside `scope` or is it. Looks at every decision.
    pub fn inside(&self, scope: IpNet, kind: DecisionKind) -> impl Iterator<Item = Decision> {
        let scope = Prefix::of(scope);
        let inside = move |entry: &&Entry| entry.kind() == kind && scope.contains(entry.prefix());
        let shards = if self.count(kind) == 0 { &[] } else { self.shards.as_slice() };
        shards.iter().flat_map(|shard| shard.entries()).filter(inside).map(Entry::decision)
    }

    /// Every decision, expired ones among them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Decision> {
        self.entries().map(Entry::decision)
    }

    /// How many decisions there are, expired ones among them.
    pub fn len(&self) -> usize {
        self.blocks + self.allows
    }

    /// How many of them are of this kind.
    pub fn count(&self, kind: DecisionKind) -> usize {
        match kind {
            DecisionKind::Block => self.blocks,
            DecisionKind::Allow => self.allows,
        }
    }

    /// Whether there is no decision at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the table takes in memory, in bytes, but for the texts of the reasons.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| size_of::<Arc<Shard>>() + shard.bytes()).sum()
    }

    /// Every entry, expired ones among them, in no order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.shards.iter().flat_map(|shard| shard.entries())
    }

    /// Puts `entry` in place of that of the same slot. A final one also ends what waits to be confirmed there.
    pub(crate) fn insert(&mut self, entry: Entry) {
        let slot = entry.slot();
        if !entry.is_waiting() && self.at(slot.prefix).any(|held| held.is_waiting() && held.slot() == slot) {
            self.remove(slot.prefix, |held| held.is_waiting() && held.slot() == slot);
        }
        let (shard, hasher) = self.shard_mut(slot.prefix);
        if shard.insert(entry, |prefix| hash(hasher, prefix)).is_none() {
            *self.count_mut(slot.kind) += 1;
            self.lengths_mut(slot.prefix).add(slot.prefix.length);
        }
    }

    /// Takes out the entries about exactly `prefix` that `condemned` names, and returns them.
    pub(crate) fn remove(&mut self, prefix: Prefix, condemned: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        if !self.at(prefix).any(&condemned) {
            return Vec::new();
        }
        self.take(self.shard_of(prefix), |entry| entry.prefix() == prefix && condemned(entry))
    }

    /// Takes out what waits to be confirmed in `slot`.
    pub(crate) fn take_waiting(&mut self, slot: Slot) -> Option<Entry> {
        self.remove(slot.prefix, |entry| entry.is_waiting() && entry.slot() == slot).pop()
    }

    /// Takes out of a shard what has expired by `now`, and returns it.
    pub(crate) fn sweep(&mut self, shard: usize, now: Timestamp) -> Vec<Entry> {
        self.take(shard, |entry| !entry.is_in_force(now))
    }

    /// Moves the beginnings and ends of all decisions by `ms`.
    pub(crate) fn shift(&mut self, ms: i64) {
        let filled = self.shards.iter_mut().filter(|shard| !shard.entries().is_empty());
        filled.for_each(|shard| Arc::make_mut(shard).shift(ms));
    }

    /// Has no decision be made after `now`: what is left of it is its whole duration at the most.
    pub(crate) fn make_no_later_than(&mut self, now: Timestamp) {
        self.shards.iter_mut().for_each(|shard| Arc::make_mut(shard).make_no_later_than(now.unix_ms()));
    }

    /// When the first of each shard ends, in milliseconds since 1970.
    pub(crate) fn first_ends_ms(&self) -> Vec<i64> {
        self.shards.iter().map(|shard| shard.first_end_ms()).collect()
    }

    /// The same of one.
    pub(crate) fn first_end_ms(&self, shard: usize) -> i64 {
        self.shards.get(shard).map_or(i64::MAX, |shard| shard.first_end_ms())
    }

    /// In which shard a prefix is: the highest bits of its hash.
    pub(crate) fn shard_of(&self, prefix: Prefix) -> usize {
        shard_of(hash(&self.hasher, prefix))
    }

    /// Every entry whose scope holds `address`, the longest prefix first.
    fn candidates(&self, address: IpAddr) -> impl Iterator<Item = &Entry> {
        let host = host(address);
        let lengths = if host.is_v4 { &self.v4_lengths } else { &self.v6_lengths };
        lengths.iter().flat_map(move |length| self.at(host.shorter(length)))
    }

    fn at(&self, prefix: Prefix) -> impl Iterator<Item = &Entry> {
        let hash = hash(&self.hasher, prefix);
        self.shards.get(shard_of(hash)).into_iter().flat_map(move |shard| shard.at(hash, prefix))
    }

    fn take(&mut self, shard: usize, condemned: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let Some(held) = self.shards.get_mut(shard) else { return Vec::new() };
        let hasher = &self.hasher;
        let gone = Arc::make_mut(held).remove(condemned, |prefix| hash(hasher, prefix));
        for entry in &gone {
            *self.count_mut(entry.kind()) -= 1;
            self.lengths_mut(entry.prefix()).drop_one(entry.prefix().length);
        }
        gone
    }

    fn shard_mut(&mut self, prefix: Prefix) -> (&mut Shard, &RandomState) {
        let shard = self.shard_of(prefix);
        (Arc::make_mut(&mut self.shards[shard]), &self.hasher)
    }

    fn lengths_mut(&mut self, prefix: Prefix) -> &mut Lengths {
        if prefix.is_v4 { &mut self.v4_lengths } else { &mut self.v6_lengths }
    }

    fn count_mut(&mut self, kind: DecisionKind) -> &mut usize {
        match kind {
            DecisionKind::Block => &mut self.blocks,
            DecisionKind::Allow => &mut self.allows,
        }
    }
}

/// The length is compared but not hashed: prefixes that differ in nothing else are few.
fn hash(hasher: &RandomState, prefix: Prefix) -> u64 {
    hasher.hash_one((prefix.high, prefix.low))
}

fn shard_of(hash: u64) -> usize {
    (hash >> (u64::BITS - SHARDS.ilog2())) as usize
}

/// The prefix lengths in use and how many decisions have each, the longest first.
#[derive(Debug, Clone, Default)]
struct Lengths(Vec<(u8, usize)>);

impl Lengths {
    fn iter(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(|(length, _)| *length)
    }

    fn add(&mut self, length: u8) {
        match self.0.binary_search_by(|(l, _)| length.cmp(l)) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => self.0.insert(at, (length, 1)),
        }
    }

    fn drop_one(&mut self, length: u8) {
        if let Ok(at) = self.0.binary_search_by(|(l, _)| length.cmp(l)) {
            self.0[at].1 -= 1;
            if self.0[at].1 == 0 {
                self.0.remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests;
