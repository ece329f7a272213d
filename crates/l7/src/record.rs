//! What is left of a request: counters for all, an event for those that were stopped or stood out.

use crate::connection::Connection;
use crate::facts::Facts;
use crate::ledger;
use crate::policy::Policy;
use crate::refusal::{Refusal, Telling};
use crate::scratch::Scratch;
use crate::stage::flag;
use secbeat_http1::Known;
use secbeat_telemetry::UpstreamError;
use secbeat_types::{Category, Event, EventKind, RuleMatch};
use secbeat_waf::findings::BUDGET_ID;
use std::io;
use std::time::Instant;

/// The status under which a request is counted whose client went away before its answer: nginx's number for it.
pub const CLIENT_GONE: u16 = 499;

const TARGET_BYTES_MAX: usize = 512;
const HOST_BYTES_MAX: usize = 256;
const USER_AGENT_BYTES_MAX: usize = 256;
const METHOD_BYTES_MAX: usize = 32;

/// Counts a request that has ended, and writes it down.
pub fn finished(connection: &Connection, policy: &Policy, scratch: &Scratch, facts: &mut Facts) {
    let metrics = &connection.worker.metrics;
    let now = Instant::now();
    metrics.request(facts.method.as_str(), facts.status, now.saturating_duration_since(facts.started));
    let (bytes_in, bytes_out) = connection.client.take_counts();
    metrics.bytes_in(bytes_in);
    metrics.bytes_out(bytes_out);
    ledger::enter(connection, policy, scratch, facts, now, (bytes_in, bytes_out));
}

/// Counts a request that was stopped and tells of it. `matches`: what rules found in a head that was refused for another reason.
pub fn refused(
    connection: &Connection,
    scratch: &Scratch,
    facts: &mut Facts,
    refusal: &Refusal,
    telling: &Telling,
    matches: Vec<RuleMatch>,
) {
    let metrics = &connection.worker.metrics;
    if let Some(category) = telling.attack {
        metrics.attack_blocked(category);
    }
    if let Some(cause) = upstream_error(refusal) {
        metrics.upstream_error(cause);
    }
    let mut matches = match refusal {
        Refusal::Rules(matches, _) | Refusal::AnswerRules(matches, _) | Refusal::RuleRate { matches, .. } => {
            matches.clone()
        }
        _ => matches,
    };
    count(connection, &matches);
    facts.matches.extend_from_slice(&matches);
    connection.worker.policy().mask.matches(&mut matches);
    connection.worker.shared.tell(Event {
        attack_type: telling.attack,
        blocked: telling.kind != EventKind::Backend,
        status: Some(telling.status),
        rule_id: matches.first().map(|found| found.rule_id.to_string()),
        matches,
        ..of_request(scratch, facts, telling.kind, telling.component, telling.event, refusal.reason())
    });
}

/// Counts and tells what rules that only log have found in a request that goes on.
pub fn seen(connection: &Connection, scratch: &Scratch, facts: &mut Facts, mut matches: Vec<RuleMatch>) {
    facts.matches.extend_from_slice(&matches);
    connection.worker.policy().mask.matches(&mut matches);
    let Some(first) = matches.first() else { return };
    facts.flags |= flag::LOGGED;
    count(connection, &matches);
    let reason = first.in_words();
    connection.worker.shared.tell(Event {
        attack_type: Some(first.category),
        rule_id: Some(first.rule_id.to_string()),
        matches,
        ..of_request(scratch, facts, EventKind::Attack, "waf", "attack_detected", reason)
    });
}

/// Counts what rules found.
fn count(connection: &Connection, matches: &[RuleMatch]) {
    let metrics = &connection.worker.metrics;
    for found in matches {
        metrics.rule_triggered(found.category);
        if *found.rule_id == *BUDGET_ID {
            metrics.waf_budget_exhausted();
        }
    }
}

