//! What is different for one site: which rules are off there, and whether anything stops.

use crate::{RuleSet, findings::SYNTHETIC_IDS};
use std::fmt::{self, Display, Formatter};

/// How one site wants its requests judged by the [`RuleSet`] that made this. The default: by all rules, as they say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Whether nothing stops and everything is logged.
    pub(crate) monitor: bool,
    /// The rules that are off, a bit each; those of the program itself come after the set's, those in SecLang at the end.
    disabled: Vec<u64>,
}

impl RuleSet {
    /// A site's wishes about these rules: `monitor` lets everything pass and logs it, `disabled` are ids of rules, also
    /// of the program's own (`secbeat-…`) and in SecLang (`942100`). To be used with this set only.
    ///
    /// # Errors
    /// The first id that is no rule's, or that of a rule which cannot be off.
    pub fn scope(&self, monitor: bool, disabled: &[String]) -> Result<Scope, ScopeError> {
        let mut scope = Scope { monitor, disabled: Vec::new() };
        for id in disabled {
            let own =
                || SYNTHETIC_IDS.iter().position(|known| known == id).map(|at| at + self.compiled.len());
            let seclang = || Some(self.seclang_first() + self.seclang.as_ref()?.number_of(id)?);
            let index = self.compiled.iter().position(|rule| *rule.id == **id).or_else(own).or_else(seclang);
            let index = index.ok_or_else(|| ScopeError::Unknown(id.clone()))?;
            if self.seclang_steers(index) {
                return Err(ScopeError::Steers(id.clone()));
            }
            scope.disable(index);
        }
        Ok(scope)
    }

    /// Whether the rule of this index is one in SecLang that only steers others.
    fn seclang_steers(&self, index: usize) -> bool {
        let number = index.checked_sub(self.seclang_first()).and_then(|number| u32::try_from(number).ok());
        let attached = self.seclang.as_ref();
        attached.zip(number).is_some_and(|(attached, number)| attached.program.steers(number))
    }
}

/// Why a site cannot have its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeError {
    /// No rule has this id.
    Unknown(String),
    /// The rule of this id does nothing but set variables and pass over other rules, in SecLang: it is no check to be switched off,
    /// and without it others would run that it keeps from running.
    Steers(String),
}

impl Display for ScopeError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ScopeError::Unknown(id) => {
                write!(f, "there is no rule {id:?}; GET /api/v1/waf/rules lists them")
            }
            ScopeError::Steers(id) => write!(
                f,
                "rule {id:?} checks nothing: it sets variables or passes over other rules; take it out of the rules themselves \
                 (SecRuleRemoveById), or change what it compares"
            ),
        }
    }
}

impl Scope {
    /// All rules, as they say.
    pub const fn whole() -> Scope {
        Scope { monitor: false, disabled: Vec::new() }
    }

    /// Whether nothing stops.
    pub fn is_monitor(&self) -> bool {
        self.monitor
    }

    fn disable(&mut self, index: usize) {
        let word = index / 64;
        if self.disabled.len() <= word {
            self.disabled.resize(word + 1, 0);
        }
        if let Some(bits) = self.disabled.get_mut(word) {
            *bits |= 1 << (index % 64);
        }
    }

    /// Whether the rule of this index is off.
    pub(crate) fn is_disabled(&self, index: usize) -> bool {
        self.disabled.get(index / 64).is_some_and(|bits| bits & (1 << (index % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, parse_rules};

    #[test]
    fn a_rule_is_off_by_its_id_and_an_unknown_id_is_told() {
        let rules: Vec<String> =
            (0..70).map(|n| format!(r#"{{"id":"r{n}","pattern":"a","action":"block"}}"#)).collect();
        let rules = parse_rules(&format!(r#"{{"rules":[{}]}}"#, rules.join(","))).unwrap();
        let set = RuleSet::compile(&rules, &Settings::default()).unwrap();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let scope = set.scope(false, &ids(&["r3", "r69", "secbeat-csrf"])).unwrap();
        let disabled: Vec<usize> = (0..200).filter(|index| scope.is_disabled(*index)).collect();
        let csrf = SYNTHETIC_IDS.iter().position(|id| *id == "secbeat-csrf").unwrap();
        assert_eq!(disabled, [3, 69, 70 + csrf]);
        assert_eq!(set.scope(false, &ids(&["r3", "r70"])), Err(ScopeError::Unknown("r70".to_owned())));
        assert_eq!(set.scope(false, &[]), Ok(Scope::default()));
    }
}
