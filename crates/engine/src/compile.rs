//! From what the text of rules comes to, to a program.

mod parts;
mod steps;

use crate::error::CompileError;
use crate::fast::Fast;
use crate::program::{Program, RuleInfo};
use crate::rule::{Disruptive, Link, Rule};
use crate::step::Exclusion;
use crate::target::Selector;
use crate::words::Words;
use parts::Parts;
use secbeat_pattern::MatchCache;
use secbeat_seclang as lang;
use secbeat_seclang::{Item, RuleSet, Variable};
use std::collections::HashMap;
use std::sync::Arc;

/// More mistakes than these are not told.
const ERRORS_MAX: usize = 50;
/// Rules are numbered with 16 bits.
const RULES_MAX: usize = u16::MAX as usize;

/// Compiles rules; see [`Program::compile`].
pub fn compile(set: &RuleSet) -> Result<Program, Vec<CompileError>> {
    let rules: Vec<&lang::Rule> = set
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Rule(rule) => Some(&**rule),
            Item::Marker(_) => None,
        })
        .collect();
    let infos: Vec<RuleInfo> = rules.iter().map(|rule| info(set, rule)).collect();
    if let Some(rule) = rules.get(RULES_MAX) {
        let message = format!("there are more than {RULES_MAX} rules; leave some out");
        return Err(vec![error(set, rule, message)]);
    }
    let jumps = Jumps::of(set, &rules);
    let mut parts = Parts::new(&infos);
    let mut errors = Vec::new();
    let mut compiled = Vec::with_capacity(rules.len());
    for (rule, number) in rules.iter().zip(0..) {
        match compile_rule(&mut parts, rule, jumps.from(number, rule)) {
            Ok(rule) => compiled.push(rule),
            Err(message) => errors.push(error(set, rule, message)),
        }
        if errors.len() >= ERRORS_MAX {
            break;
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let Parts { words, constants, mut exclusions, mentioned, asks_for_all, .. } = parts;
    learn(&words, &mut compiled, &mut exclusions);
    let introduced = INTRODUCED.into_iter().filter(|variable| mentioned.contains(variable)).collect();
    let (phases, directives) = (jumps.phases, set.directives.clone());
    let fast = Fast::default();
    let mut program = Program {
        rules: compiled,
        infos,
        phases,
        words,
        constants,
        exclusions,
        introduced,
        directives,
        asks_for_all,
        fast,
    };
    program.fast = Fast::new(set, &program);
    Ok(program)
}

/// Tells each expression over names of TX which words it finds.
fn learn(words: &Words, rules: &mut [Rule], exclusions: &mut [Exclusion]) {
    let mut cache = MatchCache::default();
    let tests = rules.iter_mut().flat_map(|rule| &mut rule.links).filter_map(|link| link.test.as_mut());
    let targets = tests.flat_map(|test| test.targets.iter_mut().chain(&mut test.exclusions));
    for target in targets.chain(exclusions.iter_mut().map(|exclusion| &mut exclusion.target)) {
        if let (Variable::Tx, Selector::Pattern(pattern)) = (target.variable, &mut target.selector) {
            pattern.learn(words, &mut cache);
        }
    }
}

/// The variables that follow from the facts of a transaction.
const INTRODUCED: [Variable; 8] = [
    Variable::RemoteAddr,
    Variable::RemoteHost,
    Variable::RemotePort,
    Variable::ServerAddr,
    Variable::ServerName,
    Variable::ServerPort,
    Variable::UniqueId,
    Variable::WebappId,
];

fn error(set: &RuleSet, rule: &lang::Rule, message: String) -> CompileError {
    let file = set.files.get(usize::from(rule.span.file)).map_or("", |file| file).to_owned();
    CompileError { file, line: rule.span.line, id: rule.actions.id, message }
}

fn info(set: &RuleSet, rule: &lang::Rule) -> RuleInfo {
    let actions = &rule.actions;
    let tags: Vec<String> = actions.tags.iter().map(ToString::to_string).collect();
    let level = |tag: &String| tag.strip_prefix("paranoia-level/")?.parse().ok();
    RuleInfo {
        id: actions.id,
        file: set.files.get(usize::from(rule.span.file)).cloned().unwrap_or_else(|| Arc::from("")),
        line: rule.span.line,
        phase: actions.phase,
        severity: actions.severity,
        message: actions.msg.as_ref().map(ToString::to_string).unwrap_or_default(),
        paranoia_level: tags.iter().find_map(level),
        tags,
        ver: actions.ver.clone(),
        rev: actions.rev.clone(),
        maturity: actions.maturity,
        accuracy: actions.accuracy,
    }
}

fn compile_rule(parts: &mut Parts<'_>, rule: &lang::Rule, go_on: Option<u32>) -> Result<Rule, String> {
    let actions = &rule.actions;
    parts.collections = 0;
    let mut links = Vec::with_capacity(rule.links.len());
    for (link, at) in rule.links.iter().zip(0..) {
        let of_link = |error| if at == 0 { error } else { format!("link {at} of its chain: {error}") };
        let mut compiled = compile_link(parts, link).map_err(of_link)?;
        if at == 0 {
            compiled.msg = compiled.msg.or_else(|| actions.msg.as_ref().map(|text| parts.text(text)));
            compiled.logdata =
                compiled.logdata.or_else(|| actions.logdata.as_ref().map(|text| parts.text(text)));
        }
        links.push(compiled);
    }
    let disruptive = match &actions.disruptive {
        lang::Disruptive::Pass => Disruptive::Pass,
        lang::Disruptive::Deny => Disruptive::Deny,
        lang::Disruptive::Drop => Disruptive::Drop,
        lang::Disruptive::Allow(scope) => Disruptive::Allow(*scope),
        lang::Disruptive::Redirect(to) => Disruptive::Redirect(parts.text(to)),
    };
    let compares = |link: &Link| link.test.as_ref().is_none_or(|test| test.quick.is_some());
    let silent = !actions.log && !actions.audit_log && matches!(disruptive, Disruptive::Pass);
    Ok(Rule {
        steers: silent && links.iter().all(compares),
        links: links.into(),
        disruptive,
        status: actions.status,
        log: actions.log,
        audit: actions.audit_log,
        severity: actions.severity,
        go_on,
        collections: parts.collections,
    })
}

fn compile_link(parts: &mut Parts<'_>, link: &lang::Link) -> Result<Link, String> {
    let test = link.test.as_ref().map(|test| parts.test(test)).transpose()?;
    let (setvars, steps) = parts.steps(&link.steps)?;
    Ok(Link {
        test,
        capture: link.capture,
        multi_match: link.multi_match,
        setvars,
        steps,
        msg: link.msg.as_ref().map(|text| parts.text(text)),
        logdata: link.logdata.as_ref().map(|text| parts.text(text)),
    })
}

/// Where `skip` and `skipAfter` lead: always forward.
struct Jumps<'s> {
    /// The rules of each phase.
    phases: [Vec<u32>; 5],
    /// The place of each rule in its phase.
    places: Vec<usize>,
    /// For each marker, the rules that come next after it.
    markers: HashMap<&'s str, Vec<u32>>,
}

