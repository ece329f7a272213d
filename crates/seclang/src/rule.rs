//! `SecRule`, `SecAction`, `SecDefaultAction`.

use crate::action::{Place, apply, phase};
use crate::action_list::action_list;
use crate::draft::{Defaults, Draft};
use crate::load::Loader;
use crate::operator::parse_operator;
use crate::suggest::quoted;
use crate::target::parse_targets;
use crate::{Item, Phase, Rule, Span, Test};
use std::borrow::Cow;
use std::path::Path;

/// Rules in one chain.
const CHAIN_MAX: usize = 256;
/// Rules and markers of a configuration: their numbers have sixteen bits.
const ITEMS_MAX: usize = 65_000;

/// What stands behind a directive.
pub(crate) type Words<'a> = &'a [Cow<'a, str>];

impl Loader<'_> {
    /// `SecRule` or `SecAction`: stands alone, leads a chain, or goes on with one.
    pub(crate) fn rule(&mut self, span: Span, name: &str, words: Words<'_>, folder: &Path) {
        let mut problems = Vec::new();
        let (condition, actions) = match (name, words) {
            ("secaction", [actions]) => (None, &**actions),
            ("secrule", [targets, operator]) => (Some((targets, operator)), ""),
            ("secrule", [targets, operator, actions]) => (Some((targets, operator)), &**actions),
            _ => {
                let expected = match name {
                    "secaction" => "SecAction \"id:…,phase:…,…\"",
                    _ => "SecRule VARIABLES \"@operator …\" \"id:…,phase:…,…\"",
                };
                let message =
                    format!("{} words; expected {expected} (a \" within is written \\\")", words.len() + 1);
                return self.fail(span, None, message);
            }
        };
        let place = if self.chain.is_some() { Place::Link } else { Place::Head };
        let draft = self.draft(span, actions, place, &mut problems);
        let test = condition.and_then(|(targets, operator)| {
            let targets = parse_targets(targets).map_err(|error| problems.push(error));
            let operator =
                parse_operator(operator, folder, &mut self.files).map_err(|error| problems.push(error));
            let (targets, read) = (targets.ok()?, operator.ok()?);
            self.set.notes.extend(read.note.map(|note| (span, note)));
            Some(Test {
                targets,
                transformations: Vec::new(),
                negated: read.negated,
                operator: read.operator,
            })
        });
        let goes_on = draft.chain;
        let (actions, link) = draft.finish(span, test);
        let rule = match self.chain.take() {
            Some(mut rule) => {
                if rule.links.len() >= CHAIN_MAX {
                    problems.push(format!("more than {CHAIN_MAX} rules in a chain; write it as several"));
                } else {
                    rule.links.push(link);
                }
                rule
            }
            None => {
                self.register(span, actions.id, &mut problems);
                Rule { span, actions, links: vec![link] }
            }
        };
        let id = (rule.actions.id > 0).then_some(rule.actions.id);
        for problem in problems {
            self.fail(span, id, problem);
        }
        if goes_on {
            self.chain = Some(rule);
        } else if self.set.items.len() >= ITEMS_MAX {
            self.fail(span, id, format!("more than {ITEMS_MAX} rules"));
        } else {
            self.set.items.push(Item::Rule(Box::new(rule)));
        }
    }

    /// Carries out the actions of a rule.
    fn draft(&mut self, span: Span, text: &str, place: Place, problems: &mut Vec<String>) -> Draft {
        let list = action_list(text).unwrap_or_else(|error| {
            problems.push(error);
            Vec::new()
        });
        let value = |name: &str| {
            let mut found = list.iter().filter(|(written, _)| written.eq_ignore_ascii_case(name));
            found.next_back().map(|(_, value)| value.as_deref().unwrap_or_default())
        };
        let id = value("id").map_or(0, |text| {
            let id = text.trim_ascii().parse().unwrap_or(0);
            if id == 0 {
                problems.push(format!("id:{}: expected a whole number above 0", quoted(text)));
            }
            id
        });
        if id == 0 && value("id").is_none() && place == Place::Head {
            problems.push("no id; expected one of its own for each rule: write id:number".into());
        }
        let phase = match (value("phase"), &self.chain) {
            (_, Some(chain)) if place == Place::Link => chain.actions.phase,
            (None, _) => Phase::RequestBody,
            (Some(text), _) => phase(text.trim_ascii()).unwrap_or_else(|error| {
                problems.push(error);
                Phase::RequestBody
            }),
        };
        // One for each phase, of which there are five.
        let defaults = &self.defaults[phase as usize - 1];
        let mut draft = Draft::new(id, phase, defaults);
        for written in &list {
            match apply(&mut draft, written, place, defaults) {
                Ok(note) => self.set.notes.extend(note.map(|note| (span, note))),
                Err(error) => problems.push(error),
            }
        }
        draft
    }

    fn register(&mut self, span: Span, id: u64, problems: &mut Vec<String>) {
        if id == 0 {
            return;
        }
        match self.ids.get(&id).copied() {
            None => {
                self.ids.insert(id, span);
            }
            Some(first) => problems.push(format!(
                "the id is taken by the rule at {}; give each rule one of its own",
                self.place(first)
            )),
        }
    }

    pub(crate) fn default_action(&mut self, span: Span, words: Words<'_>) -> Result<(), String> {
        let [text] = words else {
            return Err("SecDefaultAction: expected \"phase:2,log,auditlog,pass\"".into());
        };
        let mut problems = Vec::new();
        let list = action_list(text)?;
        let named = list.iter().find(|(name, _)| name.eq_ignore_ascii_case("phase"));
        let phase = match named.and_then(|(_, value)| value.as_deref()) {
            Some(text) => phase(text.trim_ascii())?,
            None => return Err("SecDefaultAction: no phase; expected \"phase:2,log,auditlog,pass\"".into()),
        };
        let base = Defaults::default();
        let mut draft = Draft::new(0, phase, &base);
        for written in &list {
            match apply(&mut draft, written, Place::Default, &base) {
                Ok(note) => self.set.notes.extend(note.map(|note| (span, note))),
                Err(error) => problems.push(error),
            }
        }
        if !draft.steps.is_empty() || draft.capture || draft.multi_match {
            problems.push(
                "SecDefaultAction: expected what many rules share, as phase, log, t:lowercase, deny".into(),
            );
        }
        for problem in problems {
            self.fail(span, None, problem);
        }
        self.defaults[phase as usize - 1] = Defaults {
            transformations: draft.transformations,
            disruptive: draft.actions.disruptive,
            status: draft.actions.status,
            log: draft.actions.log,
            audit_log: draft.actions.audit_log,
        };
        Ok(())
    }
}
