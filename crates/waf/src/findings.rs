//! What matched in a request, and the verdict that follows.

use crate::{BodyKind, body::BodyError, request::Variable};
use secbeat_types::{Action, Category, Reason, RuleMatch, Severity, Verdict};

/// The most matches that are kept of one request; what blocks takes the place of what logs.
pub const MATCHES_MAX: usize = 32;
/// The most characters of a value that a match shows.
pub const MATCHED_CHARS_MAX: usize = 120;

/// The matches of a request, at most [`MATCHES_MAX`], one for each rule and variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    matches: Vec<RuleMatch>,
}

impl Findings {
    pub(crate) fn add(&mut self, found: RuleMatch) {
        let same = |known: &RuleMatch| known.rule_id == found.rule_id && known.variable == found.variable;
        if self.matches.iter().any(same) {
            return;
        }
        if self.matches.len() < MATCHES_MAX {
            self.matches.push(found);
        } else if let Some(weaker) = self.matches.iter_mut().rfind(|known| known.action < found.action) {
            *weaker = found;
        }
    }

    /// Whether nothing more can change what is known: it is full, and all of it blocks.
    pub(crate) fn is_settled(&self) -> bool {
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

/// The match that stands for a query or a body that could not be taken apart. Its rule is not in any file: what cannot be
/// inspected is not let through, except in monitor mode. Ids: `secbeat-query-args`, `secbeat-body-malformed`,
/// `secbeat-body-depth`, `secbeat-body-args`, `secbeat-body-parts`.
pub(crate) fn unreadable(
    variable: Variable<'_>,
    kind: Option<BodyKind>,
    error: BodyError,
    monitor: bool,
) -> RuleMatch {
    let (id, name) = match (kind, error) {
        (None, _) => ("secbeat-query-args", "A query with too many arguments"),
        (_, BodyError::Malformed { .. }) => {
            ("secbeat-body-malformed", "A body that is not what its type says")
        }
        (_, BodyError::TooDeep) => ("secbeat-body-depth", "A JSON body that nests too deep"),
        (_, BodyError::TooManyArguments) => ("secbeat-body-args", "A body with too many values"),
        (_, BodyError::TooManyParts) => ("secbeat-body-parts", "A body with too many parts"),
    };
    RuleMatch {
        rule_id: id.into(),
        name: name.into(),
        category: Category::Protocol,
        severity: Severity::High,
        action: if monitor { Action::Log } else { Action::Block },
        variable: variable.to_string(),
        matched: excerpt(error.to_string().as_bytes()),
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
        }
    }

    #[test]
    fn what_blocks_is_never_lost_among_what_logs() {
        let mut findings = Findings::default();
        (0..2 * MATCHES_MAX).for_each(|rule| findings.add(found(rule, Action::Log)));
        assert!(!findings.is_settled());
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
