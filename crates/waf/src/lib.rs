//! The web application firewall: rules in JSON, compiled to one program, that a request runs through in phases.
//!
//! Pure: no sockets, no clock; the time is an argument. The path of a request:
//!
//! | step | module |
//! | --- | --- |
//! | rules and exceptions are read from text | [`rule_file`], into [`rule`], [`rule_rate`]; [`exception_file`], into [`exception`] |
//! | and compiled, one that is bad naming itself | [`rule_set`], by [`settings`]; [`exception_set`]; [`rule_error`] |
//! | rules in SecLang are gathered, the OWASP Core Rule Set among them | [`crs`], from disk by [`os_sources`] |
//! | with patterns of paths, hosts and variables | [`glob`] |
//! | a request is a [`transaction`]: head, then body | [`transaction`], in a [`context`]: client, host, the site's [`scope`] |
//! | it is looked at for where it comes from | [`csrf`] |
//! | it is taken apart into values | [`request`], [`body`] |
//! | each value is looked at as it is and in every decoded form | `look`: [`transform`], [`decode`], `forms` |
//! | unless nothing was found in it before, by the rules that one filter lets pass | `clean`, `sieve` |
//! | and what was found is written down, or told with all that led to it | [`audit`], [`trace`] |
//! | what matched settles the verdict | [`findings`] |
//! | and a rule in SecLang says how the client is answered | [`intervention`] |
//! | an answer is looked at by rules in SecLang | [`response`] |
//! | and is taken out, where a rule says so | [`sanitize`] |
//!
//! [`RuleSet::plain`] is the reference: for each value, for each of its forms, for each rule. The fast way, which asks only
//! the rules that the filter lets pass, is held equal to it.

pub mod audit;
pub mod body;
mod clean;
pub mod context;
pub mod crs;
pub mod csrf;
pub mod decode;
pub mod exception;
pub mod exception_file;
mod exception_lookup;
pub mod exception_set;
pub mod findings;
mod forms;
pub mod glob;
pub mod intervention;
mod look;
pub mod os_sources;
pub mod request;
pub mod response;
pub mod rule;
pub mod rule_error;
pub mod rule_file;
pub mod rule_rate;
pub mod rule_set;
pub mod sanitize;
pub mod scope;
mod seclang;
pub mod settings;
mod sieve;
mod strict_json;
pub mod trace;
pub mod transaction;
pub mod transform;

pub use body::BodyKind;
pub use context::Context;
pub use csrf::Csrf;
pub use exception::Exception;
pub use exception_file::parse_exceptions;
pub use exception_set::{ExceptionSet, Hits};
pub use intervention::Intervention;
pub use os_sources::OsSources;
pub use request::{BodyFollows, Request};
pub use response::ResponseHead;
pub use rule::{Mode, Rule, RuleAction, Target};
pub use rule_error::RuleError;
pub use rule_file::{RuleFile, parse_rules};
pub use rule_rate::RuleRate;
pub use rule_set::RuleSet;
pub use sanitize::{Edit, Place};
pub use scope::{Scope, ScopeError};
pub use secbeat_engine::{Collections, Program, Store};
pub use secbeat_seclang::Sources;
pub use settings::Settings;
pub use trace::Traced;
pub use transaction::{Transaction, every_form_of_path};
pub use transform::Transform;