/// Tells of a request that a limit would have refused, and that goes on.
pub fn rate_seen(connection: &Connection, scratch: &Scratch, facts: &Facts, reason: String) {
    connection.worker.shared.tell(Event {
        attack_type: Some(Category::RateLimit),
        ..of_request(scratch, facts, EventKind::Limit, "mitigation-node", "rate_limited", reason)
    });
}

/// Counts and tells what was taken out of a request that goes on without it: once for its head and once for its body, however
/// often something was. `is_first`: nothing was before.
pub fn sanitized(
    connection: &Connection,
    scratch: &Scratch,
    facts: &mut Facts,
    matches: &[RuleMatch],
    is_first: bool,
) {
    let Some(first) = matches.first() else { return };
    let metrics = &connection.worker.metrics;
    count(connection, matches);
    facts.matches.extend_from_slice(matches);
    if facts.flags & flag::SANITIZED == 0 {
        facts.flags |= flag::SANITIZED;
        metrics.request_sanitized();
    }
    if !is_first {
        return;
    }
    let reason = format!("{}; what matched was taken out of the request", first.in_words());
    let mut shown = matches.to_vec();
    connection.worker.policy().mask.matches(&mut shown);
    connection.worker.shared.tell(Event {
        attack_type: Some(first.category),
        rule_id: Some(first.rule_id.to_string()),
        matches: shown,
        ..of_request(scratch, facts, EventKind::Attack, "waf", "attack_detected", reason)
    });
}

/// Tells what would have stopped a request, had the firewall not been to log alone.
pub fn overlooked(connection: &Connection, scratch: &Scratch, facts: &mut Facts, refusal: &Refusal) {
    facts.flags |= flag::LOGGED;
    let telling = refusal.telling();
    let reason = format!("{}; let through, since the firewall only logs", refusal.reason());
    connection.worker.shared.tell(of_request(
        scratch,
        facts,
        telling.kind,
        telling.component,
        telling.event,
        reason,
    ));
}

/// Counts and tells of an answer that broke off.
pub fn broken(connection: &Connection, scratch: &Scratch, facts: &Facts, why: String) {
    connection.worker.metrics.upstream_error(UpstreamError::Truncated);
    connection.worker.shared.tell(of_request(
        scratch,
        facts,
        EventKind::Backend,
        "mitigation-node",
        "backend_broke_off",
        why,
    ));
}

fn of_request(
    scratch: &Scratch,
    facts: &Facts,
    kind: EventKind,
    component: &'static str,
    event: &'static str,
    reason: String,
) -> Event {
    let (head, bytes) = (&scratch.head, scratch.head_bytes());
    let text = |bytes: &[u8], max: usize| {
        let cut = bytes.get(..max).unwrap_or(bytes);
        (!cut.is_empty()).then(|| String::from_utf8_lossy(cut).into_owned())
    };
    Event {
        client_ip: Some(facts.client_ip.to_canonical()),
        request_id: Some(facts.id.as_str().to_owned()),
        method: text(head.method.of(bytes), METHOD_BYTES_MAX),
        host: text(head.authority(bytes), HOST_BYTES_MAX),
        target: text(head.target.of(bytes), TARGET_BYTES_MAX),
        user_agent: text(head.value(bytes, Known::UserAgent).unwrap_or_default(), USER_AGENT_BYTES_MAX),
        status: (facts.status != 0).then_some(facts.status),
        scores: facts.scores,
        ..Event::new(kind, component, event, reason)
    }
}

fn upstream_error(refusal: &Refusal) -> Option<UpstreamError> {
    match refusal {
        Refusal::BackendConnect(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(UpstreamError::Resolve)
        }
        Refusal::BackendConnect(_) => Some(UpstreamError::Connect),
        Refusal::BackendConnectTimeout => Some(UpstreamError::ConnectTimeout),
        Refusal::BackendTimeout => Some(UpstreamError::FirstByteTimeout),
        Refusal::BackendClosed(_) => Some(UpstreamError::Closed),
        Refusal::BackendInvalid(_) | Refusal::BackendSwitched => Some(UpstreamError::Malformed),
        _ => None,
    }
}
