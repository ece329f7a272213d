//! Which of several decisions about one address is in force. Every layer asks this one function.

use secbeat_types::{Decision, DecisionKind, Origin, Timestamp};
use std::cmp::Reverse;
use std::sync::Arc;

/// How strong a decision is. Ordered, the strongest last: allowlist > manual > exception > automatic > feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// A block from a list from outside.
    Feed,
    /// A block by the product itself.
    Automatic,
    /// An allow that no person made: it undoes what programs block, never what a person blocks.
    Exception,
    /// A block by a person.
    Manual,
    /// An allow by a person.
    Allowlist,
}

impl Precedence {
    /// The strength of `decision`, whatever its scope.
    pub fn of(decision: &Decision) -> Self {
        match (decision.kind, decision.origin) {
            (DecisionKind::Allow, Origin::Manual) => Precedence::Allowlist,
            (DecisionKind::Block, Origin::Manual) => Precedence::Manual,
            (DecisionKind::Allow, Origin::Automatic | Origin::Feed) => Precedence::Exception,
            (DecisionKind::Block, Origin::Automatic) => Precedence::Automatic,
            (DecisionKind::Block, Origin::Feed) => Precedence::Feed,
        }
    }

    /// The name in `explain` and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Precedence::Feed => "feed",
            Precedence::Automatic => "automatic",
            Precedence::Exception => "exception",
            Precedence::Manual => "manual",
            Precedence::Allowlist => "allowlist",
        }
    }
}

/// The decision that counts at `now` among `candidates`, all of them about one address: the strongest
/// [`Precedence`], then the longest prefix, then the newest, then the smallest id. `None`: nothing is in force.
pub fn decide<'a>(
    candidates: impl IntoIterator<Item = &'a Arc<Decision>>,
    now: Timestamp,
) -> Option<&'a Arc<Decision>> {
    candidates
        .into_iter()
        .filter(|decision| decision.is_in_force(now))
        .max_by_key(|d| (Precedence::of(d), d.scope.prefix_len(), d.created_at, Reverse(d.id.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(id: &str, scope: &str, kind: DecisionKind, origin: Origin) -> Arc<Decision> {
        Arc::new(Decision {
            id: id.into(),
            scope: scope.parse().unwrap(),
            kind,
            origin,
            reason: String::new(),
            created_at: Timestamp::from_unix_ms(0),
            expires_at: None,
            confirm_by: None,
        })
    }

    #[test]
    fn allowlist_beats_manual_beats_exception_beats_automatic_beats_feed() {
        let now = Timestamp::from_unix_ms(1);
        // The weaker the decision, the longer its prefix: strength counts before length.
        let mut ranked = vec![
            decision("1", "192.0.2.0/24", DecisionKind::Allow, Origin::Manual),
            decision("2", "192.0.2.0/25", DecisionKind::Block, Origin::Manual),
            decision("3", "192.0.2.0/26", DecisionKind::Allow, Origin::Automatic),
            decision("4", "192.0.2.0/27", DecisionKind::Block, Origin::Automatic),
            decision("5", "192.0.2.0/28", DecisionKind::Block, Origin::Feed),
        ];
        while !ranked.is_empty() {
            assert_eq!(decide(&ranked, now).unwrap().id, ranked[0].id);
            ranked.remove(0);
        }
        assert_eq!(decide(&ranked, now), None);
    }

    #[test]
    fn within_one_origin_the_more_specific_prefix_wins() {
        let now = Timestamp::from_unix_ms(1);
        let wide = decision("1", "192.0.2.0/24", DecisionKind::Block, Origin::Automatic);
        let narrow = decision("2", "192.0.2.7/32", DecisionKind::Block, Origin::Automatic);
        for pair in [[&wide, &narrow], [&narrow, &wide]] {
            assert_eq!(decide(pair, now).unwrap().id, "2");
        }
    }
}
