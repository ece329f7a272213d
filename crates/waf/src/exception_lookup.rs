//! What exceptions say about one request. They are asked for each match, and a hostile request has many: what is the same
//! for all of its matches is settled once, and what is left is bounded.

use crate::ExceptionSet;
use crate::exception_set::Compiled;
use secbeat_types::{Category, Timestamp};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

/// The most steps that are spent on the matches of one request, some 20 ms: exceptions looked at, patterns tried. From there
/// on no exception holds: no match is let through because it costs much.
const STEPS_MAX: usize = 1 << 20;
/// The most excepted matches that are remembered. Then it begins anew: what is asked again are the forms of one value.
const REMEMBERED_MAX: usize = 1024;

/// The request in which something matched.
pub(crate) struct Circumstances<'a> {
    pub(crate) client: IpAddr,
    pub(crate) host: &'a [u8],
    pub(crate) now: Timestamp,
    /// Every form of its path.
    pub(crate) paths: &'a dyn Fn() -> &'a [Vec<u8>],
}

/// A match that may not count.
pub(crate) struct Asked<'a> {
    /// The rule, by its index.
    pub(crate) rule: usize,
    /// The rule's id.
    pub(crate) id: &'a str,
    /// Its category.
    pub(crate) category: Category,
    /// The variable, by every name that exceptions may know it by; by the first it is remembered.
    pub(crate) names: &'a [String],
}

/// What has been settled for one request.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    /// The exceptions of a group that are for this request, by their index: only the variable of a match is still to be asked.
    groups: RefCell<BTreeMap<Group, Vec<usize>>>,
    /// Rules, by their index, and the variables in which their matches do not count.
    excepted: RefCell<HashSet<(usize, String)>>,
    pub(crate) steps: Cell<usize>,
}

/// What exceptions are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Those that name this rule.
    Rule(usize),
    /// Those that name this category, and no rules.
    Category(Category),
    /// Those that name neither.
    General,
}

impl Lookup {
    /// Whether a match does not count; that is counted once for a rule and a variable, and then
    /// `newly` is called.
    pub(crate) fn excepts(
        &self,
        set: &ExceptionSet,
        asked: &Asked<'_>,
        circumstances: &Circumstances<'_>,
        newly: impl FnOnce(),
    ) -> bool {
        if set.is_empty() {
            return false;
        }
        let pair = (asked.rule, asked.names.first().cloned().unwrap_or_default());
        let mut excepted = self.excepted.borrow_mut();
        if excepted.contains(&pair) {
            return true;
        }
        let mut groups = self.groups.borrow_mut();
        let excepting = [Group::Rule(asked.rule), Group::Category(asked.category), Group::General]
            .into_iter()
            .find_map(|group| {
                let here = groups
                    .entry(group)
                    .or_insert_with(|| self.for_this_request(set, group, asked, circumstances));
                self.for_variable(set, here, asked.names)
            });
        let Some(compiled) = excepting else { return false };
        compiled.counter.hit(circumstances.now);
        newly();
        if excepted.len() >= REMEMBERED_MAX {
            excepted.clear();
        }
        excepted.insert(pair);
        true
    }

    /// The exceptions of a group that are for this request; where one of them is for every variable, it alone.
    fn for_this_request(
        &self,
        set: &ExceptionSet,
        group: Group,
        asked: &Asked<'_>,
        circumstances: &Circumstances<'_>,
    ) -> Vec<usize> {
        let of_group = match group {
            Group::Rule(_) => set.by_rule.get(asked.id),
            Group::Category(category) => set.by_category.get(&category),
            Group::General => Some(&set.general),
        };
        let mut here = Vec::new();
        for &index in of_group.into_iter().flatten() {
            self.step();
            let Some(compiled) = set.compiled.get(index) else { continue };
            if compiled.is_for(asked.category, circumstances) {
                if compiled.parameters.is_empty() {
                    return vec![index];
                }
                here.push(index);
            }
        }
        here
    }

