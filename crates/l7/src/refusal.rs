//! One table from cause to answer: why a request went no further, the status that the client gets, and how the event that
//! tells of it is named.

use crate::budget::Exhausted;
use secbeat_http1::{BodyError, RequestError, ResponseError};
use secbeat_types::{Category, Decision, EventKind, RuleMatch};
use secbeat_waf::Intervention;
use std::io;
use std::sync::Arc;

/// Why a request went no further.
#[derive(Debug)]
pub enum Refusal {
    /// The head is not HTTP/1, or says one thing and another.
    Head(RequestError),
    /// The body is not framed as the head says.
    Body(BodyError),
    /// The head did not come in time.
    HeadTimeout,
    /// The body did not come in time.
    BodyTimeout,
    /// A decision about the client.
    Decision(Arc<Decision>),
    /// The method is not let through.
    Method,
    /// The body is longer than may be uploaded.
    BodyTooLarge,
    /// The body is longer than is inspected, and `on_body_over_limit = "block"`.
    BodyTooLargeToInspect,
    /// The body is of a type that is inspected, and compressed.
    BodyEncoded,
    /// The memory for bodies under inspection is used up.
    BodyMemory(Exhausted),
    /// The client asks more often than it may.
    Rate {
        /// The limit's name.
        limit: Arc<str>,
        /// Whole seconds until it may ask again.
        retry_after_s: u64,
    },
    /// Firewall rules; the one that settled it first.
    Rules(Vec<RuleMatch>, Option<Intervention>),
    /// Firewall rules over the answer; the one that settled it first.
    AnswerRules(Vec<RuleMatch>, Option<Intervention>),
    /// The client makes requests that a rule with a rate matches more often than it may.
    RuleRate {
        /// What matched.
        matches: Vec<RuleMatch>,
        /// Whole seconds until it may make such a request again.
        retry_after_s: u64,
    },
    /// No connection to the backend.
    BackendConnect(io::Error),
    /// The backend did not take the connection in time.
    BackendConnectTimeout,
    /// The backend did not answer in time.
    BackendTimeout,
    /// The backend closed the connection or broke it before it answered.
    BackendClosed(io::Error),
    /// The backend's answer is not HTTP/1, or says one thing and another.
    BackendInvalid(ResponseError),
    /// The backend switched protocols, and nobody had asked it to.
    BackendSwitched,
}

/// How a refusal is told: to the client by its status, to the operator by an event.
pub struct Telling {
    /// The status that the client gets.
    pub status: u16,
    /// The kind of event.
    pub kind: EventKind,
    /// The event's name in the log.
    pub event: &'static str,
    /// The part of the program that speaks.
    pub component: &'static str,
    /// The kind of attack, where it is one.
    pub attack: Option<Category>,
}

impl Refusal {
    /// The table.
    pub fn telling(&self) -> Telling {
        use Category as C;
        use EventKind as K;
        const NODE: &str = "mitigation-node";
        let (status, kind, event, component, attack) = match self {
            Refusal::Head(error) => (error.status(), K::Protocol, "request_refused", NODE, Some(C::Protocol)),
            Refusal::Body(error) => (error.status(), K::Protocol, "request_refused", NODE, Some(C::Protocol)),
            Refusal::HeadTimeout => (408, K::Limit, "head_timeout", NODE, Some(C::SlowClient)),
            Refusal::BodyTimeout => (408, K::Limit, "body_timeout", NODE, Some(C::SlowClient)),
            Refusal::Decision(_) => (403, K::Attack, "client_blocked", NODE, Some(C::Reputation)),
            Refusal::Method => (405, K::Limit, "method_refused", NODE, None),
            Refusal::BodyTooLarge => (413, K::Limit, "body_too_large", NODE, None),
            Refusal::BodyTooLargeToInspect => (413, K::Limit, "body_too_large_to_inspect", "waf", None),
            Refusal::BodyEncoded => (415, K::Limit, "body_encoded", "waf", None),
            Refusal::BodyMemory(_) => (503, K::Limit, "body_memory_exhausted", "waf", None),
            Refusal::Rate { .. } => (429, K::Limit, "rate_limited", NODE, Some(C::RateLimit)),
            Refusal::RuleRate { .. } => (429, K::Limit, "rate_limited", "waf", Some(C::RateLimit)),
            Refusal::Rules(matches, told) | Refusal::AnswerRules(matches, told) => (
                status_of(told.as_ref()),
                K::Attack,
                "attack_detected",
                "waf",
                Some(matches.first().map_or(C::Other, |m| m.category)),
            ),
            Refusal::BackendConnect(_) => (502, K::Backend, "backend_unreachable", NODE, None),
            Refusal::BackendConnectTimeout => (504, K::Backend, "backend_connect_timeout", NODE, None),
            Refusal::BackendTimeout => (504, K::Backend, "backend_timeout", NODE, None),
            Refusal::BackendClosed(_) => (502, K::Backend, "backend_closed", NODE, None),
            Refusal::BackendInvalid(_) => (502, K::Backend, "backend_invalid", NODE, None),
            Refusal::BackendSwitched => (502, K::Backend, "backend_invalid", NODE, None),
        };
        Telling { status, kind, event, component, attack }
    }

