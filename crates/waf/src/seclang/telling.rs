//! What is told of the engine's matches: the rules that speak of an attack first, then the one that added up their scores.

use super::run::Run;
use crate::findings::{Findings, excerpt, over_budget};
use secbeat_engine::{Intervention, Kind, Match};
use secbeat_types::{Action, RuleMatch, Scores};

impl Run<'_> {
    /// Adds what was found since this was last asked. Where the request is stopped that is everything found before as well:
    /// a score is the work of many.
    pub fn tell(&mut self, block_on_budget: bool, found: &mut Findings) {
        let stop = self.intervention.take();
        let from = if stop.is_some() { 0 } else { self.told };
        self.told = self.matches().len();
        let stopping = stop.as_ref().and_then(|stop| stop.rule);
        // It says nothing itself: what it stops for is what the others found.
        let is_evaluation =
            stopping.is_some_and(|rule| self.matches().iter().any(|m| m.rule == rule && is_evaluation(m)));
        for matched in self.matches().get(from..).unwrap_or_default() {
            let blocks = Some(matched.rule) == stopping;
            let contributes =
                is_evaluation && !is_evaluation_of_others(matched, stopping) && self.counts(matched);
            if matched.log || blocks {
                let action = if blocks || contributes { Action::Block } else { Action::Log };
                found.extend(self.told_of(matched, action));
            }
        }
        if let Some(Intervention { kind: Kind::Budget, .. }) = stop {
            found.add(over_budget(if block_on_budget { Action::Block } else { Action::Log }));
        }
    }

    /// What is said of a match.
    pub fn told_of(&self, matched: &Match, action: Action) -> Option<RuleMatch> {
        let label = self.rules.label(matched.rule)?;
        let is_as_written = *matched.message == *label.name;
        let matched_text = if matched.data.is_empty() { &matched.value } else { matched.data.as_bytes() };
        Some(RuleMatch {
            rule_id: label.id.clone(),
            name: if is_as_written { label.name.clone() } else { matched.message.as_str().into() },
            category: label.category,
            severity: label.severity,
            action,
            variable: matched.variable.clone(),
            matched: excerpt(matched_text),
            transformations: matched.transformations.clone(),
        })
    }

    /// What the request and its answer score; `None`: no rule keeps scores.
    pub fn scores(&self) -> Option<Scores> {
        let of = |names: &[&str]| names.iter().find_map(|name| self.tx(name));
        Some(Scores {
            inbound_threshold: of(&["inbound_anomaly_score_threshold"])?,
            // Of version 4, and of 3.
            inbound: of(&["blocking_inbound_anomaly_score", "anomaly_score"]).unwrap_or(0),
            outbound: of(&["blocking_outbound_anomaly_score", "outbound_anomaly_score"]).unwrap_or(0),
            outbound_threshold: of(&["outbound_anomaly_score_threshold"]).unwrap_or(0),
        })
    }

    /// Whether a match is of a paranoia level that blocks.
    fn counts(&self, matched: &Match) -> bool {
        let level = self.rules.label(matched.rule).and_then(|label| label.paranoia_level);
        let blocking = self.tx("blocking_paranoia_level").or_else(|| self.tx("paranoia_level"));
        level.zip(blocking).is_none_or(|(level, blocking)| i64::from(level) <= blocking)
    }
}

/// Whether a rule looked at what other rules had counted.
fn is_evaluation(matched: &Match) -> bool {
    matched.variable.starts_with("TX:")
}

fn is_evaluation_of_others(matched: &Match, stopping: Option<u32>) -> bool {
    Some(matched.rule) != stopping && is_evaluation(matched)
}
