//! `setvar`, `ctl` and all else that a match does.

use super::parts::Parts;
use crate::program::RuleInfo;
use crate::step::{Change, Ctl, Exclusion, Place, SetVar, Step};
use secbeat_pattern::{MatchCache, Matcher, Outcome, RuleBits};
use secbeat_seclang as lang;
use secbeat_seclang::Variable;

/// What a match does: `setvar`, and the others.
type Steps = (Box<[SetVar]>, Box<[Step]>);

impl Parts<'_> {
    /// The steps of a link.
    pub fn steps(&mut self, steps: &[lang::Step]) -> Result<Steps, String> {
        let (mut setvars, mut others) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                lang::Step::SetVar { collection, name, change } => {
                    setvars.push(self.setvar(*collection, name, change));
                }
                step => others.push(self.step(step)?),
            }
        }
        Ok((setvars.into(), others.into()))
    }

    fn setvar(&mut self, collection: Variable, name: &lang::Text, change: &lang::Change) -> SetVar {
        let place = match (collection, name.literal()) {
            (Variable::Tx, Some(name)) => Place::Tx(self.words.intern(name.as_bytes())),
            (Variable::Tx, None) => Place::TxMade(self.text(name)),
            (collection, _) => Place::Kept(collection, self.text(name)),
        };
        let change = match change {
            lang::Change::Set(text) => Change::Set(self.operand(text)),
            lang::Change::Add(text) => Change::Add(self.operand(text)),
            lang::Change::Subtract(text) => Change::Subtract(self.operand(text)),
            lang::Change::Unset => Change::Unset,
        };
        SetVar { place, change }
    }

    fn step(&mut self, step: &lang::Step) -> Result<Step, String> {
        Ok(match step {
            // Taken out by `steps`; said here all the same, in its plainest form.
            lang::Step::SetVar { .. } => Step::Remove(RuleBits::new(0)),
            lang::Step::ExpireVar { collection, name, seconds } => {
                Step::Expire(*collection, self.text(name), self.operand(seconds))
            }
            lang::Step::InitCol(collection, key) => Step::Open(*collection, self.text(key)),
            lang::Step::SetUid(key) => Step::Open(Variable::User, self.text(key)),
            lang::Step::SetSid(key) => Step::Open(Variable::Session, self.text(key)),
            lang::Step::SetRsc(key) => Step::Open(Variable::Resource, self.text(key)),
            lang::Step::SetEnv(name, value) => Step::SetEnv(self.text(name), self.text(value)),
            lang::Step::Sanitise(variable, name) => Step::Sanitise(*variable, name.clone()),
            lang::Step::Ctl(ctl) => self.ctl(ctl)?,
        })
    }

    fn ctl(&mut self, ctl: &lang::Ctl) -> Result<Step, String> {
        let infos = self.infos;
        Ok(Step::Ctl(match ctl {
            lang::Ctl::AuditEngine(mode) => Ctl::AuditEngine(*mode),
            lang::Ctl::AuditLogParts(parts) => Ctl::AuditLogParts(parts.clone()),
            lang::Ctl::ForceRequestBodyVariable(force) => Ctl::ForceRequestBody(*force),
            lang::Ctl::RequestBodyAccess(access) => Ctl::RequestBodyAccess(*access),
            lang::Ctl::RequestBodyLimit(limit) => Ctl::RequestBodyLimit(*limit),
            lang::Ctl::RequestBodyProcessor(processor) => Ctl::RequestBodyProcessor(processor.clone()),
            lang::Ctl::ResponseBodyAccess(access) => Ctl::ResponseBodyAccess(*access),
            lang::Ctl::ResponseBodyLimit(limit) => Ctl::ResponseBodyLimit(*limit),
            lang::Ctl::RuleEngine(mode) => Ctl::RuleEngine(*mode),
            lang::Ctl::RuleRemoveById(from, to) => return Ok(Step::Remove(by_id(infos, *from, *to))),
            lang::Ctl::RuleRemoveByTag(tag) => return Ok(Step::Remove(by_tag(infos, tag)?)),
            lang::Ctl::RuleRemoveByMsg(message) => return Ok(Step::Remove(by_message(infos, message)?)),
            lang::Ctl::RuleRemoveTargetById(from, to, target) => {
                return self.remove_target(by_id(infos, *from, *to), target);
            }
            lang::Ctl::RuleRemoveTargetByTag(tag, target) => {
                return self.remove_target(by_tag(infos, tag)?, target);
            }
            lang::Ctl::RuleRemoveTargetByMsg(message, target) => {
                return self.remove_target(by_message(infos, message)?, target);
            }
        }))
    }

    fn remove_target(&mut self, rules: RuleBits, target: &lang::Target) -> Result<Step, String> {
        let target = self.target(target)?;
        self.exclusions.push(Exclusion { rules, target });
        Ok(Step::RemoveTarget(self.exclusions.len() as u32 - 1))
    }
}

fn those(infos: &[RuleInfo], mut wanted: impl FnMut(&RuleInfo) -> bool) -> RuleBits {
    let mut rules = RuleBits::new(infos.len());
    for (info, number) in infos.iter().zip(0..) {
        if wanted(info) {
            rules.insert(number);
        }
    }
    rules
}

fn by_id(infos: &[RuleInfo], from: u64, to: u64) -> RuleBits {
    those(infos, |info| (from..=to).contains(&info.id))
}

fn by_tag(infos: &[RuleInfo], expression: &str) -> Result<RuleBits, String> {
    let (tag, mut cache) = (matcher(expression)?, MatchCache::default());
    let mut named = |name: &String| tag.is_match(&mut cache, name.as_bytes()) == Outcome::Yes;
    Ok(those(infos, |info| info.tags.iter().any(&mut named)))
}

fn by_message(infos: &[RuleInfo], expression: &str) -> Result<RuleBits, String> {
    let (message, mut cache) = (matcher(expression)?, MatchCache::default());
    Ok(those(infos, |info| message.is_match(&mut cache, info.message.as_bytes()) == Outcome::Yes))
}

fn matcher(expression: &str) -> Result<Matcher, String> {
    Matcher::new(expression).map_err(|error| format!("ctl: /{expression}/: {error}"))
}
