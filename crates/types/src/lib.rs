//! The vocabulary of SecBeat: what every other crate says the same words for.
//!
//! | module | words |
//! | --- | --- |
//! | [`category`] | what kind of attack: the label `rule`, the field `attack_type` |
//! | [`severity`] | how bad a match is |
//! | [`verdict`] | what a stage decided about a request, and why |
//! | [`scores`] | how suspicious a request is, in points |
//! | [`decision`] | who is blocked or allowed, until when, by whom |
//! | [`event`] | what happened, as an operator reads it |
//! | [`timestamp`] | wall-clock instants in RFC 3339 |

pub mod category;
pub mod decision;
pub mod event;
pub mod scores;
pub mod severity;
pub mod timestamp;
pub mod verdict;

pub use category::Category;
pub use decision::{Decision, DecisionKind, Origin};
pub use event::{Event, EventKind};
pub use scores::Scores;
pub use severity::Severity;
pub use timestamp::Timestamp;
pub use verdict::{Action, Reason, RuleMatch, Verdict};
