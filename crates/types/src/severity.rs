//! How bad a match is.

use serde::{Deserialize, Serialize};

/// Severity of a rule. Ordered: `Low < Medium < High < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Suspicious; blocks only with `block_suspicious`.
    #[default]
    Medium,
    /// An attack.
    High,
    /// An attack that would have succeeded against a weak backend.
    Critical,
}

impl Severity {
    /// The name in rules and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// Low and medium only log where `block_suspicious = false`.
    pub const fn is_suspicion(self) -> bool {
        matches!(self, Severity::Low | Severity::Medium)
    }
}
