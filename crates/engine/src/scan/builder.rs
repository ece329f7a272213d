//! A rule set made ready to be scanned for.

use super::byte_table::ByteTable;
use super::class::{Group, Interests};
use super::gate::{Gate, has_macros};
use super::guard::guards;
use super::sources::sources;
use super::trie::Trie;
use super::{Scan, stamp};
use secbeat_pattern::{PrefilterBuilder, RuleBits};
use secbeat_seclang::{Item, Rule, RuleSet, Target, Test, Variable};
use secbeat_transform::Transformation;

/// How many rules before the first guarded one are evaluated plainly at most: those that set up the transaction, and
/// exceptions. Beyond, the scan comes first, when no guard holds yet.
const EARLY_MAX: usize = 64;

/// Makes a [`Scan`] of a rule set whose rules are numbered in file order, markers not counted. `holds` asks a rule's first
/// operator, as compiled and negation heeded, about a value.
pub fn build(set: &RuleSet, holds: &mut dyn FnMut(u16, &[u8]) -> bool) -> Scan {
    let rules: Vec<&Rule> = set
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Rule(rule) => Some(&**rule),
            Item::Marker(_) => None,
        })
        .collect();
    let count = rules.len();
    let mut filter = PrefilterBuilder::new(count);
    let mut scan = Scan::empty(count);
    scan.guards = guards(set, count);
    scan.start = start(&rules, &scan);
    for (number, rule) in (0..=u16::MAX).zip(&rules) {
        scan.phases[rule.actions.phase as usize - 1].insert(number);
    }
    for (number, rule) in (0..=u16::MAX).zip(&rules) {
        let test = rule.links.first().and_then(|link| link.test.as_ref().map(|test| (link, test)));
        let visit = match test {
            Some((link, test)) if number >= scan.start => {
                let group = Group::of(rule.actions.phase);
                scan.head(number, group, test, link.multi_match, &mut filter, holds)
            }
            _ => Visit::Always,
        };
        if visit == Visit::Always {
            scan.always.insert(number);
        }
    }
    scan.trie.settle(&scan.either);
    scan.filter = filter.build();
    scan.settle_groups();
    scan
}

/// When a rule is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    Always,
    /// When there is a value that it looks at, or one that was found.
    Candidate,
}

/// The first rule that is scanned for: the first that some guard guards.
fn start(rules: &[&Rule], scan: &Scan) -> u16 {
    let scannable = |number: u16| {
        let test = rules.get(usize::from(number))?.links.first()?.test.as_ref()?;
        test.targets.iter().any(|target| !target.excluded && is_scanned(target)).then_some(number)
    };
    let first = scan.guards.iter().flat_map(|guard| guard.guarded.iter().find_map(scannable)).min();
    let Some(first) = first else { return 0 };
    let early = (0..first).filter_map(scannable).count();
    if early > EARLY_MAX { 0 } else { first }
}

fn is_scanned(target: &Target) -> bool {
    !target.count && sources(target.variable).is_some()
}

impl Scan {
    pub(super) fn empty(count: usize) -> Self {
        Scan {
            stamp: stamp(),
            rules: count,
            start: 0,
            guards: Vec::new(),
            bytes: ByteTable::default(),
            trie: Trie::new(count),
            gates: vec![None; count],
            filter: PrefilterBuilder::new(0).build(),
            interests: Vec::new(),
            groups: Default::default(),
            phases: std::array::from_fn(|_| RuleBits::new(count)),
            always: RuleBits::new(count),
            scanned: RuleBits::new(count),
            either: RuleBits::new(count),
            every: RuleBits::new(count),
            empty: RuleBits::new(count),
            exact: RuleBits::new(count),
        }
    }

    fn head(
        &mut self,
        rule: u16,
        group: Group,
        test: &Test,
        every: bool,
        filter: &mut PrefilterBuilder,
        holds: &mut dyn FnMut(u16, &[u8]) -> bool,
    ) -> Visit {
        if self.holds_of_empty(rule, test, holds) {
            self.empty.insert(rule);
        }
        let wanted = test.targets.iter().filter(|target| !target.excluded);
        let covered = wanted.clone().filter(|target| is_scanned(target)).count();
        if covered == 0 {
            return Visit::Always;
        }
        let folded = test.transformations.last() == Some(&Transformation::Lowercase);
        let gate = Gate::of(rule, (&test.operator, test.negated), folded, &mut self.bytes, filter);
        if let Some(gate) = gate
            && self.trie.insert(rule, &test.transformations, every, &mut self.bytes)
        {
            self.scanned.insert(rule);
            if matches!(gate, Gate::Filter | Gate::Open) {
                self.either.insert(rule);
            }
            if every {
                self.every.insert(rule);
            }
            if let Some(slot) = self.gates.get_mut(usize::from(rule)) {
                *slot = Some(gate);
            }
        }
        self.interest(rule, group, test);
        // A scalar that is absent counts as empty; where a rule that is searched for may match that, the search sees to it.
        let settled = |target: &Target| {
            target.variable.is_collection() || self.scanned.contains(rule) || !self.empty.contains(rule)
        };
        let all = wanted.clone().all(|target| is_scanned(target) && settled(target));
        if all { Visit::Candidate } else { Visit::Always }
    }

    /// Whether a rule may match an empty value. `length` and hashes make something of nothing, wherever they stand: such a
    /// rule may.
    fn holds_of_empty(&self, rule: u16, test: &Test, holds: &mut dyn FnMut(u16, &[u8]) -> bool) -> bool {
        let list = &test.transformations;
        let creates = list.iter().any(|transformation| transformation.apply(b"", &mut Vec::new()));
        creates || has_macros(&test.operator) || holds(rule, b"")
    }

    /// Notes what a rule looks at, source by source. Exclusions are of one variable: `!ARGS_GET:a` says nothing of `ARGS`.
    fn interest(&mut self, rule: u16, group: Group, test: &Test) {
        let mut variables: Vec<Variable> = Vec::new();
        for target in test.targets.iter().filter(|target| !target.excluded && is_scanned(target)) {
            if !variables.contains(&target.variable) {
                variables.push(target.variable);
            }
        }
        let mut exact = true;
        for variable in variables {
            let targets: Vec<&Target> =
                test.targets.iter().filter(|target| target.variable == variable && !target.count).collect();
            for source in sources(variable).unwrap_or_default() {
                let known = self.interests.iter().position(|known| known.source == *source);
                let at = known.unwrap_or_else(|| {
                    self.interests.push(Interests::new(*source));
                    self.interests.len() - 1
                });
                exact &= self.interests[at].add(rule, group, &targets);
            }
        }
        if exact {
            self.exact.insert(rule);
        }
    }

    fn settle_groups(&mut self) {
        for group in Group::ALL {
            let of_group = self.interests.iter().enumerate().filter(|(_, interests)| interests.has(group));
            self.groups[group as usize] = of_group.map(|(number, _)| number).collect();
        }
        let mut wake = self.scanned.clone();
        wake.intersect(&self.empty);
        self.interests.iter_mut().for_each(|interests| interests.settle(&wake));
    }
}
