//! One rule run over one transaction: its chain link by link, each link target by target, value by value.

use crate::datum::{Datum, Found, Name};
use crate::facts::Admission;
use crate::memory::Memory;
use crate::program::Program;
use crate::render;
use crate::resolve;
use crate::rule::{Link, Quick, Test};
use crate::state::State;
use crate::target::Target;
use crate::tools::{Captured, Tools};
use crate::transaction::Transaction;
use crate::tx::CAPTURES;
use crate::values::Span;
use secbeat_pattern::MatchCache;
use secbeat_seclang::Variable;

/// Runs rules over a transaction, for one phase.
pub struct Evaluator<'e, 'p> {
    /// What they run over.
    pub t: &'e mut Transaction<'p>,
    /// Who may say no to a match.
    pub admission: Option<&'e dyn Admission>,
}

/// What comes after a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next one.
    Rule,
    /// The rule with this number, or the first after it.
    GoOn(u32),
    /// The next phase.
    Phase,
}

/// What any look at a value costs beside its bytes.
const LOOK: u64 = 16;

impl Evaluator<'_, '_> {
    /// Runs a rule in the plain way: each link looks at all that its targets stand for.
    pub fn rule(&mut self, number: u32) -> Next {
        let Some(rule) = self.t.program.rules.get(number as usize) else { return Next::Rule };
        self.begin(number);
        for (at, link) in rule.links.iter().enumerate() {
            if !self.link(number, link, at == 0) {
                return Next::Rule;
            }
        }
        self.whole(number, rule)
    }

    /// Runs the links behind the head, which holds, and what comes of it.
    pub fn after_head(&mut self, number: u32) -> Next {
        let Some(rule) = self.t.program.rules.get(number as usize) else { return Next::Rule };
        for link in rule.links.iter().skip(1) {
            if !self.link(number, link, false) {
                return Next::Rule;
            }
        }
        self.whole(number, rule)
    }

    /// Begins a rule: what matched before is another's.
    pub fn begin(&mut self, number: u32) {
        self.t.origin = None;
        let state = &mut self.t.memory.state;
        state.rule = number;
        state.matched.clear();
    }

    /// Whether a link holds.
    fn link(&mut self, number: u32, link: &Link, head: bool) -> bool {
        let Some(test) = &link.test else {
            self.setvars(number, link);
            return true;
        };
        if let Some(quick) = &test.quick
            // What one value changes must not change the next.
            && (quick.len() == 1 || link.setvars.is_empty())
            && !(head && self.t.memory.targeted.contains(number as u16))
        {
            // Most rules that steer others end here.
            let mut holds = false;
            for quick in quick {
                if let Some(found) = quick.finds(self.t) {
                    self.t.spent += LOOK;
                    self.t.memory.caches.tools.captured = Captured::Nothing;
                    holds |= self.hit(number, link, found, found.value);
                }
            }
            return holds;
        }
        let mut found = std::mem::take(&mut self.t.memory.caches.tools.found);
        found.clear();
        self.targets(number, test, head, &mut found);
        let mut holds = false;
        for found in &found {
            holds |= self.value(number, link, test, *found);
            if self.t.spent > self.t.facts.budget {
                break;
            }
        }
        self.t.memory.caches.tools.found = found;
        holds
    }

    /// What the targets of a link stand for, in order.
    pub fn targets(&mut self, number: u32, test: &Test, head: bool, out: &mut Vec<Found>) {
        self.t.load(test.collections);
        for target in &test.targets {
            self.target(number, test, head, target, out);
        }
    }