impl<'s> Jumps<'s> {
    fn of(set: &'s RuleSet, rules: &[&lang::Rule]) -> Self {
        let mut jumps = Jumps { phases: Default::default(), places: Vec::new(), markers: HashMap::new() };
        for (rule, number) in rules.iter().zip(0..) {
            let phase = jumps.phases.get_mut(rule.actions.phase as usize - 1);
            jumps.places.push(phase.as_ref().map_or(0, |phase| phase.len()));
            phase.into_iter().for_each(|phase| phase.push(number));
        }
        let mut next = 0;
        for item in &set.items {
            match item {
                Item::Rule(_) => next += 1,
                Item::Marker(name) => jumps.markers.entry(name).or_default().push(next),
            }
        }
        jumps
    }

    /// Where a rule leads to: behind the next marker of that name, or to the end of the phase if all stand before it.
    fn from(&self, number: u32, rule: &lang::Rule) -> Option<u32> {
        let actions = &rule.actions;
        if let Some(marker) = &actions.skip_after {
            let places = self.markers.get(&**marker)?;
            return Some(places.iter().copied().find(|place| *place > number).unwrap_or(u32::MAX));
        }
        let skip = usize::try_from(actions.skip).ok().filter(|skip| *skip > 0)?;
        let place = self.places.get(number as usize)?.checked_add(skip + 1)?;
        let phase: &Vec<u32> = self.phases.get(rule.actions.phase as usize - 1)?;
        Some(phase.get(place).copied().unwrap_or(u32::MAX))
    }
}
