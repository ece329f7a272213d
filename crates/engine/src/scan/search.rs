//! The scan: each value to its class, each view to its plan, hits to their rules.

use super::Scan;
use super::cache::{Class, ScanCache};
use super::class::{Group, Traits};
use super::gate::Gate;
use super::hits::{Hit, View};
use super::plan::Plan;
use super::sources::Source;
use super::trie::{NodeId, ROOT};
use crate::values::{Span, Values};
use secbeat_pattern::RuleBits;

/// The value that is being looked at.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    value: u32,
    name: bool,
    bytes: &'a [u8],
}

impl Scan {
    /// Begins a transaction.
    pub fn begin(&self, cache: &mut ScanCache) {
        cache.begin(self.stamp, self.rules);
    }

    /// Scans the values that have come since the last scan for this group of rules. Bit `n` of `held` says that guard `n`
    /// holds: what it guards is not searched for.
    pub fn search(&self, cache: &mut ScanCache, values: &Values, group: Group, held: u64) {
        let from = std::mem::replace(&mut cache.scanned[group as usize], values.len());
        if from == values.len() {
            return;
        }
        for (_, guard) in self.holding(held) {
            cache.uncovered.union(&guard.guarded);
        }
        for number in &self.groups[group as usize] {
            let Some(interests) = self.interests.get(*number) else { continue };
            let Source { variable, names } = interests.source;
            let uniform = interests.is_uniform();
            for (value, entry) in values.of(variable).filter(|(value, _)| *value as usize >= from) {
                let name = values.bytes(entry.name);
                let traits = match uniform {
                    true => Traits::NONE,
                    false => interests.traits(name, &mut cache.matchers, &mut cache.scratch),
                };
                let class = self.class(cache, *number, group, held, traits);
                let bytes = if names { name } else { values.bytes(entry.bytes) };
                self.value(cache, class, Subject { value, name: names, bytes });
            }
        }
        cache.hits.settle();
    }

    fn holding(&self, held: u64) -> impl Iterator<Item = (usize, &super::guard::Guard)> {
        self.guards.iter().enumerate().filter(move |(number, _)| *number < 64 && held & (1 << number) != 0)
    }

    fn class(&self, cache: &mut ScanCache, source: usize, group: Group, held: u64, traits: Traits) -> u32 {
        let key = (source as u16, group, held, traits);
        if let Some(known) = cache.class_of.get(&key) {
            return *known;
        }
        let mut all = self
            .interests
            .get(source)
            .map_or_else(RuleBits::default, |interests| interests.rules(traits, group, self.rules));
        for (_, guard) in self.holding(held) {
            all.subtract(&guard.guarded);
        }
        let [mut alive, mut touched] = [all.clone(), all];
        alive.intersect(&self.scanned);
        touched.subtract(&self.scanned);
        let relevant = self.relevant(&alive);
        let idle = alive.is_empty() && touched.is_empty();
        cache.room_for_class();
        let number = cache.classes.len() as u32;
        cache.classes.push(Class { alive, touched, idle, relevant });
        cache.class_of.insert(key, number);
        number
    }

    /// The bits of the byte table by which plans for these rules may differ.
    fn relevant(&self, alive: &RuleBits) -> u64 {
        let nodes = (0..self.trie.len()).map(|node| self.trie.get(node as NodeId));
        let triggers = nodes.filter(|node| node.below.meets(alive)).fold(0, |bits, node| bits | node.trigger);
        alive.iter().fold(triggers, |bits, rule| match self.gates.get(usize::from(rule)) {
            Some(Some(Gate::Bytes(of_rule))) => bits | of_rule,
            _ => bits,
        })
    }

    /// Searches one value, in all its views.
    fn value(&self, cache: &mut ScanCache, class: u32, subject: Subject<'_>) {
        let Some(of_class) = cache.classes.get(class as usize) else { return };
        if of_class.idle {
            return;
        }
        cache.candidates.union(&of_class.touched);
        if subject.bytes.is_empty() {
            return self.nothing(cache, class, ROOT, subject);
        }
        cache.waiting.push((ROOT, None));
        while let Some((node, derived)) = cache.waiting.pop() {
            match derived {
                Some(span) if span.is_empty() => self.nothing(cache, class, node, subject),
                _ => self.view(cache, class, node, derived, subject),
            }
        }
    }

