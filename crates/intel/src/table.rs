//! The immutable table that each connection and request is looked up in.

use crate::precedence::{Precedence, decide};
use ipnet::IpNet;
use secbeat_types::decision::canonical;
use secbeat_types::{Decision, Timestamp};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

/// A new table shares every shard with the old one but those that changed, so that one more decision among
/// 200,000 copies some 800 entries. A power of two.
const SHARDS: usize = 256;

/// Decisions about exactly one prefix: at most one for each kind and origin, nearly always one.
type Entry = SmallVec<[Arc<Decision>; 1]>;

/// A prefix as a key. The length is compared but not hashed: prefixes that differ in nothing else are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(IpNet);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (high, low) = self.halves();
        state.write_u64(high);
        state.write_u64(low);
    }
}

impl Key {
    fn halves(&self) -> (u64, u64) {
        match self.0.addr() {
            IpAddr::V4(v4) => (0, u32::from(v4).into()),
            IpAddr::V6(v6) => ((u128::from(v6) >> 64) as u64, u128::from(v6) as u64),
        }
    }
}

/// Every decision, by its exact prefix. A lookup probes the prefix lengths in use and nothing else: none costs
/// nothing, hosts and a few networks cost a few hashes. The hash is keyed, so that nobody can make addresses collide.
#[derive(Debug, Clone)]
pub struct DecisionTable {
    /// Odd and random: which shard a prefix is in, which only writing cares about, needs no better hash.
    multiplier: u64,
    shards: Vec<Arc<HashMap<Key, Entry>>>,
    v4_lengths: Lengths,
    v6_lengths: Lengths,
    len: usize,
}

impl Default for DecisionTable {
    fn default() -> Self {
        DecisionTable {
            multiplier: RandomState::new().hash_one(0u8) | 1,
            shards: vec![Arc::default(); SHARDS],
            v4_lengths: Lengths::default(),
            v6_lengths: Lengths::default(),
            len: 0,
        }
    }
}

impl DecisionTable {
    /// A table of these decisions; of two about the same prefix, kind and origin the later one stays.
    pub fn new(decisions: impl IntoIterator<Item = Decision>) -> Self {
        let mut table = DecisionTable::default();
        for decision in decisions {
            table.insert(Arc::new(decision));
        }
        table
    }

    /// The decision in force about `address` at `now`, by [`decide`].
    pub fn lookup(&self, address: IpAddr, now: Timestamp) -> Option<Arc<Decision>> {
        if self.len == 0 {
            return None;
        }
        decide(self.candidates(address), now).cloned()
    }

    /// Every decision whose scope holds `address`, the strongest first, expired ones among them.
    pub fn considered(&self, address: IpAddr) -> Vec<(Decision, Precedence)> {
        let all = self.candidates(address).map(|d| (Decision::clone(d), Precedence::of(d)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, precedence)| std::cmp::Reverse(*precedence));
        all
    }

    /// Every decision whose scope holds `address`, the longest prefix first, expired ones among them: exactly
    /// what [`decide`] is shown.
    pub fn candidates(&self, address: IpAddr) -> impl Iterator<Item = &Arc<Decision>> {
        let address = canonical(address);
        let lengths = if address.is_ipv4() { &self.v4_lengths } else { &self.v6_lengths };
        lengths
            .iter()
            .filter_map(move |length| IpNet::new(address, length).ok())
            .filter_map(|net| self.at(net.trunc()))
            .flatten()
    }

    /// The decisions whose scope is exactly `scope`.
    pub fn exact(&self, scope: IpNet) -> impl Iterator<Item = &Arc<Decision>> {
        self.at(scope).into_iter().flatten()
    }

    /// The decisions whose scope lies inside `scope` or is it. Looks at every decision.
    pub fn inside(&self, scope: IpNet) -> impl Iterator<Item = &Arc<Decision>> {
        self.iter().filter(move |decision| scope.contains(&decision.scope))
    }

