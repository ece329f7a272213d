//! Security events: what was stopped or seen, as an operator reads it in the log and from the API.

use crate::{Category, RuleMatch, Scores, Timestamp};
use serde::Serialize;
use std::net::IpAddr;

/// What an event tells of. `type=` of the events API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A request that looked like an attack, stopped or only seen.
    Attack,
    /// A decision was made, or undone, or has expired.
    Decision,
    /// A client reached a limit (rate, size, connections).
    Limit,
    /// A request that HTTP does not allow.
    Protocol,
    /// A backend failed.
    Backend,
    /// The policy changed, or a change was refused.
    Policy,
}

impl EventKind {
    /// Whether it tells of what was done to the node rather than of what clients do.
    pub const fn is_audit(self) -> bool {
        matches!(self, EventKind::Decision | EventKind::Policy)
    }

    /// Every kind, in declaration order.
    pub const ALL: &'static [EventKind] = &[
        EventKind::Attack,
        EventKind::Decision,
        EventKind::Limit,
        EventKind::Protocol,
        EventKind::Backend,
        EventKind::Policy,
    ];

    /// The value of `type=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventKind::Attack => "attack",
            EventKind::Decision => "decision",
            EventKind::Limit => "limit",
            EventKind::Protocol => "protocol",
            EventKind::Backend => "backend",
            EventKind::Policy => "policy",
        }
    }
}

/// One event. Text that a client sent is kept as it came, lossy UTF-8 and cut to size; who prints it escapes it.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Ascending within a node's life; the cursor of the events API. Set by the event ring.
    pub id: u64,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it tells of.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The log's `event`: `attack_detected`, `rate_limited`, `request_refused`, `backend_failed`, `ip_blocked`, …
    pub event: &'static str,
    /// The log's `component`: `waf`, `mitigation-node`, …
    pub component: &'static str,
    /// The kind of attack, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack_type: Option<Category>,
    /// Who did it, where somebody did: `127.0.0.1`, `unix socket`, `192.0.2.9 (operator token)`, `signal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The client, behind trusted proxies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<IpAddr>,
    /// The request's id, as in the answer's `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The request's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The request's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The request's target as it was sent, at most 512 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The request's `User-Agent`, at most 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Whether the request was stopped.
    pub blocked: bool,
    /// The status that the client got, where it got one from us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The rule that settled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Every rule that matched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<RuleMatch>,
    /// What they come to, where rules score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scores>,
}

impl Event {
    /// An event with nothing but its kind, name and reason; the rest is set by who knows it.
    pub fn new(
        kind: EventKind,
        component: &'static str,
        event: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Event {
            id: 0,
            timestamp: Timestamp::now(),
            kind,
            event,
            component,
            attack_type: None,
            actor: None,
            client_ip: None,
            request_id: None,
            method: None,
            host: None,
            target: None,
            user_agent: None,
            blocked: false,
            status: None,
            rule_id: None,
            reason: reason.into(),
            matches: Vec::new(),
            scores: None,
        }
    }
}
