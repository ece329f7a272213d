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
struct Subject {
    class: u32,
    value: u32,
    name: bool,
}

impl Scan {
    /// Begins a transaction.
    pub fn begin(&self, cache: &mut ScanCache) {
        cache.begin(self.stamp, self.rules);
    }

    /// Scans the values that have come since the last scan for this group of rules; what transformations make of them joins
    /// them in the arena. Bit `n` of `held` says that guard `n` holds: what it guards is not searched for. Returns the cost:
    /// bytes searched and transformed.
    pub fn search(&self, cache: &mut ScanCache, values: &mut Values, group: Group, held: u64) -> u64 {
        let from = std::mem::replace(&mut cache.scanned[group as usize], values.len());
        if from == values.len() {
            return 0;
        }
        cache.cost = 0;
        for (_, guard) in self.holding(held) {
            cache.uncovered.union(&guard.guarded);
        }
        for number in &self.groups[group as usize] {
            let Some(interests) = self.interests.get(*number) else { continue };
            let Source { variable, names } = interests.source;
            let uniform = interests.is_uniform();
            let mut next = values.list(variable).first;
            while let Some(entry) = values.get(next).copied() {
                let value = std::mem::replace(&mut next, entry.next);
                if (value as usize) < from {
                    continue;
                }
                let traits = match uniform {
                    true => Traits::NONE,
                    false => {
                        interests.traits(values.bytes(entry.name), &mut cache.matchers, &mut cache.scratch)
                    }
                };
                let class = self.class(cache, *number, group, held, traits);
                let bytes = if names { entry.name } else { entry.bytes };
                self.value(cache, values, Subject { class, value, name: names }, bytes);
            }
        }
        cache.hits.settle();
        cache.cost
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
    fn value(&self, cache: &mut ScanCache, values: &mut Values, subject: Subject, bytes: Span) {
        let Some(class) = cache.classes.get(subject.class as usize) else { return };
        if class.idle {
            return;
        }
        cache.candidates.union(&class.touched);
        cache.waiting.push((ROOT, bytes));
        while let Some((node, view)) = cache.waiting.pop() {
            match view.is_empty() {
                true => self.nothing(cache, node, subject),
                false => self.view(cache, values, node, view, subject),
            }
        }
    }

    /// What may match an empty view is evaluated plainly.
    fn nothing(&self, cache: &mut ScanCache, node: NodeId, subject: Subject) {
        let ScanCache { classes, candidates, hits, .. } = cache;
        let Some(class) = classes.get(subject.class as usize) else { return };
        let below = &self.trie.get(node).below;
        for rule in self.empty.iter().filter(|rule| class.alive.contains(*rule) && below.contains(*rule)) {
            candidates.insert(rule);
            hits.push(Hit { rule, name: subject.name, value: subject.value, view: View::Plain });
        }
    }

    /// Searches one view, and derives those that come next.
    fn view(&self, cache: &mut ScanCache, values: &mut Values, node: NodeId, view: Span, subject: Subject) {
        let mut plan = cache.now.take().unwrap_or_else(|| self.no_plan());
        let mut out = std::mem::take(&mut cache.scratch);
        let held = self.bytes.read(values.bytes(view));
        cache.cost += view.len() as u64;
        self.plan(cache, (subject.class, node, held.sets), &mut plan, true);
        // Transformations that leave the view as it is add to what it is searched for; others make a new one.
        while let Some(next) = cache.frontier.pop() {
            let Some(transformation) = self.trie.get(next).transformation else { continue };
            out.clear();
            cache.cost += view.len() as u64;
            if transformation.apply(values.bytes(view), &mut out) {
                let derived = values.keep(&out);
                cache.waiting.push((next, derived));
            } else {
                self.plan(cache, (subject.class, next, held.sets), &mut plan, false);
            }
        }
        self.candidates(cache, &plan, values.bytes(view), view, &held.bytes, subject);
        cache.scratch = out;
        cache.now = Some(plan);
    }

    /// The rules that may match a view become candidates.
    fn candidates(
        &self,
        cache: &mut ScanCache,
        plan: &Plan,
        bytes: &[u8],
        view: Span,
        held: &[u64; 4],
        subject: Subject,
    ) {
        let ScanCache { filter, hits, candidates, .. } = cache;
        let mut found = |rule: u16| {
            let view = if self.every.contains(rule) {
                View::Plain
            } else if plan.folded.contains(rule) {
                View::Lower(view)
            } else {
                View::Ready(view)
            };
            candidates.insert(rule);
            hits.push(Hit { rule, name: subject.name, value: subject.value, view });
        };
        if !plan.sqli.is_empty() && secbeat_injection::may_be_sqli(bytes) {
            plan.sqli.iter().for_each(|rule| found(*rule));
        }
        if !plan.xss.is_empty() && secbeat_injection::may_be_xss(bytes) {
            plan.xss.iter().for_each(|rule| found(*rule));
        }
        plan.direct.iter().for_each(|rule| found(*rule));
        if !plan.filtered.is_empty() {
            self.filter.scan(filter, bytes, held, &plan.filtered, &mut |rule, _| found(rule));
        }
    }

    /// Adds to `into` the plan of a view, or makes it that (`fresh`), and its frontier to that at hand.
    fn plan(
        &self,
        cache: &mut ScanCache,
        (class, node, sets): (u32, NodeId, u64),
        into: &mut Plan,
        fresh: bool,
    ) {
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
