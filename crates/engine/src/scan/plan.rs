//! Plans: for a class of values, a place in the trie and what a value holds there, which rules are searched for and what is
//! transformed next. Few differ, so a worker keeps those that it met.

use super::gate::Gate;
use super::trie::{NodeId, Trie};
use secbeat_pattern::RuleBits;

/// What is done with a view.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whether the literal filter searches it at all.
    pub filters: bool,
    /// The rules for which it does.
    pub filtered: RuleBits,
    /// Those of them that want it in lower case.
    pub folded: RuleBits,
    /// The rules that are candidates by what it holds.
    pub direct: Vec<u16>,
    /// The rules that look for injections of SQL.
    pub sqli: Vec<u16>,
    /// The rules that look for injections of script.
    pub xss: Vec<u16>,
    /// The places that may make another view of it.
    pub frontier: Vec<NodeId>,
}

/// Adds a rule that may be there already: one that looks at a value after each transformation looks at it once where they
/// change nothing.
fn add(rules: &mut Vec<u16>, rule: u16) {
    if !rules.contains(&rule) {
        rules.push(rule);
    }
}

impl Plan {
    /// The plan of the rules `alive` for a view at `node` that holds `sets`.
    pub fn new(trie: &Trie, gates: &[Option<Gate>], alive: &RuleBits, node: NodeId, sets: u64) -> Self {
        let none = RuleBits::new(gates.len());
        let mut plan = Plan {
            filters: false,
            filtered: none.clone(),
            folded: none,
            direct: Vec::new(),
            sqli: Vec::new(),
            xss: Vec::new(),
            frontier: Vec::new(),
        };
        // Places at which the view is the same.
        let mut same = vec![node];
        while let Some(place) = same.pop() {
            plan.ends(gates, alive, &trie.get(place).ends, sets);
            for child in &trie.get(place).children {
                let next = trie.get(*child);
                if !next.below.meets(alive) {
                    continue;
                }
                if next.trigger & sets == 0 {
                    same.push(*child);
                } else if next.folded
                    && !next.children.iter().any(|child| trie.get(*child).below.meets(alive))
                {
                    plan.ends(gates, alive, &next.ends, sets);
                    plan.folded.union(&next.ends);
                } else {
                    plan.frontier.push(*child);
                }
            }
        }
        plan.filters = !plan.filtered.is_empty();
        plan
    }

    fn ends(&mut self, gates: &[Option<Gate>], alive: &RuleBits, ends: &RuleBits, sets: u64) {
        for rule in ends.iter().filter(|rule| alive.contains(*rule)) {
            match gates.get(usize::from(rule)).copied().flatten() {
                Some(Gate::Filter) => self.filtered.insert(rule),
                Some(Gate::Bytes(bits)) if bits & sets == 0 => {}
                Some(Gate::Bytes(_) | Gate::Open) | None => add(&mut self.direct, rule),
                Some(Gate::Sqli) => add(&mut self.sqli, rule),
                Some(Gate::Xss) => add(&mut self.xss, rule),
            }
        }
    }

    /// Adds what another plan does with the same view.
    pub fn merge(&mut self, other: &Plan) {
        self.filters |= other.filters;
        self.filtered.union(&other.filtered);
        self.folded.union(&other.folded);
        other.direct.iter().for_each(|rule| add(&mut self.direct, *rule));
        other.sqli.iter().for_each(|rule| add(&mut self.sqli, *rule));
        other.xss.iter().for_each(|rule| add(&mut self.xss, *rule));
    }

    /// Becomes what another is, but for its frontier, in the memory that it has.
    pub fn become_of(&mut self, other: &Plan) {
        self.filters = other.filters;
        self.filtered.copy_from(&other.filtered);
        self.folded.copy_from(&other.folded);
        for (own, list) in
            [(&mut self.direct, &other.direct), (&mut self.sqli, &other.sqli), (&mut self.xss, &other.xss)]
        {
            own.clear();
            own.extend_from_slice(list);
        }
    }
}
