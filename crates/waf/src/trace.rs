//! What led to a match of a rule in SecLang: for people who ask why.

use crate::Transaction;
use secbeat_engine::{Match, RuleInfo};

/// A match of a rule in SecLang, and the rule.
#[derive(Debug, Clone, Copy)]
pub struct Traced<'t> {
    /// The value, the transformations that made it what it is, and what the rule says of it.
    pub found: &'t Match,
    /// The rule: its file and line, its phase, its tags.
    pub rule: &'t RuleInfo,
}

impl Transaction<'_> {
    /// Every match of a rule in SecLang, in the order in which they came, also of rules that log nothing.
    pub fn traced(&self) -> impl Iterator<Item = Traced<'_>> {
        self.seclang.iter().flat_map(|run| {
            let rules = run.rules.program.rules();
            run.matches()
                .iter()
                .filter_map(move |found| Some(Traced { found, rule: rules.get(found.rule as usize)? }))
        })
    }
}
