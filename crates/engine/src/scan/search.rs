//! The scan: each value to its class, each view to its plan, hits to their rules.

use super::Scan;
use super::cache::{Class, ScanCache, Searched};
use super::class::{Group, Traits};
use super::gate::Gate;
use super::hits::{Hit, View};
use super::name_memo::Key;
use super::plan::Plan;
use super::sources::Source;
use super::trie::{NodeId, ROOT};
use super::value_memo::{self, Form};
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
    pub fn begin(&self, searched: &mut Searched) {
        searched.begin(self.rules);
    }

    /// Puts what was found so far among the caches of a worker, whatever program they served before.
    pub fn take_up(&self, cache: &mut ScanCache, searched: &mut Searched) {
        cache.fit(self.stamp);
        std::mem::swap(&mut cache.searched, searched);
    }

    /// Scans the values that have come since the last scan for this group of rules; what transformations make of them joins
    /// them in the arena. Bit `n` of `held` says that guard `n` holds: what it guards is not searched for. `may_hold` asks a rule's
    /// operator about a view; what it denies is no hit. Returns the cost:
    /// bytes searched and transformed.
    pub fn search(
        &self,
        cache: &mut ScanCache,
        values: &mut Values,
        group: Group,
        held: u64,
        may_hold: &mut dyn FnMut(u16, &[u8]) -> bool,
    ) -> u64 {
        let before = cache.searched.scanned[group as usize].replace(values.len());
        if before == Some(values.len()) {
            return 0;
        }
        let from = before.unwrap_or(0);
        cache.cost = 0;
        for (_, guard) in self.holding(held) {
            cache.searched.uncovered.union(&guard.guarded);
        }
        for number in &self.groups[group as usize] {
            let Some(interests) = self.interests.get(*number) else { continue };
            let Source { variable, names } = interests.source;
            let mut next = values.list(variable).first;
            if values.get(next).is_none() {
                cache.searched.candidates.union(interests.absent(group));
            }
            while let Some(entry) = values.get(next).copied() {
                let value = std::mem::replace(&mut next, entry.next);
                if (value as usize) < from {
                    continue;
                }
                let name = values.bytes(entry.name);
                let class = self.class_of(cache, Key { source: *number as u16, group, held, name });
                let bytes = if names { entry.name } else { entry.bytes };
                self.value(cache, values, Subject { class, value, name: names }, bytes, may_hold);
            }
        }
        cache.searched.hits.settle();
        cache.cost
    }

    fn holding(&self, held: u64) -> impl Iterator<Item = (usize, &super::guard::Guard)> {
        self.guards.iter().enumerate().filter(move |(number, _)| *number < 64 && held & (1 << number) != 0)
    }

    /// The class of a value by its name.
    fn class_of(&self, cache: &mut ScanCache, key: Key<'_>) -> u32 {
        let Some(interests) = self.interests.get(usize::from(key.source)) else { return u32::MAX };
        // Where no rule asks for a name, all are the same.
        let key = if interests.is_uniform() { Key { name: b"", ..key } } else { key };
        if let Some(known) = cache.names.get(key) {
            return known;
        }
        let traits = match interests.is_uniform() {
            true => Traits::NONE,
            false => interests.traits(key.name, &mut cache.matchers, &mut cache.scratch),
        };
        let class = self.class(cache, usize::from(key.source), key.group, key.held, traits);
        cache.names.put(key, class);
        class
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
    fn value(
        &self,
        cache: &mut ScanCache,
        values: &mut Values,
        subject: Subject,
        bytes: Span,
        may_hold: &mut dyn FnMut(u16, &[u8]) -> bool,
    ) {
        let Some(class) = cache.classes.get(subject.class as usize) else { return };
        if class.idle {
            return;
        }
        cache.searched.candidates.union(&class.touched);
        let place = value_memo::place(subject.class, values.bytes(bytes));
        let ScanCache { values: memo, searched: Searched { hits, candidates, .. }, .. } = cache;
        if let Some((cost, found)) =
            place.and_then(|place| memo.get(place, subject.class, values.bytes(bytes)))
        {
            for (rule, form) in found {
                let view = match form {
                    Form::Same => View::Ready(bytes),
                    Form::Lower => View::Lower(bytes),
                    Form::Plain => View::Plain,
                };
                candidates.insert(rule);
                hits.push(Hit { rule, name: subject.name, value: subject.value, view });
            }
            cache.cost += cost;
            return;
        }
        let (hits, cost) = (cache.searched.hits.len(), cache.cost);
        cache.room_for_plans();
        cache.waiting.push((ROOT, bytes));
        while let Some((node, view)) = cache.waiting.pop() {
            match view.is_empty() {
                true => self.nothing(cache, node, subject),
                false => self.view(cache, values, (node, view), subject, may_hold),
            }
        }
        if let Some(place) = place {
            let form = |hit: &Hit| match hit.view {
                View::Ready(view) if view == bytes => Form::Same,
                View::Lower(view) if view == bytes => Form::Lower,
                _ => Form::Plain,
            };
            let found = cache.searched.hits.since(hits).iter().map(|hit| (hit.rule, form(hit)));
            let spent = cache.cost - cost;
            cache.values.put(place, subject.class, values.bytes(bytes), spent, found);
        }
    }

    /// What may match an empty view is evaluated plainly.
    fn nothing(&self, cache: &mut ScanCache, node: NodeId, subject: Subject) {
        let ScanCache { classes, searched: Searched { candidates, hits, .. }, .. } = cache;
        let Some(class) = classes.get(subject.class as usize) else { return };
        let below = &self.trie.get(node).below;
        for rule in self.empty.iter().filter(|rule| class.alive.contains(*rule) && below.contains(*rule)) {
            candidates.insert(rule);
            hits.push(Hit { rule, name: subject.name, value: subject.value, view: View::Plain });
        }
    }

    /// Searches one view, and derives those that come next.
    fn view(
        &self,
        cache: &mut ScanCache,
        values: &mut Values,
        (node, view): (NodeId, Span),
        subject: Subject,
        may_hold: &mut dyn FnMut(u16, &[u8]) -> bool,
    ) {
        let held = self.bytes.read(values.bytes(view));
        cache.cost += view.len() as u64;
        let Some(first) = self.plan(cache, (subject.class, node, held.sets)) else { return };
        let mut sum = None;
        // What one transformation makes of a view is one view, wherever it stands in the trie.
        while let Some((node, _)) = cache.waiting.pop_if(|(_, other)| *other == view) {
            self.add_plan(cache, (subject.class, node, held.sets), first, &mut sum);
        }
        cache.made.clear();
        // Transformations that leave the view as it is add to what it is searched for; others make a new one.
        while let Some(next) = cache.frontier.pop() {
            let Some(transformation) = self.trie.get(next).transformation else { continue };
            let known =
                cache.made.iter().find(|(made, _)| *made == transformation).map(|(_, derived)| *derived);
            let derived = known.unwrap_or_else(|| {
                cache.scratch.clear();
                cache.cost += view.len() as u64;
                let changed = transformation.apply(values.bytes(view), &mut cache.scratch);
                changed.then(|| values.keep(&cache.scratch))
            });
            match derived {
                Some(derived) => {
                    // Next to those that are this view.
                    let at = cache.waiting.iter().rposition(|(_, other)| *other == derived);
                    cache.waiting.insert(at.unwrap_or(cache.waiting.len()), (next, derived));
                }
                None => self.add_plan(cache, (subject.class, next, held.sets), first, &mut sum),
            }
            if known.is_none() {
                cache.made.push((transformation, derived));
            }
        }
        let ScanCache { plans, filter, searched, found, lower, cost, .. } = cache;
        let Searched { hits, candidates, .. } = searched;
        let Some(plan) = sum.as_ref().or(plans.get(first as usize)) else { return };
        let bytes = values.bytes(view);
        found.clear();
        found.extend_from_slice(&plan.direct);
        if !plan.sqli.is_empty() && secbeat_injection::may_be_sqli(bytes) {
            found.extend_from_slice(&plan.sqli);
        }
        if !plan.xss.is_empty() && secbeat_injection::may_be_xss(bytes) {
            found.extend_from_slice(&plan.xss);
        }
        if plan.filters {
            self.filter.scan(filter, bytes, &held.bytes, &plan.filtered, &mut |rule, _| found.push(rule));
        }
        lower.clear();
        for rule in found.drain(..) {
            let folded = plan.folded.contains(rule);
            if folded && lower.is_empty() {
                lower.extend(bytes.iter().map(u8::to_ascii_lowercase));
            }
            *cost += bytes.len() as u64;
            if !may_hold(rule, if folded { lower } else { bytes }) {
                continue;
            }
            let view = match (self.every.contains(rule), folded) {
                (true, _) => View::Plain,
                (false, true) => View::Lower(view),
                (false, false) => View::Ready(view),
            };
            candidates.insert(rule);
            hits.push(Hit { rule, name: subject.name, value: subject.value, view });
        }
        if sum.is_some() {
            cache.sum = sum;
        }
    }

    /// Adds the plan of another place at which the view is the same.
    fn add_plan(&self, cache: &mut ScanCache, key: (u32, NodeId, u64), first: u32, sum: &mut Option<Plan>) {
        let Some(more) = self.plan(cache, key) else { return };
        let sum = sum.get_or_insert_with(|| {
            let mut sum = cache.sum.take().unwrap_or_else(|| self.no_plan());
            cache.plans.get(first as usize).inspect(|plan| sum.become_of(plan));
            sum
        });
        cache.plans.get(more as usize).inspect(|plan| sum.merge(plan));
    }

    /// The plan of a view, by its number; its frontier joins that at hand.
    fn plan(&self, cache: &mut ScanCache, (class, node, sets): (u32, NodeId, u64)) -> Option<u32> {
        let of_class = cache.classes.get(class as usize)?;
        let sets = sets & of_class.relevant;
        let number = match cache.plan_of.get(&(class, node, sets)) {
            Some(number) => *number,
            None => {
                let plan = Plan::new(&self.trie, &self.gates, &of_class.alive, node, sets);
                let number = cache.plans.len() as u32;
                cache.plans.push(plan);
                cache.plan_of.insert((class, node, sets), number);
                number
            }
        };
        let plan = cache.plans.get(number as usize)?;
        cache.frontier.extend_from_slice(&plan.frontier);
        Some(number)
    }

    fn no_plan(&self) -> Plan {
        Plan::new(&self.trie, &self.gates, &RuleBits::new(self.rules), ROOT, 0)
    }
}
