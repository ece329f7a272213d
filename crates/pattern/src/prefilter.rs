//! One filter before all rules: which of them may match a value.
//!
//! Each alternative of an expression is told by the rarest literals that its matches must hold. Where one has none worth
//! looking for, the rule may match if the value holds the bytes that the alternative needs; those of which most values do are
//! put into one automaton, as far as they are small. Phrases are literals themselves, and their hits certain.

use crate::branches::{branches, weight};
use crate::byte_class::ByteClass;
use crate::frequency::Frequency;
use crate::gates::{Gates, GatesMemory};
use crate::literal_filter::{LiteralFilter, Owner};
use crate::lower;
use crate::matcher::{Expression, Language};
use crate::needs::{Needs, single};
use crate::rule_bits::RuleBits;
use crate::weak::{Weak, WeakMemory};
use regex_syntax::hir::Hir;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How likely the literals of a rule may begin at a place of a harmless value; above, they are not looked for.
const CHANCE_MAX: f32 = 3e-4;
/// The same of literals of two bytes: they take much room in the filter.
const SHORT_CHANCE_MAX: f32 = 5e-5;
/// From how many bytes on a literal is not short.
const LITERAL_MIN: usize = 3;
/// Up to how many alternatives without a literal are put into an automaton without the others of their expression.
const APART_MAX: usize = 16;
/// How heavy an expression may be in an automaton with others: beyond, its states would crowd out theirs.
const WEIGHT_MAX: usize = 250;
/// The most literals of one expression.
const LITERALS_MAX: usize = 2000;

/// Numbers filters, so that a worker's memory knows whose it is.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Collects what the rules of a program look for.
#[derive(Debug)]
pub struct PrefilterBuilder {
    rules: usize,
    literals: BTreeMap<Vec<u8>, Vec<Owner>>,
    /// What looks for one byte: the rule, and whether that is all that it looks for.
    classes: Vec<(ByteClass, u16, bool)>,
    /// What the automaton tells: the rule, whether the expression is exact, the expression.
    light: Vec<(u16, bool, Hir)>,
    /// The rules that no literal tells and no automaton: those that the gates let pass may match.
    gated: RuleBits,
    /// What the alternatives of expressions need that no literal tells.
    keys: Vec<(u16, Needs)>,
    /// What every rule needs.
    needs: Vec<(u16, Needs)>,
    /// What cannot be told.
    always: Vec<u16>,
    frequency: Frequency,
}

/// The filter of a whole program; at most some 4 MB.
#[derive(Debug)]
pub struct Prefilter {
    id: u64,
    literals: LiteralFilter,
    classes: Vec<(ByteClass, u16, bool)>,
    /// What lets rules pass at all.
    entrance: Gates,
    /// What tells the rules that no literal tells.
    gates: Gates,
    /// The rules of the automaton.
    light: RuleBits,
    automaton: Option<Weak>,
    gated: RuleBits,
    /// Those that the gates know.
    weak_rules: RuleBits,
    always: RuleBits,
}

/// What a worker lends to a filter; at most some 4 MB. It serves one filter at a time: lent to another, it begins anew.
#[derive(Debug, Default)]
pub struct PrefilterCache {
    of: u64,
    entrance: GatesMemory,
    gates: GatesMemory,
    alive: RuleBits,
    automaton: Option<WeakMemory>,
    asked: RuleBits,
}

impl PrefilterBuilder {
    /// A filter for rules numbered `0..rules`.
    pub fn new(rules: usize) -> PrefilterBuilder {
        PrefilterBuilder {
            rules,
            literals: BTreeMap::new(),
            classes: Vec::new(),
            light: Vec::new(),
            gated: RuleBits::new(rules),
            keys: Vec::new(),
            needs: Vec::new(),
            always: Vec::new(),
            frequency: Frequency::new(),
        }
    }

    /// `rule` is to be found where `pattern` (as of [`crate::Matcher::new`]) matches.
    pub fn pattern(&mut self, rule: u16, pattern: &str) {
        self.expression(rule, pattern, Language::Pcre { caseless: false });
    }

    /// `rule` is to be found where `pattern` (as of [`crate::Matcher::plain`]) matches.
    pub fn plain(&mut self, rule: u16, pattern: &str) {
        self.expression(rule, pattern, Language::Plain);
    }

    /// `rule` is to be found where any of these stands, letters in either case.
    pub fn phrases(&mut self, rule: u16, phrases: &[Arc<[u8]>]) {
        self.needs.push((rule, Needs::of_phrases(phrases, &self.frequency)));
        for phrase in phrases {
            match &**phrase {
                [] => self.always.push(rule),
                [byte] => self.classes.push((ByteClass::of(&[*byte]).both_cases(), rule, true)),
                phrase => self.literal(phrase.to_ascii_lowercase(), (rule, true)),
            }
        }
    }

    fn expression(&mut self, rule: u16, pattern: &str, language: Language) {
        let (exact, hir) = match language.read(pattern) {
            Ok(Expression::Regular(hir)) => (true, hir),
            Ok(Expression::Irregular(node)) => (false, lower::widened(&node)),
            // Whoever compiles the rule is told what is wrong with it.
            Err(_) => return self.always.push(rule),
        };
        let mut weak = Vec::new();
        let mut keys = Vec::new();
        let whole = Needs::of(&hir, &self.frequency);
        self.needs.push((rule, whole.clone()));
        if is_strong(&whole) {
            return whole.literals.into_iter().for_each(|literal| self.literal(literal, (rule, false)));
        }
        for branch in branches(&hir) {
            let needs = Needs::of(&branch, &self.frequency);
            if let Some(class) = single(&branch) {
                self.classes.push((class, rule, exact));
            } else if is_strong(&needs) {
                needs.literals.into_iter().for_each(|literal| self.literal(literal, (rule, false)));
            } else {
                weak.push(branch);
                keys.push(needs);
            }
        }
        if weak.is_empty() {
            return;
        }
        let together = if weak.len() <= APART_MAX { Hir::alternation(weak) } else { hir };
        if self.is_light(&keys, &together) {
            self.light.push((rule, exact, together));
        } else {
            self.gated.insert(rule);
        }
        self.keys.extend(keys.into_iter().map(|needs| (rule, needs)));
    }

