//! What rules come to before any request does: those that compare only variables of TX whose values are settled already, such
//! as the paranoia level that the setup of the Core Rule Set gives, are run once, when the program is compiled.
//!
//! The rules of a phase are walked in file order with what is known of each variable of TX on every way there (constant
//! propagation over the jumps, as compilers do it: Kildall, "A Unified Approach to Global Program Optimization", 1973). A rule
//! whose outcome is known is folded: what it sets, and that it matched, is noted; what it passes over is never visited.

use crate::datum::{self, Datum};
use crate::foresee::compares_with;
use crate::program::Program;
use crate::rule::{Link, Quick, Rule};
use crate::step::{Change, Place, Step};
use crate::text::{Operand, Part};
use crate::tx::CAPTURES;
use secbeat_pattern::RuleBits;
use secbeat_seclang::Phase;
use std::collections::BTreeMap;

/// A phase with its settled rules folded.
#[derive(Debug, Default)]
pub struct Folded {
    /// The rules that are left to visit, and the first of each run.
    pub live: RuleBits,
    /// The runs, by their first rules.
    pub runs: Vec<Run>,
    /// The settled values of variables that second links compare with ([`compares_with`]), by rule.
    pub compared: Vec<(u32, Option<Datum>)>,
}

/// Settled rules that come one after another, on every way or on none.
#[derive(Debug, Default)]
pub struct Run {
    /// The first of them.
    pub lead: u32,
    /// What they set of TX, by word.
    pub sets: Vec<(u32, Option<Datum>)>,
    /// Those that match.
    pub trail: Vec<u32>,
    /// The rule to go on with, by number, if the next is not.
    pub go_on: u32,
}

const PHASES: [Phase; 5] =
    [Phase::RequestHeaders, Phase::RequestBody, Phase::ResponseHeaders, Phase::ResponseBody, Phase::Logging];

/// What is known of a variable of TX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Known(Option<Datum>),
    Any,
}

/// What is known of all of them, by word.
type Values = Vec<Value>;

/// What is known where a rule is jumped to.
struct Jump {
    values: Values,
    /// The run that the only rule which jumps there belongs to.
    run: Option<usize>,
}

/// Folds the phases of a program. What is folded of a phase holds where each phase before it that ran, the first among them,
/// ran to its end.
pub fn fold(program: &Program) -> [Folded; 5] {
    let mut removable = RuleBits::new(program.rules.len());
    // What a live rule may take out of the program (`ctl`) cannot be settled; what is not settled may live.
    loop {
        let mut removed = removable.clone();
        let phases = Folding { program, removable: &removable, removed: &mut removed }.phases();
        if removed == removable {
            return phases;
        }
        removable = removed;
    }
}

struct Folding<'p> {
    program: &'p Program,
    /// Rules that a `ctl` may take out or change.
    removable: &'p RuleBits,
    /// Those and what was found that live rules take out.
    removed: &'p mut RuleBits,
}

/// What a settled rule comes to.
struct Outcome {
    holds: bool,
    sets: Vec<(u32, Option<Datum>)>,
}

