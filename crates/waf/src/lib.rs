//! The web application firewall: rules in JSON, compiled to one program, that a request runs through in phases.
//!
//! Pure: no sockets, no clock; the time is an argument. The path of a request:
//!
//! | step | module |
//! | --- | --- |
//! | rules are read from text | [`rule_file`], into [`rule`] |
//! | and compiled, one bad rule naming itself | [`rule_set`], by [`settings`]; [`rule_error`] |
//! | a request is a [`transaction`]: head, then body | [`transaction`] |
//! | it is taken apart into values | [`request`], [`body`] |
//! | each value is looked at as it is and in every decoded form | [`transform`], [`decode`] |
//! | what matched settles the verdict | [`findings`] |
//!
//! The evaluator is plain on purpose: for each value, for each of its forms, for each rule. A faster one is held
//! equal to it.

pub mod body;
pub mod decode;
pub mod findings;
pub mod request;
pub mod rule;
pub mod rule_error;
pub mod rule_file;
pub mod rule_set;
pub mod settings;
pub mod transaction;
pub mod transform;

pub use body::BodyKind;
pub use request::Request;
pub use rule::{Mode, Rule, RuleAction, Target};
pub use rule_error::RuleError;
pub use rule_file::{RuleFile, parse_rules};
pub use rule_set::RuleSet;
pub use settings::Settings;
pub use transaction::Transaction;
pub use transform::Transform;