    /// Whether an expression is worth a part in the automaton: not if few values pass its gate, nor if almost every value
    /// matches or its states would crowd out those of others.
    fn is_light(&self, keys: &[Needs], hir: &Hir) -> bool {
        // How likely a value of some twenty bytes holds none of a class.
        let rarity = |class: &ByteClass| (1.0 - self.frequency.of_class(class).min(1.0)).powi(20);
        let rare = |needs: &Needs| needs.classes.iter().any(|class| rarity(class) > 0.5);
        let anything =
            |needs: &Needs| needs.min_len <= 2 && needs.classes.iter().all(|class| rarity(class) < 0.02);
        let short = hir.properties().maximum_len().is_some_and(|len| len <= 2);
        weight(hir) <= WEIGHT_MAX && !keys.iter().all(rare) && (short || !keys.iter().any(anything))
    }

    fn literal(&mut self, literal: Vec<u8>, owner: Owner) {
        let owners = self.literals.entry(literal).or_default();
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }

    /// The filter of all that was given.
    pub fn build(mut self) -> Prefilter {
        let set = |rules: &mut dyn Iterator<Item = u16>| {
            let mut set = RuleBits::new(self.rules);
            rules.for_each(|rule| set.insert(rule));
            set
        };
        let light = set(&mut self.light.iter().map(|(rule, _, _)| *rule));
        let automaton = (!self.light.is_empty()).then(|| Weak::new(&self.light)).and_then(Result::ok);
        if automaton.is_none() {
            // Together they are too large.
            self.gated.union(&light);
        }
        let mut unknown = RuleBits::full(self.rules);
        self.needs.iter().for_each(|(rule, _)| unknown.remove(*rule));
        self.always.iter().for_each(|rule| unknown.insert(*rule));
        Prefilter {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            literals: LiteralFilter::new(&self.literals, self.rules, &self.frequency),
            classes: self.classes,
            weak_rules: set(&mut self.keys.iter().map(|(rule, _)| *rule)),
            always: set(&mut self.always.iter().copied()),
            entrance: Gates::new(self.needs.iter().map(key), &unknown, self.rules, &self.frequency),
            gates: Gates::new(
                self.keys.iter().map(key),
                &RuleBits::new(self.rules),
                self.rules,
                &self.frequency,
            ),
            light,
            automaton,
            gated: self.gated,
        }
    }
}

fn key((rule, needs): &(u16, Needs)) -> (u16, &Needs) {
    (*rule, needs)
}

/// Whether the literals are worth looking for.
fn is_strong(needs: &Needs) -> bool {
    let shortest = needs.literals.iter().map(Vec::len).min().unwrap_or(0);
    let chance_max = if shortest < LITERAL_MIN { SHORT_CHANCE_MAX } else { CHANCE_MAX };
    shortest >= 2 && needs.chance < chance_max && needs.literals.len() <= LITERALS_MAX
}

impl PrefilterCache {
    /// Bytes that the automaton's states take by now.
    pub fn memory_usage(&self) -> usize {
        self.automaton.as_ref().map_or(0, WeakMemory::memory_usage)
    }
}

impl Prefilter {
    /// Calls `found(rule, certain)` for each rule of `alive` that may match `view`, and misses none; `certain` where it is
    /// known to match. Each is told once. `present` has a bit for each byte that `view` holds.
    pub fn scan(
        &self,
        cache: &mut PrefilterCache,
        view: &[u8],
        present: &[u64; 4],
        alive: &RuleBits,
        found: &mut impl FnMut(u16, bool),
    ) {
        if cache.of != self.id {
            *cache = PrefilterCache { of: self.id, ..PrefilterCache::default() };
        }
        let PrefilterCache { entrance, gates, alive: wanted, automaton: states, asked, .. } = cache;
        wanted.copy_from(alive);
        wanted.intersect(self.entrance.pass(entrance, view, present));
        let alive = wanted;
        if self.literals.rules().meets(alive) {
            self.literals.scan(view, alive, found);
        }
        for (class, rule, certain) in &self.classes {
            if class.meets(&ByteClass(*present)) && alive.contains(*rule) {
                alive.remove(*rule);
                found(*rule, *certain);
            }
        }
        if self.always.meets(alive) {
            self.always.iter().filter(|rule| alive.contains(*rule)).for_each(|rule| found(rule, false));
        }
        if !self.weak_rules.meets(alive) {
            return;
        }
        let pass = self.gates.pass(gates, view, present);
        if pass.meets(alive) {
            asked.copy_from(pass);
            asked.intersect(alive);
            asked.both(&self.gated).for_each(|rule| found(rule, false));
            if let Some(automaton) = &self.automaton
                && asked.meets(&self.light)
            {
                asked.intersect(&self.light);
                automaton.scan(states, view, asked, found);
            }
        }
    }

    /// Bytes that the filter takes.
    pub fn memory_usage(&self) -> usize {
        self.literals.memory_usage() + self.automaton.as_ref().map_or(0, Weak::memory_usage)
    }

    /// The rules that no literal tells, for whoever tunes a rule set.
    pub fn weak_rules(&self) -> &RuleBits {
        &self.weak_rules
    }
}
