//! The fast way through a phase: only rules that may match, and of those only at the values at which they may.
//!
//! It says what the plain way ([`crate::phase`]) says, in the same order: rules in file order, each at its targets in order, at
//! their values in order, with the same operator over the same bytes. What is left out could not match.

use crate::datum::{Datum, Found, Name};
use crate::evaluate::{Evaluator, Next};
use crate::facts::Admission;
use crate::fold::{Folded, Run, fold};
use crate::foresee::{Foreseen, foresee};
use crate::memory::{Caches, Memory};
use crate::operator::Operator;
use crate::program::Program;
use crate::rule::{Link, Test};
use crate::scan::guard::Term;
use crate::scan::visits::Visits;
use crate::scan::{self, Group, Scan, Searched, View, sources};
use crate::state::State;
use crate::target::Target;
use crate::tools::Tools;
use crate::transaction::Transaction;
use secbeat_pattern::{MatchCache, Outcome};
use secbeat_seclang::{Phase, RuleSet};

/// What the fast way needs of a program.
#[derive(Debug, Default)]
pub struct Fast {
    /// What is searched for.
    pub scan: Scan,
    /// What the rules of each phase come to before any request does.
    pub folded: [Folded; 5],
    /// Rules whose chains are foreseen where what is folded holds.
    pub foreseen: Vec<Foreseen>,
    /// For each guard of the scan its variables of TX, by their words, and whether each is counted.
    guards: Vec<Vec<(Option<u32>, bool)>>,
}

impl Fast {
    /// Makes a rule set ready that was compiled to a program.
    pub fn new(set: &RuleSet, program: &Program) -> Self {
        let (state, mut tools) = (State::default(), Tools::default());
        let scan = scan::build(set, &mut |rule, value| {
            let head =
                program.rules.get(usize::from(rule)).and_then(|rule| rule.links.first()?.test.as_ref());
            let holds =
                |test: &Test| test.operator.holds(program, &state, &mut tools, value, false) != test.negated;
            head.is_none_or(holds)
        });
        let word = |term: &Term| (program.words.number(term.name.as_bytes()), term.count);
        let guards = scan.guards().iter().map(|guard| guard.terms.iter().map(word).collect()).collect();
        let folded = fold(program);
        Fast { scan, foreseen: foresee(program, &folded), folded, guards }
    }
}

/// How phases were run so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// None was.
    Begun,
    /// The first, and then others in order, each to its end; the last was this one.
    Straight(Phase),
    /// Otherwise.
    Astray,
}

impl Course {
    /// Whether what is folded of a phase holds, if it is the next.
    fn is_straight_to(self, phase: Phase) -> bool {
        match self {
            Course::Begun => phase == Phase::RequestHeaders,
            Course::Straight(before) => before < phase,
            Course::Astray => false,
        }
    }
}

