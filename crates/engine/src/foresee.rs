//! Chains whose second link says at once what it would say, value by value, of what the first makes.
//!
//! Rules of the Core Rule Set that compare with a list that is set by a variable take values apart: the first link makes a
//! variable of TX of each name of a header (`tx.header_name_%{tx.0}=/%{tx.0}/`), the second looks for those variables in the
//! list. Where the list is settled before any request comes ([`crate::fold`]), and nothing else asks for such a variable, what
//! the chain says of a value hangs on that value alone, and is remembered with it. A value of which the chain does not hold is
//! no hit. Where there is none, nothing is made; all that is left of the rule is what its first link captured last.

use crate::datum::Datum;
use crate::fold::Folded;
use crate::operator::Operator;
use crate::program::Program;
use crate::rule::{Link, Rule, Test};
use crate::state::State;
use crate::step::{Change, Place, SetVar};
use crate::target::{Pattern, Selector};
use crate::text::{Operand, Part};
use crate::tools::Tools;
use secbeat_seclang::Variable;
use secbeat_transform::Transformation;

/// A rule whose chain is foreseen.
#[derive(Debug)]
pub struct Foreseen {
    /// The rule.
    pub rule: u16,
    /// What is settled, for the operator of its second link.
    state: State,
    /// Where others look for variables of TX by an expression: rule, link, target.
    readers: Vec<[usize; 3]>,
}

/// The rules whose chains are foreseen while phases run as they are folded.
pub fn foresee(program: &Program, folded: &[Folded; 5]) -> Vec<Foreseen> {
    if program.asks_for_all {
        return Vec::new();
    }
    let rules = (0..=u16::MAX).zip(&program.rules);
    rules.filter_map(|(number, rule)| Foreseen::of(program, folded, number, rule)).collect()
}

/// The variable with which the second link of a rule compares, by its word, if it has two.
pub fn compares_with(rule: &Rule) -> Option<u32> {
    let [_, last] = &*rule.links else { return None };
    match operand(&last.test.as_ref()?.operator)? {
        Some(Operand::Tx(word)) => Some(*word),
        _ => None,
    }
}

/// What an operator compares with; `Some(None)`: with nothing that may change; none: this operator is not foreseen.
fn operand(operator: &Operator) -> Option<Option<&Operand>> {
    match operator {
        Operator::Rx(_) | Operator::Pm(_) => Some(None),
        Operator::BeginsWith(what)
        | Operator::EndsWith(what)
        | Operator::StrEq(what)
        | Operator::Contains(what)
        | Operator::ContainsWord(what)
        | Operator::Within(what) => Some(Some(what)),
        _ => None,
    }
}

impl Foreseen {
    fn of(program: &Program, folded: &[Folded; 5], number: u16, rule: &Rule) -> Option<Foreseen> {
        let [head, last] = &*rule.links else { return None };
        let (first, second) = (head.test.as_ref()?, last.test.as_ref()?);
        // Names in lower case are made one of each value.
        let apart = matches!(first.operator, Operator::Whole)
            && !first.negated
            && first.transformations.last() == Some(&Transformation::Lowercase);
        let plain = second.exclusions.is_empty() && second.transformations.is_empty();
        let [made] = &*head.setvars else { return None };
        let (start, _) = name(made)?;
        if !apart || !head.capture || head.multi_match || !plain || last.multi_match || !is_made_of_it(made) {
            return None;
        }
        let [target] = &*second.targets else { return None };
        let Selector::Pattern(pattern) = &target.selector else { return None };
        let asked = pattern.start()?;
        let alone = target.variable == Variable::Tx
            && !target.count
            && start.starts_with(asked)
            && pattern.words.is_empty()
            && others(program, number).all(|other| !may_meet(other, asked));
        if !alone {
            return None;
        }
        let mut state = State::default();
        state.clear(program.words.len());
        match operand(&second.operator)? {
            Some(Operand::Tx(word)) => {
                let known = folded.iter().flat_map(|phase| &phase.compared);
                let (_, value) = known.into_iter().find(|(rule, _)| *rule == u32::from(number))?;
                state.tx.set(*word, *value);
            }
            Some(Operand::Text(_)) => return None,
            Some(Operand::Constant(_) | Operand::Number(_)) | None => {}
        }
        Some(Foreseen { rule: number, state, readers: readers(program, number) })
    }