    /// Why, in a sentence for the operator. The client is not told.
    pub fn reason(&self) -> String {
        match self {
            Refusal::Head(error) => format!("{}: {error}", error.name()),
            Refusal::Body(error) => format!("{}: {error}", error.name()),
            Refusal::HeadTimeout => "the request's head did not come within timeouts.head".into(),
            Refusal::BodyTimeout => "the request's body did not come within timeouts.body".into(),
            Refusal::Decision(decision) => match decision.reason.as_str() {
                "" => format!("{} is blocked by {}", decision.scope, decision.id),
                reason => format!("{} is blocked by {}: {reason}", decision.scope, decision.id),
            },
            Refusal::Method => "the method is not in limits.methods".into(),
            Refusal::BodyTooLarge => "the body is longer than limits.body_bytes_max".into(),
            Refusal::BodyTooLargeToInspect => {
                "the body is longer than waf.inspect_body_limit, and waf.on_body_over_limit is \"block\""
                    .into()
            }
            Refusal::BodyEncoded => {
                "the body has a Content-Encoding and a type that is inspected: it cannot be inspected".into()
            }
            Refusal::BodyMemory(exhausted) => format!("{} is used up", exhausted.key()),
            Refusal::Rate { limit, retry_after_s } => {
                format!("the limit {limit} is used up; next request in {retry_after_s} s")
            }
            Refusal::Rules(matches, _) => matches.first().map_or_else(String::new, RuleMatch::in_words),
            Refusal::AnswerRules(matches, _) => matches
                .first()
                .map_or_else(String::new, |found| format!("{}, in the backend's answer", found.in_words())),
            Refusal::RuleRate { matches, retry_after_s } => {
                let rule = matches.first().map_or_else(String::new, RuleMatch::in_words);
                format!("{rule} more often than the rule's rate; next such request in {retry_after_s} s")
            }
            Refusal::BackendConnect(error) => format!("cannot connect to the backend: {error}"),
            Refusal::BackendConnectTimeout => "the backend did not accept within timeouts.connect".into(),
            Refusal::BackendTimeout => "the backend did not answer within timeouts.first_byte".into(),
            Refusal::BackendClosed(error) => {
                format!("the backend ended the connection before its answer: {error}")
            }
            Refusal::BackendInvalid(error) => {
                format!("the backend's answer was refused: {}: {error}", error.name())
            }
            Refusal::BackendSwitched => {
                "the backend switched protocols, and the request had not asked for it".into()
            }
        }
    }

    /// How the rule in SecLang that stopped it would have the client answered.
    pub fn intervention(&self) -> Option<&Intervention> {
        match self {
            Refusal::Rules(_, told) | Refusal::AnswerRules(_, told) => told.as_ref(),
            _ => None,
        }
    }

    /// Whether the client's connection cannot carry another request: its bytes are no longer understood, or unread.
    pub fn closes(&self) -> bool {
        !matches!(
            self,
            Refusal::Decision(_)
                | Refusal::Rate { .. }
                | Refusal::Rules(..)
                | Refusal::AnswerRules(..)
                | Refusal::RuleRate { .. }
                | Refusal::BackendConnect(_)
                | Refusal::BackendConnectTimeout
                | Refusal::BackendTimeout
                | Refusal::BackendClosed(_)
                | Refusal::BackendInvalid(_)
                | Refusal::BackendSwitched
        )
    }
}

/// The status under which a request is counted that a rule had dropped: nginx's number for a connection that is closed without
/// an answer.
const NO_ANSWER: u16 = 444;

/// The status of a request that rules stopped.
fn status_of(told: Option<&Intervention>) -> u16 {
    match told {
        Some(Intervention::Deny { status } | Intervention::Redirect { status, .. }) => *status,
        Some(Intervention::Drop) => NO_ANSWER,
        None => 403,
    }
}