impl Transaction<'_> {
    /// Begins a transaction.
    pub(crate) fn begin_fast(&mut self) {
        self.program.fast.scan.begin(&mut self.memory.searched);
    }

    /// Runs the rules of a phase that may match, in file order.
    pub(crate) fn walk_fast(&mut self, phase: Phase, admission: Option<&dyn Admission>) {
        let Memory { caches, searched, .. } = &mut self.memory;
        // What was found is the transaction's, and among the caches only while a phase runs.
        self.program.fast.scan.take_up(&mut caches.scan, searched);
        self.visit(phase, admission);
        let Memory { caches, searched, .. } = &mut self.memory;
        std::mem::swap(&mut caches.scan.searched, searched);
    }

    fn visit(&mut self, phase: Phase, admission: Option<&dyn Admission>) {
        let Fast { scan, folded, foreseen, .. } = &self.program.fast;
        let start = u32::from(scan.start());
        let settled = self.course.is_straight_to(phase).then(|| folded.get(phase as usize - 1)).flatten();
        let Some(live) = settled.map(|folded| &folded.live).or(scan.phase(phase)) else { return };
        let mut runs = settled.map_or(&[][..], |folded| &folded.runs).iter().peekable();
        self.course = Course::Astray;
        let Searched { candidates, uncovered, .. } = &mut self.memory.caches.scan.searched;
        let visited = if settled.is_some() { candidates } else { uncovered };
        foreseen.iter().for_each(|foreseen| visited.insert(foreseen.rule));
        let mut searched = false;
        let mut from = 0;
        let mut visits = Visits::default();
        let mut evaluator = Evaluator { t: self, admission };
        loop {
            let mut next = visits.next(scan, &evaluator.t.memory.caches.scan, live, from);
            if !searched && next.is_none_or(|number| number >= start) {
                evaluator.t.search(Group::of(phase));
                searched = true;
                // What the search cost is told before anything that it found.
                if evaluator.t.goes_on(phase).is_none() {
                    return;
                }
                visits = Visits::default();
                next = visits.next(scan, &evaluator.t.memory.caches.scan, live, from.max(start));
            }
            let Some(number) = next else { break };
            from = number + 1;
            while runs.next_if(|run| run.lead < number).is_some() {}
            if let Some(run) = runs.next_if(|run| run.lead == number) {
                evaluator.t.run_settled(run);
                from = from.max(run.go_on);
                continue;
            }
            if evaluator.t.memory.removed.contains(number as u16) {
                continue;
            }
            let next = match scan.is_searched(&evaluator.t.memory.caches.scan, number as u16) {
                true => evaluator.rule_fast(number),
                false => evaluator.rule(number),
            };
            match next {
                Next::Rule => {}
                Next::GoOn(number) => from = from.max(number),
                Next::Phase => return,
            }
            if evaluator.t.goes_on(phase).is_none() {
                return;
            }
        }
        if settled.is_some() {
            self.course = Course::Straight(phase);
        }
    }

    /// Does what settled rules come to.
    fn run_settled(&mut self, run: &Run) {
        run.sets.iter().for_each(|(word, value)| self.memory.state.tx.set(*word, *value));
        self.memory.trail.extend_from_slice(&run.trail);
    }

    /// Scans the values that came since the last scan.
    fn search(&mut self, group: Group) {
        let Fast { scan, guards, foreseen, .. } = &self.program.fast;
        let Memory { state, caches, .. } = &mut self.memory;
        let Caches { tools, scan: cache } = &mut **caches;
        let mut held = 0;
        for ((guard, terms), bit) in scan.guards().iter().zip(guards).zip(0..) {
            let holds = |(word, count): &(Option<u32>, bool)| {
                let value = word.and_then(|word| state.tx.get(word));
                match count {
                    true => guard.holds(value.is_some().into()),
                    false => value.is_some_and(|value| guard.holds(state.number(self.program, value))),
                }
            };
            held |= u64::from(terms.iter().any(holds)) << bit;
        }
        let mut may_hold = |rule: u16, view: &[u8]| {
            let head =
                self.program.rules.get(usize::from(rule)).and_then(|rule| rule.links.first()?.test.as_ref());
            head.is_none_or(|test| may_hold(test, &mut tools.cache, view))
                && foreseen
                    .iter()
                    .filter(|foreseen| foreseen.rule == rule)
                    .all(|foreseen| foreseen.may_hold(self.program, tools, view))
        };
        self.spent += scan.search(cache, &mut state.values, group, held, &mut may_hold);
    }
}

impl Evaluator<'_, '_> {
    /// Runs a rule whose first link was searched for.
    fn rule_fast(&mut self, number: u32) -> Next {
        let Some(rule) = self.t.program.rules.get(number as usize) else { return Next::Rule };
        let Some((link, test)) = rule.links.first().and_then(|link| Some((link, link.test.as_ref()?))) else {
            return self.rule(number);
        };
        if self.t.program.fast.foreseen.iter().any(|foreseen| u32::from(foreseen.rule) == number) {
            return self.foreseen(number, test);
        }
        self.begin(number);
        let mut found = std::mem::take(&mut self.t.memory.caches.tools.found);
        let mut views = std::mem::take(&mut self.t.memory.caches.scan.visited);
        found.clear();
        views.clear();
        self.t.load(test.collections);
        for target in 0..test.targets.len() {
            self.hits(number, test, target, &mut found, &mut views);
        }
        let mut holds = false;
        for (found, view) in found.iter().zip(&views) {
            holds |= self.see(number, link, test, *found, *view);
            if self.t.spent > self.t.facts.budget {
                break;
            }
        }
        self.t.memory.caches.tools.found = found;
        self.t.memory.caches.scan.visited = views;
        if holds { self.after_head(number) } else { Next::Rule }
    }