    /// Whether the chain may hold of a value, transformed as its first link says, or anybody else may look at what is made of it.
    pub fn may_hold(&self, program: &Program, tools: &mut Tools, value: &[u8]) -> bool {
        let Some((made, test)) = parts(program, self.rule) else { return true };
        let Some((start, rest)) = name(made) else { return true };
        let mut text = start.to_vec();
        fill(rest, value, &mut text);
        text.make_ascii_lowercase();
        let mut finds = |at: &[usize; 3]| {
            pattern(program, *at).is_none_or(|pattern| pattern.finds(&mut tools.cache, &text))
        };
        if program.words.number(&text).is_some() || self.readers.iter().any(&mut finds) {
            return true;
        }
        text.clear();
        match &made.change {
            Change::Set(Operand::Constant(number)) => text.extend_from_slice(program.constant(*number)),
            Change::Set(Operand::Number(number)) => {
                self.state.append(program, Datum::Number(*number), &mut text);
            }
            Change::Set(Operand::Text(what)) => fill(&what.0, value, &mut text),
            // What was captured.
            _ => text.extend_from_slice(value),
        }
        test.operator.holds(program, &self.state, tools, &text, false) != test.negated
    }

    /// Whether a variable of TX of this name, in lower case, may not be set where the plain way sets it.
    pub fn leaves_unset(&self, program: &Program, name_of: &[u8]) -> bool {
        let made = parts(program, self.rule).and_then(|(made, _)| name(made));
        made.is_some_and(|(start, _)| name_of.starts_with(&start.to_ascii_lowercase()))
    }
}

/// What is made, and what is asked of it.
fn parts(program: &Program, rule: u16) -> Option<(&SetVar, &Test)> {
    let [head, last] = &*program.rules.get(usize::from(rule))?.links else { return None };
    Some((head.setvars.first()?, last.test.as_ref()?))
}

/// With what a made name begins, and the rest of it.
fn name(made: &SetVar) -> Option<(&[u8], &[Part])> {
    let Place::TxMade(name) = &made.place else { return None };
    match &*name.0 {
        [Part::Literal(start), rest @ ..] => Some((start, rest)),
        _ => None,
    }
}

/// Whether a name is made of what was captured, so that different values make different ones, and so is what is set.
fn is_made_of_it(made: &SetVar) -> bool {
    let captured = |part: &Part| matches!(part, Part::Tx(0));
    let plain = |part: &Part| captured(part) || matches!(part, Part::Literal(_));
    let named = name(made).is_some_and(|(_, rest)| {
        rest.iter().all(plain) && rest.iter().filter(|part| captured(part)).count() == 1
    });
    named
        && match &made.change {
            Change::Set(Operand::Text(what)) => what.0.iter().all(plain),
            Change::Set(Operand::Number(_) | Operand::Constant(_) | Operand::Tx(0)) => true,
            _ => false,
        }
}

/// Appends a text in which nothing but literals and what was captured stands.
fn fill(parts: &[Part], captured: &[u8], out: &mut Vec<u8>) {
    for part in parts {
        match part {
            Part::Literal(bytes) => out.extend_from_slice(bytes),
            Part::Tx(_) | Part::First(..) => out.extend_from_slice(captured),
        }
    }
}

/// With what the names begin that other rules make; with nothing where that is not known.
fn others(program: &Program, rule: u16) -> impl Iterator<Item = &[u8]> {
    let links = program.rules.iter().zip(0..).filter(move |(_, number)| *number != rule);
    let setvars = links.flat_map(|(rule, _)| &rule.links).flat_map(|link: &Link| &link.setvars);
    setvars.filter_map(|setvar| match &setvar.place {
        Place::TxMade(_) => Some(name(setvar).map_or(&b""[..], |(start, _)| start)),
        _ => None,
    })
}

/// Whether a name that begins with `start` may begin with `asked`, letters in either case.
fn may_meet(start: &[u8], asked: &[u8]) -> bool {
    start.iter().zip(asked).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// Where others than the second link of a rule look for variables of TX by an expression.
fn readers(program: &Program, own: u16) -> Vec<[usize; 3]> {
    let mut readers = Vec::new();
    for (rule, of_rule) in program.rules.iter().enumerate() {
        for (link, of_link) in of_rule.links.iter().enumerate() {
            let targets = of_link.test.iter().flat_map(|test| test.targets.iter().enumerate());
            for (target, of_target) in targets {
                let reads =
                    of_target.variable == Variable::Tx && matches!(of_target.selector, Selector::Pattern(_));
                if reads && (rule, link) != (usize::from(own), 1) {
                    readers.push([rule, link, target]);
                }
            }
        }
    }
    readers
}

fn pattern(program: &Program, [rule, link, target]: [usize; 3]) -> Option<&Pattern> {
    match &program.rules.get(rule)?.links.get(link)?.test.as_ref()?.targets.get(target)?.selector {
        Selector::Pattern(pattern) => Some(pattern),
        _ => None,
    }
}