    /// What may match an empty view is evaluated plainly.
    fn nothing(&self, cache: &mut ScanCache, class: u32, node: NodeId, subject: Subject<'_>) {
        let Some(of_class) = cache.classes.get(class as usize) else { return };
        let below = &self.trie.get(node).below;
        let rules: Vec<u16> = self
            .empty
            .iter()
            .filter(|rule| of_class.alive.contains(*rule) && below.contains(*rule))
            .collect();
        for rule in rules {
            cache.hit(Hit { rule, name: subject.name, value: subject.value, view: View::Plain });
        }
    }

    /// Searches one view, and derives those that come next.
    fn view(
        &self,
        cache: &mut ScanCache,
        class: u32,
        node: NodeId,
        derived: Option<Span>,
        subject: Subject<'_>,
    ) {
        let mut plan = cache.now.take().unwrap_or_else(|| self.no_plan());
        let view = part(&cache.views, derived, subject.bytes);
        let holds = self.bytes.read(view);
        cache.cost += view.len() as u64;
        self.plan(cache, class, node, holds.sets, &mut plan, true);
        // Transformations that leave the view as it is add to what it is searched for; others make a new one.
        while let Some(next) = cache.frontier.pop() {
            let Some(transformation) = self.trie.get(next).transformation else { continue };
            let mut out = std::mem::take(&mut cache.scratch);
            out.clear();
            let view = part(&cache.views, derived, subject.bytes);
            cache.cost += view.len() as u64;
            if transformation.apply(view, &mut out) {
                let start = cache.views.len() as u32;
                cache.views.extend_from_slice(&out);
                cache.waiting.push((next, Some(Span { start, end: cache.views.len() as u32 })));
            } else {
                self.plan(cache, class, next, holds.sets, &mut plan, false);
            }
            cache.scratch = out;
        }
        self.search_view(cache, &plan, derived, &holds.bytes, subject);
        cache.now = Some(plan);
    }

    fn search_view(
        &self,
        cache: &mut ScanCache,
        plan: &Plan,
        derived: Option<Span>,
        held: &[u64; 4],
        subject: Subject<'_>,
    ) {
        let ScanCache { views, filter, hits, candidates, .. } = cache;
        let view = part(views, derived, subject.bytes);
        let mut found = |rule: u16| {
            let view = match self.every.contains(rule) {
                true => View::Plain,
                false => View::of(derived, plan.folded.contains(rule)),
            };
            candidates.insert(rule);
            hits.push(Hit { rule, name: subject.name, value: subject.value, view });
        };
        if !plan.sqli.is_empty() && secbeat_injection::may_be_sqli(view) {
            plan.sqli.iter().for_each(|rule| found(*rule));
        }
        if !plan.xss.is_empty() && secbeat_injection::may_be_xss(view) {
            plan.xss.iter().for_each(|rule| found(*rule));
        }
        plan.direct.iter().for_each(|rule| found(*rule));
        if !plan.filtered.is_empty() {
            self.filter.scan(filter, view, held, &plan.filtered, &mut |rule, _| found(rule));
        }
    }

    /// Adds to `into` the plan of a view, or makes it that (`fresh`), and its frontier to that at hand.
    fn plan(&self, cache: &mut ScanCache, class: u32, node: NodeId, sets: u64, into: &mut Plan, fresh: bool) {
        let Some(of_class) = cache.classes.get(class as usize) else { return };
        let sets = sets & of_class.relevant;
        let number = match cache.plan_of.get(&(class, node, sets)) {
            Some(number) => *number,
            None => {
                let plan = Plan::new(&self.trie, &self.gates, &of_class.alive, node, sets);
                cache.room_for_plan();
                let number = cache.plans.len() as u32;
                cache.plans.push(plan);
                cache.plan_of.insert((class, node, sets), number);
                number
            }
        };
        let Some(plan) = cache.plans.get(number as usize) else { return };
        if fresh {
            into.become_of(plan)
        } else {
            into.merge(plan)
        }
        cache.frontier.extend_from_slice(&plan.frontier);
    }

    fn no_plan(&self) -> Plan {
        Plan::new(&self.trie, &self.gates, &RuleBits::new(self.rules), ROOT, 0)
    }
}

/// The bytes of a derived view, or of the value itself.
fn part<'a>(views: &'a [u8], derived: Option<Span>, value: &'a [u8]) -> &'a [u8] {
    match derived {
        Some(span) => views.get(span.start as usize..span.end as usize).unwrap_or_default(),
        None => value,
    }
}