    /// What one target of a link stands for, in order.
    pub fn target(&mut self, number: u32, test: &Test, head: bool, target: &Target, out: &mut Vec<Found>) {
        let Memory { state, caches, targeted, exclusions, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        let told = if head && targeted.contains(number as u16) { exclusions.as_slice() } else { &[] };
        let mut left_out = |state: &State, found: &Found, cache: &mut MatchCache| {
            is_left_out(self.t.program, state, cache, number, test, told, found)
        };
        resolve::resolve(self.t.program, state, &mut tools.cache, target, &mut left_out, out);
    }

    /// Whether a target of a rule's first link stands for a value.
    pub fn is_wanted(&mut self, number: u32, test: &Test, target: &Target, found: &Found) -> bool {
        let program = self.t.program;
        let Memory { state, caches, targeted, exclusions, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        let told = if targeted.contains(number as u16) { exclusions.as_slice() } else { &[] };
        let cache = &mut tools.cache;
        resolve::is_named(program, state, cache, target, found)
            && !is_left_out(program, state, cache, number, test, told, found)
    }

    /// Looks at one value: transformed as the link says, by its operator; carries out what a match does at once. Whether any
    /// form of the value matched.
    pub fn value(&mut self, number: u32, link: &Link, test: &Test, found: Found) -> bool {
        if let Datum::Number(value) = found.value {
            self.t.spent += LOOK;
            if !test.touches_numbers {
                let Memory { state, caches, .. } = &mut self.t.memory;
                let tools = &mut caches.tools;
                if let Some(holds) = test.operator.holds_of_number(self.t.program, state, tools, value) {
                    return holds != test.negated && self.hit(number, link, found, found.value);
                }
            }
        }
        let Memory { state, caches, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        let [mut view, mut spare] = std::mem::take(&mut tools.views);
        view.clear();
        state.append(self.t.program, found.value, &mut view);
        let mut changed = false;
        let mut holds = link.multi_match && self.look(number, link, test, found, Some(found.value), &view);
        for transformation in &test.transformations {
            self.t.spent += view.len() as u64;
            spare.clear();
            if transformation.apply(&view, &mut spare) {
                std::mem::swap(&mut view, &mut spare);
                changed = true;
                if link.multi_match {
                    holds |= self.look(number, link, test, found, None, &view);
                }
            }
        }
        if !link.multi_match {
            let kept = (!changed).then_some(found.value);
            holds = self.look(number, link, test, found, kept, &view);
        }
        self.t.memory.caches.tools.views = [view, spare];
        holds
    }

    /// Holds the operator against a view, which lies where `kept` says, or in no arena yet.
    fn look(
        &mut self,
        number: u32,
        link: &Link,
        test: &Test,
        found: Found,
        kept: Option<Datum>,
        view: &[u8],
    ) -> bool {
        self.t.spent += LOOK + view.len() as u64 * test.operator.weight();
        let Memory { state, caches, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        let capture = link.capture && !test.negated;
        if test.operator.holds(self.t.program, state, tools, view, capture) == test.negated {
            return false;
        }
        let view = kept.unwrap_or_else(|| Datum::Bytes(state.values.keep(view)));
        self.hit(number, link, found, view)
    }

    /// Holds the operator against a view that lies in the arena, and carries out what a match does at once.
    pub fn view(&mut self, number: u32, link: &Link, test: &Test, found: Found, view: Span) -> bool {
        self.t.spent += LOOK + view.len() as u64 * test.operator.weight();
        let Memory { state, caches, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        let capture = link.capture && !test.negated;
        let bytes = state.values.bytes(view);
        test.operator.holds(self.t.program, state, tools, bytes, capture) != test.negated
            && self.hit(number, link, found, Datum::Bytes(view))
    }

    /// A value matched, in this view: remembers it and carries out `setvar`, unless an exception says no.
    pub fn hit(&mut self, number: u32, link: &Link, found: Found, view: Datum) -> bool {
        if !self.is_admitted(number, &found) {
            return false;
        }
        let Memory { state, caches, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        state.matched.push(Found { value: view, ..found });
        self.t.origin = Some(found);
        if link.capture {
            capture(state, tools, view);
        }
        self.setvars(number, link);
        true
    }

    /// Whether no exception says no to a match. None is asked of rules that only steer others: were a guard of a paranoia level
    /// taken out, what it guards would be run.
    pub fn is_admitted(&self, number: u32, found: &Found) -> bool {
        let program = self.t.program;
        self.admission.is_none_or(|admission| {
            program.rules.get(number as usize).is_some_and(|rule| rule.steers)
                || admission.admit(number, found.variable, self.t.memory.state.name(program, found.name))
        })
    }

    /// Leaves behind what a link that captures the whole of a value captures of this one.
    pub fn leave(&mut self, test: &Test, found: Found) {
        let Memory { state, caches, .. } = &mut self.t.memory;
        let tools = &mut caches.tools;
        let [mut view, mut spare] = std::mem::take(&mut tools.views);
        view.clear();
        state.append(self.t.program, found.value, &mut view);
        for transformation in &test.transformations {
            spare.clear();
            if transformation.apply(&view, &mut spare) {
                std::mem::swap(&mut view, &mut spare);
            }
        }
        self.t.spent += LOOK + view.len() as u64;
        tools.captured = Captured::Part(0, view.len());
        let whole = Datum::Bytes(state.values.keep(&view));
        capture(state, tools, whole);
        tools.views = [view, spare];
    }

    fn setvars(&mut self, number: u32, link: &Link) {
        if let Some(rule) = self.t.program.rules.get(number as usize) {
            self.t.load(rule.collections);
        }
        for setvar in &link.setvars {
            self.t.set_variable(setvar);
        }
    }
}

/// Whether a value is left out: by the rule itself, or since `ctl` told the rule to (`told`, by number in the program).
fn is_left_out(
    program: &Program,
    state: &State,
    cache: &mut MatchCache,
    number: u32,
    test: &Test,
    told: &[u32],
    found: &Found,
) -> bool {
    let mut named = |target| resolve::is_named(program, state, cache, target, found);
    test.exclusions.iter().any(&mut named)
        || told
            .iter()
            .filter_map(|exclusion| program.exclusions.get(*exclusion as usize))
            .any(|exclusion| exclusion.rules.contains(number as u16) && named(&exclusion.target))
}

impl Quick {
    /// What is compared, if the comparison holds.
    #[inline]
    fn finds(&self, t: &mut Transaction<'_>) -> Option<Found> {
        let Memory { state, caches, .. } = &mut t.memory;
        let tools = &mut caches.tools;
        let datum = state.tx.get(self.word);
        let value = if self.count { Datum::Number(datum.is_some().into()) } else { datum? };
        let than = render::operand_number(t.program, state, &self.than, &mut tools.operand);
        let name = Name::Word(self.word);
        self.holds(state.number(t.program, value), than).then_some(Found {
            variable: Variable::Tx,
            name,
            value,
            counted: self.count,
        })
    }
}

/// `TX.0` to `TX.9` become what was captured; groups that took no part are unset. Where an operator captures nothing, they stay.
fn capture(state: &mut State, tools: &mut Tools, view: Datum) {
    let part = |from: usize, to: usize| match view {
        Datum::Bytes(span) => {
            let start = span.start.saturating_add(from as u32).min(span.end);
            Some(Datum::Bytes(Span {
                start,
                end: span.start.saturating_add(to as u32).clamp(start, span.end),
            }))
        }
        Datum::Number(_) | Datum::Constant(_) => Some(view),
    };
    let mut groups = [None; CAPTURES as usize];
    match std::mem::take(&mut tools.captured) {
        Captured::Nothing => return,
        Captured::Groups => {
            for (group, at) in groups.iter_mut().zip(0..) {
                *group = tools.groups.get(at).and_then(|range| part(range.start, range.end));
            }
        }
        Captured::Part(from, to) => groups[0] = part(from, to),
        Captured::Text(text) => groups[0] = Some(Datum::Bytes(state.values.keep(&text))),
    }
    for (group, word) in groups.into_iter().zip(0..) {
        state.tx.set(word, group);
    }
}