    /// The first of these that is for this variable. One that is for all of them stands alone, and costs no step.
    fn for_variable<'s>(
        &self,
        set: &'s ExceptionSet,
        here: &[usize],
        names: &[String],
    ) -> Option<&'s Compiled> {
        for &index in here {
            let compiled = set.compiled.get(index)?;
            if compiled.parameters.is_empty() {
                return Some(compiled);
            }
            for glob in &compiled.parameters {
                if !self.step() {
                    return None;
                }
                if names.iter().any(|name| glob.is_match(name.as_bytes())) {
                    return Some(compiled);
                }
            }
        }
        None
    }

    /// Counts a step; whether it is one of those that may be.
    fn step(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() <= STEPS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Request, RuleSet, Settings, parse_exceptions, parse_rules};
    use std::fmt::Write as _;
    use std::net::Ipv4Addr;

    const ARGUMENTS: usize = 500;

    /// The steps of a request to `/shop` in which two rules, which only log, match in each of many arguments, `p0`, `p1` and
    /// so on; and how many matches did not count.
    fn judged(exceptions: impl Iterator<Item = String>) -> (usize, u32) {
        let exceptions: Vec<String> = exceptions.collect();
        let exceptions =
            parse_exceptions(&format!(r#"{{"exceptions":[{}]}}"#, exceptions.join(","))).unwrap();
        let exceptions = ExceptionSet::compile(exceptions).unwrap();
        let rules = r#"{"rules":[{"id":"a","pattern":"evil","action":"log","category":"xss"},
            {"id":"b","pattern":"vil","action":"log","category":"sql_injection"}]}"#;
        let rules = RuleSet::compile(&parse_rules(rules).unwrap(), &Settings::default()).unwrap();
        let context = Context {
            exceptions: &exceptions,
            ..Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0))
        };
        let mut transaction = rules.transaction(context);
        let mut target = String::from("/shop?");
        for n in 0..ARGUMENTS {
            let _ = write!(target, "p{n}=EVIL%20evil&");
        }
        let _ = transaction.request_head(&Request {
            method: b"GET",
            target: target.as_bytes(),
            fields: &[],
            ..Request::default()
        });
        let excepted = transaction.take_excepted();
        let hits: u64 = exceptions.hits().map(|(_, hits)| hits.count).sum();
        assert_eq!(hits, u64::from(excepted));
        (transaction.lookup.steps.get(), excepted)
    }

    /// How many matches there are: one for each rule and argument.
    const MATCHES: usize = 2 * ARGUMENTS;

    #[test]
    fn what_is_not_for_a_request_is_looked_at_once() {
        let elsewhere = |n: usize| format!(r#"{{"id":"e{n}","paths":["/elsewhere/{n}"]}}"#);
        let (steps, excepted) = judged((0..10_000).map(elsewhere));
        assert_eq!(excepted, 0);
        assert!(steps <= 10_000, "{steps}");
        let clients =
            |n: usize| format!(r#"{{"id":"e{n}","categories":["xss"],"clients":["10.0.0.{}"]}}"#, n % 250);
        let (steps, excepted) = judged((0..10_000).map(clients));
        assert_eq!(excepted, 0);
        assert!(steps <= 10_000, "{steps}");
    }

    #[test]
    fn an_exception_for_all_variables_is_found_once_for_all_matches() {
        let here = |n: usize| format!(r#"{{"id":"e{n}","paths":["/shop"],"reason":"{n}"}}"#);
        let (steps, excepted) = judged((0..10_000).map(here));
        assert_eq!(excepted as usize, MATCHES);
        assert!(steps <= 10, "{steps}");
    }

    #[test]
    fn matches_that_count_are_asked_for_until_they_can_change_nothing() {
        let others = |n: usize| format!(r#"{{"id":"e{n}","parameters":["query:other{n}"]}}"#);
        let (steps, excepted) = judged((0..100).map(others));
        assert_eq!(excepted, 0);
        assert!(steps <= 100 + 100 * crate::findings::MATCHES_MAX, "{steps}");
    }

    #[test]
    fn patterns_of_variables_are_tried_up_to_a_bound_and_beyond_it_nothing_is_excepted() {
        let late = |n: usize| {
            let many = (0..6).fold(String::new(), |list, other| list + &format!(r#""query:other{other}*","#));
            format!(r#"{{"id":"e{n}","parameters":[{many}"query:p{n}"]}}"#)
        };
        let (steps, excepted) = judged((0..ARGUMENTS).rev().map(late));
        assert!(steps <= STEPS_MAX + 3 * MATCHES, "{steps}");
        assert!(excepted > 0 && (excepted as usize) < MATCHES, "{excepted}");
    }
}
