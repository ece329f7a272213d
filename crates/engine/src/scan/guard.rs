//! Guards: rules that pass over what follows while a variable of TX stands below a level or is not set, as those between the
//! paranoia levels of the Core Rule Set do, and those before its exceptions for applications. Where one holds, what it guards need not be searched for.

use crate::operator::compare;
use secbeat_pattern::RuleBits;
use secbeat_seclang::{
    Comparison, Disruptive, Item, Operator, Phase, Rule, RuleSet, Segment, Selector, Target, Variable,
};
use std::collections::HashMap;

/// A condition under which rules are passed over: that one of some variables compares as said.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The variables.
    pub terms: Vec<Term>,
    /// How they are compared.
    pub comparison: Comparison,
    /// With what.
    pub number: i64,
    /// The rules that are passed over where it holds.
    pub guarded: RuleBits,
}

/// A variable of TX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its name, in lower case.
    pub name: String,
    /// Whether it is asked for its presence, 0 or 1; else, unset, it compares with nothing.
    pub count: bool,
}

impl Guard {
    /// Whether it holds of a value.
    pub fn holds(&self, value: i64) -> bool {
        compare(self.comparison, value, self.number)
    }
}

/// More guards than these are not heeded; what they guard is searched for in vain.
const GUARDS_MAX: usize = 64;

/// The guards of a rule set, equal conditions as one, in the order in which they first stand.
pub fn guards(set: &RuleSet, rules: usize) -> Vec<Guard> {
    let (phases, markers) = places(set);
    let mut guards: Vec<Guard> = Vec::new();
    let mut number = 0;
    for item in &set.items {
        let Item::Rule(rule) = item else { continue };
        let first = number + 1;
        number += 1;
        let Some((terms, comparison, than, marker)) = condition(rule) else { continue };
        // The nearest marker of that name behind the rule.
        let Some(end) = markers.get(marker).and_then(|all| all.iter().find(|place| **place >= first)) else {
            continue;
        };
        let known = guards
            .iter()
            .position(|guard| guard.terms == terms && guard.comparison == comparison && guard.number == than);
        let at = match known {
            Some(at) => at,
            None if guards.len() < GUARDS_MAX => {
                let guarded = RuleBits::new(rules);
                guards.push(Guard { terms, comparison, number: than, guarded });
                guards.len() - 1
            }
            None => continue,
        };
        let inside = phases.iter().enumerate().take(*end).skip(first);
        for (inner, _) in inside.filter(|(_, phase)| **phase == rule.actions.phase) {
            guards[at].guarded.insert(inner as u16);
        }
    }
    guards
}

/// The phase of each rule, and for each marker the numbers of the rules that come next after it.
fn places(set: &RuleSet) -> (Vec<Phase>, HashMap<&str, Vec<usize>>) {
    let mut phases = Vec::new();
    let mut markers: HashMap<&str, Vec<usize>> = HashMap::new();
    for item in &set.items {
        match item {
            Item::Rule(rule) => phases.push(rule.actions.phase),
            Item::Marker(name) => markers.entry(name).or_default().push(phases.len()),
        }
    }
    (phases, markers)
}

/// What a rule compares, if it does nothing but pass over others: variables, comparison, number, marker.
fn condition(rule: &Rule) -> Option<(Vec<Term>, Comparison, i64, &str)> {
    let [link] = rule.links.as_slice() else { return None };
    let test = link.test.as_ref()?;
    let terms: Vec<Term> = test.targets.iter().map(term).collect::<Option<_>>()?;
    let Operator::Compare(comparison, than) = &test.operator else { return None };
    let [Segment::Literal(number)] = than.0.as_slice() else { return None };
    let plain = !test.negated && test.transformations.is_empty();
    let passes = rule.actions.disruptive == Disruptive::Pass && rule.actions.skip == 0;
    let marker = rule.actions.skip_after.as_deref()?;
    (plain && passes).then_some(())?;
    Some((terms, *comparison, number.trim().parse().ok()?, marker))
}

fn term(target: &Target) -> Option<Term> {
    match (target.variable, &target.selector, target.excluded) {
        (Variable::Tx, Selector::Name(name), false) => {
            Some(Term { name: name.to_ascii_lowercase(), count: target.count })
        }
        _ => None,
    }
}