impl Folding<'_> {
    fn phases(mut self) -> [Folded; 5] {
        let mut known = vec![Value::Known(None); self.program.words.len()];
        let mut before = None;
        PHASES.map(|phase| {
            let (folded, end) = self.phase(phase, known.clone());
            // Phases may be left out, but for the first.
            known = joined(before.take(), end);
            before = Some(known.clone());
            folded
        })
    }

    /// Folds a phase that begins with these values; with those at its end.
    fn phase(&mut self, phase: Phase, begin: Values) -> (Folded, Values) {
        let mut folded = Folded { live: RuleBits::new(self.program.rules.len()), ..Folded::default() };
        // Where rules jump to, by number.
        let mut jumps: BTreeMap<u32, Jump> = BTreeMap::new();
        let mut here = Some(begin);
        // The run that the next settled rule belongs to.
        let mut run: Option<usize> = None;
        for &number in self.program.phase(phase) {
            while let Some(jump) = jumps.first_entry().filter(|jump| *jump.key() <= number) {
                let jump = jump.remove();
                run = jump.run.filter(|run| here.is_none() && run + 1 == folded.runs.len());
                here = Some(joined(here, jump.values));
            }
            let Some(values) = &mut here else { continue };
            let Some(rule) = self.program.rules.get(number as usize) else { continue };
            let jump = match self.outcome(number, rule, values) {
                Some(outcome) => {
                    outcome.sets.iter().for_each(|(word, value)| put(values, *word, Value::Known(*value)));
                    if outcome.holds || !outcome.sets.is_empty() {
                        let run = *run.get_or_insert_with(|| {
                            folded.live.insert(number as u16);
                            folded.runs.push(Run { lead: number, ..Run::default() });
                            folded.runs.len() - 1
                        });
                        folded.runs.get_mut(run).into_iter().for_each(|run| run.add(number, rule, &outcome));
                    }
                    let to = rule.go_on.filter(|_| outcome.holds);
                    to.and_then(|to| Some((to, Jump { values: here.take()?, run })))
                }
                None => {
                    folded.live.insert(number as u16);
                    run = None;
                    let known = Known { values, sets: &[] };
                    let compared = compares_with(rule).and_then(|word| Some((number, known.get(word)?)));
                    folded.compared.extend(compared);
                    self.unsettle(rule, values);
                    rule.go_on.map(|to| (to, Jump { values: values.clone(), run }))
                }
            };
            if let Some((to, jump)) = jump {
                let jump = match jumps.remove(&to) {
                    Some(known) => Jump { values: joined(Some(known.values), jump.values), run: None },
                    None => jump,
                };
                jumps.insert(to, jump);
            }
        }
        let end = jumps.into_values().fold(here, |end, jump| Some(joined(end, jump.values)));
        (folded, end.unwrap_or_default())
    }

    /// What a rule comes to, if that is settled.
    fn outcome(&self, number: u32, rule: &Rule, values: &Values) -> Option<Outcome> {
        let silent = rule.steers && rule.severity.is_none() && rule.collections == 0;
        if !silent || self.removable.contains(number as u16) {
            return None;
        }
        let mut outcome = Outcome { holds: true, sets: Vec::new() };
        for link in &rule.links {
            if !link.steps.is_empty() {
                return None;
            }
            outcome.holds = self.holds(link, &Known { values, sets: &outcome.sets })?;
            if !outcome.holds {
                break;
            }
            for setvar in &link.setvars {
                let Place::Tx(word) = setvar.place else { return None };
                let value = self.changed(&setvar.change, word, &Known { values, sets: &outcome.sets })?;
                outcome.sets.push((word, value));
            }
        }
        Some(outcome)
    }

    fn holds(&self, link: &Link, known: &Known<'_>) -> Option<bool> {
        if link.test.is_none() {
            return Some(true);
        }
        let quick = link.test.as_ref()?.quick.as_deref()?;
        if quick.len() > 1 && !link.setvars.is_empty() {
            return None;
        }
        let one = |quick: &Quick| {
            let value = match known.get(quick.word)? {
                value if quick.count => i64::from(value.is_some()),
                Some(value) => self.number_of(value)?,
                None => return Some(false),
            };
            Some(quick.holds(value, self.number(&quick.than, known)?))
        };
        quick.iter().try_fold(false, |any, quick| Some(one(quick)? || any))
    }

    /// What a variable becomes.
    fn changed(&self, change: &Change, word: u32, known: &Known<'_>) -> Option<Option<Datum>> {
        let (by, sign) = match change {
            Change::Unset => return Some(None),
            Change::Set(Operand::Number(number)) => return Some(Some(Datum::Number(*number))),
            Change::Set(Operand::Constant(number)) => return Some(Some(Datum::Constant(*number))),
            // One that is unset is set to nothing, which lies in an arena.
            Change::Set(Operand::Tx(word)) => return known.get(*word)?.map(Some),
            Change::Set(Operand::Text(_)) => return None,
            Change::Add(by) => (by, 1),
            Change::Subtract(by) => (by, -1),
        };
        let before = known.get(word)?.map_or(Some(0), |before| self.number_of(before))?;
        let by: i64 = self.number(by, known)?;
        Some(Some(Datum::Number(before.saturating_add(by.saturating_mul(sign)))))
    }

    fn number(&self, operand: &Operand, known: &Known<'_>) -> Option<i64> {
        match operand {
            Operand::Number(number) => Some(*number),
            Operand::Constant(number) => self.number_of(Datum::Constant(*number)),
            Operand::Tx(word) => known.get(*word)?.map_or(Some(0), |value| self.number_of(value)),
            Operand::Text(_) => None,
        }
    }

    fn number_of(&self, value: Datum) -> Option<i64> {
        match value {
            Datum::Number(number) => Some(number),
            Datum::Constant(number) => Some(datum::number(self.program.constant(number))),
            Datum::Bytes(_) => None,
        }
    }

    /// Forgets what a rule that is not settled may change.
    fn unsettle(&mut self, rule: &Rule, known: &mut Values) {
        for link in &rule.links {
            if link.capture {
                (0..CAPTURES).for_each(|word| put(known, word, Value::Any));
            }
            for setvar in &link.setvars {
                match &setvar.place {
                    Place::Tx(word) => put(known, *word, Value::Any),
                    Place::TxMade(name) => {
                        let begin = match name.0.first() {
                            Some(Part::Literal(begin)) => begin.to_ascii_lowercase(),
                            _ => Vec::new(),
                        };
                        for (word, value) in (0..).zip(&mut *known) {
                            if self.program.words.shown(word).to_ascii_lowercase().starts_with(&begin) {
                                *value = Value::Any;
                            }
                        }
                    }
                    Place::Kept(..) => {}
                }
            }
            for step in &link.steps {
                match step {
                    Step::Remove(rules) => self.removed.union(rules),
                    Step::RemoveTarget(exclusion) => {
                        let exclusion = self.program.exclusions.get(*exclusion as usize);
                        exclusion.into_iter().for_each(|exclusion| self.removed.union(&exclusion.rules));
                    }
                    _ => {}
                }
            }
        }
    }
}