    /// Every decision, expired ones among them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Decision>> {
        self.shards.iter().flat_map(|shard| shard.values()).flatten()
    }

    /// How many decisions there are, expired ones among them.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no decision at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `decision` in place of that about the same prefix, kind and origin, which is returned.
    pub(crate) fn insert(&mut self, decision: Arc<Decision>) -> Option<Arc<Decision>> {
        let scope = decision.scope;
        let entry = self.shard_mut(scope).entry(Key(scope)).or_default();
        if let Some(old) = entry.iter_mut().find(|d| d.kind == decision.kind && d.origin == decision.origin) {
            return Some(std::mem::replace(old, decision));
        }
        entry.push(decision);
        self.len += 1;
        self.lengths_mut(scope).add(scope.prefix_len());
        None
    }

    /// Takes out the decisions about exactly `scope` that `condemned` names, and returns them.
    pub(crate) fn remove(&mut self, scope: IpNet, condemned: impl Fn(&Decision) -> bool) -> Entry {
        if self.at(scope).is_none_or(|entry| !entry.iter().any(|d| condemned(d))) {
            return Entry::new();
        }
        let shard = self.shard_mut(scope);
        let Some(entry) = shard.get_mut(&Key(scope)) else { return Entry::new() };
        let (gone, kept): (Entry, Entry) = std::mem::take(entry).into_iter().partition(|d| condemned(d));
        match kept.is_empty() {
            true => drop(shard.remove(&Key(scope))),
            false => *entry = kept,
        }
        self.len -= gone.len();
        for _ in &gone {
            self.lengths_mut(scope).drop_one(scope.prefix_len());
        }
        gone
    }

    fn at(&self, scope: IpNet) -> Option<&Entry> {
        self.shards.get(self.shard_of(scope))?.get(&Key(scope))
    }

    fn shard_mut(&mut self, scope: IpNet) -> &mut HashMap<Key, Entry> {
        let index = self.shard_of(scope);
        Arc::make_mut(&mut self.shards[index])
    }

    fn shard_of(&self, scope: IpNet) -> usize {
        let (high, low) = Key(scope).halves();
        let mixed = (high ^ low).wrapping_mul(self.multiplier);
        (mixed >> (u64::BITS - SHARDS.ilog2())) as usize
    }

    fn lengths_mut(&mut self, scope: IpNet) -> &mut Lengths {
        match scope {
            IpNet::V4(_) => &mut self.v4_lengths,
            IpNet::V6(_) => &mut self.v6_lengths,
        }
    }
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secbeat_types::{DecisionKind, Origin};

    const KINDS: [DecisionKind; 2] = [DecisionKind::Allow, DecisionKind::Block];
    const ORIGINS: [Origin; 3] = [Origin::Feed, Origin::Automatic, Origin::Manual];

    /// Addresses from a small space, so that prefixes nest and meet.
    fn address() -> impl Strategy<Value = IpAddr> {
        (any::<bool>(), 0u8..4, 0u8..4).prop_map(|(v4, high, low)| match v4 {
            true => IpAddr::from([192, 0, high, low]),
            false => IpAddr::from([0x2001, 0xdb8, u16::from(high), 0, 0, 0, 0, u16::from(low)]),
        })
    }

    fn decision() -> impl Strategy<Value = Decision> {
        (address(), 0u8..=128, 0usize..2, 0usize..3, 0i64..20, proptest::option::of(0i64..20)).prop_map(
            |(address, length, kind, origin, created, expires)| {
                let length = if address.is_ipv4() { length.min(32) } else { length };
                Decision {
                    id: format!("dec_{created}"),
                    scope: IpNet::new(address, length).unwrap().trunc(),
                    kind: KINDS[kind],
                    origin: ORIGINS[origin],
                    reason: String::new(),
                    created_at: Timestamp::from_unix_ms(created),
                    expires_at: expires.map(Timestamp::from_unix_ms),
                    confirm_by: None,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn lookup_equals_a_linear_scan(
            puts in proptest::collection::vec(decision(), 0..40),
            removals in proptest::collection::vec(0usize..40, 0..10),
            asked in proptest::collection::vec((address(), 0i64..25), 1..20),
        ) {
            let same = |a: &Decision, b: &Decision| a.scope == b.scope && a.kind == b.kind && a.origin == b.origin;
            let (mut table, mut model) = (DecisionTable::default(), Vec::<Arc<Decision>>::new());
            for put in &puts {
                let put = Arc::new(put.clone());
                table.insert(put.clone());
                model.retain(|d| !same(d, &put));
                model.push(put);
            }
            for condemned in removals.iter().filter_map(|i| puts.get(*i)) {
                let before = model.len();
                model.retain(|d| !same(d, condemned));
                let gone = table.remove(condemned.scope, |d| same(d, condemned));
                prop_assert_eq!(gone.len(), before - model.len());
            }
            prop_assert_eq!(table.len(), model.len());
            prop_assert_eq!(table.iter().count(), model.len());
            for (address, at) in asked {
                let now = Timestamp::from_unix_ms(at);
                let expected = decide(model.iter().filter(|d| d.scope.contains(&address)), now);
                prop_assert_eq!(table.lookup(address, now), expected.cloned());
            }
        }
    }

    #[test]
    fn a_mapped_address_is_looked_up_as_ipv4() {
        let block = Decision {
            id: "dec_1".into(),
            scope: "192.0.2.0/24".parse().unwrap(),
            kind: DecisionKind::Block,
            origin: Origin::Manual,
            reason: String::new(),
            created_at: Timestamp::from_unix_ms(0),
            expires_at: None,
            confirm_by: None,
        };
        let table = DecisionTable::new([block]);
        let now = Timestamp::from_unix_ms(0);
        assert!(table.lookup("::ffff:192.0.2.7".parse().unwrap(), now).is_some());
        assert!(table.lookup("::192.0.2.7".parse().unwrap(), now).is_none());
    }
}
