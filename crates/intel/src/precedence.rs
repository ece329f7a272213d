//! Which of several decisions about one address is in force. Every layer asks this one function.

use crate::table::entry::number_of;
use secbeat_types::{Decision, DecisionKind, Origin, Timestamp};

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
    /// The strength of what is of this kind and origin, whatever its scope.
    pub fn of(kind: DecisionKind, origin: Origin) -> Self {
        match (kind, origin) {
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

/// Where a decision stands among others about the same address. Ordered, the strongest last: by [`Precedence`], then the
/// longest prefix, then the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// How strong it is.
    pub precedence: Precedence,
    /// The length of its prefix.
    pub prefix_len: u8,
    /// When it was made.
    pub created_at: Timestamp,
    /// The number in its id, which ascends.
    pub number: u64,
}

/// What [`decide`] chooses from: decisions, however they are held.
pub trait Candidate {
    /// Where it stands.
    fn standing(&self) -> Standing;
    /// Whether it is in force at `now`.
    fn is_in_force(&self, now: Timestamp) -> bool;
}

impl Candidate for Decision {
    fn standing(&self) -> Standing {
        Standing {
            precedence: Precedence::of(self.kind, self.origin),
            prefix_len: self.scope.prefix_len(),
            created_at: self.created_at,
            number: number_of(&self.id).unwrap_or_default(),
        }
    }

    fn is_in_force(&self, now: Timestamp) -> bool {
        Decision::is_in_force(self, now)
    }
}

/// The decision that counts at `now` among `candidates`, all of them about one address: the strongest by [`Standing`].
/// `None`: nothing is in force.
pub fn decide<'a, C: Candidate>(
    candidates: impl IntoIterator<Item = &'a C>,
    now: Timestamp,
) -> Option<&'a C> {
    candidates.into_iter().filter(|decision| decision.is_in_force(now)).max_by_key(|d| d.standing())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(id: &str, scope: &str, kind: DecisionKind, origin: Origin) -> Decision {
        Decision {
            id: id.into(),
            scope: scope.parse().unwrap(),
            kind,
            origin,
            reason: String::new(),
            created_at: Timestamp::from_unix_ms(0),
            expires_at: None,
            confirm_by: None,
        }
    }

    #[test]
    fn allowlist_beats_manual_beats_exception_beats_automatic_beats_feed() {
        let now = Timestamp::from_unix_ms(1);
        // The weaker the decision, the longer its prefix: strength counts before length.
        let mut ranked = vec![
            decision("dec_1", "192.0.2.0/24", DecisionKind::Allow, Origin::Manual),
            decision("dec_2", "192.0.2.0/25", DecisionKind::Block, Origin::Manual),
            decision("dec_3", "192.0.2.0/26", DecisionKind::Allow, Origin::Automatic),
            decision("dec_4", "192.0.2.0/27", DecisionKind::Block, Origin::Automatic),
            decision("dec_5", "192.0.2.0/28", DecisionKind::Block, Origin::Feed),
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
        let wide = decision("dec_1", "192.0.2.0/24", DecisionKind::Block, Origin::Automatic);
        let narrow = decision("dec_2", "192.0.2.7/32", DecisionKind::Block, Origin::Automatic);
        for pair in [[&wide, &narrow], [&narrow, &wide]] {
            assert_eq!(decide(pair, now).unwrap().id, "dec_2");
        }
    }
}
