//! What a stage decided about a request, and why. Every stage of the pipeline returns the same [`Verdict`].

use crate::{Category, Decision, Severity};
use serde::Serialize;
use std::sync::Arc;

/// What is done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing was found.
    Pass,
    /// Something was found; the request goes on.
    Log,
    /// The request is stopped with 429, where the client makes too many such.
    RateLimit,
    /// What matched is taken out of the request, which goes on.
    Sanitize,
    /// The request is stopped with 403.
    Block,
    /// The request goes on and no later stage looks at it.
    Allow,
}

impl Action {
    /// The name in calls, logs and rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::Pass => "pass",
            Action::Log => "log",
            Action::RateLimit => "rate_limit",
            Action::Sanitize => "sanitize",
            Action::Block => "block",
            Action::Allow => "allow",
        }
    }
}

/// One rule that matched one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleMatch {
    /// The rule's `id`.
    pub rule_id: Arc<str>,
    /// The rule's `name`.
    pub name: Arc<str>,
    /// What kind of attack the rule looks for.
    pub category: Category,
    /// How bad a match is.
    pub severity: Severity,
    /// What the rule asks for, after monitor mode and `block_suspicious` were taken into account.
    pub action: Action,
    /// The value that matched, as a variable: `query:id`, `header:user-agent`, `body:user.name`, `path`; of a rule in SecLang
    /// as SecLang names it: `ARGS:id`.
    pub variable: String,
    /// The bytes that matched, decoded as the rule saw them, or what the rule says of them (`logdata`); lossy UTF-8, at most
    /// 120 characters.
    pub matched: String,
    /// The transformations that made the value what the rule saw, as SecLang names them, those that changed nothing left out; of
    /// rules in SecLang alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<&'static str>,
}

impl RuleMatch {
    /// In a sentence: `rule_001 (SQL Injection Detection) matched query:id`.
    pub fn in_words(&self) -> String {
        format!("{} ({}) matched {}", self.rule_id, self.name, self.variable)
    }
}

/// Why a stage decided as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing was found.
    None,
    /// A decision about the client's address.
    Decision(Arc<Decision>),
    /// Firewall rules, the one that settled the action first.
    Rules(Vec<RuleMatch>),
    /// The client's request rate; seconds until the next request is let through.
    Rate {
        /// The limit's name: `waf.rate_limit_rps`, or that of a `[[rate_limits]]`.
        limit: Arc<str>,
        /// Whole seconds, at least 1.
        retry_after_s: u64,
    },
}

/// What a stage decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

impl Verdict {
    /// Nothing was found.
    pub const PASS: Verdict = Verdict { action: Action::Pass, reason: Reason::None };

    /// Whether the request goes no further.
    pub fn stops(&self) -> bool {
        matches!(self.action, Action::Block | Action::RateLimit)
    }
}
