//! What the audit log says of a request: every match of a rule in SecLang that asks to be audited.

use crate::Transaction;
use secbeat_engine::RuleInfo;
use secbeat_types::{Action, RuleMatch};

/// A match of a rule in SecLang, as its file has the rule.
#[derive(Debug)]
pub struct Audited<'a> {
    /// What is said of it; `matched` is what the rule's `logdata` says.
    pub found: RuleMatch,
    /// The rule.
    pub rule: &'a RuleInfo,
}

impl Transaction<'_> {
    /// Every match that is logged or audited, in the order in which they came; none where the audit engine is off, or where no rule
    /// that matched asks to be audited.
    pub fn audited(&self) -> Vec<Audited<'_>> {
        let Some(run) = &self.seclang else { return Vec::new() };
        if run.effective().is_none_or(|settings| settings.audit_engine == secbeat_seclang::EngineMode::Off) {
            return Vec::new();
        }
        if !run.matches().iter().any(|found| found.audit) {
            return Vec::new();
        }
        let told = run.matches().iter().filter(|found| found.audit || found.log);
        told.filter_map(|found| {
            let action = if found.disruptive { Action::Block } else { Action::Log };
            let rule = run.rules.program.rules().get(found.rule as usize)?;
            Some(Audited { found: run.told_of(found, action)?, rule })
        })
        .collect()
    }
}
