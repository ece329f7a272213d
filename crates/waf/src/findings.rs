//! What matched in a request, and the verdict that follows.

use crate::body::{BodyError, BodyKind, compressed::CompressionError};
use crate::csrf::{self, Forged};
use crate::request::Variable;
use crate::sanitize::Edit;
use secbeat_types::{Action, Category, Reason, RuleMatch, Severity, Verdict};

/// The most matches that are kept of one request; what blocks takes the place of what logs.
pub const MATCHES_MAX: usize = 32;
/// The most characters of a value that a match shows.
pub const MATCHED_CHARS_MAX: usize = 120;

/// The rules of the program itself. They are in no file: what cannot be inspected is not let through.
pub const SYNTHETIC_IDS: &[&str] = &[
    "secbeat-query-args",
    "secbeat-body-malformed",
    "secbeat-body-depth",
    "secbeat-body-args",
    "secbeat-body-parts",
    "secbeat-body-compression",
    csrf::ID,
    BUDGET_ID,
];

/// The rule of the program itself that stands for a request on which the work that rules may spend was used up.
pub const BUDGET_ID: &str = "secbeat-work-budget";

/// The matches of a request, at most [`MATCHES_MAX`], one for each rule and variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    matches: Vec<RuleMatch>,
    /// What to change where the verdict is to sanitize.
    edits: Vec<Edit>,
}

impl Findings {
    /// Whether there is a match of this rule in this variable.
    pub(crate) fn knows(&self, found: &RuleMatch) -> bool {
        self.matches.iter().any(|known| known.rule_id == found.rule_id && known.variable == found.variable)
    }

    /// Whether a further match that does this would be dropped.
    pub(crate) fn is_full_for(&self, action: Action) -> bool {
        self.matches.len() >= MATCHES_MAX && self.matches.iter().all(|known| known.action >= action)
    }

    pub(crate) fn add(&mut self, found: RuleMatch) {
        if self.knows(&found) {
            return;
        }
        if self.matches.len() < MATCHES_MAX {
            self.matches.push(found);
        } else if let Some(weaker) = self.matches.iter_mut().rfind(|known| known.action < found.action) {
            *weaker = found;
        }
    }

    pub(crate) fn extend(&mut self, found: impl IntoIterator<Item = RuleMatch>) {
        found.into_iter().for_each(|found| self.add(found));
    }

    /// Whether rules in SecLang look at the request too: not where it goes no further as it is, nor where it may.
    pub(crate) fn goes_on(&self) -> bool {
        let settled = [Action::Block, Action::Sanitize, Action::Allow];
        !self.matches.iter().any(|found| settled.contains(&found.action))
    }

    pub(crate) fn add_edit(&mut self, edit: Edit) {
        self.edits.push(edit);
    }

    /// The edits, taken out.
    pub(crate) fn take_edits(&mut self) -> Vec<Edit> {
        std::mem::take(&mut self.edits)
    }

    /// What was to be taken out of this variable cannot be: it blocks.
    pub(crate) fn refuse_edit(&mut self, variable: &str) {
        for known in self.matches.iter_mut().filter(|known| known.variable == variable) {
            known.action = blocking(known.action);
        }
    }

    /// Nothing can be taken out: what was to be blocks.
    pub(crate) fn refuse_edits(&mut self) {
        self.edits.clear();
        for known in &mut self.matches {
            known.action = blocking(known.action);
        }
    }

    /// Whether nothing more can change what is known: something allows, or it is full and all of it blocks where no rule
    /// allows.
    pub(crate) fn is_settled(&self, may_allow: bool) -> bool {
        if may_allow {
            return self.matches.iter().any(|known| known.action == Action::Allow);
        }
        self.matches.len() == MATCHES_MAX && self.matches.iter().all(|known| known.action == Action::Block)
    }

    /// The verdict that follows from these matches alone.
    pub(crate) fn verdict(&self) -> Verdict {
        let matches = self.clone().into_matches();
        match matches.first() {
            Some(strongest) => Verdict { action: strongest.action, reason: Reason::Rules(matches) },
            None => Verdict::PASS,
        }
    }

    pub(crate) fn append(&mut self, later: Findings) {
        for found in later.matches {
            self.add(found);
        }
    }