    /// Runs a rule whose chain was foreseen: of all values, if it may hold of one.
    fn foreseen(&mut self, number: u32, test: &Test) -> Next {
        let scan = &self.t.program.fast.scan;
        let covered = |target: &Target| {
            let present = self.t.memory.state.values.list(target.variable).count > 0;
            !target.count && scan.covers(number as u16, target.variable, present)
        };
        let hits = &self.t.memory.caches.scan.searched.hits;
        if !hits.of(number as u16).is_empty() || !test.targets.iter().all(covered) {
            return self.rule(number);
        }
        self.begin(number);
        let mut found = std::mem::take(&mut self.t.memory.caches.tools.found);
        found.clear();
        self.targets(number, test, true, &mut found);
        if let Some(last) = found.iter().rev().find(|found| self.is_admitted(number, found)) {
            self.leave(test, *last);
        }
        self.t.memory.caches.tools.found = found;
        Next::Rule
    }

    /// The hits of a target; where it was not searched, all its values.
    fn hits(&mut self, number: u32, test: &Test, at: usize, found: &mut Vec<Found>, views: &mut Vec<View>) {
        let Some(target) = test.targets.get(at) else { return };
        let scan = &self.t.program.fast.scan;
        let sources = sources::sources(target.variable).unwrap_or_default();
        let present = self.t.memory.state.values.list(target.variable).count > 0;
        if target.count || !scan.covers(number as u16, target.variable, present) {
            self.target(number, test, true, target, found);
            return views.resize(found.len(), View::Plain);
        }
        let collection = target.variable.is_collection();
        // Unless `ctl` told the rule to look away, what it finds is what its targets stand for.
        let exact = scan.is_exact(number as u16) && !self.t.memory.targeted.contains(number as u16);
        for source in sources {
            let first = self.t.memory.state.values.list(source.variable).first;
            for hit in self.t.memory.caches.scan.searched.hits.of(number as u16) {
                let Memory { state, caches, .. } = &self.t.memory;
                let Some(hit) = caches.scan.searched.hits.get(hit) else { break };
                let Some(value) = state.values.get(hit.value).copied() else { continue };
                // A value that was replaced since it was scanned is before the first of its list.
                if value.variable != source.variable || hit.name != source.names || hit.value < first {
                    continue;
                }
                let one = Found {
                    variable: target.variable,
                    name: if collection { Name::Bytes(value.name) } else { Name::None },
                    value: Datum::Bytes(if hit.name { value.name } else { value.bytes }),
                    counted: false,
                };
                if exact || self.is_wanted(number, test, target, &one) {
                    found.push(one);
                    views.push(hit.view);
                }
            }
        }
    }

    /// Looks at one value, in the view that the scan made of it.
    fn see(&mut self, number: u32, link: &Link, test: &Test, found: Found, view: View) -> bool {
        match view {
            View::Ready(view) => self.view(number, link, test, found, view),
            View::Lower(view) => {
                let view = self.t.memory.state.values.keep_lower(view);
                self.view(number, link, test, found, view)
            }
            View::Plain => self.value(number, link, test, found),
        }
    }
}

/// Whether a link may hold of a view: asked while the scan has it at hand, so that what comes again is not asked again.
fn may_hold(test: &Test, cache: &mut MatchCache, view: &[u8]) -> bool {
    let holds = match &test.operator {
        Operator::Rx(matcher) => match matcher.is_match(cache, view) {
            Outcome::Yes => true,
            Outcome::No => false,
            // A search that takes too many steps is the visit's to tell of.
            Outcome::OverBudget => return true,
        },
        Operator::Pm(phrases) => phrases.find(view).is_some(),
        Operator::ValidateByteRange(may_be) => {
            let is_in = |byte: &u8| {
                may_be.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
            };
            !view.iter().all(is_in)
        }
        Operator::DetectSqli => secbeat_injection::is_sqli(view).is_some(),
        Operator::DetectXss => secbeat_injection::is_xss(view),
        _ => return true,
    };
    holds != test.negated
}
