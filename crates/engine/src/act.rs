//! What a match does: variables, collections, settings; and when the whole chain holds, what becomes of the request.

use crate::datum::Datum;
use crate::evaluate::{Evaluator, Next};
use crate::intervention::{Intervention, Kind};
use crate::kept;
use crate::memory::Memory;
use crate::render;
use crate::report;
use crate::rule::{Disruptive, Rule};
use crate::state::State;
use crate::step::{Change, Ctl, Place, SetVar, Step};
use crate::text::{Operand, Text};
use crate::transaction::Transaction;
use secbeat_seclang::{AllowScope, EngineMode, Phase, Variable};

impl Evaluator<'_, '_> {
    /// The whole chain holds: carries out its steps, tells of it, and says what comes next.
    pub fn whole(&mut self, number: u32, rule: &Rule) -> Next {
        // As in ModSecurity 3, the last link's steps come first.
        for step in rule.links.iter().rev().flat_map(|link| &link.steps) {
            self.t.step(step);
        }
        let t = &mut *self.t;
        if let Some(severity) = rule.severity {
            t.memory.state.severity = t.memory.state.severity.min(severity);
        }
        t.memory.trail.push(number);
        let pass = matches!(rule.disruptive, Disruptive::Pass);
        if rule.log || rule.audit || !pass {
            let told = report::report(t, number, rule);
            t.matches.push(told);
        }
        if t.settings.engine == EngineMode::On && !pass {
            let next = t.disrupt(number, rule);
            if next != Next::Rule {
                return next;
            }
        }
        rule.go_on.map_or(Next::Rule, Next::GoOn)
    }
}