    /// The matches, the one that settles the action first.
    pub(crate) fn into_matches(mut self) -> Vec<RuleMatch> {
        self.matches.sort_by_key(|found| std::cmp::Reverse((found.action, found.severity)));
        self.matches
    }
}

/// The first [`MATCHED_CHARS_MAX`] characters of what matched, lossy UTF-8.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let head = bytes.get(..bytes.len().min(4 * MATCHED_CHARS_MAX)).unwrap_or_default();
    String::from_utf8_lossy(head).chars().take(MATCHED_CHARS_MAX).collect()
}

/// What stands for [`Action::Sanitize`] where nothing can be taken out.
fn blocking(action: Action) -> Action {
    if action == Action::Sanitize { Action::Block } else { action }
}

/// The match that stands for a query or a body that could not be taken apart.
pub(crate) fn unreadable(variable: Variable<'_>, kind: Option<BodyKind>, error: BodyError) -> RuleMatch {
    let (id, name) = match (kind, error) {
        (None, _) => ("secbeat-query-args", "A query with too many arguments"),
        (_, BodyError::Malformed { .. }) => {
            ("secbeat-body-malformed", "A body that is not what its type says")
        }
        (_, BodyError::TooDeep) => ("secbeat-body-depth", "A body that nests too deep"),
        (_, BodyError::TooManyArguments) => ("secbeat-body-args", "A body with too many values"),
        (_, BodyError::TooManyParts) => ("secbeat-body-parts", "A body with too many parts"),
    };
    synthetic(id, name, Category::Protocol, variable, error.to_string().as_bytes())
}

/// The match that stands for a compressed body that was not decoded.
pub(crate) fn undecodable(error: CompressionError) -> RuleMatch {
    let name = match error {
        CompressionError::Malformed(_) => "A compressed body that is not what its coding says",
        CompressionError::Ratio => "A compressed body that grows too much",
        CompressionError::Layers => "A body with too many codings",
    };
    let (id, variable) = ("secbeat-body-compression", Variable::Body(b""));
    synthetic(id, name, Category::Protocol, variable, error.to_string().as_bytes())
}

/// The match that stands for a request on which the work that rules may spend was used up.
pub(crate) fn over_budget(action: Action) -> RuleMatch {
    let name = "A request that takes too much work to look at";
    let matched = b"waf.work_budget";
    let found = synthetic(BUDGET_ID, name, Category::Protocol, Variable::Path, matched);
    RuleMatch { action, ..found }
}

/// The match that stands for a request that another site has made.
pub(crate) fn forged(found: Forged<'_>) -> RuleMatch {
    let variable = Variable::Header(found.header.as_bytes());
    synthetic(csrf::ID, "A request that another site has made", Category::Csrf, variable, found.value)
}

fn synthetic(id: &str, name: &str, category: Category, variable: Variable<'_>, matched: &[u8]) -> RuleMatch {
    RuleMatch {
        rule_id: id.into(),
        name: name.into(),
        category,
        severity: Severity::High,
        action: Action::Block,
        variable: variable.to_string(),
        matched: excerpt(matched),
        transformations: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: usize, action: Action) -> RuleMatch {
        RuleMatch {
            rule_id: rule.to_string().into(),
            name: "n".into(),
            category: Category::Other,
            severity: Severity::High,
            action,
            variable: "path".into(),
            matched: String::new(),
            transformations: Vec::new(),
        }
    }

    #[test]
    fn what_blocks_is_never_lost_among_what_logs() {
        let mut findings = Findings::default();
        (0..2 * MATCHES_MAX).for_each(|rule| findings.add(found(rule, Action::Log)));
        assert!(!findings.is_settled(false));
        findings.add(found(999, Action::Block));
        let matches = findings.into_matches();
        assert_eq!(matches.len(), MATCHES_MAX);
        assert_eq!(&*matches[0].rule_id, "999");
    }

    #[test]
    fn a_rule_counts_once_for_a_variable() {
        let mut findings = Findings::default();
        findings.add(found(1, Action::Block));
        findings.add(found(1, Action::Block));
        assert_eq!(findings.into_matches().len(), 1);
    }

    #[test]
    fn an_excerpt_is_cut_by_characters() {
        assert_eq!(excerpt("é".repeat(500).as_bytes()).chars().count(), MATCHED_CHARS_MAX);
        assert_eq!(excerpt(b"\xff<"), "\u{fffd}<");
    }
}