impl Run {
    fn add(&mut self, number: u32, rule: &Rule, outcome: &Outcome) {
        for (word, value) in &outcome.sets {
            self.sets.retain(|(before, _)| before != word);
            self.sets.push((*word, *value));
        }
        if outcome.holds {
            self.trail.push(number);
            self.go_on = rule.go_on.unwrap_or(self.go_on);
        }
    }
}

/// What is known within a rule.
struct Known<'k> {
    values: &'k Values,
    /// What it has set so far.
    sets: &'k [(u32, Option<Datum>)],
}

impl Known<'_> {
    /// The value of a variable, if it is known; `None` in it: it is unset.
    fn get(&self, word: u32) -> Option<Option<Datum>> {
        if let Some((_, value)) = self.sets.iter().rfind(|(set, _)| *set == word) {
            return Some(*value);
        }
        match self.values.get(word as usize)? {
            Value::Known(value) => Some(*value),
            Value::Any => None,
        }
    }
}

fn put(known: &mut Values, word: u32, value: Value) {
    known.get_mut(word as usize).into_iter().for_each(|known| *known = value);
}

/// What is known on both ways, if there is another.
fn joined(one: Option<Values>, mut other: Values) -> Values {
    for (other, one) in other.iter_mut().zip(one.unwrap_or_default()) {
        if *other != one {
            *other = Value::Any;
        }
    }
    other
}