impl Transaction<'_> {
    fn disrupt(&mut self, number: u32, rule: &Rule) -> Next {
        let kind = match &rule.disruptive {
            Disruptive::Pass => return Next::Rule,
            Disruptive::Allow(scope) => {
                self.allowed = match scope {
                    AllowScope::All => Some(Phase::ResponseBody),
                    AllowScope::Request => Some(Phase::RequestBody),
                    AllowScope::Phase => None,
                };
                return Next::Phase;
            }
            Disruptive::Deny => Kind::Deny,
            Disruptive::Drop => Kind::Drop,
            Disruptive::Redirect(to) => {
                let to = self.filled(to);
                Kind::Redirect(String::from_utf8_lossy(&to).into_owned())
            }
        };
        self.stopped.get_or_insert(Intervention { rule: Some(number), kind, status: rule.status });
        Next::Phase
    }

    /// A text, filled in.
    fn filled(&mut self, text: &Text) -> Vec<u8> {
        let mut out = Vec::new();
        render::text(self.program, &self.memory.state, text, &mut out);
        self.spent += out.len() as u64;
        out
    }

    /// An operand as a value that stays.
    fn datum(&mut self, operand: &Operand) -> Datum {
        let state = &mut self.memory.state;
        match operand {
            Operand::Number(number) => Datum::Number(*number),
            Operand::Constant(number) => Datum::Constant(*number),
            Operand::Tx(word) => state.tx.get(*word).unwrap_or(Datum::Bytes(Default::default())),
            Operand::Text(text) => {
                let mut bytes = std::mem::take(&mut self.memory.caches.tools.text);
                bytes.clear();
                render::text(self.program, state, text, &mut bytes);
                self.spent += bytes.len() as u64;
                let datum = Datum::Bytes(state.values.keep(&bytes));
                self.memory.caches.tools.text = bytes;
                datum
            }
        }
    }

    /// `setvar`.
    pub(crate) fn set_variable(&mut self, setvar: &SetVar) {
        self.spent += 1;
        match &setvar.place {
            Place::Tx(word) => {
                let before = self.memory.state.tx.get(*word);
                let after = self.changed(&setvar.change, before);
                self.memory.state.tx.set(*word, after);
            }
            Place::TxMade(name) => {
                let [mut shown, mut lower] = std::mem::take(&mut self.memory.caches.tools.names);
                [&mut shown, &mut lower].into_iter().for_each(Vec::clear);
                render::text(self.program, &self.memory.state, name, &mut shown);
                self.spent += shown.len() as u64;
                lower.extend(shown.iter().map(u8::to_ascii_lowercase));
                let word = self.program.words.number(&lower);
                let tx = &self.memory.state.tx;
                let before = match (word, &setvar.change) {
                    (_, Change::Set(_) | Change::Unset) => None,
                    (Some(word), _) => tx.get(word),
                    (None, _) => tx.get_made(&lower, &self.memory.state.values),
                };
                let after = self.changed(&setvar.change, before);
                let State { tx, values, .. } = &mut self.memory.state;
                match word {
                    Some(word) => tx.set(word, after),
                    None => tx.set_made(&lower, &shown, after, values),
                }
                self.memory.caches.tools.names = [shown, lower];
            }
            Place::Kept(collection, name) => {
                let name = self.filled(name).to_ascii_lowercase();
                self.load(kept::bit(*collection));
                self.set_kept(*collection, &name, &setvar.change);
            }
        }
    }

    fn changed(&mut self, change: &Change, before: Option<Datum>) -> Option<Datum> {
        let (by, sign) = match change {
            Change::Unset => return None,
            Change::Set(operand) => return Some(self.datum(operand)),
            Change::Add(operand) => (operand, 1),
            Change::Subtract(operand) => (operand, -1),
        };
        let Memory { state, caches, .. } = &mut self.memory;
        let tools = &mut caches.tools;
        let before = before.map_or(0, |datum| state.number(self.program, datum));
        let by = render::operand_number(self.program, state, by, &mut tools.operand);
        Some(Datum::Number(before.saturating_add(by.saturating_mul(sign))))
    }

    fn set_kept(&mut self, collection: Variable, name: &[u8], change: &Change) {
        let value = match change {
            Change::Unset => None,
            Change::Set(operand) => match self.datum(operand) {
                // What outlives the program cannot be a constant of it.
                Datum::Constant(number) => {
                    Some(Datum::Bytes(self.memory.state.values.keep(self.program.constant(number))))
                }
                datum => Some(datum),
            },
            Change::Add(_) | Change::Subtract(_) => {
                let Some(Datum::Number(by)) = self.changed(change, None) else { return };
                let state = &mut self.memory.state;
                return state.kept.add(collection, name, by, &mut state.values, state.now_ms);
            }
        };
        let state = &mut self.memory.state;
        state.kept.set(collection, name, value, &mut state.values);
    }

    /// All that is no `setvar`.
    fn step(&mut self, step: &Step) {
        self.spent += 1;
        match step {
            Step::Expire(collection, name, seconds) => {
                let name = self.filled(name).to_ascii_lowercase();
                self.load(kept::bit(*collection));
                let Memory { state, caches, .. } = &mut self.memory;
                let tools = &mut caches.tools;
                let seconds = render::operand_number(self.program, state, seconds, &mut tools.operand);
                let milliseconds = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
                let end = state.now_ms.saturating_add(milliseconds);
                state.kept.expire(*collection, &name, end, &mut state.values);
            }
            Step::Open(collection, key) => {
                let key = self.filled(key);
                let state = &mut self.memory.state;
                match collection {
                    Variable::Session => state.values.set(Variable::SessionId, &key),
                    Variable::User => state.values.set(Variable::UserId, &key),
                    _ => {}
                }
                state.kept.open(*collection, &key);
            }
            Step::SetEnv(name, value) => {
                let (name, value) = (self.filled(name), self.filled(value));
                self.memory.state.values.add(Variable::Env, &name, &value);
            }
            Step::Ctl(ctl) => self.control(ctl),
            Step::Remove(rules) => self.memory.removed.union(rules),
            Step::RemoveTarget(number) => {
                if let Some(exclusion) = self.program.exclusions.get(*number as usize)
                    && !self.memory.exclusions.contains(number)
                {
                    self.memory.exclusions.push(*number);
                    self.memory.targeted.union(&exclusion.rules);
                }
            }
            Step::Sanitise(variable, name) => {
                let entry = (*variable, name.clone());
                if !self.sanitised.contains(&entry) {
                    self.sanitised.push(entry);
                }
            }
        }
    }

    fn control(&mut self, ctl: &Ctl) {
        let settings = &mut self.settings;
        match ctl {
            Ctl::AuditEngine(mode) => settings.audit_engine = *mode,
            // A rule may run for each of many values; what it says counts once.
            Ctl::AuditLogParts(parts) if settings.audit_log_parts.last() == Some(parts) => {}
            Ctl::AuditLogParts(parts) => settings.audit_log_parts.push(parts.clone()),
            Ctl::ForceRequestBody(force) => settings.force_request_body = *force,
            Ctl::RequestBodyAccess(access) => settings.request_body_access = *access,
            Ctl::RequestBodyLimit(limit) => settings.request_body_limit = Some(*limit),
            Ctl::RequestBodyProcessor(processor) => {
                settings.request_body_processor = Some(processor.clone());
                self.memory.state.values.set(Variable::ReqbodyProcessor, processor.as_bytes());
            }
            Ctl::ResponseBodyAccess(access) => settings.response_body_access = *access,
            Ctl::ResponseBodyLimit(limit) => settings.response_body_limit = Some(*limit),
            Ctl::RuleEngine(mode) => settings.engine = *mode,
        }
    }
}
